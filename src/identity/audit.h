// identity/audit.h: decisions on their way to the audit log, alike ones summed up so that a fast producer
// does not fill the disk. docs/operations.md, "Audit log"
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/memory_share.h"
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

  // share   when it is used up, the sums are written early
  explicit AuditSums(std::shared_ptr<MemoryShare> share) : share_(std::move(share)) {}
  ~AuditSums() { share_->give_back(bytes_); }
  AuditSums(const AuditSums&) = delete;
  AuditSums& operator=(const AuditSums&) = delete;

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
  static std::size_t memory_bytes(const Sum& sum);
  void count(std::uint64_t before, std::uint64_t after);

  std::shared_ptr<MemoryShare> share_;
  std::uint64_t bytes_ = 0;                    // taken of it
  std::unordered_map<std::size_t, Sum> sums_;  // by a hash of what is alike; those that collide are checked
};

}  // namespace millrace::identity
