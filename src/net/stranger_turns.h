// net/stranger_turns.h: in which order, and for how much of a loop's time, connections of strangers are
// served.
//
// A stranger is a peer of whom no request with a valid signature has come yet. A loop serves one of them at a
// time, then looks at the sockets of everybody else: however many strangers come, a known caller waits for
// one of their turns at most. Newcomers, who have hardly sent anything yet, have three of four turns, so that
// an honest one does not wait for all those who have much to send; and addresses take turns, so that it does
// not wait for all connections of another one. Newcomers take at most half of the loop's time, and the others
// a quarter, so that what follows from a known caller's request (a commit, another loop, another program)
// finds a processor.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>

#include "net/event_loop.h"
#include "net/source_gauge.h"

namespace millrace::net {

class Connection;
struct ServerCore;

// The loop's thread.
class StrangerTurns {
 public:
  explicit StrangerTurns(EventLoop& loop) : loop_(loop) {}

  // Connection::have_turn is called once, soon. A connection waits once at a time.
  //
  // core      kept alive until then; it owns this object
  // waiting   not kept alive
  // source    its peer's address: those of one address wait for each other, not for those of others
  void wait(const std::shared_ptr<ServerCore>& core, const std::shared_ptr<Connection>& waiting,
            const SourceGauge& source, bool newcomer);

 private:
  // Those who wait, in the order of their addresses' turns.
  class Queue {
   public:
    void push(const SourceGauge& source, const std::shared_ptr<Connection>& waiting);
    std::shared_ptr<Connection> pop();  // null: it was closed meanwhile
    bool is_empty() const { return sources_.empty(); }

   private:
    std::unordered_map<const SourceGauge*, std::deque<std::weak_ptr<Connection>>> waiting_;  // none is empty
    std::deque<const SourceGauge*> sources_;
  };

  bool is_empty() const { return newcomers_.is_empty() && others_.is_empty(); }
  void give_one(const std::shared_ptr<ServerCore>& core);
  Queue& next_queue();
  void schedule(const std::shared_ptr<ServerCore>& core);

  EventLoop& loop_;
  Queue newcomers_, others_;
  std::int64_t made_up_ns_ = 0;  // when everybody else has had as much time as the turns took
  int newcomers_in_a_row_ = 0;   // 0: the last one was none
  bool scheduled_ = false;
};

}  // namespace millrace::net
