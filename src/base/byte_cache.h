// base/byte_cache.h: values by key that can be made again, within a bound in bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>

#include "base/memory_share.h"

namespace millrace {

// One thread's part of a share. What was asked for since its turn came last stays for another round; of the
// rest, what came first makes room.
template <typename Key, typename Value, typename Hash = std::hash<Key>, typename Equal = std::equal_to<>>
class ByteCache {
 public:
  explicit ByteCache(std::shared_ptr<MemoryShare> share) : share_(std::move(share)) {}
  ~ByteCache() { share_->give_back(bytes_); }
  ByteCache(const ByteCache&) = delete;
  ByteCache& operator=(const ByteCache&) = delete;

  // nullptr: not there. Good until the next put.
  template <typename Asked>
  Value* find(const Asked& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return nullptr;
    found->second.asked_for = true;
    return &found->second.value;
  }

  // Of a key that is not there. The newest is kept however large it is, so that it can be used.
  // bytes   of memory that key and value hold, and that die with them; the place in the table comes on top
  Value& put(Key key, Value value, std::size_t bytes) {
    bytes += kPlaceBytes;
    while (!entries_.empty() && bytes_ + bytes > share_->thread_bytes_max()) make_room();
    bytes_ += bytes;
    share_->take(bytes);
    auto& entry = *entries_.emplace(std::move(key), Entry{std::move(value), bytes, false}).first;
    turns_.push_back(&entry);
    return entry.second.value;
  }

  std::size_t size() const { return entries_.size(); }
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    Value value;
    std::size_t bytes;
    bool asked_for;
  };
  using Entries = std::unordered_map<Key, Entry, Hash, Equal>;
  static constexpr std::size_t kPlaceBytes = sizeof(typename Entries::value_type) + 48;

  void make_room() {
    for (;;) {
      auto* const oldest = turns_.front();
      turns_.pop_front();
      if (std::exchange(oldest->second.asked_for, false)) {
        turns_.push_back(oldest);
        continue;
      }
      bytes_ -= oldest->second.bytes;
      share_->give_back(oldest->second.bytes);
      entries_.erase(entries_.find(oldest->first));
      return;
    }
  }

  std::shared_ptr<MemoryShare> share_;
  Entries entries_;
  std::deque<typename Entries::value_type*> turns_;
  std::uint64_t bytes_ = 0;
};

}  // namespace millrace
