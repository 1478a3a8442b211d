#include "load/verdict.h"

#include <gtest/gtest.h>

#include <array>

namespace millrace::load {
namespace {

constexpr Stamp stamp(std::uint64_t sequence, std::uint32_t lane = 0) { return {sequence, lane, 1}; }

class VerdictTest : public testing::Test {
 protected:
  VerdictTest() {
    for (std::uint64_t sequence = 0; sequence < 3; ++sequence) verdict_.attempted(0, sequence);
  }
  Verdict verdict_{2};
};

TEST_F(VerdictTest, WhatIsAcknowledgedAndReceivedOnceInOrderIsClean) {
  for (std::uint64_t sequence = 0; sequence < 3; ++sequence) verdict_.acknowledged(0, sequence);
  EXPECT_FALSE(verdict_.all_acknowledged_received());
  for (std::uint64_t sequence = 0; sequence < 3; ++sequence) verdict_.received(stamp(sequence), 0);
  EXPECT_TRUE(verdict_.all_acknowledged_received());
  EXPECT_TRUE(verdict_.counts().clean());
}

TEST_F(VerdictTest, WhatIsAcknowledgedAndNotReceivedIsLost) {
  verdict_.acknowledged(0, 0);
  verdict_.acknowledged(0, 1);
  verdict_.received(stamp(1), 0);
  EXPECT_EQ(verdict_.counts().lost, 1u);
  EXPECT_FALSE(verdict_.counts().clean());
}

TEST_F(VerdictTest, WhatWasNeverAcknowledgedMayComeOrNot) {
  verdict_.acknowledged(0, 0);
  verdict_.received(stamp(0), 0);
  verdict_.received(stamp(2), 0);
  EXPECT_TRUE(verdict_.counts().clean());
  EXPECT_TRUE(verdict_.all_acknowledged_received());
}

TEST_F(VerdictTest, ASecondCopyIsADuplicate) {
  verdict_.received(stamp(0), 0);
  verdict_.received(stamp(0), 1);
  EXPECT_EQ(verdict_.counts().duplicated, 1u);
  EXPECT_EQ(verdict_.counts().received, 1u);
}

TEST_F(VerdictTest, OrderIsKeptWithinAShardAndNotAcrossShards) {
  verdict_.received(stamp(2), 0);
  verdict_.received(stamp(1), 1);
  EXPECT_EQ(verdict_.counts().out_of_order, 0u);
  verdict_.received(stamp(0), 1);
  EXPECT_EQ(verdict_.counts().out_of_order, 1u);
}

TEST_F(VerdictTest, AStampThatWasNeverSentIsNamedSo) {
  verdict_.received(stamp(3), 0);
  verdict_.received(stamp(0, 7), 0);
  EXPECT_EQ(verdict_.counts().never_sent, 2u);
}

TEST(StampTest, IsReadBackAsItWasWritten) {
  std::array<char, kStampBytes> text;
  const Stamp written{9'999'999'999'999, 999, 1'764'043'796'123'456};
  write_stamp(written, text.data());
  const auto read = read_stamp(text.data());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->sequence, written.sequence);
  EXPECT_EQ(read->lane, written.lane);
  EXPECT_EQ(read->due_us, written.due_us);
  EXPECT_EQ(std::string_view(text.data(), 20), R"({"n":9999999999999,")");
}

TEST(StampTest, OtherPayloadsHaveNone) {
  const std::string text = R"({"user":"u-1","type":"click","page":"/p/1","x":12345})";
  EXPECT_FALSE(read_stamp(text.data()).has_value());
}

}  // namespace
}  // namespace millrace::load
