// keys/service_world.h: a key service on a simulated machine that crashes and starts again.
#pragma once

#include <memory>
#include <string>

#include "keys/key_service.h"
#include "sim/sim_disk.h"
#include "sim/sim_world.h"
#include "store/object_store.h"

namespace millrace::keys {

struct ServiceWorld {
  explicit ServiceWorld(std::uint64_t seed = 1) : world(sim::Seed{seed}), disk(sim::Seed{seed}, &world) {
    world.add_loop();
    world.add_loop();
  }
  ~ServiceWorld() { end(); }

  Result<void> boot() {
    MR_ASSIGN(store, store::open_directory_store(disk, "objects"));
    MR_ASSIGN(service, KeyService::open(
                           {.account = "000000000000",
                            .region = "us-east-1",
                            .memory = std::make_shared<MemoryShare>("keys", memory_bytes_max)},
                           *store, world.loop(0), [this] { return world.start_worker("keys"); }, *clock,
                           world.random(),
                           [this](bool may_make) -> Result<Keyring> {
                             if (keyring.empty() && !may_make)
                               return Error{ErrorKind::kCorrupt, "the keyring is missing"};
                             if (keyring.empty()) keyring = Keyring::make(world.random());
                             return Keyring::parse(keyring);
                           }));
    return {};
  }
  void end() {
    world.drop_events();
    service.reset();
    world.drop_events();
    store.reset();
  }
  void crash(sim::Crash kind) {
    if (!disk.crashed()) disk.crash(kind);
    end();
    disk.restart();
  }

  template <typename T>
  Result<T> run(Task<Result<T>> command) {
    auto outcome = world.await(world.loop(0), std::move(command));
    if (!outcome) return Error{ErrorKind::kUnknown, "no answer"};
    return std::move(*outcome);
  }
  // A new key's id, or empty.
  std::string create() {
    const auto made = run(service->create_key("", {}));
    return made.ok() ? (*made)->id : "";
  }
  Result<std::shared_ptr<const MasterKey>> set_enabled(const std::string& key, bool enabled) {
    return run(service->edit_key(key, [enabled](MasterKey& changed) -> Result<void> {
      changed.enabled = enabled;
      return {};
    }));
  }

  std::uint64_t memory_bytes_max = 16u << 20;
  sim::SimWorld world;
  const Clock* clock = &world.clock();
  sim::SimDisk disk;
  std::string keyring;
  std::unique_ptr<store::ObjectStore> store;
  std::shared_ptr<KeyService> service;
};

}  // namespace millrace::keys
