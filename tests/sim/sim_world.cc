#include "sim/sim_world.h"

#include <limits>

#include "base/assert.h"

// A killed process leaves its coroutines where they waited; here that is memory that nobody gives back. Only
// test programs that use the simulated machine are linked with this.
extern "C" const char* __asan_default_options();  // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0";
}  // NOLINT(bugprone-reserved-identifier)

namespace millrace::sim {
namespace {

constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kEventsMax = 100'000'000;
// A thread wakes up after some microseconds, and now and then only after a millisecond.
constexpr std::int64_t kWakeUpMaxNs = 20'000;
constexpr std::int64_t kLateWakeUpMaxNs = 1'000'000;
constexpr double kLateWakeUps = 0.02;
constexpr std::int64_t kWallStartMs = 1'767'225'600'000;  // 2026-01-01 00:00 UTC
constexpr std::uint32_t kTestItself = 0;                  // as a poster; threads count from 1

}  // namespace

// Part of SimWorld.
class SimWorker final : public Worker {
 public:
  SimWorker(SimWorld& world, std::shared_ptr<SimThread> thread) : world_(world), thread_(std::move(thread)) {}
  ~SimWorker() override {
    world_.finish(thread_);
    thread_->gone = true;
  }
  void run(Callback work) override { world_.post(thread_, std::move(work)); }

 private:
  SimWorld& world_;
  std::shared_ptr<SimThread> thread_;
};

void SimLoop::post(Callback callback) { world_.post(thread_, std::move(callback)); }
void SimLoop::post_after(std::int64_t delay_ns, Callback callback) {
  world_.post_after(thread_, delay_ns, std::move(callback));
}
bool SimLoop::is_current() const { return world_.current_ == thread_; }

SimWorld::SimWorld(Seed seed)
    : schedule_(seed), random_(schedule_.fork()), wall_offset_ms_(kWallStartMs), trace_(seed.value) {}
SimWorld::~SimWorld() { drop_events(); }

std::int64_t SimWorld::WorldClock::wall_ms() const {
  return world_.wall_offset_ms_ + world_.now_ns() / 1'000'000;
}

std::shared_ptr<SimThread> SimWorld::add_thread(std::string name) {
  auto thread = std::make_shared<SimThread>();
  thread->id = static_cast<std::uint32_t>(threads_.size() + 1);
  thread->name = std::move(name);
  threads_.push_back(thread);
  return thread;
}

SimLoop& SimWorld::add_loop() {
  const std::size_t index = loops_.size();
  loops_.push_back(std::make_unique<SimLoop>(*this, add_thread("loop " + std::to_string(index)), index));
  return *loops_.back();
}

std::unique_ptr<Worker> SimWorld::start_worker(const std::string& name) {
  return std::make_unique<SimWorker>(*this, add_thread(name));
}

std::int64_t SimWorld::now_ns() const {
  return current_ && current_->busy_until_ns > now_ns_ ? current_->busy_until_ns : now_ns_;
}

void SimWorld::spend(std::int64_t ns) {
  if (current_) {
    current_->busy_until_ns = now_ns() + ns;
  } else {
    now_ns_ += ns;  // the test itself waits: what became due meanwhile runs when it lets the world run
  }
}

void SimWorld::post(const std::shared_ptr<SimThread>& to, Callback work) {
  const std::int64_t delay_max = schedule_.chance(kLateWakeUps) ? kLateWakeUpMaxNs : kWakeUpMaxNs;
  std::int64_t due = now_ns() + static_cast<std::int64_t>(schedule_.between(0, delay_max));
  std::int64_t& last = to->last_posted_ns[current_ ? current_->id : kTestItself];
  if (due <= last) due = last + 1;
  last = due;
  push(due, to, std::move(work));
}

void SimWorld::post_after(const std::shared_ptr<SimThread>& to, std::int64_t delay_ns, Callback work) {
  MR_ASSERT(delay_ns >= 0);
  push(now_ns() + delay_ns + static_cast<std::int64_t>(schedule_.between(0, kWakeUpMaxNs)), to,
       std::move(work));
}

void SimWorld::push(std::int64_t due_ns, const std::shared_ptr<SimThread>& to, Callback work) {
  events_.push({due_ns, events_made_++, to, std::make_shared<Callback>(std::move(work))});
}

void SimWorld::run_as(const std::shared_ptr<SimThread>& thread, Callback& work) {
  const std::shared_ptr<SimThread> before = std::exchange(current_, thread);
  work();
  work = {};  // what it held is let go on its own thread
  current_ = before;
}

void SimWorld::on(SimLoop& loop, Callback work) {
  MR_ASSERT(current_ == nullptr);
  run_as(loop.thread_, work);
}

bool SimWorld::step(std::int64_t until_ns) {
  MR_ASSERT(current_ == nullptr);  // what runs on a loop never blocks
  while (!events_.empty()) {
    if (events_.top().due_ns > until_ns) return false;
    Event event = events_.top();
    events_.pop();
    if (event.thread->gone) continue;
    if (event.thread->busy_until_ns > event.due_ns) {
      // All that waits for the thread moves to the same time and keeps its number, so none overtakes another.
      event.due_ns = event.thread->busy_until_ns;
      events_.push(std::move(event));
      continue;
    }
    if (event.due_ns > now_ns_) now_ns_ = event.due_ns;
    trace(event.due_ns);
    trace(event.thread->id);
    run_as(event.thread, *event.work);
    return true;
  }
  return false;
}

void SimWorld::run_until_idle() {
  for (std::uint64_t events = 0; step(kForever); ++events) MR_ASSERT(events < kEventsMax);
}

void SimWorld::run_for(std::int64_t duration_ns) {
  const std::int64_t end = now_ns_ + duration_ns;
  while (step(end)) {
  }
  if (now_ns_ < end) now_ns_ = end;
}

bool SimWorld::run_until(Function<bool()> done, std::int64_t limit_ns) {
  const std::int64_t end = limit_ns > kForever - now_ns_ ? kForever : now_ns_ + limit_ns;
  while (!done()) {
    if (!step(end)) return done();
  }
  return true;
}

void SimWorld::drop_events() {
  // What a dropped callback held may post in its destructor: drop that too.
  while (!events_.empty()) {
    const Event event = events_.top();
    events_.pop();
  }
}

void SimWorld::finish(const std::shared_ptr<SimThread>& thread) {
  for (;;) {
    std::vector<Event> others;
    std::vector<Event> own;
    while (!events_.empty()) {
      (events_.top().thread == thread ? own : others).push_back(events_.top());
      events_.pop();
    }
    for (Event& event : others) events_.push(std::move(event));
    if (own.empty()) return;
    for (Event& event : own) run_as(thread, *event.work);
  }
}

void SimWorld::trace(std::uint64_t value) {
  trace_ = (trace_ ^ value) * 0x9fb21c651e98df25;
  trace_ ^= trace_ >> 29;
}

void SimWorld::trace(std::string_view text) {
  for (const char c : text) trace(static_cast<unsigned char>(c));
}

}  // namespace millrace::sim
