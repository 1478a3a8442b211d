// bench/load/fan_out_reader.h: consumers with enhanced fan-out, each subscribed to every shard, each holding
// what it receives against what was acknowledged.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "load/http_connection.h"
#include "load/signer.h"
#include "load/totals.h"
#include "load/verdict.h"

namespace millrace::load {

struct FanOutOptions {
  std::vector<std::string> consumers;  // ARNs
  std::vector<std::string> shards;     // ids
  std::uint32_t slow = 0;  // so many consumers, the last ones, take 256 KiB a second a shard; they count
                           // nowhere but in slow_records()
};

// One thread. Over HTTP/1.1, a connection a subscription.
class FanOutReader {
 public:
  // All borrowed.
  FanOutReader(EventLoop& loop, const Endpoint& endpoint, const Credentials& credentials,
               FanOutOptions options, Verdict& verdict, Totals& totals);
  ~FanOutReader();
  // Subscribes, and returns when every subscription has its first event.
  void start();
  // Every consumer that is not slow has every record that was acknowledged.
  bool all_received() const;

  struct Counts {
    std::uint64_t consumers;
    std::uint64_t lost, duplicated, out_of_order;  // of all consumers together
    std::uint64_t slow_records;
    bool clean() const { return lost + duplicated + out_of_order == 0; }
  };
  Counts counts() const;

 private:
  class Copy;
  class Subscription;

  EventLoop& loop_;
  Verdict& verdict_;
  std::vector<std::unique_ptr<Copy>> copies_;
  std::vector<std::unique_ptr<Subscription>> subscriptions_;
  std::size_t waiting_ = 0;  // for their first event
  std::uint64_t slow_records_ = 0;
};

}  // namespace millrace::load
