// A cache within its bytes: what makes room, what stays, what is counted.
#include "base/byte_cache.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace {
namespace {

constexpr std::size_t kBytes = 1'000;  // of a value, far above what its place takes

struct Cache {
  explicit Cache(std::uint64_t values, std::size_t threads = 1)
      : share(std::make_shared<MemoryShare>("test", values * (kBytes + 200), threads)) {}
  void put(int key) { cache.put(key, std::to_string(key), kBytes); }

  std::shared_ptr<MemoryShare> share;
  ByteCache<int, std::string> cache{share};
};

TEST(ByteCache, WhatCameFirstMakesRoom) {
  Cache test(4);
  for (int key = 0; key < 100; ++key) {
    test.put(key);
    EXPECT_LE(test.share->used(), test.share->bytes_max());
    EXPECT_EQ(test.share->used(), test.cache.bytes());
  }
  EXPECT_EQ(test.cache.size(), 4u);
  EXPECT_EQ(test.cache.find(95), nullptr);
  ASSERT_NE(test.cache.find(96), nullptr);
  EXPECT_EQ(*test.cache.find(99), "99");
}

TEST(ByteCache, WhatIsAskedForStays) {
  Cache test(4);
  for (int key = 0; key < 100; ++key) {
    test.put(key);
    ASSERT_NE(test.cache.find(0), nullptr) << key;
  }
}

TEST(ByteCache, TheNewestIsKeptHoweverLargeItIs) {
  Cache test(4);
  for (int key = 0; key < 4; ++key) test.put(key);
  test.cache.put(4, "large", 100 * kBytes);
  EXPECT_EQ(test.cache.size(), 1u);
  EXPECT_EQ(*test.cache.find(4), "large");
  test.put(5);
  EXPECT_EQ(test.cache.size(), 1u);
  EXPECT_EQ(test.cache.find(4), nullptr);
}

TEST(ByteCache, EachThreadHasItsPartAndGivesItBack) {
  Cache test(4, 2);
  for (int key = 0; key < 10; ++key) test.put(key);
  EXPECT_EQ(test.cache.size(), 2u);
  {
    ByteCache<int, std::string> other(test.share);
    for (int key = 0; key < 10; ++key) other.put(key, "", kBytes);
    EXPECT_EQ(test.share->used(), test.cache.bytes() + other.bytes());
  }
  EXPECT_EQ(test.share->used(), test.cache.bytes());
}

TEST(MemoryShare, OneAloneHasItsRoomAndOthersWhatIsLeft) {
  const auto share = std::make_shared<MemoryShare>("test", 100);
  {
    HeldMemory large;
    EXPECT_TRUE(large.try_take(share, 1'000));
    HeldMemory small;
    EXPECT_FALSE(small.try_take(share, 1));
    EXPECT_EQ(share->used(), 1'000u);
  }
  EXPECT_EQ(share->used(), 0u);
  HeldMemory first, second, third;
  EXPECT_TRUE(first.try_take(share, 60));
  EXPECT_TRUE(second.try_take(share, 40));
  EXPECT_FALSE(third.try_take(share, 1));
}

}  // namespace
}  // namespace millrace
