#include "kinesis/fan_out/fan_out.h"

#include <fmt/format.h>

#include <algorithm>

#include "kinesis/shard_id.h"

namespace millrace::kinesis {
namespace {

constexpr std::int64_t kClaimNs = 5'000'000'000;  // so long a claim stands, whoever comes

std::uint64_t number_of(const SubscriptionTarget& target) { return log::to_number(target.shard.key); }

}  // namespace

ApiError another_subscription(const SubscriptionTarget& target) {
  const StreamPlace& place = target.consumer.stream;
  return in_use(fmt::format("Another active subscription exists for this consumer: {}:{}:{}:{}",
                            place.account, place.name, shard_id(target.shard.index), target.consumer.name));
}

FanOut::FanOut(broker::Broker& broker, const Clock& clock, const Published<identity::QuotaTable>* quotas)
    : broker_(broker), clock_(clock), quotas_(quotas), sides_(kLoopsMax) {}
FanOut::~FanOut() = default;

Task<Result<std::uint64_t>> FanOut::claim(std::shared_ptr<Subscription> subscription) {
  Loop& loop = subscription->loop();
  enter(subscription);  // first: the feed's events may come before the answer
  co_await switch_to(broker_.loop_of(subscription->target().shard));
  auto claimed = co_await claim_there(subscription);
  co_await switch_to(loop);
  if (!claimed.ok()) take_out(*subscription);
  co_return claimed;
}

Task<Result<std::uint64_t>> FanOut::claim_there(std::shared_ptr<Subscription> subscription) {
  const SubscriptionTarget& target = subscription->target();
  Side& home = side(broker_.loop_of(target.shard));
  const ClaimKey key{number_of(target), target.consumer_id};
  const std::int64_t now_ns = clock_.monotonic_ns();
  const auto old = home.claims.find(key);
  if (old != home.claims.end() && now_ns - old->second.begun_ns < kClaimNs)
    co_return Error{ErrorKind::kConflict, "another subscription"};
  auto extent = co_await broker_.extent(target.shard);
  if (!extent.ok()) co_return extent.error();

  Claim& claim = home.claims[key];
  if (claim.loop != nullptr && !claim.ended) {
    claim.feed->leave(*claim.loop, claim.encoding);
    claim.loop->post([holder = claim.holder] {
      if (const auto replaced = holder.lock()) replaced->replace();
    });
  }
  std::shared_ptr<ShardFeed>& feed = home.feeds[key.first];
  if (feed == nullptr) feed = std::make_shared<ShardFeed>(broker_, *this, target.shard, extent->end_offset);
  subscription->serial = ++home.last_serial;
  claim = Claim{.holder = subscription,
                .loop = &subscription->loop(),
                .encoding = target.encoding,
                .feed = feed,
                .serial = subscription->serial,
                .begun_ns = now_ns};
  const std::uint64_t next = feed->next();
  claim.feed->join(subscription->loop(), target.encoding);
  co_return next;
}

void FanOut::ended(const std::shared_ptr<Subscription>& subscription) {
  take_out(*subscription);
  const SubscriptionTarget& target = subscription->target();
  Loop& home = broker_.loop_of(target.shard);
  const ClaimKey key{number_of(target), target.consumer_id};
  home.post([this, &home, key, serial = subscription->serial] { release(home, key, serial); });
}

// The claim stands for its five seconds all the same, as the service has it.
void FanOut::release(Loop& home, ClaimKey key, std::uint64_t serial) {
  const auto at = side(home).claims.find(key);
  if (at == side(home).claims.end() || at->second.serial != serial || at->second.ended) return;
  Claim& claim = at->second;
  claim.feed->leave(*claim.loop, claim.encoding);
  claim.feed.reset();
  claim.ended = true;
  const std::int64_t left_ns = claim.begun_ns + kClaimNs - clock_.monotonic_ns();
  if (left_ns <= 0) {
    side(home).claims.erase(at);
  } else {
    forget_later(home, key, serial, left_ns);
  }
}

void FanOut::forget_later(Loop& home, ClaimKey key, std::uint64_t serial, std::int64_t delay_ns) {
  home.post_after(delay_ns, [this, &home, key, serial] {
    const auto at = side(home).claims.find(key);
    if (at != side(home).claims.end() && at->second.serial == serial) side(home).claims.erase(at);
  });
}

void FanOut::enter(const std::shared_ptr<Subscription>& subscription) {
  Loop& loop = subscription->loop();
  Side& here = side(loop);
  here.loop.store(&loop, std::memory_order_release);
  here.subscriptions[number_of(subscription->target())].push_back(subscription);
  here.open.fetch_add(1, std::memory_order_relaxed);
  watch_catalog(loop);
}

void FanOut::take_out(const Subscription& subscription) {
  Side& here = side(subscription.loop());
  const auto at = here.subscriptions.find(number_of(subscription.target()));
  if (at == here.subscriptions.end()) return;
  const auto erased =
      std::erase_if(at->second, [&subscription](const auto& entry) { return entry.get() == &subscription; });
  here.open.fetch_sub(erased, std::memory_order_relaxed);
  if (at->second.empty()) here.subscriptions.erase(at);
}

void FanOut::give(const Loop& loop, std::uint64_t shard, const FeedEvent& event) {
  const auto at = side(loop).subscriptions.find(shard);
  if (at == side(loop).subscriptions.end()) return;
  const auto subscriptions = at->second;  // some may end meanwhile
  for (const auto& subscription : subscriptions) subscription->received(event);
}

void FanOut::deliver(Loop& loop, const broker::Shard& shard, std::shared_ptr<const FeedEvent> event,
                     Callback delivered) {
  const std::uint64_t number = log::to_number(shard.key);
  if (loop.is_current()) {
    give(loop, number, *event);
    return delivered();
  }
  loop.post([this, &loop, &home = broker_.loop_of(shard), number, event = std::move(event),
             delivered = std::move(delivered)]() mutable {
    give(loop, number, *event);
    event.reset();
    home.post(std::move(delivered));
  });
}

void FanOut::over(const broker::Shard& shard, const ShardFeed& feed) {
  auto& feeds = side(broker_.loop_of(shard)).feeds;
  const auto at = feeds.find(log::to_number(shard.key));
  if (at != feeds.end() && at->second.get() == &feed) feeds.erase(at);
}

void FanOut::watch_catalog(Loop& loop) {
  if (std::exchange(side(loop).watching, true)) return;
  broker_.when_catalog_newer(broker_.catalog()->version, [this, &loop] {
    side(loop).watching = false;
    catalog_changed(loop);
  });
}

void FanOut::catalog_changed(Loop& loop) {
  std::vector<std::shared_ptr<Subscription>> all;  // some may end meanwhile
  for (const auto& [shard, subscriptions] : side(loop).subscriptions)
    all.insert(all.end(), subscriptions.begin(), subscriptions.end());
  if (all.empty()) return;
  watch_catalog(loop);
  for (const auto& subscription : all) subscription->look_at_catalog();
}

void FanOut::leave() {
  leaving_.store(true, std::memory_order_relaxed);
  for (Side& one : sides_) {
    Loop* loop = one.loop.load(std::memory_order_acquire);
    if (loop == nullptr) continue;
    loop->post([&one] {
      const auto all = one.subscriptions;
      for (const auto& [shard, subscriptions] : all)
        for (const auto& subscription : subscriptions) subscription->finish();
    });
  }
}

std::uint64_t FanOut::open() const {
  std::uint64_t sum = 0;
  for (const Side& one : sides_) sum += one.open.load(std::memory_order_relaxed);
  return sum;
}

}  // namespace millrace::kinesis
