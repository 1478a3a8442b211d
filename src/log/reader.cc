#include "log/reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "log/retention.h"
#include "log/run_reader.h"

namespace millrace::log {

namespace {

constexpr std::uint64_t kWindowBytesMax = 16u << 20;  // unpacked, at once, whatever the caller's limit
constexpr std::size_t kAheadBlocks = 8;

Error no_such_shard(ShardKey shard) {
  return {ErrorKind::kNotFound, fmt::format("no shard {} in the log", to_number(shard))};
}

// The block that holds `offset`; blocks.end() when none does.
std::vector<BlockRef>::const_iterator block_at(const std::vector<BlockRef>& blocks, std::uint64_t offset) {
  return std::partition_point(blocks.begin(), blocks.end(),
                              [offset](const BlockRef& block) { return block.end_offset() <= offset; });
}

// Walks the runs of a block until one is not wholly read.
bool read_block(const BlockCache::Block& block, ReadBatch& out, RunReader& runs) {
  out.holders.push_back(block);
  for (std::size_t at = 0; at < block->size();) {
    if (!runs.read(block->data() + at)) return false;
    at += kRunHeaderBytes + load_run_header(block->data() + at).bytes;
  }
  return true;
}

}  // namespace

// Of the oldest entry of the shard's ring that is still in memory; size() when none is.
std::uint32_t Reader::first_in_tail(const Shard& shard) const {
  std::uint32_t low = 0;
  std::uint32_t high = shard.ring.size();
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (state_->tail.holds(shard.ring[middle].batch))
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

// First offset of the ring's entry; the shard's end behind the last.
std::uint64_t Reader::tail_begin(const Shard& shard, std::uint32_t index) const {
  if (index >= shard.ring.size()) return shard.durable_end;
  return shard.durable_end - static_cast<std::uint32_t>(static_cast<std::uint32_t>(shard.durable_end) -
                                                        shard.ring[index].first_offset_low);
}

// Where a reader at `offset` goes on: behind the blocks that are lost, where it is in one.
std::uint64_t Reader::behind_lost(const Shard& shard, std::uint64_t offset) {
  const auto& blocks = shard.rest->blocks;
  for (auto block = block_at(blocks, offset); block != blocks.end() && block->is_lost(); ++block)
    offset = block->end_offset();
  return offset;
}

Task<Result<ReadBatch>> Reader::read(std::shared_ptr<Reader> self, ShardKey key, std::uint64_t from,
                                     ReadLimits limits) {
  LoopState& state = *self->state_;
  MR_ASSERT(state.loop.is_current());
  RunDecryptor* const decryptor = state.context->environment.decryptor;
  ReadBatch out;
  for (;;) {
    Shard* shard = state.shards.find(key);
    if (shard == nullptr) co_return no_such_shard(key);
    drop_expired(state, *shard);
    out.end_offset = shard->durable_end;
    if (from > out.end_offset)
      co_return Error{ErrorKind::kInvalid, fmt::format("offset {} is past the end of shard {}, which is {}",
                                                       from, to_number(key), out.end_offset)};
    const std::int64_t oldest_ms = oldest_kept_ms(state, *shard);
    if (out.records.empty()) out.next_offset = behind_lost(*shard, std::max(from, shard->rest->first_offset));
    // Only an empty batch comes here again: nothing counts towards the limits yet.
    RunReader runs(out, limits, oldest_ms, decryptor, self->plain_runs_);
    const bool in_tail = out.next_offset >= self->tail_begin(*shard, self->first_in_tail(*shard));
    if (in_tail) {
      self->read_tail(*shard, out, limits, runs);
    } else {
      const auto window = self->choose_blocks(*shard, out.next_offset, limits);
      co_await eventually<bool>([&](auto done) { self->load(window, [done]() mutable { done(true); }); });
      shard = state.shards.find(key);
      if (shard == nullptr) co_return no_such_shard(key);
      bool all = true;
      for (Load& load : window->loads) {
        if (!load.bytes.ok()) {
          if (out.records.empty()) co_return std::move(load.bytes).error();
          all = false;
        }
        if (!all) break;
        all = read_block(*load.bytes, out, runs);
      }
      out.end_offset = shard->durable_end;
      if (!out.records.empty()) {
        if (!out.next_arrival_ms) out.next_arrival_ms = self->arrival_at(*shard, out.next_offset);
        self->read_ahead(*shard, out.next_offset);
      }
    }
    if (!out.records.empty()) co_return out;
    if (runs.error()) co_return *runs.error();
    if (!runs.missing_key()) {
      if (in_tail) co_return out;
      continue;
    }
    out.holders.clear();
    out.next_arrival_ms.reset();
    const std::uint64_t missing = *runs.missing_key();
    auto prepared = co_await eventually<Result<void>>([&](auto done) {
      decryptor->prepare(missing, state.loop, [done](Result<void> ready) mutable { done(std::move(ready)); });
    });
    if (!prepared.ok()) co_return std::move(prepared).error();
  }
}

void Reader::read_tail(const Shard& shard, ReadBatch& out, const ReadLimits& limits, RunReader& runs) const {
  std::uint32_t low = first_in_tail(shard);
  std::uint32_t high = shard.ring.size();
  while (low < high) {  // the first entry that ends behind next_offset
    const std::uint32_t middle = low + (high - low) / 2;
    if (tail_begin(shard, middle) + shard.ring[middle].count > out.next_offset)
      high = middle;
    else
      low = middle + 1;
  }
  out.records.reserve(std::min<std::uint64_t>(
      limits.records_max, std::min<std::uint64_t>(out.end_offset - out.next_offset, 1'024)));
  std::uint32_t held = 0;
  for (std::uint32_t i = low; i < shard.ring.size(); ++i) {
    const TailEntry& entry = shard.ring[i];
    const auto& batch = state_->tail.batch(entry.batch);
    const std::size_t before = out.records.size();
    const bool all = runs.read(batch->bytes.data() + entry.begin);
    if (out.records.size() > before && (out.holders.empty() || held != entry.batch)) {
      out.holders.push_back(batch);
      held = entry.batch;
    }
    if (!all) return;
  }
}

std::shared_ptr<Reader::Window> Reader::choose_blocks(const Shard& shard, std::uint64_t from,
                                                      const ReadLimits& limits) const {
  const std::uint64_t bytes_max = std::min(limits.bytes_max, kWindowBytesMax);
  const auto& blocks = shard.rest->blocks;
  auto window = std::make_shared<Window>();
  window->shard = shard.rest->key;
  std::uint64_t bytes = 0;
  std::uint64_t records = 0;
  for (auto block = block_at(blocks, from); block != blocks.end() && !block->is_lost(); ++block) {
    window->loads.push_back({*block});
    bytes += block->raw_bytes;
    records += block->end_offset() - std::max(block->first_offset, from);
    if (bytes >= bytes_max || records >= limits.records_max) break;
  }
  MR_ASSERT(!window->loads.empty());  // what is not in the tail is in a segment
  return window;
}

void Reader::fetch(ShardKey shard, const BlockRef& block, BlockCache::Done done) {
  const std::shared_ptr<LogContext>& context = state_->context;
  const auto segment = state_->segments.find(block.segment);
  MR_ASSERT(segment != state_->segments.end());
  Worker& worker = *workers_[next_worker_++ % workers_.size()];
  context->cache.get(
      {block.segment, block.position},
      [context = context.get(), segment = segment->second, shard, block] {
        count(context->counters.cold_reads, 1);
        return load_noting_damage(*context, *segment, shard, block);
      },
      worker, state_->loop, std::move(done));
}

void Reader::load(std::shared_ptr<Window> window, Callback done) {
  window->missing = window->loads.size();
  window->done = std::move(done);
  for (Load& load : window->loads) {
    fetch(window->shard, load.block, [window, &load](Result<BlockCache::Block> bytes) {
      load.bytes = std::move(bytes);
      if (--window->missing == 0) std::exchange(window->done, Callback{})();
    });
  }
}

// What a reader that catches up asks for next is here when it does.
void Reader::read_ahead(const Shard& shard, std::uint64_t from) {
  const auto& blocks = shard.rest->blocks;
  auto block = block_at(blocks, from);
  for (std::size_t i = 0; i < kAheadBlocks && block != blocks.end() && !block->is_lost(); ++i, ++block)
    fetch(shard.rest->key, *block, {});
}

// Of the record at `offset`, when it begins a block or is in the tail: where a read ends otherwise, it knows.
std::optional<std::int64_t> Reader::arrival_at(const Shard& shard, std::uint64_t offset) const {
  if (offset >= shard.durable_end) return std::nullopt;
  const auto block = block_at(shard.rest->blocks, offset);
  if (block != shard.rest->blocks.end()) return block->first_arrival_ms;
  return arrival_in_tail(shard, offset);
}

// nullopt: the record is in a segment only, or does not exist.
std::optional<std::int64_t> Reader::arrival_in_tail(const Shard& shard, std::uint64_t offset) const {
  std::uint32_t low = first_in_tail(shard);
  std::uint32_t high = shard.ring.size();
  if (offset >= shard.durable_end || offset < tail_begin(shard, low)) return std::nullopt;
  while (high - low > 1) {  // the last entry that begins at `offset` or before it
    const std::uint32_t middle = low + (high - low) / 2;
    if (tail_begin(shard, middle) <= offset)
      low = middle;
    else
      high = middle;
  }
  const TailEntry& entry = shard.ring[low];
  return load_run_header(state_->tail.batch(entry.batch)->bytes.data() + entry.begin).arrival_ms;
}

Task<Result<std::uint64_t>> Reader::offset_at_time(std::shared_ptr<Reader> self, ShardKey key,
                                                   std::int64_t time_ms) {
  LoopState& state = *self->state_;
  MR_ASSERT(state.loop.is_current());
  Shard* shard = state.shards.find(key);
  if (shard == nullptr) co_return no_such_shard(key);
  drop_expired(state, *shard);
  const std::int64_t wanted_ms = std::max(time_ms, oldest_kept_ms(state, *shard));
  const auto& blocks = shard->rest->blocks;
  const auto found = std::partition_point(blocks.begin(), blocks.end(), [wanted_ms](const BlockRef& block) {
    return block.last_arrival_ms < wanted_ms;
  });
  if (found != blocks.end()) {
    const BlockRef block = *found;
    const std::uint64_t first = std::max(block.first_offset, shard->rest->first_offset);
    if (block.is_lost()) co_return behind_lost(*shard, first);
    if (block.first_arrival_ms >= wanted_ms) co_return first;
    auto window = std::make_shared<Window>();
    window->shard = key;
    window->loads.push_back({block});
    co_await eventually<bool>([&](auto done) { self->load(window, [done]() mutable { done(true); }); });
    Load& load = window->loads.front();
    if (!load.bytes.ok()) co_return std::move(load.bytes).error();
    const Bytes& bytes = **load.bytes;
    for (std::size_t at = 0; at < bytes.size();) {
      const RunHeader run = load_run_header(bytes.data() + at);
      if (run.arrival_ms >= wanted_ms) co_return std::max(run.first_offset, first);
      at += kRunHeaderBytes + run.bytes;
    }
    // Every sum of it holds: whoever wrote it was wrong.
    state.context->damage.note(
        block.segment,
        {.shard = key,
         .first_offset = block.first_offset,
         .end_offset = block.end_offset(),
         .first_arrival_ms = block.first_arrival_ms,
         .last_arrival_ms = block.last_arrival_ms,
         .file = state.context->environment.disk.describe(segment_path(block.segment)),
         .position = block.position,
         .what = fmt::format("no record arrived at {} or later, as its index says", block.last_arrival_ms)});
    co_return Error{ErrorKind::kCorrupt,
                    fmt::format("records {} to {} of shard {} are damaged on disk", block.first_offset,
                                block.end_offset() - 1, to_number(key))};
  }
  std::uint32_t low = self->first_in_tail(*shard);
  std::uint32_t high = shard->ring.size();
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    const TailEntry& entry = shard->ring[middle];
    const RunHeader run = load_run_header(state.tail.batch(entry.batch)->bytes.data() + entry.begin);
    if (run.arrival_ms >= wanted_ms)
      high = middle;
    else
      low = middle + 1;
  }
  co_return std::max(self->tail_begin(*shard, low), shard->rest->first_offset);
}

Result<Extent> Reader::extent(ShardKey key) {
  Shard* shard = state_->shards.find(key);
  if (shard == nullptr) return no_such_shard(key);
  drop_expired(*state_, *shard);
  return Extent{shard->rest->first_offset, shard->durable_end};
}

std::optional<std::int64_t> Reader::arrival_near(ShardKey key, std::uint64_t offset) const {
  const Shard* shard = state_->shards.find(key);
  if (shard == nullptr) return std::nullopt;
  offset = std::max(offset, shard->rest->first_offset);
  if (const auto exact = arrival_in_tail(*shard, offset); exact.has_value()) return exact;
  const auto block = block_at(shard->rest->blocks, offset);
  if (block == shard->rest->blocks.end()) return std::nullopt;
  const std::uint64_t behind = offset - std::min(offset, block->first_offset);
  const double share = static_cast<double>(behind) / static_cast<double>(block->count);
  return block->first_arrival_ms +
         static_cast<std::int64_t>(share *
                                   static_cast<double>(block->last_arrival_ms - block->first_arrival_ms));
}

Result<ShardAges> Reader::ages(ShardKey key) const {
  const Shard* shard = state_->shards.find(key);
  if (shard == nullptr) return no_such_shard(key);
  ShardAges ages{.extent = {shard->rest->first_offset, shard->durable_end}};
  if (ages.extent.first_offset < ages.extent.end_offset) {
    ages.oldest_arrival_ms = arrival_near(key, ages.extent.first_offset);
    ages.newest_arrival_ms = arrival_near(key, ages.extent.end_offset - 1);
  }
  return ages;
}

}  // namespace millrace::log
