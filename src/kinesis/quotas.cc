#include "kinesis/quotas.h"

#include <utility>

#include "kinesis/call.h"

namespace millrace::kinesis {
namespace {

using identity::Quantity;
using identity::QuotaMeter;

std::uint64_t payload_bytes(std::span<const broker::PutEntry> entries) {
  std::uint64_t bytes = 0;
  for (const broker::PutEntry& entry : entries)
    bytes += entry.partition_key.size() + broker::data_bytes(entry);
  return bytes;
}

// Takes from each meter in turn; where one has too little, gives back what the ones before it gave.
template <typename Take>
std::optional<Exceeded> take_from_each(const std::array<QuotaMeter*, 2>& meters, const Take& take) {
  for (std::size_t i = 0; i < meters.size(); ++i) {
    if (meters[i] == nullptr) continue;
    const std::optional<Quantity> lacking = take.from(*meters[i]);
    if (!lacking.has_value()) continue;
    for (std::size_t before = 0; before < i; ++before)
      if (meters[before] != nullptr) take.give_back(*meters[before]);
    return Exceeded{meters[i], *lacking};
  }
  return std::nullopt;
}

struct TakeRequest {
  std::int64_t now_ns;

  std::optional<Quantity> from(QuotaMeter& meter) const {
    if (meter.take(Quantity::kRequests, 1, now_ns)) return std::nullopt;
    return Quantity::kRequests;
  }
  void give_back(QuotaMeter& meter) const { meter.give_back(Quantity::kRequests, 1); }
};

struct TakePut {
  std::uint64_t records;
  std::uint64_t bytes;
  bool may_run_into_debt;
  std::int64_t now_ns;

  std::optional<Quantity> from(QuotaMeter& meter) const {
    if (!meter.take(Quantity::kRecordsIn, records, now_ns)) return Quantity::kRecordsIn;
    if (may_run_into_debt ? meter.take_whole(Quantity::kBytesIn, bytes, now_ns)
                          : meter.take(Quantity::kBytesIn, bytes, now_ns))
      return std::nullopt;
    meter.give_back(Quantity::kRecordsIn, records);
    return Quantity::kBytesIn;
  }
  void give_back(QuotaMeter& meter) const {
    meter.give_back(Quantity::kRecordsIn, records);
    meter.give_back(Quantity::kBytesIn, bytes);
  }
};

}  // namespace

ApiError refuse_by_quota(const Exceeded& exceeded) {
  exceeded.meter->count_exceeded(exceeded.quantity);
  return {"ProvisionedThroughputExceededException", exceeded.meter->explain(exceeded.quantity)};
}

Quotas Quotas::of(const Published<identity::QuotaTable>* published, const identity::Principal& caller,
                  std::string_view stream) {
  Quotas quotas;
  if (published == nullptr) return quotas;
  const std::shared_ptr<const identity::QuotaTable>& table = published->here();
  if (table->empty()) return quotas;
  quotas.meters_ = {table->of(caller), stream.empty() ? nullptr : table->of_stream(stream)};
  if (quotas.meters_[0] != nullptr || quotas.meters_[1] != nullptr) quotas.table_ = table;
  return quotas;
}

std::optional<Exceeded> Quotas::take_request(std::int64_t now_ns) const {
  return take_from_each(meters_, TakeRequest{now_ns});
}

std::optional<Exceeded> Quotas::take_put(std::uint64_t records, std::uint64_t bytes,
                                         std::int64_t now_ns) const {
  return take_from_each(meters_, TakePut{records, bytes, false, now_ns});
}

std::optional<Exceeded> Quotas::take_record(std::uint64_t bytes, std::int64_t now_ns) const {
  return take_from_each(meters_, TakePut{1, bytes, true, now_ns});
}

void Quotas::give_back(std::uint64_t records, std::uint64_t bytes) const {
  for (QuotaMeter* meter : meters_)
    if (meter != nullptr) TakePut{records, bytes, false, 0}.give_back(*meter);
}

std::uint64_t Quotas::read_bytes_max(std::uint64_t most) const {
  for (const QuotaMeter* meter : meters_)
    if (meter != nullptr && meter->bounds(Quantity::kBytesOut))
      most = std::min(most, meter->quota()[Quantity::kBytesOut]);
  return most;
}

std::optional<Exceeded> Quotas::in_debt(std::int64_t now_ns) const {
  std::optional<Exceeded> deepest;
  std::int64_t deepest_ns = 0;
  for (QuotaMeter* meter : meters_) {
    const std::int64_t debt_ns = meter == nullptr ? 0 : meter->debt_ns(Quantity::kBytesOut, now_ns);
    if (debt_ns <= deepest_ns) continue;
    deepest_ns = debt_ns;
    deepest = Exceeded{meter, Quantity::kBytesOut};
  }
  return deepest;
}

void Quotas::charge_read(std::uint64_t bytes, std::int64_t now_ns) const {
  for (QuotaMeter* meter : meters_)
    if (meter != nullptr) meter->charge(Quantity::kBytesOut, bytes, now_ns);
}

Outcome begin_quotas(Call& call, const broker::Stream* stream) {
  call.quotas = Quotas::of(call.options.quotas, *call.caller.principal,
                           stream == nullptr ? std::string_view() : stream->name);
  if (call.quotas.none()) return std::nullopt;
  const auto exceeded = call.quotas.take_request(call.clock.monotonic_ns());
  if (!exceeded.has_value()) return std::nullopt;
  return refuse_by_quota(*exceeded);
}

bool take_put(const Call& call, std::span<const broker::PutEntry> entries) {
  if (call.quotas.none()) return true;
  return !call.quotas.take_put(entries.size(), payload_bytes(entries), call.clock.monotonic_ns()).has_value();
}

void give_back_put(const Call& call, std::span<const broker::PutEntry> entries) {
  if (!call.quotas.none()) call.quotas.give_back(entries.size(), payload_bytes(entries));
}

Refused take_what_fits(const Call& call, std::vector<broker::PutEntry>& entries) {
  if (take_put(call, entries)) return {};
  const std::int64_t now_ns = call.clock.monotonic_ns();
  Refused refused(entries.size());
  bool any = false;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    refused[i] = call.quotas.take_record(payload_bytes(std::span(&entries[i], 1)), now_ns);
    any |= refused[i].has_value();
    if (!refused[i].has_value()) entries[kept++] = entries[i];
  }
  entries.resize(kept);
  if (!any) refused.clear();
  return refused;
}

}  // namespace millrace::kinesis
