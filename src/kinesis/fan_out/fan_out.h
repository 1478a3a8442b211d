// kinesis/fan_out/fan_out.h: all subscriptions of the server: who has which consumer and shard, and which
// feed brings whom his events.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "broker/broker.h"
#include "kinesis/fan_out/shard_feed.h"
#include "kinesis/fan_out/subscription.h"

namespace millrace::kinesis {

// The service's words for a second subscription of one consumer to one shard.
ApiError another_subscription(const SubscriptionTarget& target);

// On any loop; each loop has a side of its own, and no locks.
class FanOut final : public ShardFeed::Outlet {
 public:
  // Borrowed; quotas may be nullptr. It outlives the loops' last callback.
  FanOut(broker::Broker& broker, const Clock& clock, const Published<identity::QuotaTable>* quotas);
  ~FanOut() override;

  broker::Broker& broker() const { return broker_; }
  const Clock& clock() const { return clock_; }
  const Published<identity::QuotaTable>* quotas() const { return quotas_; }

  // Gives the consumer and the shard to `subscription`, which is not started yet: an older one ends. Answers
  // with where the shard's feed goes on. On the subscription's loop. errors   kConflict: an older one was
  // accepted less than 5 s ago, whether it goes on or not.  kNotFound: the
  //          shard is gone
  Task<Result<std::uint64_t>> claim(std::shared_ptr<Subscription> subscription);
  // It has ended; on its loop.
  void ended(const std::shared_ptr<Subscription>& subscription);

  // Ends all subscriptions in order, now and whenever one begins. Any thread.
  void leave();
  bool leaving() const { return leaving_.load(std::memory_order_relaxed); }

  // How many there are. Any thread.
  std::uint64_t open() const;

  void deliver(Loop& loop, const broker::Shard& shard, std::shared_ptr<const FeedEvent> event,
               Callback delivered) override;
  void over(const broker::Shard& shard, const ShardFeed& feed) override;

 private:
  // A shard and a consumer's id.
  using ClaimKey = std::pair<std::uint64_t, std::uint64_t>;
  struct Claim {
    std::weak_ptr<Subscription> holder;
    Loop* loop = nullptr;  // the holder's
    Encoding encoding{};   // the holder's
    std::shared_ptr<ShardFeed> feed;
    std::uint64_t serial = 0;
    std::int64_t begun_ns = 0;
    bool ended = false;
  };
  // What a loop knows: of the shards that it has, and of the subscriptions whose connections it has.
  struct Side {
    std::unordered_map<std::uint64_t, std::shared_ptr<ShardFeed>> feeds;
    std::map<ClaimKey, Claim> claims;
    std::uint64_t last_serial = 0;

    std::unordered_map<std::uint64_t, std::vector<std::shared_ptr<Subscription>>> subscriptions;  // by shard
    std::atomic<Loop*> loop{nullptr};  // set once there was a subscription
    std::atomic<std::uint64_t> open{0};
    bool watching = false;  // the catalog
  };

  Side& side(const Loop& loop) { return sides_[loop.index()]; }
  void enter(const std::shared_ptr<Subscription>& subscription);
  void take_out(const Subscription& subscription);
  Task<Result<std::uint64_t>> claim_there(std::shared_ptr<Subscription> subscription);
  void release(Loop& home, ClaimKey key, std::uint64_t serial);
  void forget_later(Loop& home, ClaimKey key, std::uint64_t serial, std::int64_t delay_ns);
  void watch_catalog(Loop& loop);
  void catalog_changed(Loop& loop);
  void give(const Loop& loop, std::uint64_t shard, const FeedEvent& event);

  static constexpr std::size_t kLoopsMax = 256;

  broker::Broker& broker_;
  const Clock& clock_;
  const Published<identity::QuotaTable>* const quotas_;
  std::atomic<bool> leaving_{false};
  std::vector<Side> sides_;
};

}  // namespace millrace::kinesis
