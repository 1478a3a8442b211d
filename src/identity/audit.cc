#include "identity/audit.h"

#include <utility>

namespace millrace::identity {
namespace {

std::string reason_text(const AuditEvent& event) {
  if (!event.reason.has_value()) return std::string(event.detail);
  const auto by = [&](std::string text) {
    if (!event.detail.empty()) text.append(" ").append(event.detail);
    return text;
  };
  switch (*event.reason) {
    case Reason::kRoot:
      return "root";
    case Reason::kIdentityAllows:
      return by("allowed by identity-based policy");
    case Reason::kResourceAllows:
      return by("allowed by resource-based policy");
    case Reason::kIdentityDenies:
      return by("explicit deny in identity-based policy");
    case Reason::kResourceDenies:
      return by("explicit deny in resource-based policy");
    case Reason::kSessionDenies:
      return by("explicit deny in session policy");
    case Reason::kNoIdentityAllows:
      return "no identity-based policy allows it";
    case Reason::kNoResourceAllows:
      return "no resource-based policy allows it";
    case Reason::kNoSessionAllows:
      return "no session policy allows it";
  }
  MR_ASSERT(false);
  __builtin_unreachable();
}

std::size_t hash_of(const AuditEvent& event) {
  const std::hash<std::string_view> hash;
  std::size_t all = event.reason.has_value() ? static_cast<std::size_t>(*event.reason) : 99;
  for (const std::string_view part : {event.access_key, event.action, event.resource, event.detail})
    all = (all ^ hash(part)) * 0x9e37'79b9'7f4a'7c15u;
  return all;
}

}  // namespace

void AuditSums::write(const Sum& sum, AuditSink& sink) {
  sink.write({.principal = sum.principal,
              .access_key = sum.access_key,
              .action = sum.action,
              .resource = sum.resource,
              .allowed = sum.allowed,
              .reason = sum.reason,
              .peer = sum.peer,
              .count = sum.count,
              .first_ms = sum.first_ms,
              .last_ms = sum.last_ms});
}

std::size_t AuditSums::memory_bytes(const Sum& sum) {
  std::size_t bytes = sizeof(Sum) + 64;  // and its place in the table
  for (const std::string* text :
       {&sum.principal, &sum.access_key, &sum.action, &sum.resource, &sum.reason, &sum.peer})
    bytes += text->capacity();
  return bytes;
}

void AuditSums::count(std::uint64_t before, std::uint64_t after) {
  bytes_ += after - before;
  share_->change(before, after);
}

void AuditSums::add(const AuditEvent& event, std::int64_t now_ms, bool frequent, AuditSink& sink) {
  if (bytes_ >= share_->thread_bytes_max()) {
    report(now_ms, true, sink);
    sums_.clear();
    count(bytes_, 0);
  }
  auto [found, fresh] = sums_.try_emplace(hash_of(event));
  Sum& sum = found->second;
  const std::size_t bytes_before = fresh ? 0 : memory_bytes(sum);
  if (!fresh &&
      (sum.access_key != event.access_key || sum.action != event.action || sum.resource != event.resource)) {
    if (sum.count > 0) write(sum, sink);  // two kinds of one hash
    sum = {};
    fresh = true;
  }
  if (fresh) {
    sum.principal = event.principal;
    sum.access_key = event.access_key;
    sum.action = event.action;
    sum.resource = event.resource;
    sum.reason = reason_text(event);
    sum.allowed = event.reason.has_value() && is_allowed(*event.reason);
    sum.begun_ms = now_ms;
    sum.frequent = frequent;
  }
  if (sum.count == 0) sum.first_ms = now_ms;
  sum.last_ms = now_ms;
  if (sum.peer != event.peer) sum.peer = event.peer;
  count(bytes_before, memory_bytes(sum));
  ++sum.count;
  if (sum.single_lines >= (frequent ? 1 : kSingleLinesMax)) return;
  ++sum.single_lines;
  write(sum, sink);
  sum.count = 0;
}

void AuditSums::report(std::int64_t now_ms, bool all, AuditSink& sink) {
  for (auto each = sums_.begin(); each != sums_.end();) {
    Sum& sum = each->second;
    if (!all && now_ms - sum.begun_ms < kWindowMs) {
      ++each;
      continue;
    }
    if (sum.count > 0) {
      write(sum, sink);
      sum.count = 0;
      sum.begun_ms = now_ms;
      if (!sum.frequent) sum.single_lines = 0;  // a frequent one goes on with sums only
      ++each;
    } else {
      count(memory_bytes(sum), 0);
      each = sums_.erase(each);
    }
  }
}

}  // namespace millrace::identity
