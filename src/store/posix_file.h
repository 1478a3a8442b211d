// store/posix_file.h: File over a descriptor.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "store/disk.h"

namespace millrace::store {

// A descriptor, closed once. Negative: none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();

  bool ok() const { return fd_ >= 0; }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

class PosixFolder;

// path     for messages
// folder   that it stands in: its sync() fails when the file has no name any more, or the folder is not in
//          place. nullptr where it is only read
std::unique_ptr<File> make_posix_file(Descriptor descriptor, std::string path,
                                      std::shared_ptr<const PosixFolder> folder);

}  // namespace millrace::store
