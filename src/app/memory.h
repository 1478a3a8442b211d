// app/memory.h: --memory-bytes-max, divided among what keeps or remembers what clients sent. The table of
// docs/operations.md, "Memory", has a row for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/memory_share.h"

namespace millrace::app {

class Memory {
  static constexpr std::uint64_t kParts = 64;
  const std::uint64_t part_bytes_;
  const std::size_t loops_;

 public:
  // loops   that remember for themselves
  Memory(std::uint64_t bytes_max, std::size_t loops) : part_bytes_(bytes_max / kParts), loops_(loops) {}

  // Stores: what does not fit is refused.
  const std::shared_ptr<MemoryShare> tables = share("tables", 32);
  const std::shared_ptr<MemoryShare> metrics = share("metrics", 8);
  const std::shared_ptr<MemoryShare> streams = share("streams", 4);
  const std::shared_ptr<MemoryShare> keys = share("keys", 1);
  const std::shared_ptr<MemoryShare> identities = share("identities", 5);
  const std::shared_ptr<MemoryShare> requests = share("requests", 5);
  // Caches: the older makes room for the newer.
  const std::shared_ptr<MemoryShare> policies = share("policies", 4);
  const std::shared_ptr<MemoryShare> decisions = share("decisions", 2);
  const std::shared_ptr<MemoryShare> sessions = share("sessions", 2);
  const std::shared_ptr<MemoryShare> audit = share("audit", 1);

  std::vector<std::shared_ptr<const MemoryShare>> all() const {
    return {tables, metrics, streams, keys, identities, requests, policies, decisions, sessions, audit};
  }

 private:
  std::shared_ptr<MemoryShare> share(const char* name, std::uint64_t parts) const {
    return std::make_shared<MemoryShare>(name, parts * part_bytes_, loops_);
  }
};

}  // namespace millrace::app
