#include "store/read_files.h"

#include <utility>

namespace millrace::store {

class ReadFiles::ReadFile final : public File {
 public:
  ReadFile(std::shared_ptr<ReadFiles> files, Open open) : files_(std::move(files)), open_(std::move(open)) {}
  ~ReadFile() override {
    const std::lock_guard lock(files_->mutex_);
    if (opened_) files_->open_.erase(place_);
  }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
    MR_ASSIGN(const auto file, opened());
    return file->read_at(offset, out);
  }
  Result<std::uint64_t> size() override {
    MR_ASSIGN(const auto file, opened());
    return file->size();
  }
  Result<void> write_at(std::uint64_t, std::span<const ByteView>) override { return only_read(); }
  Result<void> sync() override { return only_read(); }
  Result<void> truncate(std::uint64_t) override { return only_read(); }

 private:
  friend class ReadFiles;

  static Error only_read() { return {ErrorKind::kInvalid, "the file was opened only to read"}; }

  Result<std::shared_ptr<File>> opened() {
    {
      const std::lock_guard lock(files_->mutex_);
      if (opened_) {
        files_->open_.splice(files_->open_.begin(), files_->open_, place_);
        return opened_;
      }
    }
    MR_ASSIGN(auto file, open_());
    files_->use(*this, file);
    return file;
  }

  const std::shared_ptr<ReadFiles> files_;
  const Open open_;
  // Under the mutex of files_:
  std::shared_ptr<File> opened_;
  std::list<ReadFile*>::iterator place_;  // where there is opened_
};

std::unique_ptr<File> ReadFiles::add(std::shared_ptr<File> opened, Open open) {
  auto file = std::make_unique<ReadFile>(shared_from_this(), std::move(open));
  use(*file, std::move(opened));
  return file;
}

void ReadFiles::use(ReadFile& file, std::shared_ptr<File> opened) {
  std::shared_ptr<File> closed;  // after the lock is gone
  const std::lock_guard lock(mutex_);
  if (file.opened_) return;  // another thread was faster
  file.opened_ = std::move(opened);
  open_.push_front(&file);
  file.place_ = open_.begin();
  if (open_.size() <= open_max_) return;
  closed = std::move(open_.back()->opened_);
  open_.back()->opened_ = nullptr;
  open_.pop_back();
}

void ReadFiles::close_idle() {
  const std::lock_guard lock(mutex_);
  for (ReadFile* file : open_) file->opened_ = nullptr;
  open_.clear();
}

}  // namespace millrace::store
