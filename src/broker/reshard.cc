#include "broker/reshard.h"

#include <algorithm>

#include <fmt/format.h>

#include "broker/catalog_change.h"
#include "broker/hash_key.h"

namespace millrace::broker {
namespace {

// An open shard while a plan is drawn up.
struct Piece {
  std::uint32_t index;
  HashNumber first;
  HashNumber last;
};

std::vector<Piece> open_pieces(const Stream& stream) {
  std::vector<Piece> pieces;
  for (const std::uint32_t position : stream.open_shards) {
    const Shard& shard = stream.shards[position];
    pieces.push_back({shard.index, to_number(shard.range.first), to_number(shard.range.last)});
  }
  return pieces;
}

Result<const Shard*> open_shard(const Stream& stream, std::uint32_t index) {
  const Shard* shard = stream.find(index);
  if (shard == nullptr)
    return Error{ErrorKind::kNotFound, fmt::format("shard {} of {} does not exist", index, stream.name)};
  if (!shard->open())
    return Error{ErrorKind::kInvalid, fmt::format("shard {} of {} is closed", index, stream.name)};
  return shard;
}

bool adjoin(const HashRange& lower, const HashRange& upper) {
  return to_number(lower.last) != ~HashNumber{0} && to_number(lower.last) + 1 == to_number(upper.first);
}

}  // namespace

Result<ReshardPlan> plan_split(const Stream& stream, std::uint32_t shard, const log::HashKey& at) {
  MR_ASSIGN(const Shard* parent, open_shard(stream, shard));
  if (at <= parent->range.first || at > parent->range.last)
    return Error{ErrorKind::kInvalid,
                 fmt::format("NewStartingHashKey {} is not inside shard {}", to_decimal(at), shard)};
  return ReshardPlan{{shard, std::nullopt, at}};
}

Result<ReshardPlan> plan_merge(const Stream& stream, std::uint32_t shard, std::uint32_t adjacent) {
  MR_ASSIGN(const Shard* first, open_shard(stream, shard));
  MR_ASSIGN(const Shard* second, open_shard(stream, adjacent));
  if (!adjoin(first->range, second->range) && !adjoin(second->range, first->range))
    return Error{ErrorKind::kInvalid, fmt::format("shards {} and {} are not adjacent", shard, adjacent)};
  return ReshardPlan{{shard, adjacent, std::nullopt}};
}

ReshardPlan plan_even(const Stream& stream, std::uint32_t target) {
  ReshardPlan plan;
  std::vector<Piece> pieces = open_pieces(stream);
  std::uint32_t next_index = stream.next_index;

  // Split, from the lowest bound up. `at` is the piece that the bound falls into.
  std::size_t at = 0;
  for (std::uint32_t part = 1; part < target; ++part) {
    const HashNumber bound = to_number(even_share(part, target).first);
    while (pieces[at].last < bound) ++at;
    if (pieces[at].first == bound) continue;
    plan.push_back({pieces[at].index, std::nullopt, to_key(bound)});
    const Piece lower{next_index, pieces[at].first, bound - 1};
    const Piece upper{next_index + 1, bound, pieces[at].last};
    next_index += 2;
    pieces[at] = lower;
    pieces.insert(pieces.begin() + static_cast<std::ptrdiff_t>(at) + 1, upper);
  }

  // Merge what lies inside one share, two at a time from its lower end.
  at = 0;
  for (std::uint32_t part = 0; part < target; ++part) {
    const HashNumber last = to_number(even_share(part, target).last);
    Piece whole = pieces[at++];
    while (whole.last < last) {
      plan.push_back({whole.index, pieces[at].index, std::nullopt});
      whole = {next_index++, whole.first, pieces[at++].last};
    }
  }
  return plan;
}

std::vector<std::uint32_t> shards_closed_by(const Stream& stream, const ReshardPlan& plan) {
  std::vector<std::uint32_t> closed;
  for (const ReshardStep& step : plan) {
    if (step.shard < stream.next_index) closed.push_back(step.shard);
    if (step.merge_with && *step.merge_with < stream.next_index) closed.push_back(*step.merge_with);
  }
  std::sort(closed.begin(), closed.end());
  return closed;
}

Result<void> apply_plan(Stream& stream, const ReshardPlan& plan, const ReshardDone& done,
                        std::uint64_t& next_key) {
  const std::uint32_t first_new = stream.next_index;
  const auto take = [&](std::uint32_t index) -> Result<Shard*> {
    MR_ASSIGN(const Shard* found, open_shard(stream, index));
    Shard* shard = &stream.shards[static_cast<std::size_t>(found - stream.shards.data())];
    std::uint64_t end = 0;
    if (index < first_new) {
      const auto given = done.end_offsets.find(index);
      if (given == done.end_offsets.end())
        return Error{ErrorKind::kInvalid,
                     fmt::format("no end offset for shard {} of {}", index, stream.name)};
      end = given->second;
    }
    shard->end_offset = end;
    shard->closed_ms = done.now_ms;
    return shard;
  };
  const auto make = [&](const HashRange& range, std::int64_t after_s, std::uint32_t parent,
                        std::optional<std::uint32_t> adjacent) {
    stream.shards.push_back(
        Shard{.key = log::ShardKey{next_key++},
              .index = stream.next_index++,
              .range = range,
              .created_s = std::max(done.now_ms / 1000 + done.new_shards_lag_s, after_s + 1),
              .parent = parent,
              .adjacent_parent = adjacent,
              .end_offset = std::nullopt});
  };
  for (const ReshardStep& step : plan) {
    MR_ASSIGN(const Shard* taken, take(step.shard));
    const Shard parent = *taken;  // `make` moves the shards
    if (step.merge_with) {
      MR_ASSIGN(const Shard* other, take(*step.merge_with));
      const Shard adjacent = *other;
      const bool lower_first = parent.range.first < adjacent.range.first;
      if (!adjoin(lower_first ? parent.range : adjacent.range, lower_first ? adjacent.range : parent.range))
        return Error{ErrorKind::kInvalid,
                     fmt::format("shards {} and {} are not adjacent", parent.index, adjacent.index)};
      make({std::min(parent.range.first, adjacent.range.first),
            std::max(parent.range.last, adjacent.range.last)},
           std::max(parent.created_s, adjacent.created_s), parent.index, adjacent.index);
    } else {
      if (!step.split_at || *step.split_at <= parent.range.first || *step.split_at > parent.range.last)
        return Error{ErrorKind::kInvalid,
                     fmt::format("shard {} of {} cannot be split there", parent.index, stream.name)};
      make({parent.range.first, to_key(to_number(*step.split_at) - 1)}, parent.created_s, parent.index,
           std::nullopt);
      make({*step.split_at, parent.range.last}, parent.created_s, parent.index, std::nullopt);
    }
  }
  stream.index_shards();
  return {};
}

Result<void> check_plan(const Stream& stream, const ReshardPlan& plan) {
  ReshardDone done{.id = stream.id, .now_ms = 0, .end_offsets = {}};
  for (const std::uint32_t index : shards_closed_by(stream, plan)) done.end_offsets.emplace(index, 0);
  Stream tried = stream;
  std::uint64_t next_key = 0;
  return apply_plan(tried, plan, done, next_key);
}

}  // namespace millrace::broker
