// What keeps pages of metrics and logs bounded: the busiest streams, readers that come and go, a disk that
// fills, lines that are left out.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "app/disk_room.h"
#include "app/line_limit.h"
#include "app/reader_board.h"
#include "app/stream_totals.h"

namespace millrace::app {
namespace {

constexpr std::int64_t kMinuteNs = 60 * kNsPerS;

broker::Catalog catalog_of(std::uint64_t streams) {
  broker::Catalog catalog;
  for (std::uint64_t id = 1; id <= streams; ++id) {
    broker::Stream stream{};
    stream.id = id;
    stream.name = fmt::format("s-{:04}", id);
    stream.shards.push_back({.key = log::ShardKey{id}, .index = 0, .range = {}, .created_s = 0});
    catalog.streams.emplace(stream.name, std::make_shared<const broker::Stream>(stream));
  }
  return catalog;
}

void put(StreamTotals& totals, std::uint64_t stream, std::uint64_t bytes) {
  kinesis::StreamMeter meter;
  broker::Stream one{};
  one.id = stream;
  one.name = "any";
  const broker::PutOutcome outcome{.status = log::RunStatus::kDurable,
                                   .shard_position = 0,
                                   .payload_bytes = static_cast<std::uint32_t>(bytes),
                                   .offset = 0,
                                   .arrival_ms = 0};
  meter.put(one, kinesis::StreamMeter::Put::kRecord, {&outcome, 1}, 10);
  kinesis::MeterTake taken;
  meter.take(taken);
  for (const kinesis::MeterReading& reading : taken.readings) totals.add(reading);
}

TEST(StreamTotals, ShowTheBusiestStreamsAndSumUpTheRest) {
  StreamTotals totals;
  const broker::Catalog catalog = catalog_of(StreamTotals::kShownMax + 5);
  totals.follow(catalog, 0);
  std::uint64_t hidden = 0;
  for (std::uint64_t id = 1; id <= catalog.streams.size(); ++id) {
    put(totals, id, 100);
    if (totals.shown(id) == nullptr) hidden = id;
  }
  EXPECT_EQ(totals.rest().in_records, 5u);
  EXPECT_EQ(totals.rest().in_bytes, 500u);

  put(totals, hidden, 50);  // not busy enough to displace one
  totals.follow(catalog, 11 * kMinuteNs);
  EXPECT_EQ(totals.shown(hidden), nullptr);
  put(totals, hidden, 10'000);
  totals.follow(catalog, 12 * kMinuteNs);
  EXPECT_EQ(totals.shown(hidden), nullptr) << "it is not time yet";
  totals.follow(catalog, 22 * kMinuteNs);
  ASSERT_NE(totals.shown(hidden), nullptr);
  EXPECT_EQ(totals.shown(hidden)->in_records, 0u);
  EXPECT_EQ(totals.rest().in_records, 7u) << "a counter never falls";
  put(totals, hidden, 1);
  EXPECT_EQ(totals.shown(hidden)->in_records, 1u);
}

TEST(StreamTotals, CountFromTheStartWhenNobodyAsksBeforeLater) {
  StreamTotals totals;
  put(totals, 1, 100);
  totals.follow(catalog_of(2), 0);
  EXPECT_EQ(totals.shown(1)->in_records, 1u);
  EXPECT_EQ(totals.shown(2)->in_records, 0u);
  EXPECT_EQ(totals.rest().in_records, 0u);
}

TEST(StreamTotals, AStreamThatIsGoneMakesRoomAtOnce) {
  StreamTotals totals;
  broker::Catalog catalog = catalog_of(StreamTotals::kShownMax);
  totals.follow(catalog, 0);
  EXPECT_NE(totals.shown(7), nullptr);
  catalog.streams.erase("s-0007");
  totals.follow(catalog, kMinuteNs);
  EXPECT_EQ(totals.shown(7), nullptr);
  EXPECT_NE(totals.shown(8), nullptr);
}

kinesis::ReaderPosition position(std::uint64_t stream, kinesis::ReaderKind kind, const std::string& reader) {
  return {.stream_id = stream, .shard = 0, .kind = kind, .reader = reader, .offset = 3};
}

TEST(ReaderBoard, ForgetsWhoIsGoneForGood) {
  using enum kinesis::ReaderKind;
  ReaderBoard board;
  broker::Catalog catalog = catalog_of(2);
  board.note(position(1, kAccessKey, "AKID"), 0);
  board.note(position(1, kSession, "role/a"), 0);
  board.note(position(1, kConsumer, "never-registered"), 0);
  board.note(position(2, kAccessKey, "AKID"), 0);
  board.follow(catalog, kMinuteNs);
  EXPECT_EQ(board.readers().size(), 3u);
  board.follow(catalog, 25 * 60 * kMinuteNs);
  EXPECT_EQ(board.readers().size(), 2u) << "sessions are kept for a day";
  catalog.streams.erase("s-0002");
  board.follow(catalog, 25 * 60 * kMinuteNs);
  EXPECT_EQ(board.readers().size(), 1u);
  board.follow(catalog, 8 * 24 * 60 * kMinuteNs);
  EXPECT_TRUE(board.readers().empty());
}

TEST(ReaderBoard, WhoWasSilentForLongestMakesWay) {
  ReaderBoard board;
  for (int i = 0; i < 2'100; ++i)
    board.note(position(1, kinesis::ReaderKind::kAccessKey, fmt::format("AKID{:04}", i)), i);
  EXPECT_EQ(board.readers().size(), 2'000u);
  EXPECT_EQ(board.readers().begin()->first.reader, "AKID0100");
}

TEST(DiskRoom, EstimatesFromHowFastItFilled) {
  DiskRoom room;
  EXPECT_TRUE(std::isinf(room.full_in_s()));
  room.note(10'000'000, 0);
  room.note(9'000'000, 30 * kNsPerS);
  EXPECT_TRUE(std::isinf(room.full_in_s())) << "too early to tell";
  room.note(9'400'000, 60 * kNsPerS);
  EXPECT_NEAR(room.full_in_s(), 940, 1);
  room.note(10'000'000, 90 * kNsPerS);
  EXPECT_TRUE(std::isinf(room.full_in_s()));
}

TEST(LineLimit, LeavesOutLinesOfAKindAndCountsThem) {
  LineLimit limit(10);
  EXPECT_EQ(limit.may_write("a", 0), 0);
  EXPECT_EQ(limit.may_write("a", 5), std::nullopt);
  EXPECT_EQ(limit.may_write("b", 5), 0);
  EXPECT_EQ(limit.may_write("a", 9), std::nullopt);
  EXPECT_EQ(limit.may_write("a", 10), 2);
  EXPECT_EQ(limit.may_write("a", 20), 0);
}

}  // namespace
}  // namespace millrace::app
