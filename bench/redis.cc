// bench/redis.cc: Redis Streams' load: pipelines of XADD over several connections, each to a stream of its
// own, the next pipeline when the last one is answered. bench_redis PORT CONNECTIONS PIPELINE RECORD_BYTES
// SECONDS: prints one JSON line.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/assert.h"
#include "load/event_loop.h"
#include "load/event_source.h"
#include "load/histogram.h"
#include "load/stamp.h"

namespace {

using namespace millrace::load;

constexpr double kWarmupSeconds = 1;

struct Load {
  int pipeline;
  std::int64_t count_from_us;
  std::int64_t end_us;
  std::uint64_t records = 0;
  Histogram latency;
};

std::string bulk(std::string_view text) { return fmt::format("${}\r\n{}\r\n", text.size(), text); }

// XADD stream * k KEY d PAYLOAD, `count` times.
std::string make_pipeline(int connection, int count, EventSource& source) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    const Event& event = *source.peek();
    std::string payload(kStampBytes, ' ');
    write_stamp({static_cast<std::uint64_t>(i), 0, now_us()}, payload.data());
    payload += event.rest;
    text += "*7\r\n" + bulk("XADD") + bulk(fmt::format("bench-{}", connection)) + bulk("*") + bulk("k") +
            bulk(event.key) + bulk("d") + bulk(payload);
    source.pop();
  }
  return text;
}

class Connection final : public EventLoop::Watcher {
 public:
  Connection(EventLoop& loop, int port, std::string pipeline, Load& load)
      : pipeline_(std::move(pipeline)), load_(load), fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    MR_ASSERT(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    loop.watch(fd_, *this);
  }
  ~Connection() override { close(fd_); }

  void begin() {
    if (now_us() >= load_.end_us) return;
    sent_us_ = now_us();
    left_ = load_.pipeline;
    sent_ = 0;
    flush();
  }
  bool idle() const { return left_ == 0; }

  void on_events(std::uint32_t events) override {
    if (events & EPOLLOUT) flush();
    if (events & EPOLLIN) receive();
  }

 private:
  void flush() {
    while (left_ > 0 && sent_ < pipeline_.size()) {
      const ssize_t sent =
          send(fd_, pipeline_.data() + sent_, pipeline_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent <= 0) return;
      sent_ += static_cast<std::size_t>(sent);
    }
  }

  // Each XADD is answered by "$N\r\nID\r\n": two lines. An error, "-…\r\n", ends the run.
  void receive() {
    std::array<char, 64 * 1024> in;
    for (;;) {
      const ssize_t got = recv(fd_, in.data(), in.size(), MSG_DONTWAIT);
      if (got <= 0) return;
      const char* line = in.data();
      const char* const end = in.data() + got;
      while (line < end) {
        if (line_begins_ && *line == '-') {
          fmt::print(stderr, "bench_redis: {}\n", std::string_view(line, end));
          std::exit(1);
        }
        const auto* line_end =
            static_cast<const char*>(std::memchr(line, '\n', static_cast<std::size_t>(end - line)));
        line_begins_ = line_end != nullptr;
        if (line_end == nullptr) break;
        if (++lines_ == 2) answered_one();
        line = line_end + 1;
      }
    }
  }

  void answered_one() {
    lines_ = 0;
    if (--left_ > 0) return;
    const std::int64_t now = now_us();
    if (now >= load_.count_from_us && now < load_.end_us) {
      load_.records += static_cast<std::uint64_t>(load_.pipeline);
      load_.latency.add(now - sent_us_);
    }
    begin();
  }

  std::string pipeline_;
  Load& load_;
  int fd_;
  std::size_t sent_ = 0;
  int left_ = 0;
  int lines_ = 0;
  bool line_begins_ = true;
  std::int64_t sent_us_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    fmt::print(stderr, "usage: bench_redis PORT CONNECTIONS PIPELINE RECORD_BYTES SECONDS\n");
    return 2;
  }
  const int connections = std::atoi(argv[2]);
  const double seconds = std::atof(argv[5]);
  const std::int64_t count_from_us = now_us() + static_cast<std::int64_t>(kWarmupSeconds * 1e6);
  Load load{.pipeline = std::atoi(argv[3]),
            .count_from_us = count_from_us,
            .end_us = count_from_us + static_cast<std::int64_t>(seconds * 1e6),
            .latency = {}};
  const auto source = synthetic_events(
      {.record_bytes = static_cast<std::size_t>(std::atoll(argv[4])), .lanes = 1, .burst = 1, .rate = 0});
  EventLoop loop;
  std::vector<std::unique_ptr<Connection>> all;
  for (int i = 0; i < connections; ++i) {
    all.push_back(std::make_unique<Connection>(loop, std::atoi(argv[1]),
                                               make_pipeline(i, load.pipeline, *source), load));
  }
  for (const auto& connection : all) connection->begin();
  loop.run_until(
      [&] { return now_us() >= load.end_us && std::ranges::all_of(all, [](auto& c) { return c->idle(); }); });
  fmt::print(R"({{"records":{},"records_per_s":{:.0f},"p50_us":{},"p99_us":{}}})"
             "\n",
             load.records, static_cast<double>(load.records) / seconds, load.latency.quantile_us(0.5),
             load.latency.quantile_us(0.99));
}
