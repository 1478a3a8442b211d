#include "broker/put_path.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/base64.h"
#include "base/md5.h"

namespace millrace::broker {
namespace {

// An encrypted run is decrypted as a whole, whatever a reader wants of it.
constexpr std::size_t kEncryptedRunBytes = 64u << 10;

// A route is (position of the shard << 32 | entry): sorted, records stand by shard, in the order they came.
constexpr std::uint64_t pack(std::size_t position, std::uint32_t entry) {
  return std::uint64_t{position} << 32 | entry;
}
constexpr std::uint32_t position_of(std::uint64_t route) { return static_cast<std::uint32_t>(route >> 32); }
constexpr std::uint32_t entry_of(std::uint64_t route) { return static_cast<std::uint32_t>(route); }

// Stable, by position alone: a byte at a time from the lowest, as many bytes as `positions` needs.
void sort_by_position(std::vector<std::uint64_t>& order, std::vector<std::uint64_t>& spare,
                      std::size_t positions) {
  spare.resize(order.size());
  for (unsigned shift = 32; shift < 64 && (positions - 1) >> (shift - 32) != 0; shift += 8) {
    std::array<std::uint32_t, 257> begins{};
    for (const std::uint64_t route : order) ++begins[(route >> shift & 0xff) + 1];
    for (std::size_t byte = 1; byte < begins.size(); ++byte) begins[byte] += begins[byte - 1];
    for (const std::uint64_t route : order) spare[begins[route >> shift & 0xff]++] = route;
    order.swap(spare);
  }
}

// Sorted by shard, the entries lie anywhere in the request, and with many shards so do the shards: fetched
// into the cache in two steps, ahead of their turn.
constexpr std::size_t kAhead = 10;
constexpr std::size_t kLineBytes = 64;
constexpr std::size_t kFetchedBytes = 4 * kLineBytes;  // behind them the processor sees where it goes
void prefetch(const Stream& stream, std::span<const PutEntry> entries,
              const std::vector<std::uint64_t>& order, std::size_t i) {
  if (i + 2 * kAhead < order.size()) {
    __builtin_prefetch(&entries[entry_of(order[i + 2 * kAhead])]);
    __builtin_prefetch(&stream.labels[position_of(order[i + 2 * kAhead])]);
  }
  if (i + kAhead >= order.size()) return;
  const PutEntry& entry = entries[entry_of(order[i + kAhead])];
  const std::size_t bytes = std::min(entry.data.size(), kFetchedBytes);
  for (std::size_t at = 0; at < bytes; at += kLineBytes) __builtin_prefetch(entry.data.data() + at);
  __builtin_prefetch(entry.data.data() + entry.data.size());  // base64 tells its length at its end
}

// Of its data, at most: does not look at it.
std::size_t data_bytes_at_most(const PutEntry& entry) {
  return entry.base64 ? entry.data.size() / 4 * 3 : entry.data.size();
}

bool takes_records(const Stream& stream) {
  return stream.status == StreamStatus::kActive || stream.status == StreamStatus::kUpdating;
}

}  // namespace

std::size_t data_bytes(const PutEntry& entry) {
  if (!entry.base64) return entry.data.size();
  return base64_decoded_size(entry.data).value_or(0);
}

PutPath::PutPath(CatalogBoard& board, log::Log& log, keys::DataKeys& keys, Throttle* throttle)
    : board_(board), log_(log), keys_(keys), throttle_(throttle), scratch_(board.loops()) {}

void PutPath::route(const Stream& stream, std::span<const PutEntry> entries,
                    std::span<const std::uint32_t> pending, Scratch& scratch) {
  scratch.order.clear();
  scratch.keys.clear();
  scratch.hashed.clear();
  if (stream.auto_distribution) {
    for (const std::uint32_t entry : pending)
      scratch.order.push_back(
          pack(stream.open_shards[scratch.next_open++ % stream.open_shards.size()], entry));
    return sort_by_position(scratch.order, scratch.order_spare, stream.shards.size());
  }
  for (const std::uint32_t entry : pending) {
    if (entries[entry].explicit_hash_key) {
      scratch.order.push_back(pack(stream.route(*entries[entry].explicit_hash_key), entry));
    } else {
      scratch.keys.push_back(as_bytes(entries[entry].partition_key));
      scratch.hashed.push_back(entry);
    }
  }
  scratch.digests.resize(scratch.keys.size());
  md5_each(scratch.keys, scratch.digests);
  for (std::size_t i = 0; i < scratch.hashed.size(); ++i)
    scratch.order.push_back(pack(stream.route(scratch.digests[i]), scratch.hashed[i]));
  // Explicit hash keys went in first: put the entries back in the order they came before the stable sort.
  if (scratch.hashed.size() != pending.size() && !scratch.hashed.empty())
    std::sort(scratch.order.begin(), scratch.order.end(),
              [](std::uint64_t a, std::uint64_t b) { return entry_of(a) < entry_of(b); });
  sort_by_position(scratch.order, scratch.order_spare, stream.shards.size());
}

Result<std::vector<PutPath::Part>> PutPath::encode(const Stream& stream, std::span<const PutEntry> entries,
                                                   std::span<const std::uint32_t> pending,
                                                   std::vector<PutOutcome>& outcomes,
                                                   const std::shared_ptr<log::RunEncryptor>& encryptor) {
  Scratch& scratch = scratch_[board_.current()];
  route(stream, entries, pending, scratch);

  std::size_t bytes = 0;
  for (const std::uint32_t entry : pending)
    bytes += data_bytes_at_most(entries[entry]) + entries[entry].partition_key.size() + 64;
  std::vector<Part> parts;
  std::vector<log::BatchBuilder> builders;
  std::vector<std::uint32_t> part_of_loop(board_.loops(), ~0u);
  // A guess: with one loop it is all of it; with several, an even share and some more.
  const std::size_t reserve = board_.loops() == 1 ? bytes : bytes / board_.loops() * 5 / 4;

  std::uint32_t last_position = ~0u;
  std::uint32_t part = 0;
  for (std::size_t i = 0; i < scratch.order.size(); ++i) {
    prefetch(stream, entries, scratch.order, i);
    const std::uint64_t routed = scratch.order[i];
    const std::uint32_t position = position_of(routed);
    const std::uint32_t index = entry_of(routed);
    const PutEntry& entry = entries[index];
    const ShardLabel& shard = stream.labels[position];
    PutOutcome& outcome = outcomes[index];
    outcome.shard_position = position;
    outcome.payload_bytes = static_cast<std::uint32_t>(data_bytes(entry) + entry.partition_key.size());
    if (throttle_ != nullptr && !stream.on_demand &&
        !throttle_->take_write(shard.key, outcome.payload_bytes)) {
      outcome.status = log::RunStatus::kUnavailable;
      outcome.throttled = true;
      continue;
    }
    if (position != last_position) {
      last_position = position;
      const std::size_t loop = log::loop_of(shard.key, board_.loops());
      if (part_of_loop[loop] == ~0u) {
        part_of_loop[loop] = static_cast<std::uint32_t>(parts.size());
        parts.push_back(Part{loop, nullptr, {}, nullptr});
        parts.back().entries.reserve(pending.size());
        builders.emplace_back(reserve, std::min(pending.size(), stream.open_shards.size()));
        if (encryptor != nullptr) builders.back().encrypt_with(encryptor);
      }
      part = part_of_loop[loop];
      builders[part].begin_run(shard.key);
    } else if (encryptor != nullptr && builders[part].run_bytes() > kEncryptedRunBytes) {
      builders[part].split_run();
    }
    log::RecordView record;
    record.key = as_bytes(entry.partition_key);
    if (!stream.auto_distribution) record.explicit_hash_key = entry.explicit_hash_key;
    if (entry.base64) {
      const auto decoded = base64_decoded_size(entry.data);
      if (!decoded || !base64_decode(entry.data, builders[part].add_with_room(record, *decoded)))
        return Error{ErrorKind::kInvalid, fmt::format("data of record {} is not base64", index)};
    } else {
      record.value = as_bytes(entry.data);
      builders[part].add(record);
    }
    parts[part].entries.push_back(index);
  }
  for (std::size_t i = 0; i < parts.size(); ++i) parts[i].batch = builders[i].finish();
  return parts;
}

Task<void> PutPath::append(std::vector<Part>& parts) {
  if (parts.empty()) co_return;
  const std::size_t here = board_.current();
  std::size_t left = parts.size();
  co_await eventually<int>([&](auto done) {
    for (Part& part : parts) {
      auto answer = [&part, &left, done](std::shared_ptr<const log::Batch> batch) mutable {
        part.answered = std::move(batch);
        if (--left == 0) done(0);
      };
      if (part.loop == here) {
        log_.append(here, std::move(part.batch), std::move(answer));
        continue;
      }
      board_.loop(part.loop).post([this, here, loop = part.loop, batch = std::move(part.batch),
                                   answer = std::move(answer)]() mutable {
        log_.append(
            loop, std::move(batch),
            [this, here, answer = std::move(answer)](std::shared_ptr<const log::Batch> answered) mutable {
              board_.loop(here).post([answer = std::move(answer), answered = std::move(answered)]() mutable {
                answer(std::move(answered));
              });
            });
      });
    }
  });
}

Task<Result<PutResult>> PutPath::put(std::string_view stream_name, std::span<const PutEntry> entries) {
  std::shared_ptr<const Catalog> catalog = board_.here();
  PutResult result;
  result.stream = catalog->find(stream_name);
  if (result.stream == nullptr || !takes_records(*result.stream))
    co_return Error{ErrorKind::kNotFound, fmt::format("no stream {}", stream_name)};
  result.outcomes.resize(entries.size());
  std::vector<std::uint32_t> pending(entries.size());
  for (std::uint32_t index = 0; index < pending.size(); ++index) pending[index] = index;

  const std::size_t here = board_.current();
  for (;;) {
    std::shared_ptr<log::RunEncryptor> encryptor;
    if (!result.stream->key_id.empty()) {
      auto asked = co_await keys_.encryptor(result.stream->data_keys.back().number, board_.loop(here));
      if (!asked.ok()) {
        if (pending.size() == entries.size()) co_return std::move(asked).error();
        for (const std::uint32_t index : pending)
          result.outcomes[index].status = log::RunStatus::kUnavailable;
        result.error = std::move(asked.error().text);
        co_return result;
      }
      encryptor = std::move(*asked);
    }
    auto encoded = encode(*result.stream, entries, pending, result.outcomes, encryptor);
    if (!encoded.ok()) co_return encoded.error();
    std::vector<Part>& parts = *encoded;
    co_await append(parts);

    pending.clear();
    for (const Part& part : parts) {
      auto entry = part.entries.begin();
      for (const log::Run& run : part.answered->runs)
        for (std::uint32_t record = 0; record < run.count; ++record, ++entry) {
          PutOutcome& outcome = result.outcomes[*entry];
          // Sealed or gone: the stream was resharded or deleted since we looked.
          if (run.status == log::RunStatus::kSealed || run.status == log::RunStatus::kGone)
            pending.push_back(*entry);
          outcome.status = run.status;
          outcome.offset = run.first_offset + record;
          outcome.arrival_ms = run.arrival_ms;
        }
      if (result.error.empty()) result.error = part.answered->error;
    }
    if (pending.empty()) co_return result;

    // Look again once the catalog says where such records go now.
    std::sort(pending.begin(), pending.end());
    co_await board_.newer_than(catalog->version);
    catalog = board_.here();
    const auto now = catalog->find(stream_name);
    if (now == nullptr || now->id != result.stream->id || !takes_records(*now)) {
      if (pending.size() == entries.size())
        co_return Error{ErrorKind::kNotFound, fmt::format("no stream {}", stream_name)};
      for (const std::uint32_t index : pending) result.outcomes[index].status = log::RunStatus::kUnavailable;
      result.error = "the stream was deleted meanwhile";
      co_return result;
    }
    for (PutOutcome& outcome : result.outcomes) {
      const Shard* same = now->find(result.stream->shards[outcome.shard_position].index);
      MR_ASSERT(same != nullptr);  // closed a moment ago at the most: far from expired
      outcome.shard_position = static_cast<std::uint32_t>(same - now->shards.data());
    }
    result.stream = now;
  }
}

}  // namespace millrace::broker
