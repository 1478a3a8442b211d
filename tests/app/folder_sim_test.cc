// Power is lost, or the process is killed, at any operation of a start or of the work after it, again and
// again: the parts of the folder still belong together, so the next start is never refused and nothing
// acknowledged is missing.
#include <gtest/gtest.h>

#include <set>

#include <fmt/format.h>

#include "app/folder_check.h"
#include "app/folder_start.h"
#include "app/secret_file.h"
#include "broker/broker.h"
#include "log/seeds.h"
#include "sim/sim_disk.h"
#include "sim/sim_world.h"

namespace millrace::app {
namespace {

const std::string kNoKeyring = "/nonexistent/keyring";
const std::string kAccount = "000000000000";
const std::string kRegion = "us-east-1";

// As fast as a thread can be: FOLDER is written the moment that something is noted.
class AtOnce final : public Worker {
 public:
  void run(Callback work) override { work(); }
};

class Server {
 public:
  enum class Keeper : std::uint8_t { kAtOnce, kLater };
  Server(std::uint64_t seed, Keeper kind)
      : keeper(kind), world(sim::Seed{seed}), disk(sim::Seed{seed}, &world), dice(sim::Seed{seed}) {
    world.add_loop();
    world.add_loop();
  }
  ~Server() { die(); }

  // As House does.
  Result<void> start() {
    MR_ASSIGN(folder, start_folder({.keyring = kNoKeyring,
                                    .account = kAccount,
                                    .region = kRegion,
                                    .random = world.random(),
                                    .conditions = nullptr,
                                    .keeper_worker = keeper_worker()},
                                   environment(), log_options()));
    MR_TRY(load_or_make_secret(disk, kTokensSecret, world.random(), *folder.keeper));
    log::LogEnvironment of_start = environment();
    of_start.origin = folder.keeper->origin();
    of_start.marks = folder.keeper.get();
    broker::BrokerOptions options;
    options.transition_ms = 20;
    options.memory = std::make_shared<MemoryShare>("streams", 64u << 20);
    MR_ASSIGN(broker, broker::Broker::open(std::move(of_start), log_options(), *folder.control, options,
                                           std::move(folder.log)));
    return folder.keeper->flush();
  }
  void die() {
    world.drop_events();
    broker.reset();
    world.drop_events();
    folder = {};
  }
  Result<void> verify() {
    const OnFault refuse = [](Error fault) -> Result<void> { return fault; };
    const auto state = check_folder(disk, kNoKeyring, world.random(), CheckDepth::kAll, refuse);
    return state.ok() ? Result<void>{} : state.error();
  }

