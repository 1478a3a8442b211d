// Streams that begin and cease to be encrypted, with the server's own key service, on a machine that crashes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <fmt/format.h>

#include "broker/broker.h"
#include "keys/service_world.h"

namespace millrace::broker {
namespace {

constexpr std::string_view kMark = "text-that-no-file-may-show";

Result<void> anybody(const std::string&) { return {}; }

struct EncryptingMachine : keys::ServiceWorld {
  explicit EncryptingMachine(std::uint64_t seed = 1) : ServiceWorld(seed) {}
  ~EncryptingMachine() { stop(); }

  Result<void> start() {
    MR_TRY(boot());
    log::LogOptions log_options;
    log_options.journal_file_bytes = 64 << 10;
    log_options.settle_at_bytes = 64 << 10;
    log_options.settle_after_ms = 500;
    log_options.unsettled_bytes_max = 512 << 10;
    log_options.tail_cache_bytes = 64 << 10;
    BrokerOptions options;
    options.transition_ms = 20;
    options.master_keys = service.get();
    options.data_key_ms = 3'600'000;
    log::LogEnvironment environment{disk, world.clock(), world.random(), {&world.loop(0), &world.loop(1)}, {},
                                    {}};
    environment.start_worker = [this](const std::string& name, int) { return world.start_worker(name); };
    environment.warn = [](const std::string&) {};
    MR_ASSIGN(broker, Broker::open(std::move(environment), log_options, *store, options));
    return {};
  }
  void stop() {
    world.drop_events();
    broker.reset();
    end();
  }
  void crash_and_start(sim::Crash kind = sim::Crash::kPowerLoss) {
    if (!disk.crashed()) disk.crash(kind);
    stop();
    disk.restart();
    const auto started = start();
    ASSERT_TRUE(started.ok()) << started.error().text;
  }

  Result<void> command(Task<Result<void>> task) {
    auto outcome = world.await(world.loop(1), std::move(task));
    if (!outcome) return Error{ErrorKind::kUnknown, "no answer"};
    return *outcome;
  }
  std::shared_ptr<const Stream> stream() {
    std::shared_ptr<const Stream> found;
    world.on(world.loop(1), [&] { found = broker->catalog()->find("s"); });
    return found;
  }
  bool settles() {
    return world.run_until([&] { return stream() != nullptr && stream()->status == StreamStatus::kActive; });
  }
  void create() {
    ASSERT_TRUE(command(broker->create_stream({"s", 2, false, {}})).ok());
    ASSERT_TRUE(settles());
  }
  Result<void> encrypt_with(const std::string& key) {
    auto done = command(broker->start_encryption("s", key, anybody));
    if (done.ok() && !settles()) ADD_FAILURE() << "stays UPDATING";
    return done;
  }
  // Three records; whether they are durable.
  Result<void> put(const std::string& text) {
    std::vector<std::string> texts;
    for (int i = 0; i < 3; ++i) texts.push_back(fmt::format("{} {}{}", kMark, text, i));
    std::vector<PutEntry> entries;
    for (const std::string& data : texts)
      entries.push_back({.partition_key = "key", .explicit_hash_key = {}, .data = data, .base64 = false});
    auto outcome = world.await(world.loop(1), broker->put("s", entries));
    if (!outcome) return Error{ErrorKind::kUnknown, "no answer"};
    if (!outcome->ok()) return outcome->error();
    for (const PutOutcome& record : (*outcome)->outcomes)
      if (record.status != log::RunStatus::kDurable) return Error{ErrorKind::kUnknown, (*outcome)->error};
    for (std::string& data : texts) known.push_back(std::move(data));
    return {};
  }
  Result<std::vector<std::string>> read_all() {
    std::vector<std::string> all;
    for (const Shard& shard : stream()->shards) {
      std::uint64_t from = 0;
      for (;;) {
        auto batch = world.await(world.loop(0), broker->read(shard, from, {5, 2'000}));
        if (!batch) return Error{ErrorKind::kUnknown, "no answer"};
        if (!batch->ok()) return batch->error();
        if ((*batch)->records.empty()) break;
        for (const log::RecordView& record : (*batch)->records) all.emplace_back(as_text(record.value));
        from = (*batch)->next_offset;
      }
    }
    return all;
  }
  void expect_known() {
    const auto all = read_all();
    ASSERT_TRUE(all.ok()) << all.error().text;
    std::size_t next = 0;
    for (const std::string& text : *all)
      if (next < known.size() && text == known[next]) ++next;
    EXPECT_EQ(next, known.size()) << "something that was acknowledged is missing, or out of order";
  }
  bool disk_shows(std::string_view text) const {
    for (const std::string& path : disk.paths())
      if (disk.file_bytes(path).text().find(text) != std::string_view::npos) return true;
    return false;
  }

  std::unique_ptr<Broker> broker;
  std::vector<std::string> known;  // what was acknowledged, in order
};

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
  machine.world.shift_wall_clock(3'600'000);
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
