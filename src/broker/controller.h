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
#include "cluster/control_log.h"
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
             std::unique_ptr<cluster::ControlLog> control_log, std::shared_ptr<const Catalog> catalog,
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
  Task<Result<void>> commit(CatalogChange change);
  Task<Result<void>> store(std::string entry);
  Task<void> open_shards(const Catalog& old_catalog, const Catalog& new_catalog);
  Task<void> remove_shards(const Catalog& old_catalog, const Catalog& new_catalog);
  Task<void> snapshot_if_due();

  Result<std::shared_ptr<const Stream>> active_stream(const std::string& name) const;
  Error over_limit(std::uint64_t more_shards) const;
  // kThrottled: under the service's limits it may not happen to the stream once more today.
  Result<void> check_day(const Stream& stream, Counted what) const;
  std::shared_ptr<const Stream> by_id(std::uint64_t id) const;

  static constexpr std::int64_t kRetryMs = 1'000;  // after a failed transition of a stream or a consumer
  // Moves a stream out of a passing status, after transition_ms.
  void advance_later(std::uint64_t id, std::int64_t delay_ms);
  Task<void> advance(std::uint64_t id);
  // The same for a consumer of it.
  void advance_consumer_later(std::uint64_t stream, std::uint64_t consumer, std::int64_t delay_ms);
  Task<void> advance_consumer(std::uint64_t stream, std::uint64_t consumer);
  Task<Result<void>> carry_out_plan(std::shared_ptr<const Stream> stream);
  void keep_house_later();
  Task<void> keep_house();
  Task<void> expire_closed_shards();
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
  std::unique_ptr<cluster::ControlLog> control_log_;
  std::shared_ptr<const Catalog> catalog_;
  BrokerOptions options_;
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
  std::string doubt_;  // why no command is taken any more: the control log may or may not hold the last one
  // Last member: its destructor ends the work that uses the others.
  std::unique_ptr<Worker> worker_;
};

}  // namespace millrace::broker
