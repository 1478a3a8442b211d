#include "app/whole_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "app/backup_mark.h"
#include "app/folder_check.h"
#include "base/random.h"
#include "broker/broker.h"

namespace millrace::app {
namespace {

// Each fault once, however often it is met.
class Report {
 public:
  explicit Report(const std::function<void(const std::string&)>& line) : line_(line) {}

  // Whether it is new.
  bool print(const std::string& text) {
    const bool is_new = told_.insert(text).second;
    if (is_new) line_(text);
    return is_new;
  }
  Result<void> take(Error error) {
    if (error.kind != ErrorKind::kCorrupt && error.kind != ErrorKind::kInvalid) return error;
    if (print(error.text)) ++problems_;
    return {};
  }
  // Of the log, which prints its own, and besides what is no problem.
  void add(std::uint64_t problems) { problems_ += problems; }
  std::uint64_t problems() const { return problems_; }

 private:
  const std::function<void(const std::string&)>& line_;
  std::set<std::string> told_;
  std::uint64_t problems_ = 0;
};

Error wrong(std::string text) { return {ErrorKind::kCorrupt, std::move(text)}; }

Result<void> check_keyring_of_mark(store::Disk& disk, Report& report) {
  MR_ASSIGN(const auto mark, read_backup_mark(disk));
  if (!mark) return {};
  MR_ASSIGN(const std::string keyring, keyring_digest(disk));
  if (!mark->keyring.empty() && keyring.empty())
    return report.take(wrong(fmt::format("{} is missing", disk.describe("keyring"))));
  if (!mark->keyring.empty() && keyring != mark->keyring)
    return report.take(
        wrong(fmt::format("{} is not the keyring of this backup: it is damaged, older or of another folder",
                          disk.describe("keyring"))));
  return {};
}

// After a crash a served folder may be ahead of its FOLDER; a backup never is.
Result<void> check_exact(store::Disk& disk, const FolderState& state, const std::string& keyring,
                         Report& report) {
  MR_ASSIGN(const auto mark, read_backup_mark(disk));
  if (!mark) return {};
  if (!state.has_record)
    return report.take(wrong(fmt::format("{} is missing, and each backup has one", disk.describe("FOLDER"))));
  const auto parts = record_of_parts(disk, keyring, system_random());
  if (!parts.ok())
    return parts.error().kind == ErrorKind::kCorrupt ? report.take(parts.error()) : parts.error();
  if (mark->folder != state.record.origin.folder)
    MR_TRY(report.take(wrong(fmt::format("{} is of another folder than {}", disk.describe("FOLDER"),
                                         disk.describe(kBackupMark)))));
  for (const auto& [part, there] : parts->parts) {
    const auto noted = state.record.parts.find(part);
    if (noted == state.record.parts.end())
      MR_TRY(report.take(
          wrong(fmt::format("{} is there, and {} does not know it: one of them is of another backup",
                            disk.describe(part), disk.describe("FOLDER")))));
    else if (there.number > noted->second.number || there.from > noted->second.from)
      MR_TRY(report.take(wrong(
          fmt::format("{} reaches {}, and {} was written at {}: one of them is of another backup",
                      disk.describe(part), there.number, disk.describe("FOLDER"), noted->second.number))));
  }
  return {};
}

}  // namespace

Result<WholeCheck> check_whole(store::Disk& disk, const std::string& keyring,
                               const std::function<void(const std::string&)>& line) {
  WholeCheck whole;
  Report report(line);
  const OnFault fault = [&](Error error) { return report.take(std::move(error)); };
  MR_TRY(check_keyring_of_mark(disk, report));
  MR_ASSIGN(const FolderState state, check_folder(disk, keyring, system_random(), CheckDepth::kAll, fault));
  MR_TRY(check_exact(disk, state, keyring, report));
  // Against a catalog that is damaged or missing nothing can be held.
  const log::KnownShards known{broker::shards_of(state.catalog), state.catalog.next_shard_key};
  std::uint64_t told_before = 0;
  const auto of_log = [&](const std::string& text) { told_before += report.print(text) ? 0 : 1; };
  MR_ASSIGN(whole.found,
            log::inspect(disk, log::Inspect::kVerify, of_log, state.has_catalog ? &known : nullptr));
  report.add(whole.found.problems - std::min(whole.found.problems, told_before));
  MR_TRY(check_journal_ends(disk, state.record, whole.found.journals, fault));
  whole.problems = report.problems();
  return whole;
}

}  // namespace millrace::app
