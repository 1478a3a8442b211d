// log/huge_pages.h: memory for what appends touch at random: on large pages, so that finding it costs no page
// walk.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <vector>

namespace millrace::log {

// Gives out pieces of large regions, for a pool above it: small ones are only taken back with the whole,
// large ones at once. Asks the kernel for transparent huge pages, and goes on without where it has none. One
// thread.
class HugePages final : public std::pmr::memory_resource {
 public:
  HugePages() = default;
  HugePages(const HugePages&) = delete;
  ~HugePages() override;

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* piece, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  std::vector<void*> regions_;
  std::byte* next_ = nullptr;  // free in the newest region: from here …
  std::byte* end_ = nullptr;   // … to here
};

}  // namespace millrace::log
