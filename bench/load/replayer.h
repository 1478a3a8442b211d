// bench/load/replayer.h: sends the same signed PutRecords requests again and again, as fast as answers come:
// the load that costs its sender least. Its records cannot be told apart.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "load/event_source.h"
#include "load/http_connection.h"
#include "load/signer.h"
#include "load/totals.h"

namespace millrace::load {

struct ReplayerOptions {
  std::string stream;
  std::uint32_t connections = 8;
  std::uint32_t pipeline = 1;  // requests under way on a connection
  std::uint32_t bodies = 32;   // different ones
  std::size_t batch = 500;
};

class Replayer {
 public:
  // All borrowed; takes bodies × batch events from `source`.
  Replayer(EventLoop& loop, Endpoint endpoint, Credentials credentials, ReplayerOptions options,
           EventSource& source, Totals& totals);
  // Counts from the end of the warm-up on.
  void start(double warmup_seconds, double seconds);
  bool finished() const;

 private:
  struct Signed {
    std::shared_ptr<const std::string> body;
    std::uint64_t payload_bytes;
    std::string head;
    std::int64_t signed_us = 0;
  };
  void send(HttpConnection& connection);

  EventLoop& loop_;
  Signer signer_;
  ReplayerOptions options_;
  Totals& totals_;
  std::vector<Signed> signed_;
  std::size_t next_ = 0;
  std::int64_t count_from_us_ = 0;
  std::int64_t end_us_ = 0;
  std::vector<std::unique_ptr<HttpConnection>> connections_;
};

}  // namespace millrace::load
