// One moment of the catalog and of the log, for a backup.
#include "broker/controller.h"

namespace millrace::broker {

Task<Result<BackupPoint>> Controller::backup_point() {
  // Most of what is to be moved to segments, while commands go on.
  Task<Result<log::Checkpoint>> settling = log_.checkpoint();
  const auto settled = co_await std::move(settling);
  if (!settled.ok()) co_return settled.error();

  // In a turn: from here on no shard is made, closed or removed, and no data key is made.
  co_await Turn::wait(*this);
  const Turn turn(*this);
  if (closed_) co_return Error{ErrorKind::kUnavailable, "shutting down"};
  if (ledger_->in_doubt())
    co_return Error{ErrorKind::kUnavailable, "an entry of the control log is in doubt"};
  BackupPoint point;
  point.entry = ledger_->last();
  point.catalog = encode(*catalog_);
  Task<Result<log::Checkpoint>> capturing = log_.checkpoint();
  auto captured = co_await std::move(capturing);
  if (!captured.ok()) co_return std::move(captured).error();
  point.log = std::move(*captured);
  co_return point;
}

}  // namespace millrace::broker
