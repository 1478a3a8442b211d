// Which connections make way for others, when descriptors or the memory of strangers run out.
#include <algorithm>

#include "base/clock.h"
#include "net/connection.h"

namespace millrace::net {
namespace {
constexpr std::size_t kKnownEvictedMax = 8;  // at once
// A look through thousands of connections takes a millisecond: it finds many at once, and takes a part of the
// time.
constexpr std::size_t kFoundAtOnceMax = 512;
constexpr std::int64_t kLookingPart = 8;
constexpr std::size_t kClosedAtOnceMax =
    16;  // a close with unread input takes long: others have their turns between
constexpr std::size_t kSpareShare = 64;  // of the strangers' budget, so that not every request looks for room
}  // namespace

bool Connection::is_stranger_waiting() const {
  if (context_.known || stage_ == Stage::kClosed) return false;
  return stage_ != Stage::kServing || driver_->activity() != Driver::Activity::kServes;
}

// An idle HTTP/1 connection holds none.
bool Connection::may_hold_strangers_bytes() const {
  if (!is_stranger_waiting()) return false;
  return charge_.bytes() != 0 || (driver_ && driver_->activity() == Driver::Activity::kWaitsForPeer);
}

// Who has sent something that the server has not read yet is not silent: it makes way for those who have sent
// less.
bool Connection::goes_before(const Connection& other) const {
  if (turn_asked_ != other.turn_asked_) return !turn_asked_;
  return turn_asked_ ? received_bytes_ > other.received_bytes_ : active_ns_ < other.active_ns_;
}

void Connection::make_room(LoopShare& share, const Budget& strangers, const RoomWanted& wanted) {
  const std::size_t bytes =
      std::min(wanted.bytes + strangers.bytes_max() / kSpareShare, strangers.bytes_max());
  while (strangers.room() < bytes) {
    auto& found = share.leaving_next;
    const auto next = found.empty() ? nullptr : found.back().lock();
    if (next && next->turn_asked_ && next->received_bytes_ <= wanted.received_bytes) {
      if (!find_holders(share)) return;
    } else if (!found.empty()) {
      found.pop_back();
      if (!next || next.get() == wanted.by || !next->may_hold_strangers_bytes()) continue;
      next->close();
      LoopCounters::add(share.counters.connections_evicted, 1);
    } else if (!find_holders(share)) {
      return;
    }
  }
}

bool Connection::find_holders(LoopShare& share) {
  const std::int64_t begin_ns = system_clock().monotonic_ns();
  if (begin_ns < share.look_again_ns) return false;
  std::vector<Connection*> holders;
  for (const auto& connection : share.connections)
    if (connection->may_hold_strangers_bytes()) holders.push_back(connection.get());
  const std::size_t count = std::min(holders.size(), kFoundAtOnceMax);
  const auto end = holders.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(holders.begin(), end, holders.end(),
                    [](const auto* a, const auto* b) { return a->goes_before(*b); });
  share.leaving_next.clear();
  for (auto each = end; each != holders.begin();) share.leaving_next.push_back((*--each)->weak_from_this());
  const std::int64_t end_ns = system_clock().monotonic_ns();
  share.look_again_ns = end_ns + kLookingPart * (end_ns - begin_ns);
  return count != 0;
}

void Connection::make_room(std::size_t bytes) {
  const Budget& strangers = *core_->strangers_budget;
  make_room(share_, strangers, {bytes, received_bytes_, this});
  if (strangers.room() >= bytes) return;
  // What the other loops hold is free a moment later: too late for this one, in time for the next.
  for (const auto& other : core_->shares) {
    if (other.get() == &share_ || other->asked_for_room.exchange(true)) continue;
    other->loop.post([core = core_, &share = *other, wanted = RoomWanted{bytes, received_bytes_, nullptr}] {
      share.asked_for_room.store(false);
      make_room(share, *core->strangers_budget, wanted);
    });
  }
}

bool Connection::is_known_and_idle() const {
  return context_.known && stage_ == Stage::kServing && driver_->activity() == Driver::Activity::kIdle;
}

std::size_t Connection::make_way(LoopShare& share, std::size_t count) {
  std::vector<Connection*> waiting;
  for (const auto& connection : share.connections)
    if (connection->is_stranger_waiting()) waiting.push_back(connection.get());
  if (waiting.empty()) {
    for (const auto& connection : share.connections)
      if (connection->is_known_and_idle()) waiting.push_back(connection.get());
    count = std::min(count, kKnownEvictedMax);
  }
  count = std::min(count, waiting.size());
  const auto end = waiting.begin() + static_cast<std::ptrdiff_t>(count);
  std::nth_element(waiting.begin(), end, waiting.end(),
                   [](const auto* a, const auto* b) { return a->goes_before(*b); });
  std::vector<std::weak_ptr<Connection>> leaving;
  for (auto each = waiting.begin(); each != end; ++each) leaving.push_back((*each)->weak_from_this());
  close_by_and_by(share, std::move(leaving));
  return count;
}

void Connection::close_by_and_by(LoopShare& share, std::vector<std::weak_ptr<Connection>> leaving) {
  std::shared_ptr<ServerCore> core;
  for (std::size_t i = 0; i < kClosedAtOnceMax && !leaving.empty(); leaving.pop_back()) {
    const auto connection = leaving.back().lock();
    // Whoever was let in or asked for something meanwhile stays.
    if (!connection || !(connection->is_stranger_waiting() || connection->is_known_and_idle())) continue;
    core = connection->core_;
    connection->close();
    LoopCounters::add(share.counters.connections_evicted, 1);
    ++i;
  }
  if (leaving.empty()) return;
  share.loop.post(
      [core, &share, rest = std::move(leaving)]() mutable { close_by_and_by(share, std::move(rest)); });
}

}  // namespace millrace::net
