// base/bytes.h: owned byte buffers that are not zeroed when they grow, with slack for SIMD readers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "base/assert.h"

namespace millrace {

using ByteView = std::span<const std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A growable buffer. At least kSlackBytes behind size() may always be read (their content is unspecified):
// simdjson and the base64 kernels read past the end. Move-only; any one thread at a time.
class Bytes {
 public:
  static constexpr std::size_t kSlackBytes = 64;

  Bytes() = default;
  explicit Bytes(std::string_view text) { append(text); }
  static Bytes with_capacity(std::size_t capacity) {
    Bytes bytes;
    bytes.reserve(capacity);
    return bytes;
  }

  Bytes(Bytes&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Bytes& operator=(Bytes&& other) noexcept {
    if (this != &other) {
      std::free(data_);
      data_ = std::exchange(other.data_, nullptr);
      size_ = std::exchange(other.size_, 0);
      capacity_ = std::exchange(other.capacity_, 0);
    }
    return *this;
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() { std::free(data_); }

  std::uint8_t* data() { return data_; }
  const std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  ByteView view() const { return {data_, size_}; }
  std::string_view text() const { return as_text(view()); }
  std::uint8_t& operator[](std::size_t i) { return data_[i]; }
  std::uint8_t operator[](std::size_t i) const { return data_[i]; }

  void clear() { size_ = 0; }
  // Keeps content and size; afterwards capacity() >= capacity.
  void reserve(std::size_t capacity) {
    if (capacity > capacity_) reallocate(capacity);
  }
  // New bytes, if any, are not initialised.
  void resize(std::size_t size) {
    grow_to(size);
    size_ = size;
  }
  // Room for n more bytes behind size(), grown geometrically: write there, then commit(). Not initialised.
  std::uint8_t* prepare(std::size_t n) {
    grow_to(size_ + n);
    return data_ + size_;
  }
  void commit(std::size_t n) {
    MR_ASSERT(size_ + n <= capacity_);
    size_ += n;
  }
  void append(const void* bytes, std::size_t n) {
    if (n == 0) return;
    std::memcpy(prepare(n), bytes, n);
    size_ += n;
  }
  void append(std::string_view text) { append(text.data(), text.size()); }
  void append(ByteView bytes) { append(bytes.data(), bytes.size()); }
  void push_back(char byte) {
    *prepare(1) = static_cast<std::uint8_t>(byte);
    ++size_;
  }

 private:
  void grow_to(std::size_t size) {
    if (size > capacity_) reallocate(size > 2 * capacity_ ? size : 2 * capacity_);
  }
  void reallocate(std::size_t capacity) {
    void* grown = std::realloc(data_, capacity + kSlackBytes);
    if (grown == nullptr) out_of_memory(capacity);
    data_ = static_cast<std::uint8_t*>(grown);
    capacity_ = capacity;
  }

  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// Immutable once shared: any thread may read it.
using SharedBytes = std::shared_ptr<const Bytes>;

}  // namespace millrace
