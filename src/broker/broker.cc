#include "broker/broker.h"

#include <future>

#include <fmt/format.h>

#include "broker/catalog_board.h"
#include "broker/catalog_change.h"
#include "broker/controller.h"
#include "broker/damaged_records.h"
#include "broker/encryption.h"
#include "broker/put_path.h"
#include "broker/throttle.h"
#include "cluster/ledger.h"

namespace millrace::broker {
namespace {

class LocalBroker final : public Broker {
 public:
  LocalBroker(log::LogEnvironment environment, BrokerOptions options,
              std::unique_ptr<keys::DataKeys> data_keys, std::unique_ptr<log::Log> log,
              std::shared_ptr<cluster::Ledger> ledger, std::shared_ptr<const Catalog> catalog)
      : environment_(std::move(environment)),
        options_(std::move(options)),
        data_keys_(std::move(data_keys)),
        log_(std::move(log)),
        board_(environment_.loops, catalog),
        throttle_(environment_.clock),
        put_path_(board_, *log_, *data_keys_, options_.aws_limits ? &throttle_ : nullptr),
        controller_(std::make_shared<Controller>(environment_, *log_, *data_keys_, board_, std::move(ledger),
                                                 std::move(catalog), options_)) {
    board_.loop(0).post([controller = controller_] { controller->start(); });
    log_->when_damaged([this](const log::DamagedBlock& block) {
      board_.loop(0).post([this, block] {
        if (options_.damaged) options_.damaged(name_damaged(*board_.here(), block));
      });
    });
  }

  Result<void> close() override {
    std::promise<void> stopped;
    board_.loop(0).post(
        [this, &stopped] { spawn(controller_->close(), [&stopped] { stopped.set_value(); }); });
    stopped.get_future().wait();
    return log_->close();
  }

  const BrokerOptions& options() const override { return options_; }
  const Clock& clock() const override { return environment_.clock; }
  std::shared_ptr<const Catalog> catalog() const override { return board_.here(); }

  Task<Result<void>> create_stream(CreateStream request) override {
    return on_control_loop(controller_->create_stream(std::move(request)));
  }
  Task<Result<void>> delete_stream(std::string name, bool with_consumers) override {
    return on_control_loop(controller_->delete_stream(std::move(name), with_consumers));
  }
  Task<Result<void>> split_shard(std::string name, std::uint32_t shard,
                                 log::HashKey new_starting_hash_key) override {
    return on_control_loop(controller_->reshard({.kind = Controller::Reshard::kSplit,
                                                 .name = std::move(name),
                                                 .shard = shard,
                                                 .split_at = new_starting_hash_key}));
  }
  Task<Result<void>> merge_shards(std::string name, std::uint32_t shard, std::uint32_t adjacent) override {
    return on_control_loop(controller_->reshard({.kind = Controller::Reshard::kMerge,
                                                 .name = std::move(name),
                                                 .shard = shard,
                                                 .adjacent_or_target = adjacent}));
  }
  Task<Result<void>> update_shard_count(std::string name, std::uint32_t target) override {
    return on_control_loop(controller_->reshard(
        {.kind = Controller::Reshard::kEven, .name = std::move(name), .adjacent_or_target = target}));
  }
  Task<Result<void>> set_retention(std::string name, std::int64_t hours) override {
    return on_control_loop(controller_->set_retention(std::move(name), hours));
  }
  Task<Result<void>> add_tags(std::string name, std::optional<std::uint64_t> consumer,
                              std::map<std::string, std::string> tags) override {
    return on_control_loop(controller_->change_tags(std::move(name), consumer, std::move(tags), {}));
  }
  Task<Result<void>> remove_tags(std::string name, std::optional<std::uint64_t> consumer,
                                 std::vector<std::string> keys) override {
    return on_control_loop(controller_->change_tags(std::move(name), consumer, {}, std::move(keys)));
  }
  Task<Result<void>> register_consumer(RegisterConsumer request) override {
    return on_control_loop(controller_->register_consumer(std::move(request)));
  }
  Task<Result<void>> deregister_consumer(std::string stream, std::uint64_t id) override {
    return on_control_loop(controller_->deregister_consumer(std::move(stream), id));
  }
  Task<Result<void>> set_policy(std::string stream, std::optional<std::uint64_t> consumer,
                                std::optional<std::string> policy) override {
    return on_control_loop(controller_->set_policy(std::move(stream), consumer, std::move(policy)));
  }

  Task<Result<void>> configure_stream(std::string name, StreamSettings settings) override {
    return on_control_loop(controller_->configure_stream(std::move(name), std::move(settings)));
  }
  Task<Result<void>> start_encryption(std::string name, std::string key_id, KeyCheck may_use) override {
    return on_control_loop(
        controller_->start_encryption(std::move(name), std::move(key_id), std::move(may_use)));
  }
  Task<Result<void>> stop_encryption(std::string name) override {
    return on_control_loop(controller_->stop_encryption(std::move(name)));
  }
  Task<Result<void>> set_commitment(BillingCommitment commitment) override {
    return on_control_loop(controller_->set_commitment(commitment));
  }

  Task<Result<PutResult>> put(std::string_view stream, std::span<const PutEntry> entries) override {
    return put_path_.put(stream, entries);
  }

