#include "app/folder_start.h"

#include <fmt/format.h>

#include <utility>

#include "app/folder_check.h"
#include "broker/broker.h"
#include "cluster/bound_store.h"
#include "log/journal_file.h"

namespace millrace::app {

namespace {

// A folder keeps the account and the region of its first start: other ARNs would name other streams, and what
// is encrypted under one does not open under another.
Result<void> belong_to(store::FolderRecord& record, const std::string& account, const std::string& region) {
  const auto differs = [](const std::string& known, const std::string& given) {
    return !known.empty() && known != given;
  };
  if (differs(record.region, region))
    return Error{
        ErrorKind::kConflict,
        fmt::format(
            "the data folder is of region {0}, and --region is {1}: start it with --region {0}. A folder's "
            "region cannot be changed. Nothing was changed",
            record.region, region)};
  if (differs(record.account, account))
    return Error{
        ErrorKind::kConflict,
        fmt::format(
            "the data folder is of account {0}, and --account-id is {1}: start it with --account-id {0}. A "
            "folder's account cannot be changed. Nothing was changed",
            record.account, account)};
  record.region = region;
  record.account = account;
  return {};
}

}  // namespace

Result<FolderStart> start_folder(FolderGround ground, log::LogEnvironment environment,
                                 log::LogOptions options) {
  constexpr std::size_t kLoopsMax = 256;
  store::Disk& disk = environment.disk;
  const auto warn = environment.warn;
  const OnFault refuse = [](Error fault) -> Result<void> { return refusal(std::move(fault)); };
  MR_ASSIGN(FolderState state, check_folder(disk, ground.keyring, ground.random, CheckDepth::kStart, refuse));
  MR_TRY(belong_to(state.record, ground.account, ground.region));
  ++state.record.origin.start;
  FolderStart start;
  start.given_up = std::exchange(state.record.given_up, {});
  start.keeper =
      std::make_unique<store::FolderKeeper>(disk, state.record, std::move(ground.keeper_worker), warn);
  environment.origin = start.keeper->origin();
  environment.marks = start.keeper.get();
  options.next_shard = state.catalog.next_shard_key;
  auto stopped = log::Log::read(std::move(environment), options, broker::shards_of(state.catalog));
  if (!stopped.ok()) return refusal(std::move(stopped).error());
  start.log = std::move(*stopped);
  MR_TRY(check_journal_ends(disk, state.record, start.log->journals(), refuse));

  // Until here nothing was changed.
  for (std::size_t loop = start.log->journals().size(); loop < kLoopsMax; ++loop)
    start.keeper->forget(log::journal_folder(static_cast<std::uint32_t>(loop)));
  MR_TRY(start.keeper->begin());
  MR_ASSIGN(auto control, store::open_directory_store(disk, kControlFolder, ground.conditions));
  start.control = cluster::bind_store(std::move(control), start.keeper->origin(), *start.keeper,
                                      std::string(kControlFolder), state.chains);
  return start;
}

}  // namespace millrace::app
