#include "broker/catalog.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"

namespace millrace::broker {
namespace {

constexpr std::size_t kRouteTableFrom = 16;  // below it a binary search is as quick
constexpr unsigned kRouteBitsMax = 16;

std::uint32_t first_bits(const log::HashKey& key, unsigned bits) {
  return (std::uint32_t{key[0]} << 8 | key[1]) >> (16 - bits);
}

}  // namespace

void Stream::index_shards() {
  open_shards.clear();
  for (std::uint32_t position = 0; position < shards.size(); ++position)
    if (shards[position].open()) open_shards.push_back(position);
  std::sort(open_shards.begin(), open_shards.end(), [this](std::uint32_t a, std::uint32_t b) {
    return shards[a].range.first < shards[b].range.first;
  });
  route_begin.clear();
  if (open_shards.size() < kRouteTableFrom) return;
  // About four buckets a shard: then a look-up takes a step or none.
  route_bits = std::min(kRouteBitsMax, static_cast<unsigned>(std::bit_width(open_shards.size())) + 2);
  route_begin.resize(std::size_t{1} << route_bits);
  std::uint32_t at = 0;
  for (std::uint32_t bucket = 0; bucket < route_begin.size(); ++bucket) {
    // The shard that holds the bucket's smallest key.
    log::HashKey smallest{};
    const std::uint32_t prefix = bucket << (16 - route_bits);
    smallest[0] = static_cast<std::uint8_t>(prefix >> 8);
    smallest[1] = static_cast<std::uint8_t>(prefix);
    while (shards[open_shards[at]].range.last < smallest) ++at;
    route_begin[bucket] = at;
  }
}

std::size_t Stream::route(const log::HashKey& key) const {
  MR_ASSERT(!open_shards.empty());
  if (!route_begin.empty()) {
    std::size_t at = route_begin[first_bits(key, route_bits)];
    while (shards[open_shards[at]].range.last < key) ++at;
    return open_shards[at];
  }
  const auto past = std::partition_point(open_shards.begin(), open_shards.end(), [&](std::uint32_t position) {
    return shards[position].range.last < key;
  });
  MR_ASSERT(past != open_shards.end());
  return *past;
}

const Shard* Stream::find(std::uint32_t index) const {
  const auto at = std::partition_point(shards.begin(), shards.end(),
                                       [index](const Shard& shard) { return shard.index < index; });
  return at != shards.end() && at->index == index ? &*at : nullptr;
}

std::shared_ptr<const Stream> Catalog::find(std::string_view name) const {
  const auto at = streams.find(name);
  return at == streams.end() ? nullptr : at->second;
}

}  // namespace millrace::broker
