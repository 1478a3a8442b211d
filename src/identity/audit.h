// identity/audit.h: decisions on their way to the audit log, alike ones summed up so that a fast producer
// does not fill the disk. docs/operations.md, "Audit log"
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "identity/authorizer.h"
#include "identity/evaluate.h"

namespace millrace::identity {

// One decision; borrowed.
struct AuditEvent {
  std::string_view principal, access_key, action, resource;
  std::optional<Reason> reason;  // nullopt: the signature did not pass
  std::string_view detail;       // the policy that decided, or what is wrong with the signature
  std::string_view peer;
};

// Belongs to one thread.
class AuditSums {
 public:
  // Of decisions that are alike (caller, action, resource, reason), so many within kWindowMs are written as
  // they come: one where they are frequent, else this many. The rest is one line when the window ends.
  static constexpr std::uint64_t kSingleLinesMax = 100;
  static constexpr std::int64_t kWindowMs = 60'000;
  static constexpr std::size_t kKindsMax = 4'096;  // with more of them, the sums are written early

  void add(const AuditEvent& event, std::int64_t now_ms, bool frequent, AuditSink& sink);
  // Writes the sums whose window has ended, or all.
  void report(std::int64_t now_ms, bool all, AuditSink& sink);

 private:
  struct Sum {
    std::string principal, access_key, action, resource, reason, peer;
    bool allowed = false;
    bool frequent = false;
    std::uint64_t single_lines = 0;
    std::uint64_t count = 0;  // not yet written
    std::int64_t begun_ms = 0, first_ms = 0, last_ms = 0;
  };
  static void write(const Sum& sum, AuditSink& sink);

  std::unordered_map<std::size_t, Sum> sums_;  // by a hash of what is alike; those that collide are checked
};

}  // namespace millrace::identity
