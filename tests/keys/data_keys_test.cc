// Data keys that are taken away while their master key is being asked.
#include "keys/data_keys.h"

#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "sim/sim_world.h"

namespace millrace::keys {
namespace {

// Answers when it is told to.
class SlowKeys final : public MasterKeys {
 public:
  void generate(std::string, EncryptionContext, Loop&, Function<void(Result<MadeKey>)>) override {}
  void unwrap(const WrappedKey&, EncryptionContext, Loop&, Function<void(Result<Secret>)> done) override {
    asked.emplace(std::move(done));
  }
  std::optional<KeyAccess> access_to(std::string_view) const override { return std::nullopt; }
  std::int64_t answer_holds_ms() const override { return 1'000; }

  std::optional<Function<void(Result<Secret>)>> asked;
};

TEST(DataKeys, OneThatWasRemovedWhileItWasAskedForIsNotKept) {
  sim::SimWorld world{sim::Seed{1}};
  Loop& loop = world.add_loop();
  SlowKeys master;
  DataKeys keys(&master, world.clock(), world.random());
  const auto ask = [&](std::optional<ErrorKind>& outcome) {
    keys.prepare(7, loop, [&outcome](Result<void> ready) {
      outcome = ready.ok() ? std::nullopt : std::optional(ready.error().kind);
    });
  };
  std::optional<ErrorKind> first = ErrorKind::kUnknown, second;
  keys.add(7, {"arn", "blob"}, {});
  ask(first);
  ASSERT_TRUE(master.asked.has_value());
  keys.remove(7);
  (*master.asked)(Secret{});
  EXPECT_TRUE(world.run_until([&] { return first == std::nullopt; }));  // who waited is told
  EXPECT_FALSE(keys.is_ready(7));
  ask(second);
  EXPECT_TRUE(world.run_until([&] { return second == ErrorKind::kKeyNotFound; }));
}

}  // namespace
}  // namespace millrace::keys
