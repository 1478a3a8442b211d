// log/plain_runs.h: runs that a loop's readers decrypted a moment ago, for those who read the same next: many
// consumers of a shard cost one decryption.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <memory>

#include "base/bytes.h"
#include "log/run_cipher.h"

namespace millrace::log {

// On the loop. Whoever asks has made sure that the run's key may be used now.
class PlainRuns {
 public:
  // nullptr when it is not here.
  std::shared_ptr<const Bytes> find(const CipherHead& head) {
    const auto at = entries_.find(head);
    if (at == entries_.end()) return nullptr;
    ages_.splice(ages_.begin(), ages_, at->second);
    return at->second->run;
  }
  void keep(const CipherHead& head, std::shared_ptr<const Bytes> run) {
    if (run->capacity() > kBytesMax / 4) return;
    bytes_ += run->capacity();
    ages_.push_front({head, std::move(run)});
    entries_[head] = ages_.begin();
    while (bytes_ > kBytesMax) {
      bytes_ -= ages_.back().run->capacity();
      entries_.erase(ages_.back().head);
      ages_.pop_back();
    }
  }

 private:
  static constexpr std::size_t kBytesMax = 8u << 20;
  struct Entry {
    CipherHead head;
    std::shared_ptr<const Bytes> run;
  };

  std::list<Entry> ages_;  // most lately used first
  std::map<CipherHead, std::list<Entry>::iterator> entries_;
  std::size_t bytes_ = 0;
};

}  // namespace millrace::log
