#include "load/fan_out_reader.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/base64.h"
#include "base/bytes.h"
#include "load/stamp.h"

namespace millrace::load {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::size_t kSlowBytes = 16 * 1024;  // each tick
constexpr std::int64_t kSlowTickUs = 62'500;
constexpr std::string_view kData = R"("Data":")";

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes.substr(0, 4)) value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

}  // namespace

// What one consumer has received.
class FanOutReader::Copy {
 public:
  void received(const Stamp& stamp, std::size_t shard) {
    if (lanes_.size() <= stamp.lane) lanes_.resize(stamp.lane + 1);
    std::vector<bool>& seen = lanes_[stamp.lane];
    if (seen.size() <= stamp.sequence) seen.resize(2 * stamp.sequence + 1);
    if (seen[stamp.sequence]) {
      ++duplicated;
      return;
    }
    seen[stamp.sequence] = true;
    ++count;
    if (next_.size() <= shard) next_.resize(shard + 1);
    if (next_[shard].size() <= stamp.lane) next_[shard].resize(stamp.lane + 1);
    std::uint64_t& next = next_[shard][stamp.lane];
    if (stamp.sequence < next) ++out_of_order;
    next = std::max(next, stamp.sequence + 1);
  }
  bool has(std::uint32_t lane, std::uint64_t sequence) const {
    return lane < lanes_.size() && sequence < lanes_[lane].size() && lanes_[lane][sequence];
  }

  std::uint64_t count = 0, duplicated = 0, out_of_order = 0;

 private:
  std::vector<std::vector<bool>> lanes_;
  std::vector<std::vector<std::uint64_t>> next_;  // [shard][lane]: one past the last received
};

// One answer of SubscribeToShard: a head, chunks, and in them the messages of an event stream.
class FanOutReader::Subscription final : EventLoop::Watcher {
 public:
  Subscription(FanOutReader& house, Endpoint endpoint, Totals& totals, Copy* copy, std::size_t shard)
      : house_(house), endpoint_(std::move(endpoint)), totals_(totals), copy_(copy), shard_(shard) {}
  ~Subscription() override {
    if (fd_ < 0) return;
    house_.loop_.forget(fd_);
    ::close(fd_);
  }

