// Master keys: what is told to be done is durable, what is encrypted is read again, and by whom.
#include "keys/key_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include <fmt/format.h>

#include "keys/service_world.h"

namespace millrace::keys {
namespace {

Bytes encrypted(ServiceWorld& machine, std::string_view key, std::string_view text,
                const EncryptionContext& context = {}) {
  auto done = machine.service->encrypt(key, as_bytes(text), context);
  EXPECT_TRUE(done.ok()) << done.error().text;
  return done.ok() ? std::move(done->blob) : Bytes();
}
std::string decrypted(ServiceWorld& machine, const Bytes& blob, const EncryptionContext& context = {}) {
  const auto done = machine.service->decrypt(blob.view(), context);
  return done.ok() ? std::string(done->plain.text()) : "error: " + done.error().text;
}

TEST(KeyService, WhatIsEncryptedIsReadAgainAfterARestartByKeyAndContextAlone) {
  ServiceWorld machine;
  ASSERT_TRUE(machine.boot().ok());
  const std::string key = machine.create();
  const EncryptionContext context{{"stream", "s"}, {"zone", "a"}};
  Bytes blob = encrypted(machine, key, "secret", context);
  machine.crash(sim::Crash::kPowerLoss);
  ASSERT_TRUE(machine.boot().ok());
  EXPECT_EQ(decrypted(machine, blob, context), "secret");
  EXPECT_EQ(machine.service->decrypt(blob.view(), {{"stream", "s"}}).error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(machine.service->decrypt(blob.view(), {{"stream", "sz"}, {"one", "a"}}).error().kind,
            ErrorKind::kCorrupt);
  for (std::size_t bit = 0; bit < blob.size() * 8; ++bit) {
    blob[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    EXPECT_FALSE(machine.service->decrypt(blob.view(), context).ok()) << "bit " << bit;
    blob[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
  }
}

TEST(KeyService, TheServersOwnKeyIsThereFromTheFirstStartAndStaysTheSame) {
  ServiceWorld machine;
  ASSERT_TRUE(machine.boot().ok());
  const auto own = machine.service->find("alias/aws/kinesis");
  ASSERT_TRUE(own.ok());
  EXPECT_TRUE((*own)->aws_managed);
  EXPECT_EQ(machine.set_enabled((*own)->id, false).error().kind, ErrorKind::kKeyDenied);
  machine.crash(sim::Crash::kProcessKilled);
  ASSERT_TRUE(machine.boot().ok());
  EXPECT_EQ((*machine.service->find("arn:aws:kms:us-east-1:000000000000:alias/aws/kinesis"))->id, (*own)->id);
}

TEST(KeyService, OldBlobsAreReadAfterRotationsByHandAndByTheCalendar) {
  ServiceWorld machine;
  ASSERT_TRUE(machine.boot().ok());
  const std::string key = machine.create();
  const Bytes first = encrypted(machine, key, "first");
  ASSERT_TRUE(machine.run(machine.service->rotate_key(key)).ok());
  const Bytes second = encrypted(machine, key, "second");
  EXPECT_EQ(head_of_blob(second.view())->material, 1u);
  ASSERT_TRUE(machine
                  .run(machine.service->edit_key(key,
                                                 [](MasterKey& changed) -> Result<void> {
                                                   changed.rotates = true;
                                                   changed.rotation_days = 90;
                                                   return {};
                                                 }))
                  .ok());
  machine.world.shift_wall_clock(90 * kMsPerDay);
  const Bytes third = encrypted(machine, key, "third");
  machine.world.run_for(1'000'000'000);
  const Bytes fourth = encrypted(machine, key, "fourth");
  EXPECT_EQ(head_of_blob(fourth.view())->material, 2u);
  machine.crash(sim::Crash::kPowerLoss);
  ASSERT_TRUE(machine.boot().ok());
  EXPECT_EQ(decrypted(machine, first), "first");
  EXPECT_EQ(decrypted(machine, second), "second");
  EXPECT_EQ(decrypted(machine, third), "third");
  EXPECT_EQ(decrypted(machine, fourth), "fourth");
}

TEST(KeyService, ADisabledKeyAndOneThatWaitsForItsDeletionRefuseInTheServicesWords) {
  ServiceWorld machine;
  ASSERT_TRUE(machine.boot().ok());
  const std::string key = machine.create();
  const Bytes blob = encrypted(machine, key, "text");
  ASSERT_TRUE(machine.set_enabled(key, false).ok());
  const Error off = machine.service->decrypt(blob.view(), {}).error();
  EXPECT_EQ(off.kind, ErrorKind::kKeyDisabled);
  EXPECT_EQ(off.text, machine.service->key_arn(key) + " is disabled.");
  EXPECT_EQ(machine.service->encrypt(key, as_bytes("x"), {}).error().kind, ErrorKind::kKeyDisabled);
  const std::int64_t at_ms = machine.world.clock().wall_ms() + 7 * kMsPerDay;
  ASSERT_TRUE(machine
                  .run(machine.service->edit_key(key,
                                                 [at_ms](MasterKey& changed) -> Result<void> {
                                                   changed.deletion_ms = at_ms;
                                                   return {};
                                                 }))
                  .ok());
  EXPECT_EQ(machine.service->decrypt(blob.view(), {}).error().kind, ErrorKind::kKeyInvalidState);
  machine.world.shift_wall_clock(7 * kMsPerDay);
  EXPECT_EQ(machine.service->decrypt(blob.view(), {}).error().kind, ErrorKind::kKeyNotFound);
  EXPECT_EQ(machine.service->find(key).error().text,
            fmt::format("Key '{}' does not exist", machine.service->key_arn(key)));
  machine.crash(sim::Crash::kProcessKilled);
  ASSERT_TRUE(machine.boot().ok());
  machine.world.on(machine.world.loop(0), [&] { spawn(machine.service->remove_gone_keys()); });
  EXPECT_TRUE(machine.world.run_until([&] { return machine.service->state()->keys.count(key) == 0; }))
      << "its secrets are gone too";
}

TEST(KeyService, AStepOfTheClockDeletesNoKeyBeforeItsTimeHasPassed) {
  ServiceWorld machine;
  FolderClock& clock = machine.world.folder_clock();
  machine.clock = &clock;
  ASSERT_TRUE(machine.boot().ok());
  clock.begin({}, 0, {});
  const std::string key = machine.create();
  const std::int64_t at_ms = clock.wall_ms() + 7 * kMsPerDay;
  ASSERT_TRUE(machine
                  .run(machine.service->edit_key(key,
                                                 [at_ms](MasterKey& changed) -> Result<void> {
                                                   changed.deletion_ms = at_ms;
                                                   changed.deletion_days = 7;
                                                   return {};
                                                 }))
                  .ok());
  const auto is_there = [&] {
    machine.world.on(machine.world.loop(0), [&] { spawn(machine.service->remove_gone_keys()); });
    machine.world.run_for(1'000'000'000);
    return machine.service->find(key).ok();
  };
  // A day passes for each step of 30 that is taken as true; then the machine starts again.
  for (int day = 0; day < 6; ++day) {
    machine.world.shift_wall_clock(30 * kMsPerDay);
    clock.observe();
    EXPECT_TRUE(is_there());
    machine.world.run_for(kMsPerDay * kNsPerMs);
    if (clock.observe()) clock.accept();
    EXPECT_TRUE(is_there());
    const ClockMark mark = clock.mark();
    machine.crash(sim::Crash::kProcessKilled);
    ASSERT_TRUE(machine.boot().ok());
    clock.begin(mark, 0, {});
    EXPECT_TRUE(is_there()) << day;
  }
  machine.world.run_for(kMsPerDay * kNsPerMs);
  EXPECT_FALSE(is_there());
}

TEST(KeyService, AnAliasIsMadeOnceMovedAndTakenAway) {
  ServiceWorld machine;
  ASSERT_TRUE(machine.boot().ok());
  const std::string first = machine.create();
  const std::string second = machine.create();
  ASSERT_TRUE(machine.run(machine.service->set_alias("alias/a", first, false)).ok());
  EXPECT_EQ(machine.run(machine.service->set_alias("alias/a", second, false)).error().kind,
            ErrorKind::kConflict);
  EXPECT_EQ(machine.run(machine.service->set_alias("alias/b", second, true)).error().kind,
            ErrorKind::kKeyNotFound);
  ASSERT_TRUE(machine.run(machine.service->set_alias("alias/a", second, true)).ok());
  EXPECT_EQ((*machine.service->find("alias/a"))->id, second);
  ASSERT_TRUE(machine.run(machine.service->remove_alias("alias/a")).ok());
  EXPECT_EQ(machine.service->find("alias/a").error().text,
            "Alias arn:aws:kms:us-east-1:000000000000:alias/a is not found.");
}

TEST(KeyService, WithoutItsKeyringOrWithAnotherItRefusesToStart) {
  ServiceWorld machine;
  ASSERT_TRUE(machine.boot().ok());
  machine.create();
  const std::string kept = machine.keyring;
  machine.end();
  machine.keyring.clear();
  EXPECT_EQ(machine.boot().error().text, "the keyring is missing");
  machine.end();
  machine.keyring = Keyring::make(machine.world.random());
  const Error refused = machine.boot().error();
  EXPECT_EQ(refused.kind, ErrorKind::kCorrupt);
  EXPECT_THAT(refused.text, testing::HasSubstr("which the keyring does not have"));
  machine.end();
  machine.keyring =
      kept + machine.keyring.substr(machine.keyring.find('\n') + 1);  // a newer secret behind it
  EXPECT_TRUE(machine.boot().ok());
}

TEST(KeyService, NoFileShowsASecret) {
  ServiceWorld machine;
  ASSERT_TRUE(machine.boot().ok());
  const std::string key = machine.create();
  auto made = machine.world.await(
      machine.world.loop(0), [](KeyService& service, Loop& loop, std::string name) -> Task<Result<MadeKey>> {
        auto answer = co_await eventually<Result<MadeKey>>([&](auto done) {
          service.generate(name, {}, loop,
                           [done](Result<MadeKey> outcome) mutable { done(std::move(outcome)); });
        });
        co_return answer;
      }(*machine.service, machine.world.loop(0), key));
  ASSERT_TRUE(made.has_value() && made->ok());
  const std::string secret(as_text((*made)->secret.view()));
  EXPECT_EQ((*made)->wrapped.blob.find(secret), std::string::npos);
  for (const std::string& path : machine.disk.paths())
    EXPECT_EQ(std::string(machine.disk.file_bytes(path).text()).find(secret), std::string::npos) << path;
}

TEST(KeyService, AKeysPolicyIsItsOwnersDurableAndOneTextForAsLongAsItIsNotPutAnew) {
  ServiceWorld machine;
  ASSERT_TRUE(machine.boot().ok());
  const auto put = [&](const std::string& key, const char* text) {
    return machine.run(machine.service->edit_key(key, [text](MasterKey& changed) -> Result<void> {
      changed.policy = std::make_shared<const std::string>(text);
      return {};
    }));
  };
  const auto policy_of = [&](const std::string& key) { return machine.service->access_to(key)->policy; };
  const std::string plain = machine.create();
  const auto made =
      machine.run(machine.service->create_key("", {{"team", "web"}}, std::make_shared<std::string>("{1}")));
  ASSERT_TRUE(made.ok());
  const std::string owned = (*made)->id;
  EXPECT_THAT(*policy_of(plain), testing::HasSubstr("arn:aws:iam::000000000000:root"));
  EXPECT_EQ(policy_of(plain), policy_of(machine.create()));
  EXPECT_EQ(*policy_of(owned), "{1}");
  EXPECT_EQ(machine.service->access_to(owned)->tags->at("team"), "web");
  const auto before = policy_of(owned);
  ASSERT_TRUE(machine.set_enabled(owned, false).ok());
  EXPECT_EQ(policy_of(owned), before);
  ASSERT_TRUE(put(owned, "{2}").ok());
  EXPECT_NE(policy_of(owned), before);
  EXPECT_EQ(put("alias/aws/kinesis", "{}").error().kind, ErrorKind::kKeyDenied);
  EXPECT_THAT(*policy_of("alias/aws/kinesis"), testing::HasSubstr("kinesis.us-east-1.amazonaws.com"));
  EXPECT_FALSE(machine.service->access_to("alias/nowhere").has_value());
  // From entries, and from a snapshot of them.
  for (int change = 0; change < 300; ++change) {
    if (change % 250 == 0) {
      machine.crash(sim::Crash::kPowerLoss);
      ASSERT_TRUE(machine.boot().ok());
      EXPECT_EQ(*policy_of(owned), "{2}");
    }
    ASSERT_TRUE(machine.set_enabled(plain, true).ok());
  }
  machine.crash(sim::Crash::kPowerLoss);
  ASSERT_TRUE(machine.boot().ok());
  EXPECT_EQ(*policy_of(owned), "{2}");
  EXPECT_EQ(machine.service->policy_of(**machine.service->find(plain)), policy_of(plain));
}

// Commands with crashes between and within: what was answered is so ever after.
TEST(KeyService, ACrashAnywhereLosesNothingThatWasAnswered) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    ServiceWorld machine{seed};
    sim::SeededRandom dice{sim::Seed{seed}};
    ASSERT_TRUE(machine.boot().ok());
    std::map<std::string, bool> enabled;  // as last answered; none where the last answer is not known
    std::map<std::string, Bytes> blobs;
    for (int life = 0; life < 4; ++life) {
      machine.disk.crash_at_operation(machine.disk.operations() + dice.between(1, 60),
                                      dice.chance(0.5) ? sim::Crash::kPowerLoss : sim::Crash::kProcessKilled);
      for (int step = 0; step < 8 && !machine.disk.crashed(); ++step) {
        if (enabled.empty() || dice.chance(0.4)) {
          const std::string key = machine.create();
          if (key.empty()) continue;
          enabled[key] = true;
          blobs.emplace(key, encrypted(machine, key, key));
        } else {
          auto key = enabled.begin();
          std::advance(key, static_cast<std::ptrdiff_t>(dice.below(enabled.size())));
          const bool wanted = dice.chance(0.5);
          const std::string id = key->first;
          if (machine.set_enabled(id, wanted).ok())
            key->second = wanted;
          else
            enabled.erase(key);
        }
      }
      machine.crash(sim::Crash::kPowerLoss);
      ASSERT_TRUE(machine.boot().ok());
      for (const auto& [key, is_enabled] : enabled) {
        const auto found = machine.service->find(key);
        ASSERT_TRUE(found.ok()) << found.error().text;
        EXPECT_EQ((*found)->enabled, is_enabled);
        const auto opened = machine.service->decrypt(blobs.at(key).view(), {});
        EXPECT_EQ(opened.ok(), is_enabled);
        if (opened.ok()) {
          EXPECT_EQ(opened->plain.text(), key);
        }
      }
    }
  }
}

TEST(Keyring, WhatIsWrongInItIsNamedByItsLine) {
  const std::string good = "millrace keyring 1\n0011223344556677 " + std::string(64, 'a') + "\n";
  EXPECT_TRUE(Keyring::parse(good).ok());
  EXPECT_TRUE(Keyring::parse(good + "\n# a comment\n").ok());
  EXPECT_THAT(Keyring::parse("").error().text, testing::HasSubstr("no secret"));
  EXPECT_THAT(Keyring::parse("keyring\n").error().text, testing::HasSubstr("line 1"));
  EXPECT_THAT(Keyring::parse(good + "0011223344556677 aa\n").error().text, testing::HasSubstr("line 3"));
  EXPECT_THAT(Keyring::parse(good + "001122334455667Z " + std::string(64, 'a')).error().text,
              testing::HasSubstr("line 3"));
}

TEST(KeyService, WhatMakesTheKeysMoreIsRefusedWhereThereIsNoMemory) {
  ServiceWorld machine;
  machine.memory_bytes_max = 40'000;
  ASSERT_TRUE(machine.boot().ok());
  const std::string long_text(8'000, 'd');
  const auto create = [&] { return machine.run(machine.service->create_key(long_text, {})); };
  std::string last;
  int made = 0;
  for (auto key = create(); key.ok(); key = create(), ++made) last = (*key)->id;
  EXPECT_EQ(create().error().kind, ErrorKind::kLimit);
  EXPECT_EQ(made, 4);
  EXPECT_TRUE(machine.set_enabled(last, false).ok()) << "does not make them more";
  const auto shortened = machine.run(machine.service->edit_key(last, [](MasterKey& key) -> Result<void> {
    key.description.clear();
    return {};
  }));
  EXPECT_TRUE(shortened.ok());
  EXPECT_TRUE(create().ok());
}

}  // namespace
}  // namespace millrace::keys
