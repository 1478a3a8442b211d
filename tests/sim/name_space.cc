#include "sim/name_space.h"

#include <algorithm>
#include <set>

#include "base/assert.h"

namespace millrace::sim {

std::string_view NameSpace::folder_of(std::string_view path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

std::string_view NameSpace::name_of(std::string_view path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

NameSpace::Folder& NameSpace::folder(std::string_view path) {
  const auto found = folders_.find(std::string(path));
  MR_ASSERT(found != folders_.end());
  return found->second;
}

void NameSpace::make_folder(std::string_view path) {
  folders_[std::string(path)];
  if (!path.empty()) make_folder(folder_of(path));
}

std::vector<std::string> NameSpace::entries(std::string_view path) const {
  std::vector<std::string> names;
  for (const auto& [name, inode] : folders_.at(std::string(path)).seen) names.push_back(name);
  for (const auto& [other, content] : folders_)
    if (!other.empty() && folder_of(other) == path) names.emplace_back(name_of(other));
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> NameSpace::files() const {
  std::vector<std::string> paths;
  for (const auto& [path, content] : folders_)
    for (const auto& [name, inode] : content.seen) paths.push_back(path.empty() ? name : path + '/' + name);
  std::sort(paths.begin(), paths.end());
  return paths;
}

InodePtr NameSpace::find(std::string_view path) const {
  const auto found = folders_.find(std::string(folder_of(path)));
  if (found == folders_.end()) return nullptr;
  const auto inode = found->second.seen.find(std::string(name_of(path)));
  return inode == found->second.seen.end() ? nullptr : inode->second;
}

void NameSpace::set_name(Names& names, const std::string& name, const InodePtr& inode) {
  InodePtr& slot = names[name];
  if (slot) --slot->names;
  slot = inode;
  ++slot->names;
}

void NameSpace::link(std::string_view path, InodePtr inode) {
  Folder& in = folder(folder_of(path));
  std::string name(name_of(path));
  set_name(in.seen, name, inode);
  in.pending.push_back({++changes_, Change::Kind::kLink, std::move(name), {}, std::move(inode)});
}

void NameSpace::unlink(std::string_view path) {
  Folder& in = folder(folder_of(path));
  const auto found = in.seen.find(std::string(name_of(path)));
  MR_ASSERT(found != in.seen.end());
  --found->second->names;
  in.pending.push_back({++changes_, Change::Kind::kUnlink, found->first, {}, found->second});
  in.seen.erase(found);
}

void NameSpace::rename(std::string_view from, std::string_view to) {
  if (from == to) return;
  const InodePtr inode = find(from);
  MR_ASSERT(inode != nullptr);
  if (folder_of(from) != folder_of(to)) {
    link(to, inode);
    const std::uint64_t linked = changes_;
    unlink(from);
    folder(folder_of(from)).pending.back().only_with = linked;
    return;
  }
  Folder& in = folder(folder_of(from));
  Change change{++changes_, Change::Kind::kRename, std::string(name_of(from)), std::string(name_of(to)),
                inode};
  set_name(in.seen, change.new_name, inode);
  in.seen.erase(change.name);
  --inode->names;
  in.pending.push_back(std::move(change));
}

void NameSpace::sync_folder(std::string_view path) {
  Folder& synced = folder(path);
  synced.durable = synced.seen;
  synced.pending.clear();
}

// To the durable names, which may lack what an earlier change that was not kept had made.
void NameSpace::apply(const Change& change, Names& names) {
  const auto old = names.find(change.name);
  switch (change.kind) {
    case Change::Kind::kLink:
      names[change.name] = change.inode;
      return;
    case Change::Kind::kRename:
      if (old != names.end() && old->second == change.inode) names.erase(old);
      names[change.new_name] = change.inode;
      return;
    case Change::Kind::kUnlink:
      if (old != names.end() && old->second == change.inode) names.erase(old);
      return;
  }
}

void NameSpace::lose_power(SeededRandom& random, bool in_order) {
  struct Pending {
    Change change;
    Folder* folder;
    bool kept;
  };
  std::vector<Pending> all;
  for (auto& [path, content] : folders_) {
    const std::size_t kept_in_order = random.below(content.pending.size() + 1);
    constexpr double kShares[] = {0, 0.5, 0.5, 1};
    const double kept_share = kShares[random.below(std::size(kShares))];
    for (std::size_t i = 0; i < content.pending.size(); ++i) {
      const bool kept = in_order ? i < kept_in_order : random.chance(kept_share);
      all.push_back({std::move(content.pending[i]), &content, kept});
    }
    content.pending.clear();
  }
  std::sort(all.begin(), all.end(),
            [](const Pending& a, const Pending& b) { return a.change.number < b.change.number; });
  std::set<std::uint64_t> dropped;
  for (const Pending& pending : all) {
    if (!pending.kept || dropped.count(pending.change.only_with) != 0) {
      dropped.insert(pending.change.number);
    } else {
      apply(pending.change, pending.folder->durable);
    }
  }
  for (const InodePtr& inode : inodes()) inode->names = 0;
  for (auto& [path, content] : folders_) {
    content.seen = content.durable;
    for (const auto& [name, inode] : content.seen) ++inode->names;
  }
}

std::vector<InodePtr> NameSpace::inodes() const {
  std::map<std::uint64_t, InodePtr> found;
  for (const auto& [path, content] : folders_) {
    for (const auto& [name, inode] : content.seen) found.emplace(inode->number, inode);
    for (const auto& [name, inode] : content.durable) found.emplace(inode->number, inode);
    for (const Change& change : content.pending) found.emplace(change.inode->number, change.inode);
  }
  std::vector<InodePtr> all;
  for (auto& [number, inode] : found) all.push_back(std::move(inode));
  return all;
}

}  // namespace millrace::sim
