// The directory behind a change: who is not concerned stays the very same, so that what is remembered of them
// does.
#include "identity/directory.h"

#include <gtest/gtest.h>

#include "sim/seeded_random.h"

namespace millrace::identity {
namespace {

constexpr std::string_view kAllow =
    R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kinesis:*","Resource":"*"}})";

struct Changing : testing::Test {
  const Seal seal{SealKey{}, "test"};
  sim::SeededRandom random{sim::Seed{1}};
  Identities identities;
  std::shared_ptr<const Directory> directory;

  void change(const IdentityChange& change) {
    auto changed = apply_change(identities, change);
    ASSERT_TRUE(changed.ok()) << changed.error().text;
    identities = std::move(*changed);
    auto made = make_directory(identities, seal, "123456789012", {"ROOT", "root-secret"}, directory.get());
    ASSERT_TRUE(made.ok()) << made.error().text;
    directory = *made;
  }
  void add_key(const std::string& user, const std::string& id, std::string_view secret) {
    change(KeyCreated{user, id, seal.seal(secret, random), 1});
  }
  std::uint64_t serial_of(const std::string& key) const { return directory->keys.at(key).principal->serial; }

  void SetUp() override {
    change(PolicyPut{"readers", std::string(kAllow), 1});
    for (const char* user : {"alice", "bob"}) {
      change(UserAdded{user, std::string("AIDA-") + user, 1});
      change(PolicyAttached{HolderKind::kUser, user, "readers"});
      add_key(user, std::string("AKIA-") + user, std::string("secret of ") + user);
    }
  }
};

TEST_F(Changing, OnlyWhomAChangeConcernsIsMadeAnew) {
  const std::uint64_t alice = serial_of("AKIA-alice");
  const std::uint64_t bob = serial_of("AKIA-bob");
  change(InlinePut{HolderKind::kUser, "bob", "more", std::string(kAllow)});
  EXPECT_EQ(serial_of("AKIA-alice"), alice);
  EXPECT_NE(serial_of("AKIA-bob"), bob);
  EXPECT_EQ(directory->keys.at("AKIA-bob").principal->policies.size(), 2u);
  EXPECT_EQ(directory->keys.at("AKIA-bob").secret_key, "secret of bob");
  EXPECT_EQ(directory->users.at("AIDA-bob")->policies.size(), 2u);

  change(PolicyPut{"readers", std::string(kAllow), 2});  // attached to both
  EXPECT_NE(serial_of("AKIA-alice"), alice);
}

TEST_F(Changing, AKeyThatIsSwitchedOffDeletedOrMadeAgainIsNotTheOldOne) {
  change(KeySwitched{"AKIA-bob", false});
  EXPECT_FALSE(directory->keys.contains("AKIA-bob"));
  change(KeySwitched{"AKIA-bob", true});
  EXPECT_EQ(directory->keys.at("AKIA-bob").secret_key, "secret of bob");
  change(KeyDeleted{"AKIA-bob"});
  EXPECT_FALSE(directory->keys.contains("AKIA-bob"));
  add_key("alice", "AKIA-bob", "another secret");
  EXPECT_EQ(directory->keys.at("AKIA-bob").secret_key, "another secret");
  EXPECT_EQ(directory->keys.at("AKIA-bob").principal->name, "alice");
  change(KeyDeleted{"AKIA-bob"});
  add_key("alice", "AKIA-bob", "a third secret");
  EXPECT_EQ(directory->keys.at("AKIA-bob").secret_key, "a third secret");
}

TEST_F(Changing, AUserOfAnOldNameIsNotTheOldOne) {
  change(UserRemoved{"bob"});
  EXPECT_FALSE(directory->users.contains("AIDA-bob"));
  EXPECT_FALSE(directory->keys.contains("AKIA-bob"));
  change(UserAdded{"bob", "AIDA-other", 2});
  EXPECT_TRUE(directory->users.at("AIDA-other")->policies.empty());
}

}  // namespace
}  // namespace millrace::identity
