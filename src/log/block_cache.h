// log/block_cache.h: unpacked blocks of segments, for cold reads of all loops. Each is loaded once at a time.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/callback.h"
#include "base/loop.h"
#include "base/result.h"

namespace millrace::log {

// Any thread.
class BlockCache {
 public:
  using Block = SharedBytes;
  using Done = Function<void(Result<Block>)>;
  struct Key {
    std::uint64_t segment;
    std::uint64_t position;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  explicit BlockCache(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // Calls `done` on `loop`, at once when the block is here. Else `load` is run on `worker`, unless that has
  // been asked of it already. `done` may be empty: read ahead.
  void get(const Key& key, Function<Result<Bytes>()> load, Worker& worker, Loop& loop, Done done);

 private:
  struct Waiter {
    Loop* loop;
    Done done;
  };
  struct Entry {
    Block block;  // none while it is loaded
    std::vector<Waiter> waiters;
    std::list<Key>::iterator age;  // valid with block
  };
  void loaded(const Key& key, Result<Bytes> bytes);

  std::mutex mutex_;
  std::uint64_t bytes_max_;
  std::uint64_t bytes_ = 0;
  std::map<Key, Entry> entries_;
  std::list<Key> ages_;  // most lately used first
};

}  // namespace millrace::log
