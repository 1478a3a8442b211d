// What is set of a stream and of the account, in the catalog's changes and snapshots.
#include <gtest/gtest.h>

#include "broker/catalog_change.h"
#include "broker/stream_settings.h"

namespace millrace::broker {
namespace {

using Names = std::vector<std::string>;

Catalog with(Catalog catalog, const CatalogChange& change) {
  auto changed = apply_change(catalog, decode_change(encode(change)).value());
  EXPECT_TRUE(changed.ok()) << changed.error().text;
  return changed.ok() ? std::move(*changed) : catalog;
}

Catalog with_stream() {
  StreamCreated created{.name = "s",
                        .now_ms = 1'760'000'000'000,
                        .shard_count = 2,
                        .retention_hours = 24,
                        .on_demand = true,
                        .tags = {}};
  return with(with(Catalog{}, created), StreamActivated{1});
}

TEST(StreamSettings, SurviveASnapshotEachOnItsOwn) {
  Catalog catalog = with_stream();
  catalog = with(catalog, StreamConfigured{.id = 1, .max_record_kib = 2'048});
  catalog = with(catalog, StreamConfigured{.id = 1, .auto_distribution = true});
  catalog = with(catalog, StreamConfigured{.id = 1, .shard_metrics = Names{"IncomingBytes"}});
  catalog = with(catalog, StreamConfigured{.id = 1, .warm_throughput_mibps = 9, .plan = ReshardPlan{}});
  catalog = with(catalog, CommitmentSet{{.started_ms = 5, .ends_ms = 6}});
  const Catalog read = decode_catalog(encode(catalog)).value();
  const Stream& stream = *read.find("s");
  EXPECT_EQ(stream.max_record_kib, 2'048);
  EXPECT_TRUE(stream.auto_distribution);
  EXPECT_EQ(stream.shard_metrics, Names{"IncomingBytes"});
  EXPECT_EQ(stream.warm_throughput_mibps, 9);
  EXPECT_TRUE(stream.on_demand);
  EXPECT_EQ(stream.status, StreamStatus::kUpdating);
  EXPECT_EQ(read.commitment, (BillingCommitment{5, 6}));
  EXPECT_EQ(encode(read), encode(catalog));
}

TEST(StreamSettings, WhatAnOlderReleaseWroteHasNone) {
  const auto created = decode_change(
      R"({"change":"stream_created","name":"s","now_ms":1,"on_demand":false,"retention_hours":24,"shard_count":1,"tags":{}})");
  ASSERT_TRUE(created.ok()) << created.error().text;
  const Catalog catalog = decode_catalog(encode(with(Catalog{}, *created))).value();
  EXPECT_EQ(catalog.find("s")->max_record_kib, 0);
  EXPECT_FALSE(catalog.find("s")->auto_distribution);
  EXPECT_EQ(catalog.find("s")->shard_metrics, Names{});
  EXPECT_EQ(catalog.commitment, std::nullopt);
}

TEST(StreamSettings, ModeChangesWithoutStepsEndInActiveAndAreRefusedWhileUpdating) {
  Catalog catalog = with_stream();
  const StreamConfigured provisioned{.id = 1, .on_demand = false, .plan = ReshardPlan{}};
  catalog = with(catalog, provisioned);
  EXPECT_EQ(apply_change(catalog, provisioned).error().kind, ErrorKind::kConflict);
  catalog = with(catalog, ReshardDone{.id = 1, .now_ms = 1'760'000'000'500, .end_offsets = {}});
  const Stream& stream = *catalog.find("s");
  EXPECT_EQ(stream.status, StreamStatus::kActive);
  EXPECT_FALSE(stream.on_demand);
  EXPECT_EQ(stream.shards.size(), 2u);
}

TEST(StreamSettings, MetricsStandOnceInTheServicesOrder) {
  EXPECT_EQ(change_metrics({"OutgoingBytes"}, {"IncomingBytes", "OutgoingBytes"}, {}),
            (Names{"IncomingBytes", "OutgoingBytes"}));
  EXPECT_EQ(change_metrics({"IncomingBytes", "OutgoingBytes"}, {}, {"IncomingBytes", "IncomingRecords"}),
            (Names{"OutgoingBytes"}));
}

}  // namespace
}  // namespace millrace::broker
