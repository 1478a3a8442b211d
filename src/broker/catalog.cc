#include "broker/catalog.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"
#include "base/clock.h"
#include "broker/hash_key.h"

namespace millrace::broker {
namespace {

constexpr std::size_t kRouteTableFrom = 16;  // below it a binary search is as quick
constexpr unsigned kRouteBitsMax = 16;

}  // namespace

namespace {

constexpr std::uint64_t kTextBytes = 96;  // of a short text with its place in a table

std::uint64_t memory_bytes(const std::map<std::string, std::string>& tags) {
  std::uint64_t bytes = 0;
  for (const auto& [key, value] : tags) bytes += 2 * kTextBytes + key.size() + value.size();
  return bytes;
}

}  // namespace

std::uint64_t memory_bytes(const Stream& stream) {
  std::uint64_t bytes = sizeof(Stream) + 2 * (kTextBytes + stream.name.size()) + memory_bytes(stream.tags) +
                        stream.shards.capacity() * sizeof(Shard) +
                        stream.labels.capacity() * sizeof(ShardLabel) +
                        stream.open_shards.capacity() * 2 * sizeof(HashNumber) +
                        stream.route_begin.capacity() * sizeof(std::uint32_t);
  if (stream.plan.has_value()) bytes += stream.plan->capacity() * sizeof(ReshardStep);
  if (stream.policy != nullptr) bytes += stream.policy->capacity();
  for (const StreamDataKey& key : stream.data_keys)
    bytes += sizeof(StreamDataKey) + key.master_key.capacity() + key.wrapped.capacity();
  for (const auto& [name, consumer] : stream.consumers) {
    bytes += sizeof(Consumer) + 2 * (kTextBytes + name.size()) + memory_bytes(consumer.tags);
    if (consumer.policy != nullptr) bytes += consumer.policy->capacity();
  }
  return bytes;
}

void Stream::index_shards() {
  open_shards.clear();
  for (std::uint32_t position = 0; position < shards.size(); ++position)
    if (shards[position].open()) open_shards.push_back(position);
  std::sort(open_shards.begin(), open_shards.end(), [this](std::uint32_t a, std::uint32_t b) {
    return shards[a].range.first < shards[b].range.first;
  });
  labels.clear();
  for (const Shard& shard : shards) labels.push_back({shard.key, shard.created_s, shard.index});
  last_keys.clear();
  for (const std::uint32_t position : open_shards)
    last_keys.push_back(to_number(shards[position].range.last));
  route_begin.clear();
  if (open_shards.size() < kRouteTableFrom) return;
  // One or two buckets a shard: then a look-up takes a step or none, and the table stays in the cache.
  route_bits = std::min(kRouteBitsMax, static_cast<unsigned>(std::bit_width(open_shards.size())));
  route_begin.resize(std::size_t{1} << route_bits);
  std::uint32_t at = 0;
  for (std::uint32_t bucket = 0; bucket < route_begin.size(); ++bucket) {
    // The shard that holds the bucket's smallest key.
    const HashNumber smallest = HashNumber{bucket} << (128 - route_bits);
    while (last_keys[at] < smallest) ++at;
    route_begin[bucket] = at;
  }
}

std::size_t Stream::route(const log::HashKey& key) const {
  MR_ASSERT(!open_shards.empty());
  const HashNumber number = to_number(key);
  if (!route_begin.empty()) {
    std::size_t at = route_begin[static_cast<std::size_t>(number >> (128 - route_bits))];
    while (last_keys[at] < number) ++at;
    return open_shards[at];
  }
  const auto past = std::lower_bound(last_keys.begin(), last_keys.end(), number);
  MR_ASSERT(past != last_keys.end());
  return open_shards[static_cast<std::size_t>(past - last_keys.begin())];
}

const Shard* Stream::find(std::uint32_t index) const {
  const auto at = std::partition_point(shards.begin(), shards.end(),
                                       [index](const Shard& shard) { return shard.index < index; });
  return at != shards.end() && at->index == index ? &*at : nullptr;
}

const Consumer* Stream::find_consumer(std::string_view consumer_name) const {
  const auto at = consumers.find(consumer_name);
  return at == consumers.end() ? nullptr : &at->second;
}

bool Stream::may_happen(Counted what, std::int64_t now_ms) const {
  const auto position = static_cast<std::size_t>(what);
  const auto lately = std::count_if(counted_ms[position].begin(), counted_ms[position].end(),
                                    [&](std::int64_t at_ms) { return now_ms - at_ms < kMsPerDay; });
  return static_cast<std::size_t>(lately) < kDailyLimits[position].times;
}

void Stream::count(Counted what, std::int64_t now_ms) {
  const auto position = static_cast<std::size_t>(what);
  std::vector<std::int64_t>& times = counted_ms[position];
  times.push_back(now_ms);
  if (times.size() > kDailyLimits[position].times) times.erase(times.begin());
}

std::shared_ptr<const Stream> Catalog::find(std::string_view name) const {
  const auto at = streams.find(name);
  return at == streams.end() ? nullptr : at->second;
}

}  // namespace millrace::broker
