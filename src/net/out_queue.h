// net/out_queue.h: what a connection has yet to send, in order, without copying bodies.
#pragma once

#include <sys/uio.h>

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "net/budget.h"
#include "net/stream_queue.h"

namespace millrace::net {

class OutQueue {
 public:
  // For small text: copied, several into one piece.
  void add_copy(std::string_view text);
  // "1a2b\r\n" before a chunk of HTTP/1.1.
  void add_chunk_head(std::size_t chunk_bytes);
  // `charge` is given back when `bytes` are sent.
  void add(Bytes bytes, Charge charge);
  // A part of `whole`, shared. `credit`, if any, learns when it is sent.
  void add(SharedBytes whole, std::size_t offset, std::size_t size, std::shared_ptr<StreamQueue> credit);

  bool empty() const { return bytes_ == 0; }
  std::size_t bytes() const { return bytes_; }
  std::size_t gather(std::span<iovec> out) const;
  void sent(std::size_t bytes);

 private:
  struct Piece {
    Bytes own;
    SharedBytes shared;  // in place of `own`
    std::size_t begin = 0;
    std::size_t end = 0;  // of `shared`; `own` ends where it ends
    std::shared_ptr<StreamQueue> credit;
    Charge charge;
    bool small = false;

    const std::uint8_t* data() const { return (shared ? shared->data() : own.data()) + begin; }
    std::size_t size() const { return (shared ? end : own.size()) - begin; }
  };
  std::vector<Piece> pieces_;
  std::size_t first_ = 0;  // those before it are sent
  std::size_t bytes_ = 0;
};

}  // namespace millrace::net
