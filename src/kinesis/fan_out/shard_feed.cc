#include "kinesis/fan_out/shard_feed.h"

#include <algorithm>
#include <utility>

#include "base/task.h"
#include "kinesis/fan_out/event_writer.h"

namespace millrace::kinesis {
namespace {

// While a loop is busy its events do not pile up: the next one is read when it has these, and takes more in.
constexpr std::size_t kInFlightMax = 2;

}  // namespace

void ShardFeed::join(Loop& loop, Encoding encoding) {
  auto at = std::find_if(listeners_.begin(), listeners_.end(),
                         [&loop](const Listeners& listeners) { return listeners.loop == &loop; });
  if (at == listeners_.end()) at = listeners_.insert(listeners_.end(), Listeners{&loop});
  ++at->count[index_of(encoding)];
  wait();
}

void ShardFeed::leave(const Loop& loop, Encoding encoding) {
  const auto at = std::find_if(listeners_.begin(), listeners_.end(),
                               [&loop](const Listeners& listeners) { return listeners.loop == &loop; });
  MR_ASSERT(at != listeners_.end() && at->count[index_of(encoding)] > 0);
  --at->count[index_of(encoding)];
  if (at->all() == 0) listeners_.erase(at);
}

// Without listeners it waits on all the same, so that an idle shard whose subscribers come and go has one
// waiter in the log and no more.
void ShardFeed::wait() {
  if (waiting_ || reading_ || in_flight_ >= kInFlightMax) return;
  waiting_ = true;
  broker_.when_past(shard_, next_, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->waiting_ = false;
    self->read();
  });
}

void ShardFeed::read() {
  if (listeners_.empty()) return outlet_.over(shard_, *this);
  reading_ = true;
  const log::ReadLimits limits{.records_max = kEventRecordsMax, .bytes_max = kEventBytesMax};
  spawn(broker_.read_for_consumer(shard_, next_, limits), [self = shared_from_this()](auto batch) {
    self->reading_ = false;
    self->got(std::move(batch));
  });
}

void ShardFeed::got(Result<log::ReadBatch> batch) {
  if (!batch.ok()) {
    // Who is subscribed reads what was there by himself, and learns what is wrong.
    deliver(std::make_shared<FeedEvent>(FeedEvent{.from = next_, .to = next_ + 1}));
    return outlet_.over(shard_, *this);
  }
  const std::uint64_t from = std::exchange(next_, batch->next_offset);
  if (!batch->records.empty()) {
    auto event = std::make_shared<FeedEvent>(FeedEvent{.from = from, .to = next_});
    event->payload_bytes = log::payload_bytes(batch->records);
    event->last_arrival_ms = batch->records.back().arrival_ms;
    if (batch->next_arrival_ms.has_value())
      event->behind_ms = std::max<std::int64_t>(1, broker_.clock().wall_ms() - *batch->next_arrival_ms);
    for (const Encoding encoding : {Encoding::kJson, Encoding::kCbor}) {
      const std::size_t index = index_of(encoding);
      if (std::any_of(listeners_.begin(), listeners_.end(),
                      [index](const Listeners& listeners) { return listeners.count[index] > 0; }))
        event->bytes[index] = shard_event(
            encoding, {shard_, batch->records, next_, event->last_arrival_ms / 1'000, event->behind_ms});
    }
    deliver(event);
  }
  wait();
}

void ShardFeed::deliver(const std::shared_ptr<const FeedEvent>& event) {
  std::vector<Loop*> loops;  // who gets it may leave meanwhile
  loops.reserve(listeners_.size());
  for (const Listeners& listeners : listeners_) loops.push_back(listeners.loop);
  in_flight_ += loops.size();
  for (Loop* loop : loops) {
    outlet_.deliver(*loop, shard_, event, [self = shared_from_this()] {
      --self->in_flight_;
      self->wait();
    });
  }
}

}  // namespace millrace::kinesis
