#include "log/leftovers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "log/journal_file.h"
#include "log/manifest_store.h"
#include "log/segment.h"

namespace millrace::log {

namespace {

Result<std::vector<std::string>> names_in(store::Disk& disk, const std::string& folder) {
  auto names = disk.list(folder);
  if (!names.ok() && names.error().kind == ErrorKind::kNotFound) return std::vector<std::string>{};
  return names;
}

Result<bool> has_frames(store::Disk& disk, const std::string& path) {
  MR_ASSIGN(const auto file, disk.open(path, store::Disk::Mode::kRead));
  std::array<std::uint8_t, kFrameHeaderBytes> first;
  MR_ASSIGN(const std::size_t read, file->read_at(kJournalFramesBegin, first));
  return load_frame_header({first.data(), read}).has_value();
}

Error unlisted(store::Disk& disk, const std::string& path, const Manifest* manifest) {
  return {ErrorKind::kCorrupt,
          fmt::format("{}: it holds records and {}", disk.describe(path),
                      manifest == nullptr ? "there is no manifest in log/manifest"
                                          : "the newest manifest does not name it: a newer one is missing")};
}

class Search {
 public:
  Search(store::Disk& disk, const Manifest* manifest) : disk_(disk), manifest_(manifest) {}

  Result<Leftovers> run() {
    MR_ASSIGN(const auto folders, names_in(disk_, "log"));
    for (const std::string& name : folders)
      if (name != "journal" && name != "segments" && name != "manifest")
        found_.others.push_back("log/" + name);
    MR_ASSIGN(const auto manifests, names_in(disk_, "log/manifest"));
    for (const std::string& name : manifests)
      if (!manifest_number(name)) found_.others.push_back("log/manifest/" + name);
    MR_TRY(search_segments());
    MR_ASSIGN(const auto loops, names_in(disk_, "log/journal"));
    for (const std::string& name : loops) {
      std::uint32_t loop = 0;
      const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), loop);
      if (error != std::errc{} || end != name.data() + name.size() ||
          journal_folder(loop) != "log/journal/" + name)
        found_.others.push_back("log/journal/" + name);
      else
        MR_TRY(search_journal(loop));
    }
    return std::move(found_);
  }

 private:
  Result<void> search_segments() {
    MR_ASSIGN(const auto names, names_in(disk_, "log/segments"));
    for (const std::string& name : names) {
      const std::string path = "log/segments/" + name;
      const auto number = segment_number(name);
      if (!number) {
        found_.others.push_back(path);
        continue;
      }
      if (manifest_ == nullptr) return unlisted(disk_, path, manifest_);
      if (std::none_of(manifest_->segments.begin(), manifest_->segments.end(),
                       [&](const SegmentEntry& entry) { return entry.number == *number; }))
        found_.ours.push_back(path);  // its records are still in the journal, or in what it was made of
    }
    return {};
  }

  Result<void> search_journal(std::uint32_t loop) {
    MR_ASSIGN(const auto names, names_in(disk_, journal_folder(loop)));
    for (const std::string& name : names) {
      const std::string path = journal_folder(loop) + "/" + name;
      if (name.ends_with(".mrj.new")) {
        found_.ours.push_back(path);
        continue;
      }
      const auto number = journal_number(name);
      if (!number) {
        found_.others.push_back(path);
        continue;
      }
      if (manifest_ != nullptr && loop >= manifest_->loops.size()) {
        found_.ours.push_back(path);  // all settled when the number of loops changed
        continue;
      }
      const LoopManifest* entry = manifest_ == nullptr ? nullptr : &manifest_->loops[loop];
      if (entry != nullptr &&
          std::any_of(entry->files.begin(), entry->files.end(),
                      [&](const JournalFileEntry& file) { return file.number == *number; }))
        continue;
      if (entry == nullptr || *number >= entry->next_file) {
        MR_ASSIGN(const bool used, has_frames(disk_, path));
        if (used) return unlisted(disk_, path, manifest_);
      }
      found_.ours.push_back(path);
    }
    return {};
  }

  store::Disk& disk_;
  const Manifest* manifest_;
  Leftovers found_;
};

}  // namespace

Result<Leftovers> find_leftovers(store::Disk& disk, const Manifest* manifest) {
  return Search(disk, manifest).run();
}

}  // namespace millrace::log
