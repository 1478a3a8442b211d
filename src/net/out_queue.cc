#include "net/out_queue.h"

#include <charconv>

#include "base/assert.h"

namespace millrace::net {
namespace {
constexpr std::size_t kTailBytesMax = 16 * 1024;
constexpr std::size_t kIdlePiecesMax = 8;  // capacity kept when there is nothing to send
}  // namespace

void OutQueue::add_copy(std::string_view text) {
  if (first_ == pieces_.size() || !pieces_.back().small || pieces_.back().own.size() >= kTailBytesMax) {
    pieces_.emplace_back();
    pieces_.back().small = true;
    pieces_.back().own.reserve(256);
  }
  pieces_.back().own.append(text);
  bytes_ += text.size();
}

void OutQueue::add_chunk_head(std::size_t chunk_bytes) {
  char text[18];
  char* end = std::to_chars(text, text + 16, chunk_bytes, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  add_copy({text, static_cast<std::size_t>(end - text)});
}

void OutQueue::add(Bytes bytes, Charge charge) {
  if (bytes.empty()) return;
  bytes_ += bytes.size();
  Piece& piece = pieces_.emplace_back();
  piece.own = std::move(bytes);
  piece.charge = std::move(charge);
}

void OutQueue::add(SharedBytes whole, std::size_t offset, std::size_t size,
                   std::shared_ptr<StreamQueue> credit) {
  MR_ASSERT(offset + size <= whole->size());
  bytes_ += size;
  Piece& piece = pieces_.emplace_back();
  piece.shared = std::move(whole);
  piece.begin = offset;
  piece.end = offset + size;
  piece.credit = std::move(credit);
}

std::size_t OutQueue::gather(std::span<iovec> out) const {
  std::size_t count = 0;
  for (std::size_t i = first_; i < pieces_.size() && count < out.size(); ++i) {
    if (pieces_[i].size() == 0) continue;
    out[count++] = {const_cast<std::uint8_t*>(pieces_[i].data()), pieces_[i].size()};
  }
  return count;
}

void OutQueue::sent(std::size_t bytes) {
  MR_ASSERT(bytes <= bytes_);
  bytes_ -= bytes;
  while (first_ < pieces_.size()) {
    Piece& piece = pieces_[first_];
    const std::size_t n = bytes < piece.size() ? bytes : piece.size();
    piece.begin += n;
    bytes -= n;
    if (piece.credit && n != 0) piece.credit->sent(n);
    if (piece.size() != 0) break;
    pieces_[first_++] = Piece{};
  }
  MR_ASSERT(bytes == 0);
  if (first_ == pieces_.size()) {
    first_ = 0;
    pieces_.clear();
    if (pieces_.capacity() > kIdlePiecesMax) pieces_.shrink_to_fit();
  } else if (first_ >= 1024) {
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

}  // namespace millrace::net
