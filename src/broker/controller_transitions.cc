// What the controller does by itself, with time: streams leave their passing statuses, closed shards go.
#include <fmt/format.h>

#include "base/clock.h"
#include "broker/controller.h"
#include "broker/reshard.h"

namespace millrace::broker {
namespace {

constexpr std::int64_t kHousekeepingMs = 60'000;
constexpr std::int64_t kNewShardsLag_s =
    1;  // as the service's sequence numbers were recorded (kinesalite's tests)

}  // namespace

void Controller::advance_later(std::uint64_t id, std::int64_t delay_ms) {
  const auto stream = by_id(id);
  if (stream == nullptr) return;
  loop_.post_after(delay_ms * kNsPerMs, [weak = weak_from_this(), id, from = stream->status] {
    if (const auto self = weak.lock(); self && !self->closed_) spawn(self->advance(id, from));
  });
}

Task<void> Controller::advance(std::uint64_t id, StreamStatus from) {
  co_await Turn::wait(*this);
  const Turn turn(*this);
  const auto stream = by_id(id);
  if (stream == nullptr || stream->status != from || closed_) co_return;
  Result<void> moved;
  CatalogChange change;
  switch (stream->status) {
    case StreamStatus::kActive:
      break;
    case StreamStatus::kCreating:
      change = StreamActivated{id};
      moved = co_await commit(std::move(change));
      break;
    case StreamStatus::kUpdating:
      moved = co_await carry_out_plan(stream);
      break;
    case StreamStatus::kDeleting:
      change = StreamDeleted{id};
      moved = co_await commit(std::move(change));
      break;
  }
  if (moved.ok()) co_return;
  environment_.warn(fmt::format("stream {} stays as it is for now: {}", stream->name, moved.error().text));
  advance_later(id, kRetryMs);
}

// Seals the shards that close, then commits their ends and their children in one entry.
Task<Result<void>> Controller::carry_out_plan(std::shared_ptr<const Stream> stream) {
  MR_ASSERT(stream->plan.has_value());
  // Perhaps the change in doubt is this one, and its shards stay sealed.
  if (ledger_->in_doubt()) co_return Error{ErrorKind::kUnavailable, "the change before is in doubt"};
  const std::vector<std::uint32_t> closing = shards_closed_by(*stream, *stream->plan);
  std::map<std::uint32_t, std::uint64_t> end_offsets;
  Result<void> outcome;
  for (const std::uint32_t index : closing) {
    const Shard* shard = stream->find(index);
    MR_ASSERT(shard != nullptr);
    co_await switch_to(board_.loop(log::loop_of(shard->key, board_.loops())));
    auto end = co_await log_.seal(shard->key);
    co_await switch_to(loop_);
    if (!end.ok()) {
      outcome = end.error();
      break;
    }
    end_offsets.emplace(index, *end);
  }
  if (outcome.ok()) {
    CatalogChange done =
        ReshardDone{stream->id, environment_.clock.wall_ms(), std::move(end_offsets), kNewShardsLag_s};
    outcome = co_await commit(std::move(done));
  }
  // What may have been carried out leaves the shards sealed: it is shown once it is durable.
  if (outcome.ok() || ledger_->in_doubt()) co_return outcome;

  // Not carried out: the old shards go on, and whoever waits for new ones looks again.
  co_await board_.on_each_loop([&](std::size_t loop) {
    for (const std::uint32_t index : closing)
      if (log::loop_of(stream->find(index)->key, board_.loops()) == loop)
        log_.unseal(stream->find(index)->key);
  });
  Catalog same = *catalog_;
  ++same.version;
  catalog_ = std::make_shared<const Catalog>(std::move(same));
  co_await board_.publish(catalog_);
  co_return outcome;
}

void Controller::keep_house_later() {
  loop_.post_after(kHousekeepingMs * kNsPerMs, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->closed_) return;
    spawn(self->keep_house());
    self->keep_house_later();
  });
}

Task<void> Controller::keep_house() {
  const auto self = shared_from_this();
  co_await expire_closed_shards();
  co_await renew_data_keys();
  co_await drop_data_keys();
}

// A closed shard leaves the catalog when the last record it can hold has expired.
Task<void> Controller::expire_closed_shards() {
  co_await Turn::wait(*this);
  const Turn turn(*this);
  const auto catalog = catalog_;
  for (const auto& [name, stream] : catalog->streams) {
    if (stream->status != StreamStatus::kActive) continue;
    Task<Result<void>> dropping = drop_expired_shards(stream);
    auto dropped = co_await std::move(dropping);
    if (!dropped.ok()) co_return;  // the next round tries again
  }
}

Task<Result<void>> Controller::drop_expired_shards(std::shared_ptr<const Stream> stream) {
  if (stream->retention_hours < 0) co_return Result<void>{};
  const std::int64_t oldest_ms = environment_.clock.long_ago_ms(retention_ms(*stream));
  ShardsExpired expired{stream->id, {}};
  for (const Shard& shard : stream->shards)
    if (!shard.open() && shard.closed_ms < oldest_ms) expired.indexes.push_back(shard.index);
  if (expired.indexes.empty()) co_return Result<void>{};
  CatalogChange gone = std::move(expired);
  auto committed = co_await commit(std::move(gone));
  co_return committed;
}

}  // namespace millrace::broker
