// sim/sim_world.h: a machine on one thread: its clock, loops and workers, in an order that a seed decides.
//
// What a loop or worker runs takes no time of its own, except what it spends (SimDisk does, for each
// operation): a worker is then busy, and what it posts arrives that much later. So a group gathers while a
// write is under way.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "base/folder_clock.h"
#include "base/loop.h"
#include "base/task.h"
#include "sim/seeded_random.h"

namespace millrace::sim {

class SimWorld;

// A thread of the simulated machine: what it is given runs in order, one after the other. Part of SimWorld.
struct SimThread {
  std::uint32_t id = 0;
  std::string name;
  std::int64_t busy_until_ns = 0;                        // what is due earlier waits until then
  std::map<std::uint32_t, std::int64_t> last_posted_ns;  // by the poster's id: keeps each poster's order
  bool gone = false;                                     // its events are dropped
};

class SimLoop final : public Loop {
 public:
  SimLoop(SimWorld& world, std::shared_ptr<SimThread> thread, std::size_t index)
      : world_(world), thread_(std::move(thread)), index_(index) {}

  void post(Callback callback) override;
  void post_after(std::int64_t delay_ns, Callback callback) override;
  bool is_current() const override;
  std::size_t index() const override { return index_; }

 private:
  friend class SimWorld;
  SimWorld& world_;
  std::shared_ptr<SimThread> thread_;
  std::size_t index_;
};

class SimWorld {
 public:
  explicit SimWorld(Seed seed);
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  Clock& clock() { return clock_; }
  // Of the one data folder on this machine.
  FolderClock& folder_clock() { return folder_clock_; }
  // For the code under test. The order of events is drawn elsewhere.
  Random& random() { return random_; }

  // Loops are numbered from 0 and live as long as the world.
  SimLoop& add_loop();
  SimLoop& loop(std::size_t index) { return *loops_[index]; }
  // Must not outlive the world; its destructor runs at once what it was still given.
  std::unique_ptr<Worker> start_worker(const std::string& name);

  // Runs `work` now, as if `loop` ran it.
  void on(SimLoop& loop, Callback work);
  // Starts `task` on `loop` and runs the world until it ends; nullopt when it does not within `limit_ns`.
  template <typename T>
  std::optional<T> await(SimLoop& loop, Task<T> task, std::int64_t limit_ns = kMinute) {
    auto answer = std::make_shared<std::optional<T>>();  // outlives this call when the task is late
    on(loop, [&] { spawn(std::move(task), [answer](T value) { answer->emplace(std::move(value)); }); });
    run_until([&] { return answer->has_value(); }, limit_ns);
    return std::move(*answer);
  }

  static constexpr std::int64_t kMinute = 60'000'000'000;
  // Runs events until none is left. Aborts after 100 million: a timer that renews itself never ends.
  void run_until_idle();
  // Runs what is due within `duration_ns`; afterwards the clock stands there.
  void run_for(std::int64_t duration_ns);
  // Runs until `done()`; whether it became so before `limit_ns` passed or nothing was left to run.
  bool run_until(Function<bool()> done, std::int64_t limit_ns = kMinute);
  // Forgets all that was posted or given and has not run: the process is dead.
  void drop_events();
  std::size_t events_waiting() const { return events_.size(); }

  // Lets the wall clock jump, as an operator or NTP does. The monotonic one does not.
  void shift_wall_clock(std::int64_t by_ms) { wall_offset_ms_ += by_ms; }
  // What runs now takes that long.
  void spend(std::int64_t ns);

  // A hash of all that happened so far: same seed, same hash.
  std::uint64_t trace_hash() const { return trace_; }
  // Adds to it.
  void trace(std::uint64_t value);
  void trace(std::string_view text);

 private:
  friend class SimLoop;
  friend class SimWorker;

  struct Event {
    std::int64_t due_ns;
    std::uint64_t number;  // of all events: breaks ties
    std::shared_ptr<SimThread> thread;
    std::shared_ptr<Callback> work;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.due_ns != b.due_ns ? a.due_ns > b.due_ns : a.number > b.number;
    }
  };
  class WorldClock final : public Clock {
   public:
    explicit WorldClock(SimWorld& world) : world_(world) {}
    std::int64_t wall_ms() const override;
    std::int64_t monotonic_ns() const override { return world_.now_ns(); }

   private:
    SimWorld& world_;
  };

  std::shared_ptr<SimThread> add_thread(std::string name);
  // Now, as what runs sees it: it may have spent time.
  std::int64_t now_ns() const;
  void post(const std::shared_ptr<SimThread>& to, Callback work);
  void post_after(const std::shared_ptr<SimThread>& to, std::int64_t delay_ns, Callback work);
  void push(std::int64_t due_ns, const std::shared_ptr<SimThread>& to, Callback work);
  void run_as(const std::shared_ptr<SimThread>& thread, Callback& work);
  // Runs the next event; false when none is due by `until_ns`.
  bool step(std::int64_t until_ns);
  // Runs, in order, all that `thread` was given.
  void finish(const std::shared_ptr<SimThread>& thread);

  SeededRandom schedule_;
  SeededRandom random_;
  WorldClock clock_{*this};
  FolderClock folder_clock_{clock_};
  std::int64_t now_ns_ = 0;
  std::int64_t wall_offset_ms_;
  std::uint64_t trace_ = 0;
  std::uint64_t events_made_ = 0;
  std::vector<std::shared_ptr<SimThread>> threads_;
  std::vector<std::unique_ptr<SimLoop>> loops_;
  std::priority_queue<Event, std::vector<Event>, Later> events_;
  std::shared_ptr<SimThread> current_;  // none: the test itself
};

}  // namespace millrace::sim
