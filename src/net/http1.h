// net/http1.h: the HTTP/1.0 and 1.1 driver: requests one behind the other, answers in the same order.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/body_digest.h"
#include "net/driver.h"
#include "net/http1_parser.h"
#include "net/out_queue.h"
#include "net/stream_queue.h"

namespace millrace::net {

class Http1 final : public Driver, private StreamQueue::Listener {
 public:
  Http1(DriverContext& context, std::int64_t now_ns);
  ~Http1() override;

  Activity activity() const override;
  bool wants_input() const override;
  std::span<std::uint8_t> body_space() override;
  void body_arrived(std::size_t bytes) override;
  void received(ByteView bytes, std::int64_t now_ns) override;
  bool holds_input() const override { return held_ && wants_input(); }
  void resume_input(std::int64_t now_ns) override;
  void input_ended() override;
  std::size_t gather(std::span<iovec> out) override { return out_.gather(out); }
  void sent(std::size_t bytes, std::int64_t now_ns) override;
  Ending ending() const override { return ending_; }
  void tick(std::int64_t now_ns) override;
  void drain() override;
  void gone() override;
  std::size_t read_bytes() const override { return 16 * 1024; }

 private:
  class Exchange;
  enum class Reading : std::uint8_t {
    kHead,
    kBody,  // by Content-Length
    kChunks,
    kNothing,  // no further request on this connection: what still comes is not looked at
  };

  std::size_t consume(ByteView bytes, std::int64_t now_ns);
  std::size_t consume_head(ByteView bytes, std::int64_t now_ns);
  std::size_t consume_chunks(ByteView bytes);
  void begin_request(std::string_view head, std::int64_t now_ns);
  void make_room();
  // False: it was refused, or delivered without its body.
  bool admit(std::uint64_t body_bytes);
  // Whether what stands in pending_ has room in the budget.
  bool pending_fits();
  void deliver();
  // Answers what is being read, or what cannot be read, and reads no more.
  //
  // head   as far as it has arrived, of a request that could not be parsed
  void fail(Response response, std::string_view head = {});
  void allow_origin(Exchange& exchange, std::string_view origin) const;
  bool is_paused() const;
  bool is_last(const Exchange& exchange) const;

  void answered(Exchange& exchange);
  void pump();
  void write_answer(Exchange& exchange);
  bool write_stream(Exchange& exchange);  // true when it is complete
  void finish(Ending ending);
  void stream_changed(StreamQueue& stream) override;

  DriverContext& context_;
  OutQueue out_;
  std::vector<std::shared_ptr<Exchange>> exchanges_;  // in order of arrival; at most pipelined_max
  Bytes pending_;                                     // arrived, not yet understood
  Charge pending_charge_;                             // once it is large
  std::size_t head_seen_ = 0;                         // of pending_: searched for the head's end

  std::unique_ptr<Request> request_;  // whose body is being read
  std::uint64_t body_bytes_ = 0;      // by Content-Length
  std::unique_ptr<ChunkedBody> chunks_;
  std::unique_ptr<BodyDigest> digest_;  // of that body, where it is wanted
  std::size_t unanswered_bytes_ = 0;    // bodies of whole requests not yet answered

  std::int64_t since_ns_;  // when that began which tick() bounds
  bool head_begun_ = false;
  Reading reading_ = Reading::kHead;
  Ending ending_ = Ending::kNone;
  bool delivering_ = false;  // the handler may answer at once: its answer is written when it returns
  bool held_ = false;        // pending_ was left because of is_paused(), not for want of bytes
  bool draining_ = false;
  bool input_ended_ = false;
};

}  // namespace millrace::net
