#include "net/stranger_turns.h"

#include <algorithm>

#include "base/clock.h"
#include "net/connection.h"

namespace millrace::net {
namespace {
// Turns follow each other until they have taken this much; a pause after each would cost more than it spares.
constexpr std::int64_t kAtOnceNs = 200'000;
// What more a turn took is the machine's doing: a process that was stopped for a minute is not to pause for
// three.
constexpr std::int64_t kTurnNsMax = 10'000'000;
// Of a loop's time: one part of two, of four.
constexpr std::int64_t kNewcomersPart = 2;
constexpr std::int64_t kOthersPart = 4;
constexpr int kNewcomersInARow = 3;
}  // namespace

void StrangerTurns::Queue::push(const SourceGauge& source, const std::shared_ptr<Connection>& waiting) {
  auto& of_source = waiting_[&source];
  if (of_source.empty()) sources_.push_back(&source);
  of_source.push_back(waiting);
}

std::shared_ptr<Connection> StrangerTurns::Queue::pop() {
  const SourceGauge* const source = sources_.front();
  sources_.pop_front();
  const auto of_source = waiting_.find(source);
  auto popped = of_source->second.front().lock();
  of_source->second.pop_front();
  if (of_source->second.empty())
    waiting_.erase(of_source);
  else
    sources_.push_back(source);
  return popped;
}

void StrangerTurns::wait(const std::shared_ptr<ServerCore>& core, const std::shared_ptr<Connection>& waiting,
                         const SourceGauge& source, bool newcomer) {
  (newcomer ? newcomers_ : others_).push(source, waiting);
  schedule(core);
}

void StrangerTurns::schedule(const std::shared_ptr<ServerCore>& core) {
  if (scheduled_ || is_empty()) return;
  scheduled_ = true;
  auto give = [this, core] { give_one(core); };
  const std::int64_t pause_ns = made_up_ns_ - system_clock().monotonic_ns();
  if (pause_ns < kAtOnceNs)
    loop_.post(std::move(give));
  else
    loop_.post_after(pause_ns, std::move(give));
}

void StrangerTurns::give_one(const std::shared_ptr<ServerCore>& core) {
  const std::int64_t begin_ns = system_clock().monotonic_ns();
  while (!is_empty()) {
    Queue& queue = next_queue();
    const auto next = queue.pop();
    if (!next || !next->have_turn()) continue;
    newcomers_in_a_row_ = &queue == &newcomers_ ? newcomers_in_a_row_ + 1 : 0;
    break;
  }
  const std::int64_t took_ns = std::min(system_clock().monotonic_ns() - begin_ns, kTurnNsMax);
  made_up_ns_ =
      std::max(made_up_ns_, begin_ns) + took_ns * (newcomers_in_a_row_ > 0 ? kNewcomersPart : kOthersPart);
  scheduled_ = false;
  schedule(core);
}

StrangerTurns::Queue& StrangerTurns::next_queue() {
  const bool newcomer =
      others_.is_empty() || (newcomers_in_a_row_ < kNewcomersInARow && !newcomers_.is_empty());
  return newcomer ? newcomers_ : others_;
}

}  // namespace millrace::net
