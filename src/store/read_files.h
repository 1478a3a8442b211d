// store/read_files.h: files that are only read, of which so many at most are open at a time: the others are
// opened again, by their path, when somebody reads them.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>

#include "base/result.h"
#include "store/disk.h"

namespace millrace::store {

// Any thread.
class ReadFiles : public std::enable_shared_from_this<ReadFiles> {
 public:
  explicit ReadFiles(std::size_t open_max) : open_max_(open_max) {}

  // Opens it anew, each time that it is called.
  using Open = std::function<Result<std::shared_ptr<File>>()>;
  // A file that reads through `opened` while that is among the last used, and through what `open` gives after
  // that.
  std::unique_ptr<File> add(std::shared_ptr<File> opened, Open open);
  // Closes all that nobody reads at the moment: others need their descriptors.
  void close_idle();

 private:
  class ReadFile;
  void use(ReadFile& file, std::shared_ptr<File> opened);

  const std::size_t open_max_;
  std::mutex mutex_;
  std::list<ReadFile*> open_;  // last used first
};

}  // namespace millrace::store
