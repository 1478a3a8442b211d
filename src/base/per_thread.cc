#include "base/per_thread.h"

#include <mutex>
#include <vector>

namespace millrace::per_thread_internal {
namespace {

struct Slots {
  std::mutex mutex;
  std::vector<std::size_t> free;
  std::size_t count = 0;
  std::uint64_t uses = 0;
};

// Lives until the process ends: threads may still ask while it does.
Slots& slots() {
  static auto* const instance = std::make_unique<Slots>().release();
  return *instance;
}

// Set once a thread's entries are gone, which is before the statics of the main thread are.
thread_local bool ended = false;
struct Entries {
  ~Entries() { ended = true; }
  std::vector<Entry> all;
};

}  // namespace

Slot take_slot() {
  Slots& all = slots();
  const std::scoped_lock lock(all.mutex);
  std::size_t index = all.count;
  if (all.free.empty()) {
    ++all.count;
  } else {
    index = all.free.back();
    all.free.pop_back();
  }
  return {index, ++all.uses};
}

void give_back(Slot slot) {
  if (!ended) entry_at(slot.index) = {};
  Slots& all = slots();
  const std::scoped_lock lock(all.mutex);
  all.free.push_back(slot.index);
}

Entry& entry_at(std::size_t index) {
  thread_local Entries entries;
  if (entries.all.size() <= index) entries.all.resize(index + 1);
  return entries.all[index];
}

}  // namespace millrace::per_thread_internal
