#include "broker/catalog_board.h"

#include <atomic>

namespace millrace::broker {

CatalogBoard::CatalogBoard(std::vector<Loop*> loops, std::shared_ptr<const Catalog> first)
    : loops_(std::move(loops)), slots_(loops_.size()) {
  for (Slot& slot : slots_) slot.catalog = first;
}

std::size_t CatalogBoard::current() const {
  for (std::size_t index = 0; index < loops_.size(); ++index)
    if (loops_[index]->is_current()) return index;
  assertion_failed("on a loop of this broker", __FILE__, __LINE__);
}

Task<void> CatalogBoard::on_each_loop(Function<void(std::size_t)> visit) {
  Loop& home = *loops_[current()];
  std::atomic<std::size_t> left = loops_.size();
  co_await eventually<int>([&](auto done) {
    for (std::size_t index = 0; index < loops_.size(); ++index)
      loops_[index]->post([&visit, &left, &home, done, index] {
        visit(index);
        if (left.fetch_sub(1) == 1) home.post([done]() mutable { done(0); });
      });
  });
}

Task<void> CatalogBoard::publish(std::shared_ptr<const Catalog> catalog) {
  Function<void(std::size_t)> give = [this, &catalog](std::size_t index) {
    slots_[index].catalog = catalog;
    // Each waiter may wait again: it goes into a new list.
    for (Callback& waiter : std::exchange(slots_[index].waiting, {})) waiter();
  };
  co_await on_each_loop(std::move(give));
}

}  // namespace millrace::broker
