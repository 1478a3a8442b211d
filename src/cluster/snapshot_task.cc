#include "cluster/snapshot_task.h"

#include <algorithm>
#include <utility>

namespace millrace::cluster {
namespace {

// A disk that is asked to flush writes out first what it was handed before: an entry waits for one piece, and
// so does a journal on the same disk.
constexpr std::size_t kPieceBytes = std::size_t{256} << 10;
constexpr std::int64_t kPauseNs = 8'000'000;  // with which it is 32 MiB in a second at most

class WholeState final : public SnapshotSource {
 public:
  explicit WholeState(Function<std::string()> encode) : encode_(std::move(encode)) {}
  Function<std::string()> next() override { return std::move(encode_); }

 private:
  Function<std::string()> encode_;
};

// What `work` returns, on the worker.
template <typename T, typename Work>
Task<T> on_worker(Loop& loop, Worker& worker, Work& work) {
  auto value = co_await eventually<T>([&](auto done) {
    worker.run([&loop, &work, done]() mutable {
      loop.post([done, value = work()]() mutable { done(std::move(value)); });
    });
  });
  co_return value;
}

}  // namespace

std::unique_ptr<SnapshotSource> whole_state(Function<std::string()> encode) {
  return std::make_unique<WholeState>(std::move(encode));
}

Task<Result<void>> write_snapshot(ControlLog& log, SnapshotSource& source, Loop& loop, Worker& worker,
                                  const bool& given_up) {
  auto begin = [&log] { return log.begin_snapshot(); };
  auto beginning = on_worker<Result<std::unique_ptr<ControlLog::Snapshot>>>(loop, worker, begin);
  auto begun = co_await std::move(beginning);
  if (!begun.ok()) co_return std::move(begun).error();
  std::unique_ptr<ControlLog::Snapshot> snapshot = std::move(*begun);
  Result<void> outcome;
  while (outcome.ok()) {
    Function<std::string()> encode = source.next();
    if (!encode) break;
    std::string part;
    std::size_t written = 0;
    // The first piece is written where the part is made; the rest of a large one piece by piece.
    auto write = [&]() -> Result<void> {
      if (encode) part = std::exchange(encode, {})();
      const std::size_t bytes = std::min(kPieceBytes, part.size() - written);
      if (bytes == 0) return {};
      auto appended = snapshot->append(std::string_view(part).substr(written, bytes));
      written += bytes;
      return appended;
    };
    do {
      if (given_up) {
        outcome = Error{ErrorKind::kUnavailable, "the snapshot was given up"};
        break;
      }
      auto writing = on_worker<Result<void>>(loop, worker, write);
      outcome = co_await std::move(writing);
      co_await sleep_for(loop, kPauseNs);
    } while (outcome.ok() && written < part.size());
  }
  auto end = [&]() -> Result<void> {
    if (outcome.ok()) outcome = log.end_snapshot(*snapshot);
    if (!outcome.ok()) log.snapshot_failed();
    snapshot.reset();  // one that is not whole is removed here
    return outcome;
  };
  auto ending = on_worker<Result<void>>(loop, worker, end);
  outcome = co_await std::move(ending);
  for (bool more = outcome.ok(); more && !given_up;) {
    auto remove = [&log] { return log.remove_replaced(); };
    auto removing = on_worker<Result<bool>>(loop, worker, remove);
    const auto removed = co_await std::move(removing);
    more = removed.ok() && *removed;  // what is left goes after the next snapshot
    if (more) co_await sleep_for(loop, kPauseNs);
  }
  co_return outcome;
}

}  // namespace millrace::cluster
