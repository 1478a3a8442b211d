// net/stream_queue.h: the chunks of one streamed response body, between its writer and a protocol driver.
#pragma once

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/callback.h"
#include "base/loop.h"
#include "net/budget.h"
#include "net/http.h"

namespace millrace::net {

// All on the connection's loop. Callbacks are posted, never called from inside.
class StreamQueue {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // A chunk was queued, or the body ended, or its writer dropped it.
    virtual void stream_changed(StreamQueue& stream) = 0;
  };

  // No listener: the peer has gone already.
  StreamQueue(Loop& loop, std::shared_ptr<Budget> budget, Listener* listener)
      : loop_(loop), budget_(std::move(budget)), listener_(listener), gone_(listener == nullptr) {}
  ~StreamQueue() { budget_->give_back(queued_bytes_); }
  StreamQueue(const StreamQueue&) = delete;
  StreamQueue& operator=(const StreamQueue&) = delete;

  // The writer's side.
  void write(SharedBytes chunk);
  std::size_t queued_bytes() const { return queued_bytes_; }
  void when_below(std::size_t bytes, Callback callback);
  void when_closed(Callback callback);
  void end();
  void writer_dropped();

  // The driver's side. Chunks taken still count as queued until they are sent.
  bool has_chunk() const { return !chunks_.empty(); }
  // The rest of the first chunk: its bytes from offset on.
  std::pair<SharedBytes, std::size_t> front() const { return {chunks_.front(), front_offset_}; }
  void take(std::size_t bytes);  // 1 to what is left of the first chunk
  bool ended() const { return ended_; }
  bool dropped() const { return dropped_; }
  void sent(std::size_t bytes);
  // The peer has gone, or the body is complete: no further call to the listener.
  void detach(bool peer_gone);

 private:
  Loop& loop_;
  const std::shared_ptr<Budget> budget_;  // a writer may outlive the server
  Listener* listener_;
  std::deque<SharedBytes> chunks_;
  std::size_t front_offset_ = 0;
  std::size_t queued_bytes_ = 0;
  std::vector<std::pair<std::size_t, Callback>> below_;
  Callback closed_;
  bool ended_ = false;
  bool dropped_ = false;
  bool gone_;
};

// What the writer holds: dropping it without end() breaks the response off.
std::shared_ptr<BodyStream> make_writer(std::shared_ptr<StreamQueue> queue);

}  // namespace millrace::net
