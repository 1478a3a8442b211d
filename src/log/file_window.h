// log/file_window.h: reads a file front to back through one buffer. One thread; calls block.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "store/disk.h"

namespace millrace::log {

class FileWindow {
 public:
  // file   borrowed
  FileWindow(store::File& file, std::uint64_t file_bytes) : file_(file), file_bytes_(file_bytes) {}

  // Up to `bytes` bytes from `offset`, fewer only at the end of the file; valid until the next call.
  Result<ByteView> view(std::uint64_t offset, std::size_t bytes) {
    bytes =
        static_cast<std::size_t>(std::min<std::uint64_t>(bytes, file_bytes_ - std::min(offset, file_bytes_)));
    if (offset < begin_ || offset + bytes > begin_ + buffer_.size()) {
      const std::uint64_t wanted =
          std::min<std::uint64_t>(std::max(bytes, kWindowBytes), file_bytes_ - offset);
      buffer_.resize(static_cast<std::size_t>(wanted));
      begin_ = offset;
      MR_ASSIGN(const std::size_t read, file_.read_at(offset, {buffer_.data(), buffer_.size()}));
      buffer_.resize(read);
    }
    const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(offset - begin_, buffer_.size()));
    return buffer_.view().subspan(skipped, std::min(bytes, buffer_.size() - skipped));
  }

 private:
  static constexpr std::size_t kWindowBytes = 1u << 20;
  store::File& file_;
  std::uint64_t file_bytes_;
  std::uint64_t begin_ = 0;
  Bytes buffer_;
};

}  // namespace millrace::log
