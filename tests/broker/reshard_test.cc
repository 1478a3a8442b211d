#include "broker/reshard.h"

#include <gtest/gtest.h>

#include "broker/catalog_change.h"
#include "broker/hash_key.h"

namespace millrace::broker {
namespace {

constexpr std::int64_t kNow = 1'700'000'000'000;

Catalog with_stream(std::uint32_t shards) {
  auto catalog = apply_change(Catalog{}, StreamCreated{"s", kNow, shards, 24, false, {}});
  auto active = apply_change(*catalog, StreamActivated{1});
  return std::move(*active);
}

// Carries `plan` out, with end offsets of 10 for every shard that closes.
Result<Catalog> reshard(const Catalog& catalog, const ReshardPlan& plan) {
  MR_ASSIGN(const Catalog begun, apply_change(catalog, ReshardBegun{1, plan}));
  ReshardDone done{1, kNow, {}};
  for (const std::uint32_t index : shards_closed_by(*begun.find("s"), plan)) done.end_offsets[index] = 10;
  return apply_change(begun, done);
}

void expect_whole_range(const Stream& stream) {
  HashNumber expected = 0;
  for (const std::uint32_t position : stream.open_shards) {
    ASSERT_TRUE(to_number(stream.shards[position].range.first) == expected);
    expected = to_number(stream.shards[position].range.last) + 1;
  }
  EXPECT_TRUE(expected == 0);
}

TEST(Reshard, ASplitClosesTheParentAndItsChildrenShareTheRange) {
  const Catalog catalog = with_stream(1);
  const auto plan = plan_split(*catalog.find("s"), 0, to_key(1000));
  ASSERT_TRUE(plan.ok());
  const auto after = reshard(catalog, *plan);
  ASSERT_TRUE(after.ok()) << after.error().text;
  const Stream& stream = *after->find("s");
  ASSERT_EQ(stream.shards.size(), 3u);
  EXPECT_EQ(stream.shards[0].end_offset, 10u);
  EXPECT_EQ(to_decimal(stream.shards[1].range.last), "999");
  EXPECT_EQ(to_decimal(stream.shards[2].range.first), "1000");
  EXPECT_EQ(stream.shards[1].parent, 0u);
  EXPECT_GT(stream.shards[1].created_s, stream.shards[0].created_s)
      << "a child's sequence numbers are greater";
  EXPECT_EQ(after->open_shard_count, 2u);
  expect_whole_range(stream);
}

TEST(Reshard, AMergeHasBothParents) {
  const Catalog catalog = with_stream(2);
  const auto plan = plan_merge(*catalog.find("s"), 1, 0);
  ASSERT_TRUE(plan.ok());
  const auto after = reshard(catalog, *plan);
  ASSERT_TRUE(after.ok());
  const Stream& stream = *after->find("s");
  EXPECT_EQ(stream.shards[2].parent, 1u);
  EXPECT_EQ(stream.shards[2].adjacent_parent, 0u);
  EXPECT_EQ(stream.open_shards, std::vector<std::uint32_t>{2});
  expect_whole_range(stream);
}

TEST(Reshard, WhatCannotBeSplitOrMergedIsRefused) {
  const Catalog catalog = with_stream(3);
  const Stream& stream = *catalog.find("s");
  EXPECT_EQ(plan_split(stream, 7, to_key(1)).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(plan_split(stream, 1, stream.shards[1].range.first).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(plan_split(stream, 1, stream.shards[2].range.first).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(plan_merge(stream, 0, 2).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(plan_merge(stream, 0, 0).error().kind, ErrorKind::kInvalid);
  const auto after = reshard(catalog, *plan_merge(stream, 0, 1));
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(plan_split(*after->find("s"), 0, to_key(5)).error().kind, ErrorKind::kInvalid) << "closed";
}

TEST(Reshard, AnyCountBecomesAnyOtherInEvenShares) {
  for (const std::uint32_t from : {1u, 2u, 3u, 5u, 8u, 100u})
    for (const std::uint32_t to : {1u, 2u, 3u, 4u, 7u, 16u, 150u}) {
      const Catalog catalog = with_stream(from);
      const auto after = reshard(catalog, plan_even(*catalog.find("s"), to));
      ASSERT_TRUE(after.ok()) << from << " to " << to << ": " << after.error().text;
      const Stream& stream = *after->find("s");
      ASSERT_EQ(stream.open_shards.size(), to) << from << " to " << to;
      for (std::uint32_t part = 0; part < to; ++part)
        ASSERT_EQ(stream.shards[stream.open_shards[part]].range.first, even_share(part, to).first);
      expect_whole_range(stream);
      EXPECT_EQ(after->open_shard_count, to);
    }
}

TEST(Catalog, RoutesEveryKeyToTheShardThatHoldsIt) {
  for (const std::uint32_t shards : {1u, 3u, 15u, 16u, 17u, 1'000u, 20'000u}) {
    const Catalog catalog = with_stream(shards);
    const Stream& stream = *catalog.find("s");
    std::uint64_t state = 42;
    const auto expect_routed = [&](const log::HashKey& key) {
      const Shard& shard = stream.shards[stream.route(key)];
      EXPECT_TRUE(shard.open());
      EXPECT_LE(shard.range.first, key);
      EXPECT_GE(shard.range.last, key);
    };
    for (int i = 0; i < 1'000; ++i) {
      log::HashKey key;
      for (auto& byte : key)
        byte = static_cast<std::uint8_t>((state = state * 6364136223846793005u + 1442695040888963407u) >> 56);
      expect_routed(key);
    }
    expect_routed(to_key(0));
    expect_routed(to_key(~HashNumber{0}));
    for (std::uint32_t part = 0; part < shards; part += 1 + shards / 50) {
      expect_routed(even_share(part, shards).first);
      expect_routed(even_share(part, shards).last);
    }
  }
}

TEST(CatalogChange, EveryChangeAndTheCatalogItselfComeBackFromTheirJson) {
  Catalog catalog = with_stream(2);
  const std::vector<CatalogChange> changes{
      TagsChanged{1, std::nullopt, {{"a", "b"}, {"c \"d\"", "\u00e9"}}, {}},
      TagsChanged{1, std::nullopt, {}, {"a"}},
      RetentionSet{1, -1},
      ReshardBegun{1, ReshardPlan{{0, std::nullopt, to_key(77)}, {1, 3u, std::nullopt}}},
      ReshardDone{1, kNow + 5, {{0, 3}, {1, 0}}},
      ShardsExpired{1, {0}},
      StreamCreated{"t", kNow, 3, 24, true, {{"k", "v"}}},
      StreamDeleting{2},
      StreamDeleted{2},
  };
  for (const CatalogChange& change : changes) {
    const auto decoded = decode_change(encode(change));
    ASSERT_TRUE(decoded.ok()) << encode(change) << decoded.error().text;
    EXPECT_EQ(encode(*decoded), encode(change));
    auto after = apply_change(catalog, *decoded);
    ASSERT_TRUE(after.ok()) << encode(change) << after.error().text;
    catalog = std::move(*after);
    const auto reread = decode_catalog(encode(catalog));
    ASSERT_TRUE(reread.ok());
    EXPECT_EQ(encode(*reread), encode(catalog));
    EXPECT_EQ(reread->open_shard_count, catalog.open_shard_count);
  }
}

TEST(CatalogChange, WhatIsNoEntryIsCorrupt) {
  for (const char* text :
       {"", "{}", "[]", "null", R"({"change":"unknown","id":1})", R"({"change":"stream_deleted"})",
        R"({"change":"stream_deleted","id":"x"})", R"({"change":"retention_set","id":1})"}) {
    const auto decoded = decode_change(text);
    ASSERT_FALSE(decoded.ok()) << text;
    EXPECT_EQ(decoded.error().kind, ErrorKind::kCorrupt);
  }
}

TEST(CatalogChange, WhatDoesNotFitTheCatalogIsRefused) {
  const Catalog catalog = with_stream(2);
  EXPECT_EQ(apply_change(catalog, StreamCreated{"s", kNow, 1, 24, false, {}}).error().kind,
            ErrorKind::kConflict);
  EXPECT_EQ(apply_change(catalog, StreamDeleted{9}).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(apply_change(catalog, ReshardDone{1, kNow, {}}).error().kind, ErrorKind::kConflict);
}

}  // namespace
}  // namespace millrace::broker
