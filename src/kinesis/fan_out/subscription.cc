#include "kinesis/fan_out/subscription.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "api/event_log.h"
#include "api/fault.h"
#include "base/clock.h"
#include "base/task.h"
#include "kinesis/fan_out/event_writer.h"
#include "kinesis/fan_out/fan_out.h"
#include "kinesis/shard_id.h"
#include "kinesis/shard_query.h"

namespace millrace::kinesis {
namespace {

constexpr std::int64_t kLifeNs = 300'000 * kNsPerMs;    // as the service: up to 5 minutes
constexpr std::int64_t kQuietNs = 4'000 * kNsPerMs;     // the service sends an event every 5 s at least
constexpr std::int64_t kAskAgainNs = 3'000 * kNsPerMs;  // the longest that it outlives its permission
constexpr std::size_t kQueuedBytesMax = 1'024 * 1'024;  // unsent; above it nothing is added
constexpr std::int64_t kQuotaLookNs = 250 * kNsPerMs;   // so soon a changed quota lets go who waits for it
constexpr double kBytesASecond = 2.0 * 1'024 * 1'024;   // of --limits aws, a consumer and shard

}  // namespace

std::int64_t Subscription::now_ns() const { return house_.clock().monotonic_ns(); }

void Subscription::start(std::shared_ptr<net::BodyStream> stream, std::uint64_t feed_at) {
  if (ended_) return stream->end();  // another one was quicker
  stream_ = std::move(stream);
  feed_at_ = std::max(feed_at_, feed_at);
  newest_s_ = house_.clock().wall_ms() / 1'000;
  if (house_.broker().options().aws_limits) throttle_ = Throttle{kBytesASecond, now_ns()};
  stream_->when_closed([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->finish();
  });
  loop_.post_after(kLifeNs, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->finish();
  });
  stream_->write(initial_response(target_.encoding));
  charge(0);  // it may have to wait for what others took
  look_at_catalog();
  if (ended_) return;
  if (cursor_ >= feed_at_) send_empty();  // so that the client knows from where it has everything
  send_empty_later(kQuietNs);
  ask_again_later();
  if (house_.leaving()) finish();
}

void Subscription::received(const FeedEvent& event) {
  if (ended_) return;
  feed_at_ = std::max(feed_at_, event.to);
  const SharedBytes& bytes = event.bytes[index_of(target_.encoding)];
  const bool next = cursor_ == event.from && bytes != nullptr;
  if (next && stream_ != nullptr && !reading_ && !held_ && stream_->queued_bytes() <= kQueuedBytesMax &&
      event.payload_bytes <= quotas_now().read_bytes_max(event.payload_bytes)) {
    cursor_ = event.to;
    newest_s_ = event.last_arrival_ms / 1'000;
    behind_ms_ = 0;
    send(bytes, {.bytes = event.payload_bytes,
                 .records = event.to - event.from,
                 .behind_ms = event.behind_ms,
                 .next_offset = cursor_});
    charge(event.payload_bytes);
  }
  go_on();
}

void Subscription::go_on() {
  if (ended_ || stream_ == nullptr || reading_ || held_) return;
  if (end_picture_ != nullptr && cursor_ >= *target_.shard.end_offset) return finish_shard();
  if (cursor_ >= feed_at_) return;
  if (stream_->queued_bytes() > kQueuedBytesMax) {
    hold();
    return stream_->when_below(kQueuedBytesMax / 2, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->release();
    });
  }
  reading_ = true;
  spawn(read(shared_from_this()));
}

void Subscription::hold() { held_ = true; }

void Subscription::release() {
  held_ = false;
  go_on();
}

// To where the feed is and no further, so that the feed's next event is this one's next, too.
Task<void> Subscription::read(std::shared_ptr<Subscription> self) {
  const log::ReadLimits limits{.records_max = static_cast<std::uint32_t>(
                                   std::min<std::uint64_t>(kEventRecordsMax, self->feed_at_ - self->cursor_)),
                               .bytes_max = self->quotas_now().read_bytes_max(kEventBytesMax)};
  Task<Result<log::ReadBatch>> reading =
      self->house_.broker().read_for_consumer(self->target_.shard, self->cursor_, limits);
  auto batch = co_await std::move(reading);
  self->reading_ = false;
  if (!self->ended_) self->got(std::move(batch));
}

void Subscription::got(Result<log::ReadBatch> batch) {
  if (!batch.ok()) {
    if (batch.error().kind == ErrorKind::kNotFound)
      return fail(shard_absent(shard_id(target_.shard.index), target_.consumer.stream));
    // Of the rest, a stream can tell what is wrong with a key.
    const ApiError error = from_house(batch.error());
    return fail(error.type.starts_with("KMS") ? error
                                              : internal_failure(api::text_for_client(batch.error())));
  }
  cursor_ = std::max(cursor_, batch->next_offset);
  if (batch->records.empty()) return go_on();
  const std::uint64_t bytes = log::payload_bytes(batch->records);
  newest_s_ = batch->records.back().arrival_ms / 1'000;
  const std::int64_t now_ms = house_.broker().clock().wall_ms();
  behind_ms_ = batch->next_arrival_ms.has_value()
                   ? std::max<std::int64_t>(1, now_ms - *batch->next_arrival_ms)
                   : behind_at_end_ms(target_.shard, now_ms);
  send(shard_event(target_.encoding, {target_.shard, batch->records, cursor_, newest_s_, behind_ms_}),
       {.bytes = bytes, .records = batch->records.size(), .behind_ms = behind_ms_, .next_offset = cursor_});
  charge(bytes);
  go_on();
}

