// Streams that begin and cease to be encrypted, with the server's own key service, on a machine that crashes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <fmt/format.h>

#include "broker/encrypting_machine.h"

namespace millrace::broker {
namespace {

TEST(BrokerEncryption, DoesNotBeginUnderAKeyThatWhoAsksMayNotUseWhateverItsName) {
  EncryptingMachine machine;
  ASSERT_TRUE(machine.start().ok());
  machine.create();
  const std::string key = machine.ServiceWorld::create();
  ASSERT_TRUE(machine.run(machine.service->set_alias("alias/k", key, false)).ok());
  std::string asked;
  const auto refused = machine.command(machine.broker->start_encryption(
      "s", "alias/k", [&asked](const std::string& master_key) -> Result<void> {
        asked = master_key;
        return Error{ErrorKind::kKeyDenied, "not yours"};
      }));
  EXPECT_EQ(refused.error().kind, ErrorKind::kKeyDenied);
  EXPECT_EQ(asked, machine.service->key_arn(key));
  EXPECT_EQ(machine.stream()->status, StreamStatus::kActive);
  EXPECT_TRUE(machine.stream()->key_id.empty());
  EXPECT_TRUE(machine.stream()->data_keys.empty());
}

TEST(BrokerEncryption, BeginsUnderAnAliasChangesKeysAndEndsAndEverythingStaysReadable) {
  EncryptingMachine machine;
  ASSERT_TRUE(machine.start().ok());
  machine.create();
  ASSERT_TRUE(machine.encrypt_with("alias/aws/kinesis").ok());
  EXPECT_EQ(machine.stream()->key_id, "alias/aws/kinesis");
  ASSERT_TRUE(machine.put("a").ok());
  const std::string key = machine.ServiceWorld::create();
  ASSERT_TRUE(machine.encrypt_with(key).ok());
  ASSERT_TRUE(machine.put("b").ok());
  machine.world.run_for(3'000 * kNsPerMs);
  EXPECT_FALSE(machine.disk_shows(kMark));
  machine.expect_known();
  ASSERT_TRUE(machine.command(machine.broker->stop_encryption("s")).ok());
  ASSERT_TRUE(machine.settles());
  EXPECT_EQ(machine.stream()->key_id, "");
  ASSERT_TRUE(machine.put("c").ok());
  EXPECT_TRUE(machine.disk_shows(kMark));
  machine.expect_known();
  machine.crash_and_start();
  EXPECT_EQ(machine.stream()->data_keys.size(), 2u);
  machine.expect_known();
}

TEST(BrokerEncryption, ADisabledKeyRefusesPutsAndReadsWithinASecondAndLosesNothing) {
  EncryptingMachine machine;
  ASSERT_TRUE(machine.start().ok());
  machine.create();
  const std::string key = machine.ServiceWorld::create();
  ASSERT_TRUE(machine.encrypt_with(key).ok());
  ASSERT_TRUE(machine.put("a").ok());
  ASSERT_TRUE(machine.set_enabled(key, false).ok());
  machine.world.run_for(1'000 * kNsPerMs);
  EXPECT_EQ(machine.put("b").error().kind, ErrorKind::kKeyDisabled);
  EXPECT_EQ(machine.read_all().error().kind, ErrorKind::kKeyDisabled);
  machine.crash_and_start();
  EXPECT_EQ(machine.read_all().error().kind, ErrorKind::kKeyDisabled);
  machine.world.run_for(3'000 * kNsPerMs);  // what was in the journal settles, without the key
  ASSERT_TRUE(machine.set_enabled(key, true).ok());
  machine.world.run_for(1'000 * kNsPerMs);
  ASSERT_TRUE(machine.put("c").ok());
  machine.expect_known();
}

TEST(BrokerEncryption, AKeyThatMayNotBeUsedBeginsNothing) {
  EncryptingMachine machine;
  ASSERT_TRUE(machine.start().ok());
  machine.create();
  EXPECT_EQ(machine.encrypt_with("alias/nowhere").error().kind, ErrorKind::kKeyNotFound);
  const std::string key = machine.ServiceWorld::create();
  ASSERT_TRUE(machine.set_enabled(key, false).ok());
  EXPECT_EQ(machine.encrypt_with(key).error().kind, ErrorKind::kKeyDisabled);
  EXPECT_EQ(machine.stream()->key_id, "");
  EXPECT_TRUE(machine.put("plain").ok());
}

TEST(BrokerEncryption, DataKeysAreRenewedAndOldRecordsStayReadable) {
  EncryptingMachine machine;
  ASSERT_TRUE(machine.start().ok());
  machine.create();
  ASSERT_TRUE(machine.encrypt_with("alias/aws/kinesis").ok());
  ASSERT_TRUE(machine.put("a").ok());
  machine.world.spend(3'600'000 * kNsPerMs);
  machine.world.run_for(61'000 * kNsPerMs);
  EXPECT_EQ(machine.stream()->data_keys.size(), 2u);
  EXPECT_EQ(machine.stream()->status, StreamStatus::kActive);
  ASSERT_TRUE(machine.put("b").ok());
  machine.expect_known();
}

TEST(BrokerEncryption, ADeletedStreamsKeysAreForgotten) {
  EncryptingMachine machine;
  ASSERT_TRUE(machine.start().ok());
  machine.create();
  ASSERT_TRUE(machine.encrypt_with("alias/aws/kinesis").ok());
  ASSERT_TRUE(machine.put("a").ok());
  ASSERT_TRUE(machine.command(machine.broker->delete_stream("s", true)).ok());
  ASSERT_TRUE(machine.world.run_until([&] { return machine.stream() == nullptr; }));
  machine.known.clear();
  machine.create();
  EXPECT_TRUE(machine.stream()->data_keys.empty());
  ASSERT_TRUE(machine.encrypt_with("alias/aws/kinesis").ok());
  EXPECT_EQ(machine.stream()->data_keys.back().number, 2u) << "numbers are never used again";
  ASSERT_TRUE(machine.put("b").ok());
  machine.expect_known();
}

TEST(BrokerEncryption, ACrashAnywhereUnderChangesOfKeysLosesNothingAcknowledged) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    EncryptingMachine machine{seed};
    sim::SeededRandom dice{sim::Seed{seed}};
    ASSERT_TRUE(machine.start().ok());
    machine.create();
    std::vector<std::string> keys = {"alias/aws/kinesis"};
    for (int life = 0; life < 3; ++life) {
      machine.disk.crash_at_operation(machine.disk.operations() + dice.between(5, 150),
                                      dice.chance(0.5) ? sim::Crash::kPowerLoss : sim::Crash::kProcessKilled);
      for (int step = 0; step < 25 && !machine.disk.crashed(); ++step) {
        const std::uint64_t kind = dice.below(10);
        const std::string key = keys[dice.below(keys.size())];
        if (kind < 6) {
          static_cast<void>(machine.put(fmt::format("{}-{}-", life, step)).ok());
        } else if (kind < 7) {
          if (std::string made = machine.ServiceWorld::create(); !made.empty())
            keys.push_back(std::move(made));
        } else if (kind < 9) {
          static_cast<void>(machine.command(machine.broker->start_encryption("s", key, anybody)).ok());
        } else {
          static_cast<void>(machine.command(machine.broker->stop_encryption("s")).ok());
        }
        machine.world.run_for(static_cast<std::int64_t>(dice.below(40)) * kNsPerMs);
      }
      machine.crash_and_start(sim::Crash::kPowerLoss);
      if (HasFatalFailure()) return;
      ASSERT_TRUE(machine.settles());
      machine.expect_known();
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace millrace::broker
