#include "log/leftovers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "log/journal_file.h"
#include "log/manifest_store.h"
#include "log/segment.h"
#include "log/segment_codec.h"

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

// kNobodys: there is nothing in it.  kUnknown: it does not say, or cannot be read
enum class Whose : std::uint8_t { kOurs, kNobodys, kAnothers, kUnknown };

Whose whose(std::uint64_t of, std::uint64_t folder) {
  if (folder == 0 || of == folder) return Whose::kOurs;
  return of == 0 ? Whose::kUnknown : Whose::kAnothers;
}

Result<Whose> whose_segment(store::Disk& disk, const std::string& path, std::uint64_t number,
                            std::uint64_t folder) {
  MR_ASSIGN(const auto file, disk.open(path, store::Disk::Mode::kRead));
  std::array<std::uint8_t, kSegmentHeaderBytes> bytes{};
  MR_ASSIGN(const std::size_t read, file->read_at(0, bytes));
  const ByteView header = ByteView{bytes}.first(read);
  if (read < bytes.size() ||
      std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; }))
    return Whose::kNobodys;
  if (!segment_header_is_good(header, number)) return Whose::kUnknown;
  return whose(segment_header_folder(header), folder);
}

Whose whose_journal(store::Disk& disk, std::uint32_t loop, std::uint64_t number, std::uint64_t folder) {
  const auto use = read_last_use(disk, loop, number);
  if (!use) return Whose::kUnknown;
  if (use->generation == 0) return Whose::kNobodys;
  return whose(use->folder, folder);
}

class Search {
 public:
  Search(store::Disk& disk, const Manifest* manifest, std::uint64_t folder)
      : disk_(disk), manifest_(manifest), folder_(folder) {}

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
                       [&](const SegmentEntry& entry) { return entry.number == *number; })) {
        MR_ASSIGN(const Whose found, whose_segment(disk_, path, *number, folder_));
        // Its records are still in the journal, or in what it was made of; or they are given up.
        const bool left = found == Whose::kOurs ||
                          (found == Whose::kNobodys && (folder_ == 0 || *number >= manifest_->next_segment));
        (left ? found_.ours : found_.orphans).push_back(path);
      }
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
      // Without its loop in the manifest: all was settled when the number of loops changed.
      const LoopManifest* entry =
          manifest_ != nullptr && loop < manifest_->loops.size() ? &manifest_->loops[loop] : nullptr;
      if (entry != nullptr &&
          std::any_of(entry->files.begin(), entry->files.end(),
                      [&](const JournalFileEntry& file) { return file.number == *number; }))
        continue;
      const Whose found = whose_journal(disk_, loop, *number, folder_);
      if (manifest_ == nullptr || (entry != nullptr && *number >= entry->next_file)) {
        MR_ASSIGN(const bool used, has_frames(disk_, path));
        if (used && found != Whose::kAnothers) return unlisted(disk_, path, manifest_);
      }
      const bool left = folder_ == 0 || found == Whose::kOurs || found == Whose::kNobodys;
      (left ? found_.ours : found_.orphans).push_back(path);
    }
    return {};
  }

  store::Disk& disk_;
  const Manifest* manifest_;
  const std::uint64_t folder_;
  Leftovers found_;
};

}  // namespace

Result<Leftovers> find_leftovers(store::Disk& disk, const Manifest* manifest, std::uint64_t folder) {
  return Search(disk, manifest, folder).run();
}

}  // namespace millrace::log
