// broker/encrypting_machine.h: a broker with the server's own key service, on a simulated machine that
// crashes and starts again.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "broker/broker.h"
#include "keys/service_world.h"

namespace millrace::broker {

inline constexpr std::string_view kMark = "text-that-no-file-may-show";

inline Result<void> anybody(const std::string&) { return {}; }

struct EncryptingMachine : keys::ServiceWorld {
  explicit EncryptingMachine(std::uint64_t seed = 1, BrokerOptions broker_options = {})
      : ServiceWorld(seed), options(std::move(broker_options)) {
    options.transition_ms = 20;
    options.data_key_ms = 3'600'000;
  }
  ~EncryptingMachine() { stop(); }

  Result<void> start() {
    MR_TRY(boot());
    log::LogOptions log_options;
    log_options.journal_file_bytes = 64 << 10;
    log_options.settle_at_bytes = 64 << 10;
    log_options.settle_after_ms = 500;
    log_options.unsettled_bytes_max = 512 << 10;
    log_options.tail_cache_bytes = 64 << 10;
    options.master_keys = service.get();
    log::LogEnvironment environment{
        disk, world.folder_clock(), world.random(), {&world.loop(0), &world.loop(1)}, {}, {}};
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

  BrokerOptions options;
  std::unique_ptr<Broker> broker;
  std::vector<std::string> known;  // what was acknowledged, in order
};

}  // namespace millrace::broker
