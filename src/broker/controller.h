// broker/controller.h: the commands that change what exists, one at a time, each durable before it is seen.
#pragma once

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "broker/broker.h"
#include "broker/catalog_board.h"
#include "broker/catalog_change.h"
#include "cluster/ledger.h"
#include "keys/data_keys.h"
#include "log/log.h"

namespace millrace::broker {

// The retention of a shard, as the log takes it.
std::int64_t retention_ms(const Stream& stream);

// Lives on the control loop, loop 0: its commands are called there and resume there.
class Controller : public std::enable_shared_from_this<Controller> {
 public:
  // `environment`, `log`, `keys` and `board` are borrowed and outlive the controller's last callback: call
  // close() first.
  Controller(log::LogEnvironment& environment, log::Log& log, keys::DataKeys& keys, CatalogBoard& board,
             std::shared_ptr<cluster::Ledger> ledger, std::shared_ptr<const Catalog> catalog,
             BrokerOptions options);

  // Resumes what a stop interrupted, and housekeeping. On the control loop.
  void start();
  // Lets the command under way end and refuses later ones.
  Task<void> close();

  // As Broker's.
  Task<Result<void>> create_stream(CreateStream request);
  Task<Result<void>> delete_stream(std::string name, bool with_consumers);
  enum class Reshard : std::uint8_t { kSplit, kMerge, kEven };
  struct ReshardRequest {
    Reshard kind;
    std::string name;
    std::uint32_t shard = 0;
    std::uint32_t adjacent_or_target = 0;
    log::HashKey split_at{};
  };
  Task<Result<void>> reshard(ReshardRequest request);
  Task<Result<void>> set_retention(std::string name, std::int64_t hours);
  Task<Result<void>> change_tags(std::string name, std::optional<std::uint64_t> consumer,
                                 std::map<std::string, std::string> set, std::vector<std::string> removed);
  Task<Result<void>> configure_stream(std::string name, StreamSettings settings);
  Task<Result<void>> start_encryption(std::string name, std::string key_id, Broker::KeyCheck may_use);
  Task<Result<void>> stop_encryption(std::string name);
  Task<Result<void>> set_commitment(BillingCommitment commitment);
  Task<Result<BackupPoint>> backup_point();
  Task<Result<void>> register_consumer(RegisterConsumer request);
  Task<Result<void>> deregister_consumer(std::string stream, std::uint64_t id);
  Task<Result<void>> set_policy(std::string stream, std::optional<std::uint64_t> consumer,
                                std::optional<std::string> policy);

 private:
  // Commands wait here for their turn, in order.
  // While one lives, its command is the only one. Gives the turn on when it goes.
  struct Turn {
    explicit Turn(Controller& owner) : controller(owner) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() { controller.next_turn(); }

    static auto wait(Controller& controller) {
      return eventually<int>([&controller](auto done) {
        if (std::exchange(controller.busy_, true))
          controller.turns_.emplace_back([done]() mutable { done(0); });
        else
          done(0);
      });
    }

    Controller& controller;
  };
  void next_turn();

  // Makes `change` durable, prepares the log for it, and shows it to every loop.
  // errors   kUnknown: it may be durable, and is shown once it is.  As apply_change and Ledger::append
  Task<Result<void>> commit(CatalogChange change);
  // Never converts: what g++ 12 makes of a conversion inside a co_await is not the change that was meant.
  template <typename OneOfThem>
  Task<Result<void>> commit(OneOfThem&& change) = delete;
  // Lets every loop see `catalog`, which is durable, and the log prepare for it.
  Task<void> show(Catalog catalog);
  // A change that commit() had answered kUnknown for.
  static Task<void> apply_held(std::shared_ptr<Controller> self, std::string entry);
  Task<void> open_shards(const Catalog& old_catalog, const Catalog& new_catalog);
  Task<void> remove_shards(const Catalog& old_catalog, const Catalog& new_catalog);
  // What it takes of memory behind a change.
  std::uint64_t bytes_of(const Catalog& next) const;
  void snapshot_if_due();

  Result<std::shared_ptr<const Stream>> active_stream(const std::string& name) const;
  Error over_limit(std::uint64_t more_shards) const;
  // kThrottled: under the service's limits it may not happen to the stream once more today.
  Result<void> check_day(const Stream& stream, Counted what) const;
  std::shared_ptr<const Stream> by_id(std::uint64_t id) const;

  static constexpr std::int64_t kRetryMs = 1'000;  // after a failed transition of a stream or a consumer
  // Moves a stream out of the passing status that it is in, after that time. Where it has left that one by
  // then, as when it is deleted while it is created, the new status has its own time.
  void advance_later(std::uint64_t id, std::int64_t delay_ms);
  // The same for all that `stream` and its consumers pass through.
  void advance_all_later(const Stream& stream);
  Task<void> advance(std::uint64_t id, StreamStatus from);
  // The same for a consumer of it.
  void advance_consumer_later(std::uint64_t stream, std::uint64_t consumer, std::int64_t delay_ms);
  Task<void> advance_consumer(std::uint64_t stream, std::uint64_t consumer, ConsumerStatus from);
  Task<Result<void>> carry_out_plan(std::shared_ptr<const Stream> stream);
  void keep_house_later();
  Task<void> keep_house();
  Task<void> expire_closed_shards();
  // Commits that the closed shards of `stream` are gone whose last record has expired. Within a turn.
  Task<Result<void>> drop_expired_shards(std::shared_ptr<const Stream> stream);
  // Asks for a data key of the stream, outside of any turn.
  Task<Result<keys::MadeKey>> make_data_key(std::shared_ptr<const Stream> stream, std::string key_id);
  // Streams whose data key is old get another.
  Task<void> renew_data_keys();
  // Data keys that no record needs any more go.
  Task<void> drop_data_keys();
  Task<void> drop_data_keys_of(std::shared_ptr<const Stream> stream);

  log::LogEnvironment& environment_;
  log::Log& log_;
  keys::DataKeys& keys_;
  CatalogBoard& board_;
  std::shared_ptr<cluster::Ledger> ledger_;  // written in this controller's own turns
  std::shared_ptr<const Catalog> catalog_;
  BrokerOptions options_;
  std::uint64_t bytes_ = 0;  // of memory, of the catalog's streams
  Loop& loop_;
  std::deque<Callback> turns_;
  bool busy_ = false;
  bool closed_ = false;
  // What this process never encrypted with: of a stream's data keys, by its id, those before that number.
  // `ends` are of its shards, by index, some time after it began: no record at them or behind was encrypted
  // by such a key, nor will one be, since puts take the newest; what a crash left undecided, recovery has
  // decided.
  struct OldDataKeys {
    std::uint64_t before;
    std::map<std::uint32_t, std::uint64_t> ends = {};  // empty: not looked up yet
  };
  std::map<std::uint64_t, OldDataKeys> old_data_keys_;
};

}  // namespace millrace::broker
