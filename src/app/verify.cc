#include "app/verify.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <set>
#include <string>
#include <utility>

#include "app/exit_code.h"
#include "app/folder_check.h"
#include "app/keyring_file.h"
#include "broker/broker.h"
#include "log/inspect.h"
#include "store/posix_disk.h"

namespace millrace::app {
namespace {

// Each fault once, however often it is met.
class Report {
 public:
  // Whether it is new.
  bool print(const std::string& line) {
    const bool is_new = told_.insert(line).second;
    if (is_new) std::printf("%s\n", line.c_str());
    return is_new;
  }
  Result<void> take(Error error) {
    if (error.kind != ErrorKind::kCorrupt && error.kind != ErrorKind::kInvalid) return error;
    if (print(error.text)) ++problems_;
    return {};
  }
  // Of the log, which prints its own, and besides what is no problem.
  void add(std::uint64_t problems) { problems_ += problems; }
  unsigned long long problems() const { return problems_; }

 private:
  std::set<std::string> told_;
  std::uint64_t problems_ = 0;
};

Result<void> verify_all(const Verify& command, Report& report, log::Inspection& found) {
  MR_TRY(store::check_not_in_use(command.folder));
  MR_ASSIGN(const auto disk, store::open_posix_disk_read_only(command.folder));
  const OnFault fault = [&](Error error) { return report.take(std::move(error)); };
  MR_ASSIGN(const FolderState state, check_folder(*disk, keyring_path(command.keyring, command.folder),
                                                  system_random(), CheckDepth::kAll, fault));
  // Against a catalog that is damaged or missing nothing can be held.
  const log::KnownShards known{broker::shards_of(state.catalog), state.catalog.next_shard_key};
  std::uint64_t told_before = 0;
  const auto line = [&](const std::string& text) { told_before += report.print(text) ? 0 : 1; };
  MR_ASSIGN(found, log::inspect(*disk, log::Inspect::kVerify, line, state.has_catalog ? &known : nullptr));
  report.add(found.problems - std::min(found.problems, told_before));
  return check_journal_ends(*disk, state.record, found.journal_ends, fault);
}

}  // namespace

int verify(const Verify& command) {
  Report report;
  log::Inspection found;
  if (auto verified = verify_all(command, report, found); !verified.ok()) {
    std::fprintf(stderr, "millrace: %s\n", verified.error().text.c_str());
    return kFailed;
  }
  std::printf(
      "%llu problems; %llu segments with %llu blocks, %llu groups in journals, %llu records readable\n",
      report.problems(), static_cast<unsigned long long>(found.segments),
      static_cast<unsigned long long>(found.blocks), static_cast<unsigned long long>(found.groups),
      static_cast<unsigned long long>(found.records));
  return report.problems() == 0 ? 0 : kFailed;
}

}  // namespace millrace::app
