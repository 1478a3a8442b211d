#include "store/posix_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "store/posix_error.h"
#include "store/posix_folder.h"

namespace millrace::store {
namespace {

// Pieces handed to the kernel at once: on the stack, and within what it takes.
constexpr std::size_t kPiecesMax = 256;
static_assert(kPiecesMax <= IOV_MAX);

class PosixFile final : public File {
 public:
  PosixFile(Descriptor descriptor, std::string path, std::shared_ptr<const PosixFolder> folder)
      : descriptor_(std::move(descriptor)), path_(std::move(path)), folder_(std::move(folder)) {
    struct stat status {};
    counts_names_ = folder_ != nullptr && fstat(descriptor_.get(), &status) == 0 && status.st_nlink > 0;
  }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t got =
          pread(descriptor_.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
      if (got == 0) break;
      if (got < 0) {
        if (errno == EINTR) continue;
        return posix_error("read", at(offset + done), errno);
      }
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  Result<void> write_at(std::uint64_t offset, std::span<const ByteView> pieces) override {
    std::array<iovec, kPiecesMax> vectors;
    while (!pieces.empty()) {
      std::size_t count = 0;
      for (; count < kPiecesMax && count < pieces.size(); ++count)
        vectors[count] = {const_cast<std::uint8_t*>(pieces[count].data()), pieces[count].size()};
      MR_TRY(write_vectors(offset, {vectors.data(), count}));
      for (std::size_t i = 0; i < count; ++i) offset += pieces[i].size();
      pieces = pieces.subspan(count);
    }
    return {};
  }

  Result<void> sync() override {
    while (fdatasync(descriptor_.get()) != 0) {
      if (errno == EINTR) continue;
      return Error{ErrorKind::kUnknown, posix_error_text("sync", path_, errno)};
    }
    return check_in_place();
  }

  Result<std::uint64_t> size() override {
    struct stat status {};
    if (fstat(descriptor_.get(), &status) != 0) return posix_error("stat", path_, errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

  Result<void> truncate(std::uint64_t size) override {
    while (ftruncate(descriptor_.get(), static_cast<off_t>(size)) != 0) {
      if (errno == EINTR) continue;
      return posix_change_error("truncate", at(size), errno);
    }
    return {};
  }

  void forget(std::uint64_t offset, std::uint64_t bytes) override {
    posix_fadvise(descriptor_.get(), static_cast<off_t>(offset), static_cast<off_t>(bytes),
                  POSIX_FADV_DONTNEED);
  }

 private:
  // What is durable in a file without a name goes with the process. Two calls of about a microsecond beside a
  // flush of the disk.
  Result<void> check_in_place() const {
    if (folder_ == nullptr) return {};
    struct stat status {};
    if (fstat(descriptor_.get(), &status) != 0)
      return Error{ErrorKind::kUnknown, posix_error_text("stat", path_, errno)};
    if (counts_names_ && status.st_nlink == 0)
      return Error{ErrorKind::kUnknown, path_ + " was removed under the running server"};
    if (auto there = folder_->check_in_place(); !there.ok())
      return Error{ErrorKind::kUnknown, std::move(there.error().text)};
    return {};
  }

  // Writes all of `vectors`, which it eats, however often the kernel takes only a part.
  Result<void> write_vectors(std::uint64_t offset, std::span<iovec> vectors) {
    while (!vectors.empty()) {
      if (vectors.front().iov_len == 0) {
        vectors = vectors.subspan(1);
        continue;
      }
      const ssize_t wrote = pwritev(descriptor_.get(), vectors.data(), static_cast<int>(vectors.size()),
                                    static_cast<off_t>(offset));
      if (wrote < 0) {
        if (errno == EINTR) continue;
        return posix_change_error("write", at(offset), errno);
      }
      offset += static_cast<std::uint64_t>(wrote);
      auto left = static_cast<std::size_t>(wrote);
      while (!vectors.empty() && left >= vectors.front().iov_len) {
        left -= vectors.front().iov_len;
        vectors = vectors.subspan(1);
      }
      if (left > 0) {
        vectors.front().iov_base = static_cast<char*>(vectors.front().iov_base) + left;
        vectors.front().iov_len -= left;
      }
    }
    return {};
  }

  std::string at(std::uint64_t offset) const { return path_ + " at " + std::to_string(offset); }

  Descriptor descriptor_;
  const std::string path_;
  const std::shared_ptr<const PosixFolder> folder_;
  bool counts_names_;  // some file systems say 0 for every file
};

}  // namespace

Descriptor::~Descriptor() {
  // Nothing is owed to close(): what had to be durable was synced, and its error was seen there.
  if (fd_ >= 0) ::close(fd_);
}

std::unique_ptr<File> make_posix_file(Descriptor descriptor, std::string path,
                                      std::shared_ptr<const PosixFolder> folder) {
  return std::make_unique<PosixFile>(std::move(descriptor), std::move(path), std::move(folder));
}

}  // namespace millrace::store
