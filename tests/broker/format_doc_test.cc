// The catalog's JSON in docs/format.md is what the code reads and writes.
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>

#include "broker/catalog_change.h"
#include "log/format_page.h"

namespace millrace::broker {
namespace {

TEST(FormatPage, CatalogChangesAndTheSnapshotThatTheyMake) {
  std::istringstream lines(testing::page_block("json", "entries"));
  std::set<std::size_t> kinds;
  Catalog catalog;
  std::string snapshot;
  for (std::string line; std::getline(lines, line);) {
    const auto change = decode_change(line);
    ASSERT_TRUE(change.ok()) << line << ": " << change.error().text;
    EXPECT_EQ(encode(*change), line);
    kinds.insert(change->index());
    auto changed = apply_change(catalog, *change);
    ASSERT_TRUE(changed.ok()) << line << ": " << changed.error().text;
    catalog = std::move(changed).value();
    if (std::holds_alternative<ReshardDone>(*change)) snapshot = encode(catalog);
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<CatalogChange>) << "the page shows one of each";
  const std::string shown = testing::page_block("json", "snapshot");
  EXPECT_EQ(snapshot + '\n', shown);
  const auto read = decode_catalog(shown);
  ASSERT_TRUE(read.ok()) << read.error().text;
  EXPECT_EQ(encode(*read), snapshot);
}

TEST(FormatPage, AChangeThatIsNotOnItIsRefused) {
  for (const std::string text :
       {R"({"change":"stream_renamed","id":1})", R"({"change":"stream_deleted"})",
        R"({"change":"stream_deleted","id":"1"})", R"({"change":"stream_deleted","id":1)", R"([])", ""}) {
    const auto change = decode_change(text);
    ASSERT_FALSE(change.ok()) << text;
    EXPECT_EQ(change.error().kind, ErrorKind::kCorrupt);
  }
}

TEST(CatalogChange, OnlyAStreamThatIsBeingCreatedIsActivated) {
  Catalog catalog;
  const auto apply = [&](const char* line) -> Result<void> {
    MR_ASSIGN(const auto change, decode_change(line));
    MR_ASSIGN(catalog, apply_change(catalog, change));
    return {};
  };
  ASSERT_TRUE(
      apply(
          R"({"change":"stream_created","name":"a","now_ms":1,"on_demand":false,"retention_hours":24,"shard_count":1,"tags":{}})")
          .ok());
  ASSERT_TRUE(apply(R"({"change":"stream_activated","id":1})").ok());
  ASSERT_TRUE(apply(R"({"change":"reshard_begun","id":1,"plan":[{"shard":0,"split_at":"5"}]})").ok());
  const auto again = apply(R"({"change":"stream_activated","id":1})");
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().kind, ErrorKind::kConflict);
}

TEST(FormatPage, ASnapshotWhoseShardsDoNotFitIsRefused) {
  const std::string shown = testing::page_block("json", "snapshot");
  const auto with = [&](const std::string& old, const std::string& now) {
    std::string text = shown;
    const std::size_t at = text.find(old);
    EXPECT_NE(at, std::string::npos) << old;
    return text.replace(at, old.size(), now);
  };
  for (const std::string& text :
       {with(R"("index":3,)", R"("index":7,)"), with(R"("next_index":5)", R"("next_index":4)"),
        with(R"("first":"0","index":3)", R"("first":"1","index":3)"),
        with(R"("end_offset":7,)", R"("unknown":7,)"),
        with(R"("status":1,"tags":{"env")", R"("status":2,"tags":{"env")"),
        with(R"("retention_hours":48)", R"("retention_hours":9000)"),
        with(R"("status":1,"tags":{"env")",
             R"("plan":[{"merge_with":3,"shard":0}],"status":2,"tags":{"env")")}) {
    const auto read = decode_catalog(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().kind, ErrorKind::kCorrupt);
  }
  const auto read = decode_catalog(
      with(R"("status":1,"tags":{"env")", R"("plan":[{"merge_with":4,"shard":3}],"status":2,"tags":{"env")"));
  EXPECT_TRUE(read.ok()) << read.error().text;
}

}  // namespace
}  // namespace millrace::broker