  bool create(const std::string& name) { return done(broker->create_stream({name, 1, false, {}})); }
  bool put(const std::string& stream, const std::string& text) {
    const std::vector<broker::PutEntry> entries = {
        {.partition_key = "k", .explicit_hash_key = {}, .data = text, .base64 = false}};
    const auto put = world.await(world.loop(1), broker->put(stream, entries));
    return put && put->ok() && (*put)->outcomes[0].status == log::RunStatus::kDurable;
  }
  std::shared_ptr<const broker::Stream> find(const std::string& name) {
    std::shared_ptr<const broker::Stream> found;
    world.on(world.loop(0), [&] { found = broker->catalog()->find(name); });
    return found;
  }
  bool settles(const std::string& name) {
    return world.run_until(
        [&] { return find(name) != nullptr && find(name)->status == broker::StreamStatus::kActive; });
  }
  std::vector<std::string> read(const std::string& name) {
    std::vector<std::string> texts;
    for (std::uint64_t from = 0;;) {
      auto batch = world.await(world.loop(0), broker->read(find(name)->shards[0], from, {100, 100'000}));
      if (!batch || !batch->ok() || (*batch)->records.empty()) return texts;
      for (const log::RecordView& record : (*batch)->records) texts.emplace_back(as_text(record.value));
      from = (*batch)->next_offset;
    }
  }

  const Keeper keeper;
  sim::SimWorld world;
  sim::SimDisk disk;
  sim::SeededRandom dice;
  FolderStart folder;
  std::unique_ptr<broker::Broker> broker;

 private:
  bool done(Task<Result<void>> command) {
    const auto outcome = world.await(world.loop(1), std::move(command));
    return outcome && outcome->ok();
  }
  static log::LogOptions log_options() {
    log::LogOptions options;
    options.journal_file_bytes = 64 << 10;
    options.settle_at_bytes = 16 << 10;
    options.unsettled_bytes_max = 256 << 10;
    options.tail_cache_bytes = 64 << 10;
    return options;
  }
  std::unique_ptr<Worker> keeper_worker() {
    if (keeper == Keeper::kAtOnce) return std::make_unique<AtOnce>();
    return world.start_worker("folder");
  }
  log::LogEnvironment environment() {
    log::LogEnvironment made{disk, world.folder_clock(), world.random(), {&world.loop(0), &world.loop(1)}, {},
                             {}};
    made.start_worker = [this](const std::string& name, int) { return world.start_worker(name); };
    made.warn = [](const std::string&) {};
    return made;
  }
};

// What was told to be done.
struct Acknowledged {
  std::set<std::string> streams;
  std::map<std::string, std::vector<std::string>> records;  // by stream
};

void work(Server& server, Acknowledged& acknowledged, int generation) {
  for (int step = 0; step < 40 && !server.disk.crashed(); ++step) {
    if (step % 20 == 0) {
      const std::string name = fmt::format("s{}-{}", generation, step);
      if (server.create(name)) acknowledged.streams.insert(name);
    }
    for (const std::string& name : acknowledged.streams) {
      const std::string text =
          fmt::format("{}:{}:{}", generation, step, std::string(server.dice.below(900), 'x'));
      if (!server.disk.crashed() && server.put(name, text)) acknowledged.records[name].push_back(text);
    }
    server.world.run_for(static_cast<std::int64_t>(server.dice.below(30)) * 1'000'000);
  }
}

void expect_all(Server& server, const Acknowledged& acknowledged) {
  for (const std::string& name : acknowledged.streams) {
    ASSERT_TRUE(server.settles(name)) << name << " was created and is not there";
    const auto found = server.read(name);
    const auto sent = acknowledged.records.find(name);
    if (sent == acknowledged.records.end()) continue;
    std::size_t next = 0;
    for (const std::string& text : found)
      if (next < sent->second.size() && sent->second[next] == text) ++next;
    ASSERT_EQ(next, sent->second.size()) << "a record of " << name << " is lost";
  }
}

TEST(FolderSim, ACrashAnywhereNeverMakesAStartBeRefused) {
  std::size_t crashed_starts = 0;
  const log::Seeds seeds = log::seeds(600);
  for (std::uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Server server(seed, seed % 4 < 2 ? Server::Keeper::kAtOnce : Server::Keeper::kLater);
    const auto kind = seed % 2 == 0 ? sim::Crash::kPowerLoss : sim::Crash::kProcessKilled;
    Acknowledged acknowledged;
    for (int generation = 0; generation < 6; ++generation) {
      // Every second generation dies while it starts, or soon after.
      const std::uint64_t reach = generation % 2 == 0 ? 90 : 1'500;
      server.disk.crash_at_operation(server.disk.operations() + 1 + server.dice.below(reach), kind);
      const auto started = server.start();
      if (!started.ok()) {
        ASSERT_TRUE(server.disk.crashed()) << started.error().text;
        ++crashed_starts;
      } else {
        work(server, acknowledged, generation);
      }
      if (!server.disk.crashed()) server.disk.crash(kind);
      server.die();
      server.disk.restart();
      const auto verified = server.verify();
      ASSERT_TRUE(verified.ok()) << "after generation " << generation << ": " << verified.error().text;
    }
    const auto started = server.start();
    ASSERT_TRUE(started.ok()) << started.error().text;
    expect_all(server, acknowledged);
    if (HasFatalFailure()) return;
  }
  if (!seeds.is_only) {
    EXPECT_GT(crashed_starts, 300u);
  }
}

}  // namespace
}  // namespace millrace::app
