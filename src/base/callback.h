// base/callback.h: a move-only std::function (C++23 has std::move_only_function; we build as C++20).
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include "base/assert.h"

namespace millrace {

template <typename Signature>
class Function;

// Holds any callable, move-only ones too; up to 48 bytes of it without an allocation. Calling an empty one
// aborts.
template <typename R, typename... Args>
class Function<R(Args...)> {
 public:
  Function() = default;
  template <typename F>
    requires(!std::is_same_v<std::decay_t<F>, Function> &&
             std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
  Function(F&& callable) {  // NOLINT(google-explicit-constructor)
    using Held = std::decay_t<F>;
    if constexpr (sizeof(Held) <= kInlineBytes && alignof(Held) <= alignof(std::max_align_t) &&
                  std::is_nothrow_move_constructible_v<Held>) {
      ::new (static_cast<void*>(storage_)) Held(std::forward<F>(callable));
      operations_ = &kInline<Held>;
    } else {
      ::new (static_cast<void*>(storage_)) Held*(new Held(std::forward<F>(callable)));
      operations_ = &kHeap<Held>;
    }
  }
  Function(Function&& other) noexcept { take(other); }
  Function& operator=(Function&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  ~Function() { reset(); }

  explicit operator bool() const { return operations_ != nullptr; }
  R operator()(Args... args) {
    MR_ASSERT(operations_ != nullptr);
    return operations_->call(storage_, std::forward<Args>(args)...);
  }

 private:
  static constexpr std::size_t kInlineBytes = 48;
  struct Operations {
    R (*call)(void*, Args&&...);
    void (*move)(void* from, void* to) noexcept;
    void (*destroy)(void*) noexcept;
  };
  template <typename Held>
  static constexpr Operations kInline{
      [](void* at, Args&&... args) -> R { return (*static_cast<Held*>(at))(std::forward<Args>(args)...); },
      [](void* from, void* to) noexcept {
        ::new (to) Held(std::move(*static_cast<Held*>(from)));
        static_cast<Held*>(from)->~Held();
      },
      [](void* at) noexcept { static_cast<Held*>(at)->~Held(); }};
  template <typename Held>
  static constexpr Operations kHeap{
      [](void* at, Args&&... args) -> R { return (**static_cast<Held**>(at))(std::forward<Args>(args)...); },
      [](void* from, void* to) noexcept { ::new (to) Held*(*static_cast<Held**>(from)); },
      [](void* at) noexcept { delete *static_cast<Held**>(at); }};

  void take(Function& other) noexcept {
    operations_ = std::exchange(other.operations_, nullptr);
    if (operations_ != nullptr) operations_->move(other.storage_, storage_);
  }
  void reset() noexcept {
    if (operations_ != nullptr) std::exchange(operations_, nullptr)->destroy(storage_);
  }

  alignas(std::max_align_t) unsigned char storage_[kInlineBytes];
  const Operations* operations_ = nullptr;
};

using Callback = Function<void()>;

}  // namespace millrace
