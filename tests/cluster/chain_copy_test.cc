// A chain carried to another folder says there what it says here.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "cluster/chain_copy.h"
#include "cluster/control_log.h"
#include "sim/sim_disk.h"
#include "store/object_store.h"

namespace millrace::cluster {
namespace {

class ChainCopy : public ::testing::Test {
 protected:
  ChainCopy() : from_(store::open_directory_store(disk_, "control").value()) {}

  void append(int count, int snapshot_at = -1) {
    auto opened = ControlLog::open(*from_, "kms/");
    ASSERT_TRUE(opened.ok());
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(opened->log->append(fmt::format("entry {}", opened->log->last() + 1)).ok());
      if (i != snapshot_at) continue;
      ASSERT_TRUE(opened->log->snapshot("state").ok());
    }
  }
  Result<ControlLog::Opened> copied() {
    copy_ = store::open_directory_store(other_, "control").value();
    MR_TRY(copy_chain(disk_, "kms/", *copy_));
    return ControlLog::open(*copy_, "kms/");
  }

  sim::SimDisk disk_{sim::Seed{1}};
  sim::SimDisk other_{sim::Seed{2}};
  std::unique_ptr<store::ObjectStore> from_;
  std::unique_ptr<store::ObjectStore> copy_;
};

TEST_F(ChainCopy, HasTheEntries) {
  append(3);
  const auto copy = copied();
  ASSERT_TRUE(copy.ok()) << copy.error().text;
  EXPECT_EQ(copy->entries, (std::vector<std::string>{"entry 1", "entry 2", "entry 3"}));
  EXPECT_FALSE(copy->snapshot.has_value());
}

TEST_F(ChainCopy, HasTheSnapshotAndTheEntriesBehindIt) {
  append(5, 2);
  const auto copy = copied();
  ASSERT_TRUE(copy.ok()) << copy.error().text;
  EXPECT_EQ(copy->snapshot, "state");
  EXPECT_EQ(copy->entries, (std::vector<std::string>{"entry 4", "entry 5"}));
}

TEST_F(ChainCopy, OfNoChainIsEmpty) {
  const auto copy = copied();
  ASSERT_TRUE(copy.ok()) << copy.error().text;
  EXPECT_EQ(copy->log->last(), 0u);
}

TEST_F(ChainCopy, RefusesADamagedObjectAndNamesIt) {
  append(3);
  disk_.flip_bit("control/kms/log/00000000000000000002", 200);
  const auto copy = copied();
  ASSERT_FALSE(copy.ok());
  EXPECT_EQ(copy.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(copy.error().text, ::testing::HasSubstr("00000000000000000002"));
}

TEST_F(ChainCopy, RefusesAChainWithAMissingEntry) {
  append(3);
  ASSERT_TRUE(disk_.remove("control/kms/log/00000000000000000002").ok());
  const auto copy = copied();
  ASSERT_FALSE(copy.ok());
  EXPECT_EQ(copy.error().kind, ErrorKind::kCorrupt);
}

TEST_F(ChainCopy, AChainBegunWithAStateGoesOnBehindIt) {
  copy_ = store::open_directory_store(other_, "control").value();
  ASSERT_TRUE(begin_chain(*copy_, "control/", 7, "all of it").ok());
  const auto opened = ControlLog::open(*copy_, "control/");
  ASSERT_TRUE(opened.ok()) << opened.error().text;
  EXPECT_EQ(opened->snapshot, "all of it");
  EXPECT_EQ(opened->log->last(), 7u);
}

}  // namespace
}  // namespace millrace::cluster
