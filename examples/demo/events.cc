// examples/demo/events.cc: the demo's events on stdout, each with its due time: `due_us<TAB>key<TAB>{…}`.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "behaviour.h"
#include "day_curve.h"
#include "replay.h"

namespace {

using namespace millrace::demo;

struct Options {
  double rate = 2'000;
  double peak = 8'000;
  double seconds = 60;
  std::uint64_t seed = 1;
  std::string record;
  std::string replay;
  std::string key_field = "user";
};

using Closed = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

void write(std::int64_t due_us, std::string_view key, std::string_view json, std::FILE* record) {
  fmt::print("{}\t{}\t{}\n", due_us, key, json);
  // at_us is laid in front, so that any other line of the file stays as it was.
  if (record != nullptr) fmt::print(record, "{{\"at_us\":{},{}\n", due_us, json.substr(1));
}

int run(const Options& options) {
  Closed record(nullptr, &std::fclose);
  if (!options.record.empty()) {
    record.reset(std::fopen(options.record.c_str(), "w"));
    if (record == nullptr) {
      fmt::print(stderr, "demo: cannot write {}\n", options.record);
      return 2;
    }
  }
  const DayCurve curve(options.rate, options.peak, options.seconds);
  Behaviour behaviour(options.seed);
  Dice arrivals(options.seed + 1);
  std::optional<Replay> replay;
  if (!options.replay.empty()) replay.emplace(options.replay, options.key_field);

  for (double second = 0;;) {
    second += arrivals.wait(curve.at(second));
    auto due_us = static_cast<std::int64_t>(second * 1e6);
    if (!replay) {
      if (second >= options.seconds) break;
      const BehaviourEvent event = behaviour.next();
      write(due_us, event.user, event.json, record.get());
      continue;
    }
    const std::optional<ReplayedEvent> event = replay->next();
    if (!event) break;
    due_us = event->at_us.value_or(due_us);
    if (due_us >= static_cast<std::int64_t>(options.seconds * 1e6)) break;
    write(due_us, event->key, event->json, event->at_us ? nullptr : record.get());
  }
  if (replay && replay->left_out() > 0) {
    fmt::print(stderr, "demo: {} lines of {} are no JSON objects and were left out\n", replay->left_out(),
               options.replay);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The demo's events: a model of people in a shop, or a file of real ones.");
  Options options;
  app.add_option("--rate", options.rate, "events a second at noon")->check(CLI::PositiveNumber);
  app.add_option("--peak", options.peak, "events a second at the evening's top")->check(CLI::PositiveNumber);
  app.add_option("--seconds", options.seconds, "how long the day takes")->check(CLI::PositiveNumber);
  app.add_option("--seed", options.seed, "");
  app.add_option("--record", options.record, "also write the events to this file, one JSON object a line");
  app.add_option("--replay", options.replay, "in place of the model: a file of one JSON object a line");
  app.add_option("--key-field", options.key_field, "with --replay: the field that becomes the partition key");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return run(options);
}