  void begin(std::string request) {
    request_ = std::move(request);
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint_.port);
    inet_pton(AF_INET, endpoint_.host.c_str(), &address.sin_addr);
    if (slow()) {
      const int small = 64 * 1024;
      setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
      tick();
    }
    house_.loop_.watch(fd_, *this);
    // sockets of every family go through this one type
    const auto* any = reinterpret_cast<const sockaddr*>(&address);
    if (connect(fd_, any, sizeof address) != 0 && errno != EINPROGRESS) broken("connect");
  }

 private:
  bool slow() const { return copy_ == nullptr; }

  void on_events(std::uint32_t events) override {
    if ((events & EPOLLOUT) != 0 && !request_.empty()) {
      // It is small: a fresh socket takes it whole.
      if (::send(fd_, request_.data(), request_.size(), MSG_NOSIGNAL) !=
          static_cast<ssize_t>(request_.size()))
        return broken("send");
      request_.clear();
    }
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 && !slow()) read_all();
  }
  void tick() {
    house_.loop_.at(now_us() + kSlowTickUs, [this] {
      if (request_.empty()) read_once(kSlowBytes);
      tick();
    });
  }
  void read_all() {
    while (read_once(kReadBytes)) {
    }
  }
  bool read_once(std::size_t bytes_max) {
    if (fd_ < 0) return false;
    if (taken_ == raw_.size()) {
      raw_.clear();
      taken_ = 0;
    }
    static std::array<char, kReadBytes> buffer;
    const ssize_t got = recv(fd_, buffer.data(), bytes_max, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return errno == EINTR;
    if (got <= 0) {
      broken("end of the connection");
      return false;
    }
    raw_.append(buffer.data(), static_cast<std::size_t>(got));
    take_chunks();
    return true;
  }
  void broken(const char* what) {
    totals_.count_error(0, fmt::format(R"({{"__type":"subscription: {}"}})", what));
    house_.loop_.forget(fd_);
    ::close(std::exchange(fd_, -1));
  }

  void take_chunks() {
    if (!head_done_) {
      const std::size_t end = raw_.find("\r\n\r\n");
      if (end == std::string::npos) return;
      if (!raw_.starts_with("HTTP/1.1 200")) {
        fmt::print(stderr, "load: SubscribeToShard: {}\n", raw_);
        std::exit(1);
      }
      head_done_ = true;
      taken_ = end + 4;
    }
    for (;;) {
      if (chunk_left_ == 0) {
        const std::size_t line_end = raw_.find("\r\n", taken_);
        if (line_end == std::string::npos) return;
        if (line_end == taken_) {  // behind a chunk
          taken_ += 2;
          continue;
        }
        std::from_chars(raw_.data() + taken_, raw_.data() + line_end, chunk_left_, 16);
        taken_ = line_end + 2;
        if (chunk_left_ == 0) return;  // the last one
      }
      const std::size_t here = std::min(chunk_left_, raw_.size() - taken_);
      if (here == 0) return;
      events_.append(raw_, taken_, here);
      taken_ += here;
      chunk_left_ -= here;
      take_events();
    }
  }
  void take_events() {
    std::size_t at = 0;
    while (events_.size() - at >= 12) {
      const std::string_view rest = std::string_view(events_).substr(at);
      const std::size_t bytes = big_endian(rest);
      if (rest.size() < bytes) break;
      const std::size_t headers = big_endian(rest.substr(4));
      take_event(rest.substr(12, headers), rest.substr(12 + headers, bytes - headers - 16));
      at += bytes;
    }
    events_.erase(0, at);
  }
  void take_event(std::string_view headers, std::string_view payload) {
    if (headers.find("exception") != std::string_view::npos) return totals_.count_error(200, payload);
    if (headers.find("initial-response") != std::string_view::npos) return;
    if (!std::exchange(begun_, true)) --house_.waiting_;
    take_records(payload);
    if (slow()) return;
    ++totals_.get_requests;
    totals_.get_body_bytes += payload.size();
  }
  void take_records(std::string_view payload) {
    const std::int64_t now = now_us();
    const char* at = payload.data();
    const char* const end = at + payload.size();
    std::array<char, kStampBase64Bytes + 64> coded;   // with the slack that the kernel may read
    std::array<std::uint8_t, kStampBytes + 64> text;  // and that it may overwrite
    for (;;) {
      at = static_cast<const char*>(
          memmem(at, static_cast<std::size_t>(end - at), kData.data(), kData.size()));
      if (at == nullptr) return;
      at += kData.size();
      const auto* quote = static_cast<const char*>(std::memchr(at, '"', static_cast<std::size_t>(end - at)));
      if (quote == nullptr) return;
      const std::string_view data(at, quote);
      at = quote;
      if (slow()) {
        ++house_.slow_records_;
        continue;
      }
      ++totals_.get_records;
      totals_.get_bytes += data.size() / 4 * 3;
      if (data.size() < kStampBase64Bytes) continue;
      data.copy(coded.data(), kStampBase64Bytes);
      if (!base64_decode({coded.data(), kStampBase64Bytes}, text.data())) continue;
      const std::optional<Stamp> stamp = read_stamp(as_text(text).data());
      if (!stamp) continue;
      copy_->received(*stamp, shard_);
      totals_.end_to_end_us.add(now - stamp->due_us);
    }
  }

  FanOutReader& house_;
  Endpoint endpoint_;
  Totals& totals_;
  Copy* copy_;  // null: slow
  std::size_t shard_;
  int fd_ = -1;
  std::string request_;  // until it is sent
  std::string raw_;      // received, not yet taken: from taken_ on
  std::size_t taken_ = 0;
  std::size_t chunk_left_ = 0;
  std::string events_;  // an event that is not whole yet
  bool head_done_ = false;
  bool begun_ = false;
};

FanOutReader::FanOutReader(EventLoop& loop, const Endpoint& endpoint, const Credentials& credentials,
                           FanOutOptions options, Verdict& verdict, Totals& totals)
    : loop_(loop), verdict_(verdict) {
  Signer signer(credentials, endpoint.authority());
  for (std::size_t i = 0; i < options.consumers.size(); ++i) {
    const bool slow = i + options.slow >= options.consumers.size();
    if (!slow) copies_.push_back(std::make_unique<Copy>());
    for (std::size_t shard = 0; shard < options.shards.size(); ++shard) {
      const std::string body =
          fmt::format(R"({{"ConsumerARN":"{}","ShardId":"{}","StartingPosition":{{"Type":"LATEST"}}}})",
                      options.consumers[i], options.shards[shard]);
      subscriptions_.push_back(std::make_unique<Subscription>(*this, endpoint, totals,
                                                              slow ? nullptr : copies_.back().get(), shard));
      subscriptions_.back()->begin(signer.head("SubscribeToShard", body, now_us()) + body);
    }
  }
  waiting_ = subscriptions_.size();
}

FanOutReader::~FanOutReader() = default;

void FanOutReader::start() {
  loop_.run_until([this] { return waiting_ == 0; });
}

bool FanOutReader::all_received() const {
  const std::uint64_t acknowledged = verdict_.counts_so_far().acknowledged;
  return std::all_of(copies_.begin(), copies_.end(),
                     [acknowledged](const auto& copy) { return copy->count >= acknowledged; }) &&
         counts().lost == 0;
}

FanOutReader::Counts FanOutReader::counts() const {
  Counts counts{.consumers = copies_.size(), .slow_records = slow_records_};
  for (const auto& copy : copies_) {
    counts.duplicated += copy->duplicated;
    counts.out_of_order += copy->out_of_order;
    verdict_.for_each_acknowledged([&](std::uint32_t lane, std::uint64_t sequence) {
      counts.lost += copy->has(lane, sequence) ? 0 : 1;
    });
  }
  return counts;
}

}  // namespace millrace::load
