// Encrypted records: what the disk shows of them, who may read them, and what is noticed of damage.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "log/format_page.h"
#include "log/inspect.h"
#include "log/journal_file.h"
#include "log/log_world.h"
#include "log/machine_keys.h"

namespace millrace::log {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using testing::LogWorld;
using testing::numbered;

// Gives the same bytes, over and over.
class CountingRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(0xa0 + i);
  }
};

struct EncryptedWorld : LogWorld {
  EncryptedWorld() {
    add_shards(2);
    decryptor = &keys;
  }
  // n records of one shard "PREFIX-0" …, a group each; encrypted where `key` is not 0.
  void put(std::uint64_t shard, std::uint64_t key, const std::string& prefix, int n) {
    for (int i = 0; i < n; ++i) {
      BatchBuilder builder(1'024);
      builder.encrypt_with(key == 0 ? nullptr : keys.encryptor(key));
      builder.begin_run(ShardKey{shard});
      const std::string value = fmt::format("{}-{}", prefix, i) + std::string(40, '.');
      builder.add({.key = as_bytes("visible-key"), .value = as_bytes(value)});
      ASSERT_EQ(append_batch(builder.finish())->runs.front().status, RunStatus::kDurable);
    }
  }
  std::string all_bytes() const {
    std::string all;
    for (const std::string& path : disk.paths()) all += disk.file_bytes(path).text();
    return all;
  }
  std::vector<std::string> lines_of(Inspect what, std::uint64_t& problems) {
    std::vector<std::string> lines;
    const auto found = inspect(disk, what, [&](const std::string& line) { lines.push_back(line); });
    EXPECT_TRUE(found.ok());
    problems = found->problems;
    return lines;
  }

  MachineKeys keys{world.random(), [](const std::string& text) { ADD_FAILURE() << text; }};
};

TEST(LogEncryption, NoFileShowsKeyOrValueNeitherJournalNorSegmentNorRewrittenSegment) {
  EncryptedWorld machine;
  machine.options.settle_after_ms = 100;
  machine.open();
  const std::uint64_t key = machine.keys.make();
  for (int i = 0; i < 9; ++i) {
    machine.put(1, key, "secret", 3);
    machine.put(2, 0, "public", 1);
    EXPECT_THAT(machine.all_bytes(), Not(HasSubstr("secret-")));
    machine.settle();
  }
  machine.world.run_for(5'000'000'000);
  ASSERT_LT(machine.paths_ending(".mrs").size(), 9u) << "segments were joined";
  EXPECT_THAT(machine.all_bytes(), Not(HasSubstr("secret-")));
  EXPECT_EQ(machine.values(1).size(), 27u);
  auto batch = machine.read(1, 0);
  ASSERT_TRUE(batch.ok());
  EXPECT_TRUE(batch->records.front().encrypted);
  EXPECT_EQ(as_text(batch->records.front().key), "visible-key");
  EXPECT_FALSE(machine.read(2, 0)->records.front().encrypted);
  machine.close();
  machine.open();
  EXPECT_EQ(machine.values(1).size(), 27u);
}

TEST(LogEncryption, OldRecordsAreReadByTheirOwnKeyAndAreNotRewritten) {
  EncryptedWorld machine;
  machine.open();
  const std::uint64_t first = machine.keys.make();
  const std::uint64_t second = machine.keys.make();
  machine.put(1, 0, "a", 2);
  machine.put(1, first, "b", 2);
  machine.put(1, second, "c", 2);
  machine.put(1, 0, "d", 2);
  const std::vector<std::string> all = {"a-0", "a-1", "b-0", "b-1", "c-0", "c-1", "d-0", "d-1"};
  EXPECT_EQ(machine.values(1), all);
  machine.keys.disable(first);
  // Up to the first record of the disabled key, and from the one behind its last.
  EXPECT_EQ(machine.read(1, 0)->records.size(), 2u);
  EXPECT_EQ(machine.read(1, 2).error().kind, ErrorKind::kKeyDisabled);
  EXPECT_EQ(machine.values(1, 4), (std::vector<std::string>{"c-0", "c-1", "d-0", "d-1"}));
  machine.keys.enable_all();
  EXPECT_EQ(machine.values(1), all);
}

TEST(LogEncryption, ADisabledKeyHindersNeitherRecoveryNorSettlingAndIsAskedForAtTheNextRead) {
  EncryptedWorld machine;
  machine.open();
  const std::uint64_t key = machine.keys.make();
  machine.put(1, key, "a", 3);
  machine.keys.disable(key);
  machine.kill(sim::Crash::kPowerLoss);
  machine.keys.end_process();
  machine.options.settle_after_ms = 100;
  machine.open();
  machine.settle();
  ASSERT_FALSE(machine.paths_ending(".mrs").empty());
  EXPECT_EQ(machine.read(1, 0).error().kind, ErrorKind::kKeyDisabled);
  EXPECT_EQ(machine.extent(1).end_offset, 3u);
  machine.keys.enable_all();
  EXPECT_EQ(machine.values(1), numbered("a", 3));
}

TEST(LogEncryption, DumpShowsCiphertextAndKeyNumbersAndVerifyNeedsNoKey) {
  EncryptedWorld machine;
  machine.open();
  const std::uint64_t key = machine.keys.make();
  machine.put(1, key, "secret", 2);
  machine.put(2, 0, "public", 1);
  machine.close();
  std::uint64_t problems = 0;
  const auto dumped = machine.lines_of(Inspect::kDump, problems);
  EXPECT_EQ(problems, 0u);
  EXPECT_THAT(dumped, Contains(HasSubstr(fmt::format("encrypted: shard 1, offsets 0 to 0, arrived"))));
  EXPECT_THAT(dumped, Contains(HasSubstr(fmt::format("data key {},", key))));
  EXPECT_THAT(dumped, Contains(HasSubstr("record: shard 2")));
  for (const std::string& line : dumped)
    if (line.find("shard 1") != std::string::npos) {
      EXPECT_THAT(line, Not(HasSubstr("visible-key")));
    }

  // One bit of ciphertext: the frame's sums name it, still without a key.
  const std::string path = machine.newest_journal_path();
  machine.disk.flip_bit(path, (kJournalFramesBegin + 56 + 8 + 32 + 32 + 5) * 8);
  const auto verified = machine.lines_of(Inspect::kVerify, problems);
  EXPECT_EQ(problems, 1u);
  EXPECT_THAT(verified.front(), HasSubstr(path));
  EXPECT_THAT(verified.front(), HasSubstr(fmt::format("byte {}", kJournalFramesBegin)));
  const Error refused = machine.open_error();
  EXPECT_EQ(refused.kind, ErrorKind::kCorrupt);
  EXPECT_THAT(refused.text, HasSubstr(path));
}

// The run of docs/format.md, by data key 7 with the bytes 0 to 31.
struct PageKey {
  PageKey() {
    keys::Secret secret;
    for (std::size_t i = 0; i < keys::kSecretBytes; ++i) secret.room()[i] = static_cast<std::uint8_t>(i);
    key = std::make_unique<keys::RecordKey>(7, secret, random);
  }
  CountingRandom random;
  std::unique_ptr<keys::RecordKey> key;
};

TEST(FormatPage, EncryptedRun) {
  PageKey page;
  const Bytes shown = millrace::testing::page_bytes("encrypted run");
  const Bytes plain = millrace::testing::page_bytes("run");
  ASSERT_TRUE(check_runs(shown.view()).ok());
  Bytes decrypted;
  ASSERT_TRUE(page.key->decrypt(shown.view(), decrypted).ok());
  EXPECT_EQ(decrypted.text(), plain.text());

  BatchBuilder builder(1'024);
  builder.encrypt_with(std::shared_ptr<RunEncryptor>(std::shared_ptr<void>(), page.key.get()));
  builder.begin_run(ShardKey{3});
  builder.add({.key = as_bytes("u-17"), .value = as_bytes("click")});
  const std::array<std::uint8_t, 2> attributes{1, 2};
  builder.add({.key = as_bytes("u-18"),
               .value = as_bytes("buy"),
               .explicit_hash_key = HashKey{0x80},
               .attributes = attributes});
  const auto batch = builder.finish();
  place_run(batch->bytes.data(), 41, 1'760'000'000'000);
  page.key->encrypt(0, {batch->bytes.data(), batch->bytes.size()});
  std::string hex;
  for (const std::uint8_t byte : batch->bytes.view()) hex += fmt::format("{:02x}", byte);
  EXPECT_EQ(batch->bytes.text(), shown.text()) << hex;
}

TEST(FormatPage, AnEncryptedRunWithOneBitChangedOrAtAnotherPlaceDoesNotDecrypt) {
  PageKey page;
  const Bytes shown = millrace::testing::page_bytes("encrypted run");
  // All but the key's number, which only says whom to ask.
  for (std::size_t bit = 0; bit < shown.size() * 8; ++bit) {
    if (bit / 8 >= 32 && bit / 8 < 40) continue;
    const Bytes wrong = millrace::testing::with_flipped_bit(shown, bit);
    Bytes decrypted;
    const auto outcome = page.key->decrypt(wrong.view(), decrypted);
    ASSERT_FALSE(outcome.ok()) << "bit " << bit;
    EXPECT_EQ(outcome.error().kind, ErrorKind::kCorrupt);
    EXPECT_TRUE(decrypted.empty());
  }
}

TEST(RecordKey, TwoProcessesAndTwoLanesNeverShareASession) {
  sim::SeededRandom random{sim::Seed{3}};
  keys::Secret secret;
  std::set<CipherHead> heads;
  for (int process = 0; process < 3; ++process) {
    keys::RecordKey key(1, secret, random);
    for (std::size_t lane = 0; lane < 3; ++lane)
      for (int i = 0; i < 3; ++i) {
        Bytes run;
        run.resize(kRunHeaderBytes + kCipherHeadBytes + 10 + kCipherTagBytes);
        store_run_header(run.data(), {ShardKey{1}, 0, 0, 1, 58, true});
        key.encrypt(lane, {run.data(), run.size()});
        EXPECT_TRUE(heads.insert(load_cipher_head(run.data() + kRunHeaderBytes)).second);
      }
  }
}

}  // namespace
}  // namespace millrace::log
