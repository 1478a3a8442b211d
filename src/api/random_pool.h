// api/random_pool.h: many small draws from Random at the price of a few large ones.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "base/assert.h"
#include "base/random.h"

namespace millrace::api {

// Belongs to one loop. Every byte is given out once.
class RandomPool {
 public:
  explicit RandomPool(Random& random) : random_(random) {}

  // size    1 to 4'096. Valid until the next call.
  std::span<const std::uint8_t> take(std::size_t size) {
    MR_ASSERT(size > 0 && size <= bytes_.size());
    if (bytes_.size() - used_ < size) {
      random_.fill(bytes_);
      used_ = 0;
    }
    used_ += size;
    return std::span<const std::uint8_t>(bytes_).subspan(used_ - size, size);
  }

  // "c9a646d3-9c61-4cc7-9d32-ee5ec9f1e9ba", version 4 of RFC 4122.
  std::string uuid();

 private:
  Random& random_;
  std::array<std::uint8_t, 4'096> bytes_;
  std::size_t used_ = 4'096;
};

}  // namespace millrace::api
