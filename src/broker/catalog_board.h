// broker/catalog_board.h: the catalog as each loop knows it: read without a lock, replaced by a message.
#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/loop.h"
#include "base/task.h"
#include "broker/catalog.h"

namespace millrace::broker {

class CatalogBoard {
 public:
  // Every loop begins with `first`. The loops are borrowed and carry nothing yet.
  CatalogBoard(std::vector<Loop*> loops, std::shared_ptr<const Catalog> first);

  // The index of the loop that runs this. On a loop only.
  std::size_t current() const;
  Loop& loop(std::size_t index) const { return *loops_[index]; }
  std::size_t loops() const { return loops_.size(); }

  // This loop's picture.
  const std::shared_ptr<const Catalog>& here() const { return slots_[current()].catalog; }

  // Runs `visit(index)` on every loop; resumes on the calling loop when all have.
  Task<void> on_each_loop(Function<void(std::size_t)> visit);
  // Gives every loop `catalog`; resumes on the calling loop when all have it.
  Task<void> publish(std::shared_ptr<const Catalog> catalog);

  // Calls back on this loop, once, when its catalog is newer; at once where it is.
  void when_newer(std::uint64_t version, Callback callback) {
    Slot& slot = slots_[current()];
    if (slot.catalog->version > version) return callback();
    slot.waiting.push_back(std::move(callback));
  }
  // co_await newer_than(version): goes on, on this loop, once its catalog is newer.
  auto newer_than(std::uint64_t version) {
    return eventually<int>([this, version](auto done) {
      Slot& slot = slots_[current()];
      if (slot.catalog->version > version) return done(0);
      slot.waiting.emplace_back([done]() mutable { done(0); });
    });
  }

 private:
  // A cache line each: a loop reads its own on every request.
  struct alignas(64) Slot {
    std::shared_ptr<const Catalog> catalog;
    std::vector<Callback> waiting;
  };

  std::vector<Loop*> loops_;
  std::vector<Slot> slots_;
};

}  // namespace millrace::broker
