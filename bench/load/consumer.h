// bench/load/consumer.h: polls every shard of a stream with GetRecords, and measures how old each record is
// when it is in hand.
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

struct ConsumerOptions {
  std::uint32_t connections = 4;  // shards are spread over them
  std::int64_t poll_us =
      2'000;  // between an answer at the tip and the shard's next poll; behind the tip: none
  std::uint32_t records_max = 10'000;  // GetRecords' Limit
};

class Consumer {
 public:
  // iterators   where to begin, one a shard.   verdict   null: records are only counted.   All borrowed.
  Consumer(EventLoop& loop, Endpoint endpoint, Credentials credentials, ConsumerOptions options,
           std::vector<std::string> iterators, Verdict* verdict, Totals& totals);
  void start();
  // The last answer of every shard said that nothing is left behind it.
  bool at_tip() const;

 private:
  struct Shard {
    std::size_t index;
    std::string iterator;  // empty: closed and read to its end
    bool at_tip = false;
  };

  void poll(Shard& shard);
  void answered(Shard& shard, int status, std::string_view answer);
  void take_records(const Shard& shard, std::string_view answer);

  EventLoop& loop_;
  Signer signer_;
  ConsumerOptions options_;
  Verdict* verdict_;
  Totals& totals_;
  std::vector<std::unique_ptr<HttpConnection>> connections_;
  std::vector<Shard> shards_;
};

}  // namespace millrace::load
