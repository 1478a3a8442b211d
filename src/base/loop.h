// base/loop.h: one thread's event loop, and threads for work that blocks. Real ones are in net/ and store/;
// tests/sim has ones that run a whole machine on one thread, in an order drawn from a seed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/callback.h"

namespace millrace {

// What runs on a loop never blocks and never throws.
class Loop {
 public:
  virtual ~Loop() = default;

  // Runs `callback` on this loop, after what was posted before it by the same thread. Any thread.
  virtual void post(Callback callback) = 0;
  // Runs `callback` on this loop in about `delay_ns`; a loop that stops drops it. Any thread.
  virtual void post_after(std::int64_t delay_ns, Callback callback) = 0;
  // Whether the caller is on this loop's thread.
  virtual bool is_current() const = 0;
  // 0 to the number of loops - 1.
  virtual std::size_t index() const = 0;
};

// One thread that runs blocking work in order (a journal's writes; cold reads; settling).
class Worker {
 public:
  virtual ~Worker() = default;
  // Runs `work` after all that was given before. Any thread. `work` posts its outcome to a Loop itself.
  virtual void run(Callback work) = 0;
};

}  // namespace millrace
