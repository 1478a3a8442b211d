#include "broker/hash_key.h"

#include <gtest/gtest.h>

namespace millrace::broker {
namespace {

TEST(HashKey, DecimalTextIsReadAndWrittenUpToTheGreatest) {
  for (const char* text :
       {"0", "1", "170141183460469231731687303715884105728", "340282366920938463463374607431768211455"}) {
    const auto key = parse_hash_key(text);
    ASSERT_TRUE(key.has_value()) << text;
    EXPECT_EQ(to_decimal(*key), text);
  }
}

TEST(HashKey, WhatIsNotANumberBelowTwoToThe128IsRefused) {
  for (const char* text :
       {"", "-1", "+1", " 1", "1 ", "0x1", "1.0", "340282366920938463463374607431768211456",
        "999999999999999999999999999999999999999", "1000000000000000000000000000000000000000"})
    EXPECT_FALSE(parse_hash_key(text).has_value()) << text;
}

TEST(HashKey, EvenSharesCoverTheRangeWithoutGapOrOverlap) {
  for (const std::uint32_t parts : {1u, 2u, 3u, 7u, 64u, 10'000u}) {
    HashNumber expected = 0;
    for (std::uint32_t part = 0; part < parts; ++part) {
      const HashRange share = even_share(part, parts);
      ASSERT_EQ(to_number(share.first) == expected, true) << part << " of " << parts;
      expected = to_number(share.last) + 1;
    }
    EXPECT_TRUE(expected == 0) << "the last share ends at 2^128 - 1";
  }
}

TEST(HashKey, SharesHaveTheBoundsThatKinesisGives) {
  EXPECT_EQ(to_decimal(even_share(0, 3).last), "113427455640312821154458202477256070484");
  EXPECT_EQ(to_decimal(even_share(1, 3).first), "113427455640312821154458202477256070485");
  EXPECT_EQ(to_decimal(even_share(1, 2).first), "170141183460469231731687303715884105728");
}

}  // namespace
}  // namespace millrace::broker
