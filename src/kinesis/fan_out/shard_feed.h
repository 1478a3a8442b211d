// kinesis/fan_out/shard_feed.h: what follows one shard at its tip, for all who are subscribed to it: each
// event is read and encoded once, and its bytes are shared.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/loop.h"
#include "broker/broker.h"
#include "kinesis/protocol.h"

namespace millrace::kinesis {

// What one event takes of keys and data at most, or one larger record.
inline constexpr std::uint64_t kEventBytesMax = 1'024 * 1'024;
inline constexpr std::uint32_t kEventRecordsMax = 10'000;

inline constexpr std::size_t kEncodings = 2;
constexpr std::size_t index_of(Encoding encoding) { return static_cast<std::size_t>(encoding); }

// Records `from` to `to` - 1 of a shard, encoded. Immutable, shared by loops.
struct FeedEvent {
  std::uint64_t from;
  std::uint64_t to;
  std::uint64_t payload_bytes;  // of keys and data
  std::int64_t last_arrival_ms;
  std::int64_t behind_ms;                     // MillisBehindLatest
  std::array<SharedBytes, kEncodings> bytes;  // null where nobody was there for it
};

// Belongs to the shard's loop.
class ShardFeed : public std::enable_shared_from_this<ShardFeed> {
 public:
  // Where a feed's events go.
  class Outlet {
   public:
    virtual ~Outlet() = default;
    // Gives the event to those on `loop` who are subscribed, and calls back on the shard's loop when they
    // have it; at once where that is the same.
    virtual void deliver(Loop& loop, const broker::Shard& shard, std::shared_ptr<const FeedEvent> event,
                         Callback delivered) = 0;
    // The feed does nothing any more: nobody was subscribed, or the shard could not be read.
    virtual void over(const broker::Shard& shard, const ShardFeed& feed) = 0;
  };

  // next    of the first record that it gives.   All borrowed, and outlive it.
  ShardFeed(broker::Broker& broker, Outlet& outlet, broker::Shard shard, std::uint64_t next)
      : broker_(broker), outlet_(outlet), shard_(std::move(shard)), next_(next) {}

  // One more, or one fewer, who is subscribed. What comes behind next() is delivered to the loop.
  void join(Loop& loop, Encoding encoding);
  void leave(const Loop& loop, Encoding encoding);
  std::uint64_t next() const { return next_; }

 private:
  struct Listeners {
    Loop* loop;
    std::array<std::size_t, kEncodings> count{};
    std::size_t all() const { return count[0] + count[1]; }
  };

  void wait();
  void read();
  void got(Result<log::ReadBatch> batch);
  void deliver(const std::shared_ptr<const FeedEvent>& event);

  broker::Broker& broker_;
  Outlet& outlet_;
  const broker::Shard shard_;  // as it was; only what never changes of it is looked at
  std::uint64_t next_;
  std::vector<Listeners> listeners_;  // by loop; none without any
  std::size_t in_flight_ = 0;         // events that some loop does not have yet, each loop counted
  bool waiting_ = false;              // for a record, in the log
  bool reading_ = false;
};

}  // namespace millrace::kinesis
