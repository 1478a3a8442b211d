// identity/quota_meter.h: what was taken of a quota. Loops share meters without a lock: docs/decisions/0013.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "identity/identities.h"
#include "identity/principal.h"
#include "identity/quota.h"

namespace millrace::identity {

// A bucket a figure, of one second's worth, full at first. Any thread; `now_ns` is of one monotonic clock.
class QuotaMeter {
 public:
  // owner   as in quota.h, never kDefaultQuota.  by_default   whether the figures are those of the default
  // before  the one of other figures, whose counts for the metrics it goes on with; or nullptr
  QuotaMeter(std::string owner, Quota quota, bool by_default, const QuotaMeter* before);

  const std::string& owner() const { return owner_; }
  const Quota& quota() const { return quota_; }
  bool by_default() const { return by_default_; }
  bool bounds(Quantity quantity) const { return quota_[quantity] != 0; }

  // All of `amount`, or nothing. True where there is no such figure.
  bool take(Quantity quantity, std::uint64_t amount, std::int64_t now_ns);
  // As take, but more than a second's worth passes when the bucket is full, which is then in debt.
  bool take_whole(Quantity quantity, std::uint64_t amount, std::int64_t now_ns);
  // What take or take_whole took a moment ago, and was not used.
  void give_back(Quantity quantity, std::uint64_t amount);
  // Whatever is left.
  void charge(Quantity quantity, std::uint64_t amount, std::int64_t now_ns);
  // How long until it is out of debt; 0: it is not in debt.
  std::int64_t debt_ns(Quantity quantity, std::int64_t now_ns) const;

  // That something was refused or had to wait, for the metrics.
  void count_exceeded(Quantity quantity) { of(quantity).exceeded.fetch_add(1, std::memory_order_relaxed); }
  std::uint64_t exceeded(Quantity quantity) const {
    return of(quantity).exceeded.load(std::memory_order_relaxed);
  }

  // "Rate exceeded: the quota of user producer is 1000 records/s in."
  std::string explain(Quantity quantity) const;

 private:
  struct Bucket {
    std::atomic<std::int64_t> paid_until{0};  // in ticks of the clock, at the bucket's rate
    std::atomic<std::uint64_t> exceeded{0};
  };
  Bucket& of(Quantity quantity) { return buckets_[static_cast<std::size_t>(quantity)]; }
  const Bucket& of(Quantity quantity) const { return buckets_[static_cast<std::size_t>(quantity)]; }
  std::int64_t ticks_for(Quantity quantity, std::uint64_t amount) const;
  bool take_ticks(Quantity quantity, std::int64_t ticks, std::int64_t needed, std::int64_t now_ns);

  const std::string owner_;
  const Quota quota_;
  const bool by_default_;
  std::array<Bucket, kQuantities> buckets_;
};

// All meters that count now: immutable but for what they count.
class QuotaTable {
 public:
  // before   whose meters go on where their figures are the same; or nullptr
  static std::shared_ptr<const QuotaTable> make(const Identities& identities, const QuotaTable* before);

  bool empty() const { return users_.empty() && roles_.empty() && streams_.empty(); }
  // nullptr: none. They live as long as the table does.
  QuotaMeter* of(const Principal& principal) const;
  QuotaMeter* of_stream(std::string_view name) const;
  // In no order.
  std::vector<std::shared_ptr<const QuotaMeter>> all() const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Meters = std::unordered_map<std::string, std::shared_ptr<QuotaMeter>, Hash, std::equal_to<>>;

  static void add(Meters& meters, const Meters* before, std::string_view kind, const std::string& name,
                  const Quota& quota, bool by_default);
  static QuotaMeter* find(const Meters& meters, std::string_view name);

  Meters users_, roles_, streams_;  // by name
};

}  // namespace millrace::identity