  Task<Result<log::ReadBatch>> read(const Shard& shard, std::uint64_t from, log::ReadLimits limits) override {
    return read_throttled(shard.key, std::max(from, shard.kept_from), limits);
  }
  Task<Result<std::uint64_t>> offset_at_time(const Shard& shard, std::int64_t time_ms) override {
    return on_shard_loop(shard.key, kept_at_time(shard.key, shard.kept_from, time_ms));
  }
  Task<Result<log::Extent>> extent(const Shard& shard) override {
    return on_shard_loop(shard.key, extent_of(shard.key, shard.kept_from));
  }

  Loop& loop_of(const Shard& shard) override { return board_.loop(log::loop_of(shard.key, board_.loops())); }
  void when_past(const Shard& shard, std::uint64_t offset, Callback callback) override {
    log_->when_past(shard.key, offset, std::move(callback));
  }
  Task<Result<log::ReadBatch>> read_for_consumer(const Shard& shard, std::uint64_t from,
                                                 log::ReadLimits limits) override {
    return on_shard_loop(shard.key, log_->read(shard.key, std::max(from, shard.kept_from), limits));
  }
  void when_catalog_newer(std::uint64_t version, Callback callback) override {
    board_.when_newer(version, std::move(callback));
  }

  Task<Result<BackupPoint>> backup_point() override { return on_control_loop(controller_->backup_point()); }

  const log::Log& log() const override { return *log_; }

 private:
  template <typename T>
  Task<T> on_control_loop(Task<T> command) {
    Loop& home = board_.loop(board_.current());
    co_await switch_to(board_.loop(0));
    auto outcome = co_await std::move(command);
    co_await switch_to(home);
    co_return outcome;
  }

  // A Task starts when it is awaited: there, on the shard's loop.
  template <typename T>
  Task<T> on_shard_loop(log::ShardKey shard, Task<T> task) {
    Loop& home = board_.loop(board_.current());
    co_await switch_to(board_.loop(log::loop_of(shard, board_.loops())));
    auto outcome = co_await std::move(task);
    co_await switch_to(home);
    co_return outcome;
  }

  Task<Result<log::Extent>> extent_of(log::ShardKey shard, std::uint64_t kept_from) {
    auto extent = log_->extent(shard);
    if (extent.ok()) extent->first_offset = std::max(extent->first_offset, kept_from);
    co_return extent;
  }
  Task<Result<std::uint64_t>> kept_at_time(log::ShardKey shard, std::uint64_t kept_from,
                                           std::int64_t time_ms) {
    Task<Result<std::uint64_t>> finding = log_->offset_at_time(shard, time_ms);
    auto offset = co_await std::move(finding);
    if (offset.ok()) offset = std::max(*offset, kept_from);
    co_return offset;
  }

  Task<Result<log::ReadBatch>> read_throttled(log::ShardKey shard, std::uint64_t from,
                                              log::ReadLimits limits) {
    if (options_.aws_limits && !throttle_.take_read(shard))
      co_return Error{ErrorKind::kThrottled, "reads of this shard are over 5 a second or 2 MB a second"};
    Task<Result<log::ReadBatch>> reading = on_shard_loop(shard, log_->read(shard, from, limits));
    auto batch = co_await std::move(reading);
    if (options_.aws_limits && batch.ok()) throttle_.charge_read(shard, log::payload_bytes(batch->records));
    co_return batch;
  }

  log::LogEnvironment environment_;
  BrokerOptions options_;
  std::unique_ptr<keys::DataKeys> data_keys_;
  std::unique_ptr<log::Log> log_;
  CatalogBoard board_;
  Throttle throttle_;
  PutPath put_path_;
  std::shared_ptr<Controller> controller_;
};

}  // namespace

std::vector<log::ShardOptions> shards_of(const Catalog& catalog) {
  std::vector<log::ShardOptions> shards;
  for (const auto& [name, stream] : catalog.streams)
    for (const Shard& shard : stream->shards)
      shards.push_back({shard.key, retention_ms(*stream), shard.end_offset.value_or(shard.kept_from)});
  return shards;
}

Result<std::unique_ptr<Broker>> Broker::open(log::LogEnvironment environment, log::LogOptions log_options,
                                             store::ObjectStore& store, BrokerOptions options,
                                             std::unique_ptr<log::StoppedLog> stopped) {
  MR_ASSIGN(auto opened, cluster::Ledger::open(store, "control/", *environment.loops.front(),
                                               environment.start_worker("control", 0)));
  MR_ASSIGN(Catalog catalog, replay_catalog(opened.snapshot, opened.entries));

  auto data_keys =
      std::make_unique<keys::DataKeys>(options.master_keys, environment.clock, environment.random);
  environment.decryptor = data_keys.get();
  tell_keys(options, Catalog{}, catalog, *data_keys);
  if (stopped == nullptr) {
    log_options.next_shard = catalog.next_shard_key;
    MR_ASSIGN(stopped, log::Log::read(environment, log_options, shards_of(catalog)));
  }
  MR_ASSIGN(auto log, stopped->start(environment.decryptor));
  return std::unique_ptr<Broker>(std::make_unique<LocalBroker>(
      std::move(environment), std::move(options), std::move(data_keys), std::move(log),
      std::move(opened.ledger), std::make_shared<const Catalog>(std::move(catalog))));
}

}  // namespace millrace::broker
