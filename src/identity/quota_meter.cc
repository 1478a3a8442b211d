#include "identity/quota_meter.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"

namespace millrace::identity {
namespace {

// Finer than the clock, so that small amounts of great figures count; 2^63 of them are 18 years.
constexpr std::int64_t kTicksPerNs = 16;
constexpr std::int64_t kTicksPerS = kNsPerS * kTicksPerNs;
constexpr std::uint64_t kAmountMax = 1u << 30;  // of one request or answer, and so that ticks do not overflow
static_assert(kAmountMax <= ~std::uint64_t{0} / kTicksPerS);

}  // namespace

QuotaMeter::QuotaMeter(std::string owner, Quota quota, bool by_default, const QuotaMeter* before)
    : owner_(std::move(owner)), quota_(quota), by_default_(by_default) {
  if (before == nullptr) return;
  for (std::size_t i = 0; i < kQuantities; ++i)
    buckets_[i].exceeded.store(before->exceeded(static_cast<Quantity>(i)), std::memory_order_relaxed);
}

std::int64_t QuotaMeter::ticks_for(Quantity quantity, std::uint64_t amount) const {
  return static_cast<std::int64_t>(std::min(amount, kAmountMax) * std::uint64_t{kTicksPerS} /
                                   quota_[quantity]);
}

// needed   of them must be there; `ticks` are taken
bool QuotaMeter::take_ticks(Quantity quantity, std::int64_t ticks, std::int64_t needed, std::int64_t now_ns) {
  std::atomic<std::int64_t>& paid_until = of(quantity).paid_until;
  const std::int64_t now = now_ns * kTicksPerNs;
  std::int64_t seen = paid_until.load(std::memory_order_relaxed);
  for (;;) {
    const std::int64_t from = std::max(seen, now);
    if (from + needed > now + kTicksPerS) return false;
    if (paid_until.compare_exchange_weak(seen, from + ticks, std::memory_order_relaxed)) return true;
  }
}

bool QuotaMeter::take(Quantity quantity, std::uint64_t amount, std::int64_t now_ns) {
  if (!bounds(quantity)) return true;
  const std::int64_t ticks = ticks_for(quantity, amount);
  return take_ticks(quantity, ticks, ticks, now_ns);
}

bool QuotaMeter::take_whole(Quantity quantity, std::uint64_t amount, std::int64_t now_ns) {
  if (!bounds(quantity)) return true;
  const std::int64_t ticks = ticks_for(quantity, amount);
  return take_ticks(quantity, ticks, std::min(ticks, kTicksPerS), now_ns);
}

void QuotaMeter::give_back(Quantity quantity, std::uint64_t amount) {
  if (bounds(quantity))
    of(quantity).paid_until.fetch_sub(ticks_for(quantity, amount), std::memory_order_relaxed);
}

void QuotaMeter::charge(Quantity quantity, std::uint64_t amount, std::int64_t now_ns) {
  // Nothing is needed of what is there; a debt may grow, but by one answer of each who was let in.
  if (!bounds(quantity)) return;
  std::atomic<std::int64_t>& paid_until = of(quantity).paid_until;
  const std::int64_t ticks = ticks_for(quantity, amount);
  std::int64_t seen = paid_until.load(std::memory_order_relaxed);
  while (!paid_until.compare_exchange_weak(seen, std::max(seen, now_ns * kTicksPerNs) + ticks,
                                           std::memory_order_relaxed)) {
  }
}

std::int64_t QuotaMeter::debt_ns(Quantity quantity, std::int64_t now_ns) const {
  if (!bounds(quantity)) return 0;
  const std::int64_t paid_until = of(quantity).paid_until.load(std::memory_order_relaxed);
  const std::int64_t debt = paid_until - now_ns * kTicksPerNs - kTicksPerS;
  return debt <= 0 ? 0 : (debt + kTicksPerNs - 1) / kTicksPerNs;
}

std::string QuotaMeter::explain(Quantity quantity) const {
  std::string whose = owner_;
  whose[whose.find('/')] = ' ';
  return fmt::format("Rate exceeded: the quota of {} is {} {}{}.", whose, quota_[quantity],
                     name_of(quantity).what, by_default_ ? ", the account's default" : "");
}

void QuotaTable::add(Meters& meters, const Meters* before, std::string_view kind, const std::string& name,
                     const Quota& quota, bool by_default) {
  const QuotaMeter* old = nullptr;
  if (before != nullptr) {
    const auto found = before->find(name);
    if (found != before->end()) {
      old = found->second.get();
      if (old->quota() == quota && old->by_default() == by_default) {
        meters.emplace(name, found->second);
        return;
      }
    }
  }
  meters.emplace(name,
                 std::make_shared<QuotaMeter>(fmt::format("{}/{}", kind, name), quota, by_default, old));
}

std::shared_ptr<const QuotaTable> QuotaTable::make(const Identities& identities, const QuotaTable* before) {
  auto table = std::make_shared<QuotaTable>();
  const auto quota_of = [&](const std::string& owner) -> const Quota* {
    const auto found = identities.quotas.find(owner);
    return found == identities.quotas.end() ? nullptr : &found->second;
  };
  const Quota* const otherwise = quota_of(std::string(kDefaultQuota));
  const auto add_holders = [&](std::string_view kind, const auto& holders, Meters QuotaTable::*meters) {
    for (const auto& [name, holder] : holders) {
      const Quota* const own = quota_of(fmt::format("{}/{}", kind, name));
      const Quota* const quota = own != nullptr ? own : otherwise;
      if (quota != nullptr)
        add((*table).*meters, before == nullptr ? nullptr : &(before->*meters), kind, name, *quota,
            own == nullptr);
    }
  };
  if (identities.quotas.empty()) return table;
  add_holders("user", identities.users, &QuotaTable::users_);
  add_holders("role", identities.roles, &QuotaTable::roles_);
  constexpr std::string_view kStream = "stream/";
  for (auto at = identities.quotas.lower_bound(kStream);
       at != identities.quotas.end() && at->first.starts_with(kStream); ++at)
    add(table->streams_, before == nullptr ? nullptr : &before->streams_, "stream",
        at->first.substr(kStream.size()), at->second, false);
  return table;
}

QuotaMeter* QuotaTable::find(const Meters& meters, std::string_view name) {
  if (meters.empty()) return nullptr;
  const auto found = meters.find(name);
  return found == meters.end() ? nullptr : found->second.get();
}

QuotaMeter* QuotaTable::of(const Principal& principal) const {
  switch (principal.kind) {
    case Principal::Kind::kUnchecked:
    case Principal::Kind::kRoot:
      return nullptr;
    case Principal::Kind::kUser:
      return find(users_, principal.name);
    case Principal::Kind::kSession:
      return find(roles_, principal.name);
  }
  MR_ASSERT(false);
  __builtin_unreachable();
}

QuotaMeter* QuotaTable::of_stream(std::string_view name) const { return find(streams_, name); }

std::vector<std::shared_ptr<const QuotaMeter>> QuotaTable::all() const {
  std::vector<std::shared_ptr<const QuotaMeter>> meters;
  for (const Meters* each : {&users_, &roles_, &streams_})
    for (const auto& [name, meter] : *each) meters.push_back(meter);
  return meters;
}

}  // namespace millrace::identity