void Subscription::send(SharedBytes event, const StreamMeter::Event& content) {
  meter_.event(target_.metered(), target_.shard.index, shards_metered_, content);
  sent_ns_ = now_ns();
  stream_->write(std::move(event));
}

// Each waits until all is paid that was sent before, by others of the same quota too, and what it sent
// itself.
void Subscription::charge(std::uint64_t payload_bytes) {
  const std::int64_t now = now_ns();
  Pause pause{.throttled_until_ns = now + charge_throttle(payload_bytes),
              .quota_until_ns = now,
              .quotas = quotas_now()};
  pause.quotas.charge_read(payload_bytes, now);
  if (const auto debt = pause.quotas.in_debt(now); debt.has_value()) {
    debt->meter->count_exceeded(debt->quantity);
    pause.quota_until_ns = now + debt->meter->debt_ns(debt->quantity, now);
  }
  if (std::max(pause.throttled_until_ns, pause.quota_until_ns) <= now) return;
  hold();
  this->pause(std::move(pause));
}

// How long what it sent is too much for.
std::int64_t Subscription::charge_throttle(std::uint64_t payload_bytes) {
  if (!throttle_.has_value()) return 0;
  const double refill = static_cast<double>(now_ns() - throttle_->at_ns) / 1e9 * kBytesASecond;
  throttle_->at_ns = now_ns();
  throttle_->bytes = std::min(kBytesASecond, throttle_->bytes + refill) - static_cast<double>(payload_bytes);
  return throttle_->bytes >= 0 ? 0 : static_cast<std::int64_t>(-throttle_->bytes / kBytesASecond * 1e9);
}

Quotas Subscription::quotas_now() const {
  return Quotas::of(house_.quotas(), *target_.caller, target_.consumer.stream.name);
}

void Subscription::pause(Pause pause) {
  const std::int64_t now = now_ns();
  const bool same = pause.quotas == quotas_now();
  const std::int64_t until_ns = std::max(pause.throttled_until_ns, same ? pause.quota_until_ns : now);
  if (until_ns <= now) return release();
  const std::int64_t left_ns = until_ns - now;
  loop_.post_after(pause.quota_until_ns > now ? std::min(left_ns, kQuotaLookNs) : left_ns,
                   [weak = weak_from_this(), pause = std::move(pause)]() mutable {
                     if (const auto self = weak.lock(); self && !self->ended_) self->pause(std::move(pause));
                   });
}

void Subscription::send_empty() {
  send(shard_event(target_.encoding, {target_.shard, {}, cursor_, newest_s_, behind_ms_}),
       {.bytes = 0, .records = 0, .behind_ms = behind_ms_, .next_offset = cursor_});
}

void Subscription::send_empty_later(std::int64_t delay_ns) {
  loop_.post_after(delay_ns, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->ended_) return;
    const std::int64_t quiet_ns = self->now_ns() - self->sent_ns_;
    // What is still unsent tells the client more than an empty event behind it.
    if (quiet_ns >= kQuietNs && self->stream_->queued_bytes() == 0) self->send_empty();
    self->send_empty_later(quiet_ns >= kQuietNs ? kQuietNs : kQuietNs - quiet_ns);
  });
}

// Each subscription has a timer of its own, so that thousands do not ask at once. The authorizer remembers
// its answers while nothing changes.
void Subscription::ask_again_later() {
  loop_.post_after(kAskAgainNs, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->ended_) return;
    if (const Outcome refused = self->access_.ask(self->target_.consumer); refused.has_value())
      return self->fail(*refused);
    self->ask_again_later();
  });
}

std::optional<ApiError> Subscription::fault_in_catalog() {
  const StreamPlace& place = target_.consumer.stream;
  const auto stream = house_.broker().catalog()->find(place.name);
  if (stream == nullptr || stream->id != target_.stream_id ||
      stream->status == broker::StreamStatus::kDeleting)
    return stream_not_found(place);
  const broker::Consumer* consumer = stream->find_consumer(target_.consumer.name);
  if (consumer == nullptr || consumer->id != target_.consumer_id ||
      consumer->status == broker::ConsumerStatus::kDeleting)
    return consumer_not_found(target_.consumer);
  shards_metered_ = !stream->shard_metrics.empty();
  const broker::Shard* shard = stream->find(target_.shard.index);
  if (shard == nullptr) return shard_absent(shard_id(target_.shard.index), place);
  if (!shard->open()) {
    target_.shard = *shard;
    end_picture_ = stream;
  }
  return std::nullopt;
}

void Subscription::look_at_catalog() {
  if (ended_ || stream_ == nullptr) return;
  if (const auto fault = fault_in_catalog(); fault.has_value()) return fail(*fault);
  go_on();
}

void Subscription::replace() {
  if (!ended_ && stream_ != nullptr) return fail(another_subscription(target_));
  finish();
}

void Subscription::finish_shard() {
  behind_ms_ = behind_at_end_ms(target_.shard, house_.broker().clock().wall_ms());
  send(shard_end_event(target_.encoding, *end_picture_, target_.shard, behind_ms_),
       {.bytes = 0, .records = 0, .behind_ms = behind_ms_, .next_offset = cursor_});
  finish();
}

void Subscription::fail(const ApiError& error) {
  const std::string shard = shard_id(target_.shard.index);
  api::tell(
      api::CutOff{target_.consumer.stream.name, target_.consumer.name, shard, error.type, error.message});
  meter_.failed_event(target_.metered());
  stream_->write(exception_event(target_.encoding, error));
  finish();
}

void Subscription::finish() {
  if (std::exchange(ended_, true)) return;
  const auto self = shared_from_this();  // what keeps it lets it go
  if (stream_ != nullptr) std::exchange(stream_, nullptr)->end();
  house_.ended(self);
}

}  // namespace millrace::kinesis
