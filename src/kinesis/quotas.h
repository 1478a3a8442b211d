// kinesis/quotas.h: what quotas of callers and streams leave of a call. docs/decisions/0013-quotas.md
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/published.h"
#include "broker/broker.h"
#include "identity/quota_meter.h"
#include "kinesis/protocol.h"

namespace millrace::kinesis {

struct Call;

// A figure that something was too much for.
struct Exceeded {
  identity::QuotaMeter* meter;
  identity::Quantity quantity;
};
// Counts it, and says so: ProvisionedThroughputExceededException.
ApiError refuse_by_quota(const Exceeded& exceeded);

// The meters that count what one caller does to one stream, at most two. Where there are none it costs
// nothing to ask them.
class Quotas {
 public:
  Quotas() = default;
  // As they are now. published   nullptr: none.  stream   empty: the call is about none
  static Quotas of(const Published<identity::QuotaTable>* published, const identity::Principal& caller,
                   std::string_view stream);

  bool none() const { return table_ == nullptr; }
  bool operator==(const Quotas& other) const { return meters_ == other.meters_; }

  // All of it from every meter, or nothing, and what was exceeded.
  std::optional<Exceeded> take_request(std::int64_t now_ns) const;
  std::optional<Exceeded> take_put(std::uint64_t records, std::uint64_t bytes, std::int64_t now_ns) const;
  // One record, which may have more than a second's bytes.
  std::optional<Exceeded> take_record(std::uint64_t bytes, std::int64_t now_ns) const;
  void give_back(std::uint64_t records, std::uint64_t bytes) const;

  // What one read may give, of at most `most`: no more than a second's worth, or one record.
  std::uint64_t read_bytes_max(std::uint64_t most) const;
  // Reads are charged with what they gave, and held off while the second's bytes are in debt.
  std::optional<Exceeded> in_debt(std::int64_t now_ns) const;
  void charge_read(std::uint64_t bytes, std::int64_t now_ns) const;

 private:
  std::shared_ptr<const identity::QuotaTable> table_;  // keeps them
  std::array<identity::QuotaMeter*, 2> meters_{};      // nullptr: no such one
};

// Finds the call's meters, and counts it as a request. Once a call, when it was allowed.
// errors   ProvisionedThroughputExceededException
Outcome begin_quotas(Call& call, const broker::Stream* stream);

// Whether the quotas leave room for the put as a whole; then it is taken.
bool take_put(const Call& call, std::span<const broker::PutEntry> entries);
// What was taken for a put of which nothing became of.
void give_back_put(const Call& call, std::span<const broker::PutEntry> entries);

// Takes for each entry by itself where there is not room for all, and takes those out of `entries` that
// exceed a quota. Returns what each entry exceeded, in order; empty: none did.
using Refused = std::vector<std::optional<Exceeded>>;
Refused take_what_fits(const Call& call, std::vector<broker::PutEntry>& entries);

}  // namespace millrace::kinesis
