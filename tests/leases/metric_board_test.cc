// What CloudWatch's board keeps, for how long, and who makes room for whom.

#include "leases/cloudwatch/metric_board.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace::leases::cloudwatch {
namespace {

constexpr std::int64_t kNow = 1'795'000'020;  // begins a minute
constexpr std::size_t kMax = MetricBoard::kMetricsMax;

MetricName own(std::size_t i) {
  return {"AWS/Kinesis", "IncomingBytes", {{"StreamName", std::to_string(i)}}};
}
MetricName theirs(std::size_t i) { return {"app", "Time", {{"Worker", std::to_string(i)}}}; }

void add(MetricBoard& board, const MetricName& metric, std::int64_t at_s) {
  board.add(metric, "Count", at_s, Statistics::of(1, 1), at_s);
}

TEST(MetricBoard, AddsUpByTheMinuteAndThePeriod) {
  MetricBoard board;
  for (const std::int64_t at_s : {kNow, kNow + 59, kNow + 60}) add(board, own(1), at_s);
  const auto minutes = board.read(own(1), "", kNow, kNow + 120, 60);
  ASSERT_EQ(minutes.size(), 2u);
  EXPECT_EQ(minutes[0].at_s, kNow);
  EXPECT_EQ(minutes[0].statistics.sum, 2);
  EXPECT_EQ(minutes[1].statistics.sum, 1);
  EXPECT_TRUE(board.read(own(1), "Bytes", kNow, kNow + 120, 60).empty());
}

TEST(MetricBoard, ForgetsWhatIsOlderThanItKeeps) {
  MetricBoard board;
  add(board, own(1), kNow);
  add(board, own(2), kNow + 60);
  EXPECT_EQ(board.size(), 2u);
  add(board, theirs(1), kNow + MetricBoard::kMinutesKept * 60);
  EXPECT_FALSE(board.contains(own(1)));
  EXPECT_TRUE(board.contains(own(2)));
  EXPECT_EQ(board.own_size(), 1u);
}

TEST(MetricBoard, WhatClientsPublishAndItsOwnDoNotTakeEachOthersRoom) {
  MetricBoard board;
  for (std::size_t i = 0; i < kMax; ++i) add(board, theirs(i), kNow);
  for (std::size_t i = 0; i < kMax; ++i) add(board, own(i), kNow);
  EXPECT_EQ(board.size(), 2 * kMax);
  EXPECT_EQ(board.own_size(), kMax);
}

TEST(MetricBoard, WhereAllAreStillPublishedANewOneIsNotTaken) {
  MetricBoard board;
  for (std::size_t i = 0; i < kMax; ++i) add(board, own(i), kNow);
  add(board, own(kMax), kNow + 60);
  EXPECT_FALSE(board.contains(own(kMax)));
  EXPECT_EQ(board.size(), kMax);
}

TEST(MetricBoard, WhatWasSilentForLongestMakesRoom) {
  MetricBoard board;
  add(board, own(0), kNow);
  for (std::size_t i = 1; i < kMax; ++i) add(board, own(i), kNow + 180);
  add(board, own(kMax), kNow + 180);
  EXPECT_TRUE(board.contains(own(kMax)));
  EXPECT_FALSE(board.contains(own(0)));
  EXPECT_EQ(board.size(), kMax);
  add(board, own(1), kNow + 240);
  add(board, own(kMax + 1), kNow + 360);  // all others are silent now: those that stand first go, a part
  EXPECT_TRUE(board.contains(own(kMax + 1)));
  EXPECT_TRUE(board.contains(own(1)));
  EXPECT_LT(board.size(), kMax);
  EXPECT_GT(board.size(), kMax / 2);
}

MetricName with_long_dimensions(std::size_t i) {
  MetricName metric = theirs(i);
  for (char name = 'a'; name <= 'z'; ++name)
    metric.dimensions[std::string(250, name)] = std::string(1'000, 'v');
  return metric;
}

TEST(MetricBoard, LongNamesAreBoundedInBytesAndLeaveTheServersOwnAlone) {
  const auto share = std::make_shared<MemoryShare>("metrics", 4u << 20);
  {
    MetricBoard board(share);
    for (std::size_t i = 0; i < 500; ++i) {
      add(board, with_long_dimensions(i), kNow);
      EXPECT_LE(board.bytes(), share->bytes_max() / 2);
    }
    EXPECT_LT(board.size(), 100u);
    EXPECT_TRUE(board.contains(with_long_dimensions(0)));
    add(board, own(1), kNow);
    EXPECT_TRUE(board.contains(own(1)));
    EXPECT_EQ(share->used(), board.bytes());
    // Three minutes later those that are silent make room.
    add(board, with_long_dimensions(1'000), kNow + 180);
    EXPECT_TRUE(board.contains(with_long_dimensions(1'000)));
    EXPECT_FALSE(board.contains(with_long_dimensions(0)));
    EXPECT_EQ(share->used(), board.bytes());
  }
  EXPECT_EQ(share->used(), 0u);
}

TEST(MetricBoard, WhereThereIsNoRoomAMetricKeepsFewerMinutes) {
  const auto share = std::make_shared<MemoryShare>("metrics", 2u << 20);
  MetricBoard board(share);
  constexpr std::size_t kMany = 1'500;
  std::int64_t now_s = kNow;
  for (int minute = 0; minute < 60; ++minute, now_s += 60) {
    for (std::size_t i = 0; i < kMany; ++i) add(board, theirs(i), now_s);
    ASSERT_LE(board.bytes(), share->bytes_max() / 2);
  }
  EXPECT_EQ(board.size(), kMany);
  EXPECT_EQ(board.read(theirs(kMany - 1), "", now_s - 60, now_s, 60).size(), 1u);
  EXPECT_LT(board.read(theirs(0), "", kNow, now_s, 60).size(), 60u);
}

}  // namespace
}  // namespace millrace::leases::cloudwatch
