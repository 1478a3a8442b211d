// bench/load.cc: the signed load generator's command line. Results are JSON lines on stdout.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "load/api.h"
#include "load/consumer.h"
#include "load/event_source.h"
#include "load/fan_out_reader.h"
#include "load/producer.h"
#include "load/replayer.h"
#include "load/report.h"

namespace {

using namespace millrace::load;

struct Options {
  std::string endpoint = "127.0.0.1:4566";
  Credentials credentials{"test", "test", "us-east-1"};
  std::string stream = "bench";
  std::uint32_t create_shards = 0;
  std::string put = "none";
  std::string get = "none";
  bool events = false;
  std::uint32_t connections = 8;
  std::uint32_t pipeline = 1;
  std::uint32_t bodies = 32;
  std::size_t batch = 500;
  std::size_t record_bytes = 150;
  double rate = 0;
  double linger_ms = 0;
  double seconds = 10;
  double warmup = 1;
  double drain_seconds = 20;
  std::uint32_t get_connections = 4;
  double poll_ms = 2;
  std::uint32_t fan_out = 0;
  std::uint32_t slow = 0;
  bool each_second = false;
};

void add_options(CLI::App& app, Options& options) {
  app.add_option("--endpoint", options.endpoint, "HOST:PORT, an IPv4 address");
  app.add_option("--access-key", options.credentials.access_key, "");
  app.add_option("--secret-key", options.credentials.secret_key, "");
  app.add_option("--region", options.credentials.region, "");
  app.add_option("--stream", options.stream, "");
  app.add_option("--create", options.create_shards, "first create the stream, with so many shards");
  app.add_option("--put", options.put,
                 "replay: the same signed requests; unique: records that can be told apart")
      ->check(CLI::IsMember({"none", "replay", "unique"}));
  app.add_option("--get", options.get, "tip: what is put in this run; all: from the oldest record to the tip")
      ->check(CLI::IsMember({"none", "tip", "all"}));
  app.add_flag("--events", options.events,
               "with --put unique: events from stdin (due_us TAB key TAB JSON object)");
  app.add_option("--connections", options.connections, "of the producer")->check(CLI::Range(1u, kLanesMax));
  app.add_option("--pipeline", options.pipeline, "with --put replay: requests under way on a connection");
  app.add_option("--bodies", options.bodies, "with --put replay: different requests");
  app.add_option("--batch", options.batch, "records a request")->check(CLI::Range(1, 500));
  app.add_option("--record-bytes", options.record_bytes, "a payload")->check(CLI::Range(150, 1'000'000));
  app.add_option("--rate", options.rate,
                 "with --put unique: records a second, in bursts of --batch; 0: closed loop");
  app.add_option("--linger-ms", options.linger_ms, "with --events: how long a request waits to fill up");
  app.add_option("--seconds", options.seconds, "");
  app.add_option("--warmup", options.warmup, "with --put replay: seconds before counting");
  app.add_option("--drain-seconds", options.drain_seconds, "how long to wait for what is not received yet");
  app.add_option("--get-connections", options.get_connections, "")->check(CLI::Range(1, 10'000));
  app.add_option("--poll-ms", options.poll_ms, "between polls of a shard at its tip");
  app.add_option("--fan-out", options.fan_out,
                 "with --put unique: so many consumers, each subscribed to every shard");
  app.add_option("--slow", options.slow, "of --fan-out: so many that take 256 KiB a second a shard");
  app.add_flag("--each-second", options.each_second, "print a line each second");
}

Endpoint parse_endpoint(const std::string& text) {
  const std::size_t colon = text.find(':');
  std::uint16_t port = 0;
  if (colon != std::string::npos) std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
  return {text.substr(0, colon), port};
}

double seconds_since(std::int64_t begin_us) { return static_cast<double>(now_us() - begin_us) / 1e6; }

int run(const Options& options) {
  const Endpoint endpoint = parse_endpoint(options.endpoint);
  const bool unique = options.put == "unique";
  EventLoop loop;
  Totals totals;
  Verdict verdict(options.connections);
  Api api(loop, endpoint, options.credentials);
  if (options.create_shards > 0) api.create_stream(options.stream, options.create_shards);

  std::optional<Consumer> consumer;
  if (options.get != "none") {
    std::vector<std::string> iterators;
    for (const std::string& shard : api.shards(options.stream)) {
      iterators.push_back(
          api.iterator(options.stream, shard, options.get == "tip" ? "LATEST" : "TRIM_HORIZON"));
    }
    const ConsumerOptions consumer_options{.connections = options.get_connections,
                                           .poll_us = static_cast<std::int64_t>(options.poll_ms * 1e3)};
    consumer.emplace(loop, endpoint, options.credentials, consumer_options, std::move(iterators),
                     unique ? &verdict : nullptr, totals);
  }

  std::optional<FanOutReader> fan_out;
  if (options.fan_out > 0) {
    FanOutOptions fan_out_options{.consumers = api.consumers(options.stream, options.fan_out),
                                  .shards = api.shards(options.stream),
                                  .slow = options.slow};
    fan_out.emplace(loop, endpoint, options.credentials, std::move(fan_out_options), verdict, totals);
    fan_out->start();
  }

  std::unique_ptr<EventSource> source =
      options.events ? events_from_lines(0, options.connections)
                     : synthetic_events({.record_bytes = options.record_bytes,
                                         .lanes = options.connections,
                                         .burst = static_cast<std::uint32_t>(options.batch),
                                         .rate = options.rate});
  std::optional<Producer> producer;
  std::optional<Replayer> replayer;
  if (unique) {
    const ProducerOptions producer_options{.stream = options.stream,
                                           .lanes = options.connections,
                                           .batch = options.batch,
                                           .linger_us = static_cast<std::int64_t>(options.linger_ms * 1e3),
                                           .closed_loop = options.rate == 0 && !options.events};
    producer.emplace(loop, endpoint, options.credentials, producer_options, *source, verdict, totals);
  } else if (options.put == "replay") {
    const ReplayerOptions replayer_options{.stream = options.stream,
                                           .connections = options.connections,
                                           .pipeline = options.pipeline,
                                           .bodies = options.bodies,
                                           .batch = options.batch};
    replayer.emplace(loop, endpoint, options.credentials, replayer_options, *source, totals);
  }

  SecondLines lines(loop, totals);
  if (options.each_second) lines.start();
  const std::int64_t begin_us = now_us();
  if (consumer) consumer->start();
  if (producer) producer->start(options.seconds);
  if (replayer) replayer->start(options.warmup, options.seconds);
  loop.run_until([&] { return (!producer || producer->finished()) && (!replayer || replayer->finished()); });
  const double put_seconds = replayer ? options.seconds : seconds_since(begin_us);

  const std::int64_t drain_end_us = now_us() + static_cast<std::int64_t>(options.drain_seconds * 1e6);
  if (consumer) {
    loop.run_until([&] {
      const bool waits_for_records = unique && now_us() < drain_end_us;
      return waits_for_records ? verdict.all_acknowledged_received() : consumer->at_tip();
    });
  }
  if (fan_out) loop.run_until([&] { return now_us() > drain_end_us || fan_out->all_received(); });
  fmt::print("{}\n", summary(totals, unique && consumer ? &verdict : nullptr, fan_out ? &*fan_out : nullptr,
                             put_seconds, seconds_since(begin_us)));
  if (fan_out && !fan_out->counts().clean()) return 3;
  return !unique || !consumer || verdict.counts().clean() ? 0 : 3;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Signed PutRecords and GetRecords, as fast as asked for. Exit 3: a record was lost, doubled or "
      "misplaced.");
  Options options;
  add_options(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return run(options);
}
