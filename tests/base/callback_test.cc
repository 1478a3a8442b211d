#include "base/callback.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

namespace millrace {
namespace {

// Counts how many of it are alive.
struct Counted {
  explicit Counted(int* alive) : alive_(alive) { ++*alive_; }
  Counted(Counted&& other) noexcept : alive_(other.alive_) { ++*alive_; }
  ~Counted() { --*alive_; }
  int operator()(int number) const { return number + *alive_; }
  int* alive_;
};
struct CountedLarge : Counted {
  using Counted::Counted;
  std::array<char, 200> ballast{};
};

template <typename Callable>
class FunctionOf : public testing::Test {};
using Sizes = testing::Types<Counted, CountedLarge>;  // within the object, and on the heap
TYPED_TEST_SUITE(FunctionOf, Sizes);

TYPED_TEST(FunctionOf, CallsMovesAndDestroysWhatItHolds) {
  int alive = 0;
  {
    Function<int(int)> function = TypeParam(&alive);
    EXPECT_EQ(alive, 1);
    EXPECT_EQ(function(41), 42);
    Function<int(int)> moved = std::move(function);
    EXPECT_EQ(alive, 1);
    EXPECT_FALSE(static_cast<bool>(function));  // NOLINT(bugprone-use-after-move): what is promised
    EXPECT_EQ(moved(41), 42);
    Function<int(int)> other = TypeParam(&alive);
    EXPECT_EQ(alive, 2);
    other = std::move(moved);
    EXPECT_EQ(alive, 1);
    Function<int(int)>& itself = other;
    other = std::move(itself);
    EXPECT_EQ(other(41), 42);
  }
  EXPECT_EQ(alive, 0);
}

TEST(Function, TakesArgumentsThatCanOnlyBeMoved) {
  Function<int(std::unique_ptr<int>)> function = [](std::unique_ptr<int> number) { return *number; };
  EXPECT_EQ(function(std::make_unique<int>(5)), 5);
}

TEST(Function, HoldsWhatCanOnlyBeMovedAndMayChangeIt) {
  Function<int()> function = [count = std::make_unique<int>(0)] { return ++*count; };
  EXPECT_EQ(function(), 1);
  Function<int()> moved = std::move(function);
  EXPECT_EQ(moved(), 2);
}

TEST(Function, PassesReferencesThrough) {
  Function<void(std::string&)> function = [](std::string& text) { text += "!"; };
  std::string text = "a";
  function(text);
  EXPECT_EQ(text, "a!");
}

TEST(Function, CallingAnEmptyOneStopsTheProcess) {
  Callback callback;
  EXPECT_FALSE(static_cast<bool>(callback));
  EXPECT_DEATH(callback(), "operations_");
}

}  // namespace
}  // namespace millrace
