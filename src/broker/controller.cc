#include "broker/controller.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/clock.h"
#include "broker/encryption.h"
#include "broker/reshard.h"

namespace millrace::broker {
namespace {

// As the service's sequence numbers were recorded (kinesalite's tests).
constexpr std::int64_t kFirstShardsLead_s = 3;

Error no_stream(const std::string& name) {
  return Error{ErrorKind::kNotFound, fmt::format("no stream {}", name)};
}

}  // namespace

std::int64_t retention_ms(const Stream& stream) {
  return stream.retention_hours < 0 ? log::kRetentionUnlimited : stream.retention_hours * 3'600'000;
}

void Controller::next_turn() {
  if (turns_.empty()) {
    busy_ = false;
    return;
  }
  loop_.post(std::move(turns_.front()));
  turns_.pop_front();
}

Controller::Controller(log::LogEnvironment& environment, log::Log& log, keys::DataKeys& keys,
                       CatalogBoard& board, std::shared_ptr<cluster::Ledger> ledger,
                       std::shared_ptr<const Catalog> catalog, BrokerOptions options)
    : environment_(environment),
      log_(log),
      keys_(keys),
      board_(board),
      ledger_(std::move(ledger)),
      catalog_(std::move(catalog)),
      options_(std::move(options)),
      loop_(board.loop(0)) {
  for (const auto& [name, stream] : catalog_->streams) bytes_ += memory_bytes(*stream);
  options_.memory->take(bytes_);
}

void Controller::start() {
  ledger_->when_held(
      [weak = weak_from_this()](std::string entry) { return apply_held(weak.lock(), std::move(entry)); });
  for (const auto& [name, stream] : catalog_->streams) {
    if (stream->data_keys.size() > 1) old_data_keys_[stream->id] = {stream->data_keys.back().number};
    advance_all_later(*stream);
  }
  keep_house_later();
}

void Controller::advance_all_later(const Stream& stream) {
  if (stream.status != StreamStatus::kActive) advance_later(stream.id, options_.transition_ms);
  for (const auto& [name, consumer] : stream.consumers)
    if (consumer.status != ConsumerStatus::kActive)
      advance_consumer_later(stream.id, consumer.id, options_.transition_ms);
}

Task<void> Controller::close() {
  co_await Turn::wait(*this);
  const Turn turn(*this);
  closed_ = true;
  co_await ledger_->end_snapshot();
}

Error Controller::over_limit(std::uint64_t more_shards) const {
  return Error{ErrorKind::kLimit,
               fmt::format("{} open shards and {} more would be over the limit of {}",
                           catalog_->open_shard_count, more_shards, options_.shards_per_account_max)};
}

Result<void> Controller::check_day(const Stream& stream, Counted what) const {
  if (!options_.aws_limits || stream.may_happen(what, environment_.clock.wall_ms())) return {};
  const DailyLimit& limit = kDailyLimits[static_cast<std::size_t>(what)];
  return Error{ErrorKind::kThrottled,
               fmt::format("stream {}: {} {} in 24 hours", stream.name, limit.times, limit.name)};
}

Result<std::shared_ptr<const Stream>> Controller::active_stream(const std::string& name) const {
  auto stream = catalog_->find(name);
  if (stream == nullptr) return no_stream(name);
  if (stream->status != StreamStatus::kActive)
    return Error{ErrorKind::kConflict, fmt::format("stream {} is not ACTIVE", name)};
  return stream;
}

std::shared_ptr<const Stream> Controller::by_id(std::uint64_t id) const {
  for (const auto& [name, stream] : catalog_->streams)
    if (stream->id == id) return stream;
  return nullptr;
}

Task<Result<void>> Controller::create_stream(CreateStream request) {
  co_await Turn::wait(*this);
  const Turn turn(*this);
  if (catalog_->find(request.name) != nullptr)
    co_return Error{ErrorKind::kConflict, fmt::format("stream {} exists", request.name)};
  if (catalog_->open_shard_count + request.shard_count > options_.shards_per_account_max)
    co_return over_limit(request.shard_count);
  CatalogChange created = StreamCreated{.name = request.name,
                                        .now_ms = environment_.clock.wall_ms(),
                                        .shard_count = request.shard_count,
                                        .retention_hours = 24,
                                        .on_demand = request.on_demand,
                                        .tags = std::move(request.tags),
                                        .max_record_kib = request.max_record_kib,
                                        .warm_throughput_mibps = request.warm_throughput_mibps,
                                        .auto_distribution = request.auto_distribution,
                                        .first_shards_lead_s = kFirstShardsLead_s};
  auto committed = co_await commit(std::move(created));
  if (committed.ok()) advance_later(catalog_->find(request.name)->id, options_.transition_ms);
  co_return committed;
}

Task<Result<void>> Controller::delete_stream(std::string name, bool with_consumers) {
  co_await Turn::wait(*this);
  const Turn turn(*this);
  const auto stream = catalog_->find(name);
  if (stream == nullptr) co_return no_stream(name);
  if (stream->status == StreamStatus::kDeleting) co_return Result<void>{};
  if (!with_consumers && !stream->consumers.empty())
    co_return Error{ErrorKind::kConflict, fmt::format("stream {} has consumers", name)};
  CatalogChange deleting = StreamDeleting{stream->id};
  auto committed = co_await commit(std::move(deleting));
  if (committed.ok()) advance_later(stream->id, options_.transition_ms);
  co_return committed;
}

Task<Result<void>> Controller::reshard(ReshardRequest request) {
  co_await Turn::wait(*this);
  const Turn turn(*this);
  const auto found = active_stream(request.name);
  if (!found.ok()) co_return found.error();
  const Stream& stream = **found;
  Result<ReshardPlan> plan = [&]() -> Result<ReshardPlan> {
    switch (request.kind) {
      case Reshard::kSplit:
        return plan_split(stream, request.shard, request.split_at);
      case Reshard::kMerge:
        return plan_merge(stream, request.shard, request.adjacent_or_target);
      case Reshard::kEven:
        return plan_even(stream, request.adjacent_or_target);
    }
    return Error{ErrorKind::kInvalid, "unknown kind of reshard"};
  }();
  if (!plan.ok()) co_return plan.error();
  const std::uint64_t more =
      request.kind == Reshard::kMerge ? 0
      : request.kind == Reshard::kSplit
          ? 1
          : std::max<std::uint64_t>(request.adjacent_or_target, stream.open_shards.size()) -
                stream.open_shards.size();
  if (catalog_->open_shard_count + more > options_.shards_per_account_max) co_return over_limit(more);
  const std::uint64_t id = stream.id;
  ReshardBegun reshard_begun{id, std::move(*plan)};
  if (request.kind == Reshard::kEven) {
    if (auto often = check_day(stream, Counted::kShardCountUpdate); !often.ok()) co_return often;
    reshard_begun.counted_ms = environment_.clock.wall_ms();
  }
  CatalogChange begun = std::move(reshard_begun);
  auto committed = co_await commit(std::move(begun));
  if (committed.ok()) advance_later(id, options_.transition_ms);
  co_return committed;
}

Task<Result<void>> Controller::set_retention(std::string name, std::int64_t hours) {
  co_await Turn::wait(*this);
  const Turn turn(*this);
  const auto found = active_stream(name);
  if (!found.ok()) co_return found.error();
  // Under the old retention, so that what had expired by then does not come back with a longer one.
  Task<Result<void>> dropping = drop_expired_shards(*found);
  auto dropped = co_await std::move(dropping);
  if (!dropped.ok()) co_return dropped;
  CatalogChange retention = RetentionSet{(*found)->id, hours};
  auto committed = co_await commit(std::move(retention));
  co_return committed;
}

Task<Result<void>> Controller::configure_stream(std::string name, StreamSettings settings) {
  co_await Turn::wait(*this);
  const Turn turn(*this);
  const auto found = active_stream(name);
  if (!found.ok()) co_return found.error();
  const Stream& stream = **found;
  if (settings.on_demand) {
    if (auto often = check_day(stream, Counted::kModeUpdate); !often.ok()) co_return often;
  }
  StreamConfigured configured{.id = stream.id,
                              .on_demand = settings.on_demand,
                              .max_record_kib = settings.max_record_kib,
                              .warm_throughput_mibps = settings.warm_throughput_mibps,
                              .auto_distribution = settings.auto_distribution,
                              .shard_metrics = std::nullopt,
                              .plan = std::nullopt};
  if (!settings.enabled_metrics.empty() || !settings.disabled_metrics.empty())
    configured.shard_metrics =
        change_metrics(stream.shard_metrics, settings.enabled_metrics, settings.disabled_metrics);
  if (settings.warm_throughput_mibps) {
    const auto target =
        std::max(kOnDemandShards, static_cast<std::uint32_t>(*settings.warm_throughput_mibps));
    const auto open = static_cast<std::uint32_t>(stream.open_shards.size());
    const std::uint64_t more = target > open ? target - open : 0;
    if (catalog_->open_shard_count + more > options_.shards_per_account_max) co_return over_limit(more);
    configured.plan = plan_even(stream, target);
  } else if (settings.on_demand) {
    configured.plan.emplace();
    if (!*settings.on_demand) configured.warm_throughput_mibps = 0;
  }
  if (settings.on_demand) configured.counted_ms = environment_.clock.wall_ms();
  const bool passes = configured.plan.has_value();
  const std::uint64_t id = stream.id;
  CatalogChange change = std::move(configured);
  auto committed = co_await commit(std::move(change));
  if (committed.ok() && passes) advance_later(id, options_.transition_ms);
  co_return committed;
}

Task<Result<void>> Controller::set_commitment(BillingCommitment commitment) {
  co_await Turn::wait(*this);
  const Turn turn(*this);
  CatalogChange change = CommitmentSet{commitment};
  auto committed = co_await commit(std::move(change));
  co_return committed;
}

std::uint64_t Controller::bytes_of(const Catalog& next) const {
  std::uint64_t bytes = bytes_;
  auto before = catalog_->streams.begin();
  for (const auto& [name, stream] : next.streams) {  // both in order
    for (; before != catalog_->streams.end() && before->first < name; ++before)
      bytes -= memory_bytes(*before->second);
    const bool was_there = before != catalog_->streams.end() && before->first == name;
    if (!was_there || before->second != stream) {
      bytes += memory_bytes(*stream);
      if (was_there) bytes -= memory_bytes(*before->second);
    }
    if (was_there) ++before;
  }
  for (; before != catalog_->streams.end(); ++before) bytes -= memory_bytes(*before->second);
  return bytes;
}

Task<Result<void>> Controller::commit(CatalogChange change) {
  if (closed_) co_return Error{ErrorKind::kUnavailable, "shutting down"};
  auto applied = apply_change(*catalog_, change);
  if (!applied.ok()) co_return applied.error();
  const std::uint64_t bytes = bytes_of(*applied);
  // What was begun is carried out.
  const bool begins = !std::holds_alternative<ReshardDone>(change);
  if (begins && bytes > bytes_ && bytes > options_.memory->bytes_max())
    co_return Error{ErrorKind::kLimit, fmt::format("all streams, with their shards, tags, policies and "
                                                   "consumers, may take {} bytes of memory",
                                                   options_.memory->bytes_max())};
  std::string entry = encode(change);
  auto stored = co_await ledger_->append(std::move(entry));
  if (!stored.ok()) co_return stored;
  co_await show(std::move(*applied));
  snapshot_if_due();
  co_return Result<void>{};
}

Task<void> Controller::show(Catalog catalog) {
  const std::uint64_t bytes = bytes_of(catalog);
  options_.memory->change(std::exchange(bytes_, bytes), bytes);
  const auto old_catalog = std::exchange(catalog_, std::make_shared<const Catalog>(std::move(catalog)));
  tell_keys(options_, *old_catalog, *catalog_, keys_);
  co_await open_shards(*old_catalog, *catalog_);  // before anyone can route there
  co_await board_.publish(catalog_);
  co_await remove_shards(*old_catalog, *catalog_);  // after nobody routes there
}

Task<void> Controller::apply_held(std::shared_ptr<Controller> self, std::string entry) {
  if (self == nullptr) co_return;
  co_await Turn::wait(*self);
  const Turn turn(*self);
  if (self->closed_) co_return;
  const auto change = decode_change(entry);
  MR_ASSERT(change.ok());
  const auto before = self->catalog_;
  auto applied = apply_change(*before, *change);
  MR_ASSERT(applied.ok());  // it was when it was appended, and nothing was changed since
  co_await self->show(std::move(*applied));
  if (const auto* dropped = std::get_if<DataKeysDropped>(&*change)) self->old_data_keys_.erase(dropped->id);
  for (const auto& [name, stream] : self->catalog_->streams)
    if (before->find(name) != stream) self->advance_all_later(*stream);
}

// Tells the log of shards that are new, and of retentions that differ.
Task<void> Controller::open_shards(const Catalog& old_catalog, const Catalog& new_catalog) {
  std::vector<std::vector<log::ShardOptions>> opened(board_.loops());
  for (const auto& [name, stream] : new_catalog.streams) {
    const auto before = old_catalog.find(name);
    if (before == stream) continue;
    const bool same_retention =
        before != nullptr && before->id == stream->id && before->retention_hours == stream->retention_hours;
    for (const Shard& shard : stream->shards) {
      if (same_retention && before->find(shard.index) != nullptr) continue;
      opened[log::loop_of(shard.key, board_.loops())].push_back({shard.key, retention_ms(*stream)});
    }
  }
  co_await board_.on_each_loop([&](std::size_t index) {
    for (const log::ShardOptions& options : opened[index]) log_.open_shard(options);
  });
}

Task<void> Controller::remove_shards(const Catalog& old_catalog, const Catalog& new_catalog) {
  std::vector<std::vector<log::ShardKey>> removed(board_.loops());
  for (const auto& [name, stream] : old_catalog.streams) {
    const auto after = new_catalog.find(name);
    if (after == stream) continue;
    for (const Shard& shard : stream->shards)
      if (after == nullptr || after->id != stream->id || after->find(shard.index) == nullptr)
        removed[log::loop_of(shard.key, board_.loops())].push_back(shard.key);
  }
  co_await board_.on_each_loop([&](std::size_t index) {
    for (const log::ShardKey shard : removed[index]) log_.remove_shard(shard);
  });
}

// Beside the commands that follow.
void Controller::snapshot_if_due() {
  if (!ledger_->snapshot_due()) return;
  ledger_->snapshot(cluster::whole_state([catalog = catalog_] { return encode(*catalog); }),
                    [self = shared_from_this()](const Error& error) {
                      self->environment_.warn(
                          fmt::format("control log not shortened, will be tried again: {}", error.text));
                    });
}

}  // namespace millrace::broker
