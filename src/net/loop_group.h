// net/loop_group.h: what net itself sees of a LoopGroup: the loops as they are.
#pragma once

#include <memory>
#include <vector>

#include "net/event_loop.h"
#include "net/server.h"

namespace millrace::net {

struct LoopGroup::Impl {
  std::vector<std::unique_ptr<EventLoop>> loops;
};

}  // namespace millrace::net
