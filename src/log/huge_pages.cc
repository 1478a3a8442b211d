#include "log/huge_pages.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

namespace millrace::log {

namespace {

constexpr std::size_t kRegionBytes = 2u << 20;  // a huge page of x86-64 and of arm64 with 4 KiB pages
constexpr std::size_t kSmallBytesMax = kRegionBytes / 8;

void* allocate_pages(std::size_t bytes) {
  const std::size_t whole = (bytes + kRegionBytes - 1) / kRegionBytes * kRegionBytes;
  void* pages = std::aligned_alloc(kRegionBytes, whole);
  if (pages == nullptr) throw std::bad_alloc();
  static_cast<void>(::madvise(pages, whole, MADV_HUGEPAGE));  // a hint: small pages work too
  return pages;
}

}  // namespace

HugePages::~HugePages() {
  for (void* region : regions_) std::free(region);
}

void* HugePages::do_allocate(std::size_t bytes, std::size_t alignment) {
  if (bytes > kSmallBytesMax) return allocate_pages(bytes);
  const auto padding = static_cast<std::size_t>(-reinterpret_cast<std::uintptr_t>(next_)) & (alignment - 1);
  if (next_ == nullptr || static_cast<std::size_t>(end_ - next_) < padding + bytes) {
    regions_.push_back(allocate_pages(kRegionBytes));
    next_ = static_cast<std::byte*>(regions_.back());
    end_ = next_ + kRegionBytes;
  } else {
    next_ += padding;
  }
  return std::exchange(next_, next_ + bytes);
}

void HugePages::do_deallocate(void* piece, std::size_t bytes, std::size_t) {
  if (bytes > kSmallBytesMax) std::free(piece);
}

}  // namespace millrace::log
