#include "log/block_cache.h"

namespace millrace::log {

void BlockCache::get(const Key& key, Function<Result<Bytes>()> load, Worker& worker, Loop& loop, Done done) {
  {
    std::unique_lock lock(mutex_);
    const auto [at, is_new] = entries_.try_emplace(key);
    Entry& entry = at->second;
    if (entry.block) {
      ages_.splice(ages_.begin(), ages_, entry.age);
      const Block block = entry.block;
      lock.unlock();
      if (done) done(block);
      return;
    }
    if (done) entry.waiters.push_back({&loop, std::move(done)});
    if (!is_new) return;
  }
  worker.run([this, key, load = std::move(load)]() mutable { loaded(key, load()); });
}

void BlockCache::loaded(const Key& key, Result<Bytes> bytes) {
  Result<Block> answer = bytes.ok() ? Result<Block>(std::make_shared<const Bytes>(std::move(bytes).value()))
                                    : Result<Block>(std::move(bytes).error());
  const Block block = answer.ok() ? *answer : nullptr;
  std::vector<Waiter> waiters;
  {
    const std::lock_guard lock(mutex_);
    const auto at = entries_.find(key);
    MR_ASSERT(at != entries_.end());
    waiters.swap(at->second.waiters);
    if (!block) {
      entries_.erase(at);
    } else {
      at->second.block = block;
      ages_.push_front(key);
      at->second.age = ages_.begin();
      bytes_ += block->capacity();
      while (bytes_ > bytes_max_ && ages_.size() > 1) {
        const auto oldest = entries_.find(ages_.back());
        bytes_ -= oldest->second.block->capacity();
        entries_.erase(oldest);
        ages_.pop_back();
      }
    }
  }
  for (Waiter& waiter : waiters) {
    waiter.loop->post([done = std::move(waiter.done), answer]() mutable { done(std::move(answer)); });
  }
}

}  // namespace millrace::log
