// app/first_streams.h: the streams of --streams, which a start creates where they are missing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/loop.h"
#include "base/result.h"
#include "broker/broker.h"

namespace millrace::app {

struct FirstStream {
  std::string name;
  std::uint32_t shards = 1;
  bool on_demand = false;
};

// "clicks:4,orders:on-demand,plain": names as CreateStream takes them, with a number of shards (1 where there
// is none) or "on-demand". errors   kInvalid: what is wrong, to stand behind the setting's name
Result<std::vector<FirstStream>> parse_first_streams(std::string_view list);

// Returns when all are there and those that it made are ACTIVE; what exists stays as it is. Blocks; not from
// a loop, and before the loops are stopped. home   a loop of the broker's; runs it errors   CreateStream's,
// naming the stream
Result<void> make_first_streams(const std::vector<FirstStream>& streams, broker::Broker& broker, Loop& home);

}  // namespace millrace::app
