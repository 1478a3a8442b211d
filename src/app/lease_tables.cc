#include "app/lease_tables.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "kinesis/shard_id.h"

namespace millrace::app {
namespace {

using leases::dynamodb::Attributes;
using leases::dynamodb::AttributeType;
using leases::dynamodb::Item;
using leases::dynamodb::RowKey;
using leases::dynamodb::Table;

constexpr std::size_t kLeasesMax = 100'000;  // of all tables
constexpr std::size_t kAtOnce = 512;         // then others have the loop for a while

bool is_lease_table(const Table& table) {
  const auto& info = table.info();
  if (info.key.hash != "leaseKey" || !info.key.range.empty()) return false;
  const auto type = info.key_types.find("leaseKey");
  return type != info.key_types.end() && type->second == AttributeType::kString;
}

std::string_view text_of(const Attributes& item, std::string_view name) {
  const auto found = item.find(name);
  if (found == item.end() || !found->second.is(AttributeType::kString)) return {};
  return found->second.text();
}

Lease lease_of(std::uint32_t shard, std::string_view checkpoint) {
  Lease lease{.shard = shard};
  if (checkpoint == "TRIM_HORIZON") {
    lease.at = Lease::At::kOldest;
  } else if (checkpoint == "SHARD_END") {
    lease.at = Lease::At::kEnd;
  } else if (const auto sequence = broker::parse_sequence_number(checkpoint); sequence.ok()) {
    lease.at = Lease::At::kRecord;
    lease.sequence = *sequence;
  }
  return lease;
}

// "shardId-000000000007", or of an application of many streams "ACCOUNT:STREAM:EPOCH:shardId-000000000007".
struct LeaseKey {
  std::string stream;
  std::uint32_t shard;
};
std::optional<LeaseKey> parse_lease_key(std::string_view key) {
  const std::size_t colon = key.rfind(':');
  const std::string_view id = colon == std::string_view::npos ? key : key.substr(colon + 1);
  if (!id.starts_with("shardId-")) return std::nullopt;
  const auto shard = kinesis::parse_shard_id(id);
  if (!shard.has_value()) return std::nullopt;
  if (colon == std::string_view::npos) return LeaseKey{"", *shard};
  const std::size_t account = key.find(':');
  const std::size_t epoch = key.rfind(':', colon - 1);
  if (epoch == std::string_view::npos || epoch <= account) return std::nullopt;
  return LeaseKey{std::string(key.substr(account + 1, epoch - account - 1)), *shard};
}

bool fits(const Lease& lease, const broker::Stream& stream) {
  const broker::Shard* shard = stream.find(lease.shard);
  if (shard == nullptr) return false;
  return lease.at != Lease::At::kRecord ||
         (lease.sequence.shard_index == lease.shard && lease.sequence.shard_created_s == shard->created_s);
}

}  // namespace

std::vector<LeaseTable> lease_tables_of(const std::string& application, const std::vector<Item>& items) {
  std::map<std::string, LeaseTable> by_stream;
  for (const Item& item : items) {
    const auto key = parse_lease_key(text_of(*item, "leaseKey"));
    if (!key.has_value()) continue;
    LeaseTable& table = by_stream[key->stream];
    table.leases.push_back(lease_of(key->shard, text_of(*item, "checkpoint")));
  }
  std::vector<LeaseTable> tables;
  for (auto& [stream, table] : by_stream) {
    table.application = application;
    table.stream = stream;
    tables.push_back(std::move(table));
  }
  return tables;
}

Task<std::vector<LeaseTable>> read_lease_tables(const leases::dynamodb::TableStore& store,
                                                Loop& tables_loop) {
  co_await switch_to(tables_loop);
  std::vector<std::pair<std::string, std::shared_ptr<Table>>> found;
  for (const auto& [name, table] : store.tables().by_name())
    if (is_lease_table(*table)) found.emplace_back(name, table);
  std::vector<LeaseTable> tables;
  std::size_t left = kLeasesMax;
  for (const auto& [name, table] : found) {
    std::vector<Item> items;
    std::optional<RowKey> last;
    for (bool more = true; more;) {
      auto row = last.has_value() ? table->rows().upper_bound(*last) : table->rows().begin();
      std::size_t taken = 0;
      for (; row != table->rows().end() && taken < kAtOnce && left > 0; ++row, ++taken, --left) {
        items.push_back(row->second);
        last = row->first;
      }
      more = row != table->rows().end() && left > 0;
      if (more) co_await sleep_for(tables_loop, 0);
    }
    for (LeaseTable& each : lease_tables_of(name, items)) tables.push_back(std::move(each));
  }
  co_return tables;
}

std::vector<const broker::Stream*> streams_of(const LeaseTable& table, const broker::Catalog& catalog) {
  if (!table.stream.empty()) {
    const auto found = catalog.streams.find(table.stream);
    if (found == catalog.streams.end()) return {};
    return {found->second.get()};
  }
  // Leases with a sequence number tell streams apart; where none has one, that the shards are there must do.
  std::pair<std::size_t, std::size_t> best{0, 1};
  std::vector<const broker::Stream*> streams;
  for (const auto& [name, stream] : catalog.streams) {
    std::pair<std::size_t, std::size_t> fit{0, 0};
    for (const Lease& lease : table.leases) {
      if (!fits(lease, *stream)) continue;
      ++fit.second;
      fit.first += lease.at == Lease::At::kRecord ? 1 : 0;
    }
    if (fit < best) continue;
    if (fit > best) streams.clear();
    best = fit;
    streams.push_back(stream.get());
  }
  const bool has_records = std::any_of(table.leases.begin(), table.leases.end(),
                                       [](const Lease& lease) { return lease.at == Lease::At::kRecord; });
  if (has_records && best.first == 0) return {};  // its stream is gone
  // A consumer with enhanced fan-out has its application's name.
  const auto registered = std::find_if(streams.begin(), streams.end(), [&](const broker::Stream* stream) {
    return stream->find_consumer(table.application) != nullptr;
  });
  if (registered != streams.end()) return {*registered};
  return streams;
}

}  // namespace millrace::app
