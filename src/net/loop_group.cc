#include "net/loop_group.h"

#include "base/assert.h"

namespace millrace::net {

LoopGroup::LoopGroup(std::size_t count) : impl_(std::make_unique<Impl>()) {
  MR_ASSERT(count >= 1);
  MR_ASSERT(count <= 256);
  for (std::size_t i = 0; i < count; ++i) impl_->loops.push_back(std::make_unique<EventLoop>(i));
}

LoopGroup::~LoopGroup() { stop(); }

std::size_t LoopGroup::size() const { return impl_->loops.size(); }
Loop& LoopGroup::loop(std::size_t index) { return *impl_->loops.at(index); }

void LoopGroup::stop() {
  for (auto& loop : impl_->loops) loop->stop();
}

}  // namespace millrace::net
