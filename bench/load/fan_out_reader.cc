#include "load/fan_out_reader.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "load/stamp.h"

namespace millrace::load {
namespace {

constexpr std::size_t kEventsReadBytes = 256 * 1024;
constexpr std::size_t kSlowBytes = 16 * 1024;  // each tick
constexpr std::int64_t kSlowTickUs = 62'500;
// CBOR, as the SDK for Java asks for (RFC 8949): the payload comes as it is, and with its length.
constexpr std::string_view kContentType = "application/x-amz-cbor-1.1";
constexpr std::string_view kDataKey =
    "\x64"
    "Data";

std::uint64_t big_endian(std::string_view bytes, std::size_t count = 4) {
  std::uint64_t value = 0;
  for (const char byte : bytes.substr(0, count)) value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

std::string cbor_text(std::string_view text) {
  MR_ASSERT(text.size() < 256);
  return std::string{'\x78', static_cast<char>(text.size())}.append(text);
}

std::string subscribe_body(std::string_view consumer_arn, std::string_view shard_id) {
  std::string body = "\xa3";  // a map of three
  body += cbor_text("ConsumerARN") + cbor_text(consumer_arn) + cbor_text("ShardId") + cbor_text(shard_id);
  return body + cbor_text("StartingPosition") + "\xa1" + cbor_text("Type") + cbor_text("LATEST");
}

// The byte string that `at` begins with, nullopt if it is none, or not whole.
std::optional<std::string_view> cbor_bytes(std::string_view at) {
  if (at.empty()) return std::nullopt;
  const auto head = static_cast<std::uint8_t>(at.front());
  if (head < 0x40 || head > 0x5b) return std::nullopt;
  const std::size_t length_bytes = head < 0x58 ? 0 : std::size_t{1} << (head - 0x58);
  if (at.size() < 1 + length_bytes) return std::nullopt;
  const std::uint64_t length = length_bytes == 0 ? head - 0x40U : big_endian(at.substr(1), length_bytes);
  at.remove_prefix(1 + length_bytes);
  if (at.size() < length) return std::nullopt;
  return at.substr(0, length);
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
    while (read_once(kEventsReadBytes)) {
    }
  }
  // Received bytes stay where the kernel put them: with so many consumers beside the server, a copy here
  // would be most of what is measured.
  bool read_once(std::size_t bytes_max) {
    if (fd_ < 0) return false;
    if (taken_ == filled_) taken_ = filled_ = 0;
    if (raw_.size() - filled_ < bytes_max) {
      std::memmove(raw_.data(), raw_.data() + taken_, filled_ - taken_);
      filled_ -= std::exchange(taken_, 0);
      if (raw_.size() - filled_ < bytes_max) raw_.resize(filled_ + 2 * bytes_max);
    }
    const ssize_t got = recv(fd_, raw_.data() + filled_, bytes_max, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return errno == EINTR;
    if (got <= 0) {
      broken("end of the connection");
      return false;
    }
    filled_ += static_cast<std::size_t>(got);
    take_chunks();
    return true;
  }
  void broken(const char* what) {
    totals_.count_error(0, fmt::format(R"({{"__type":"subscription: {}"}})", what));
    house_.loop_.forget(fd_);
    ::close(std::exchange(fd_, -1));
  }

  std::string_view rest() const { return std::string_view(raw_).substr(taken_, filled_ - taken_); }

  void take_chunks() {
    if (!head_done_) {
      const std::size_t end = rest().find("\r\n\r\n");
      if (end == std::string_view::npos) return;
      if (!rest().starts_with("HTTP/1.1 200")) {
        fmt::print(stderr, "load: SubscribeToShard: {}\n", rest());
        std::exit(1);
      }
      head_done_ = true;
      taken_ += end + 4;
    }
    for (;;) {
      if (chunk_bytes_ == 0) {
        const std::size_t line_end = rest().find("\r\n");
        if (line_end == std::string_view::npos) return;
        std::from_chars(rest().data(), rest().data() + line_end, chunk_bytes_, 16);
        taken_ += line_end + 2;
        if (chunk_bytes_ == 0) return;  // the last one
      }
      if (rest().size() < chunk_bytes_ + 2) return;
      take_events(rest().substr(0, chunk_bytes_));
      taken_ += std::exchange(chunk_bytes_, 0) + 2;
    }
  }
  // The server sends whole events in a chunk.
  void take_events(std::string_view chunk) {
    while (chunk.size() >= 12 && big_endian(chunk) <= chunk.size()) {
      const std::size_t bytes = big_endian(chunk);
      const std::size_t headers = big_endian(chunk.substr(4));
      take_event(chunk.substr(12, headers), chunk.substr(12 + headers, bytes - headers - 16));
      chunk.remove_prefix(bytes);
    }
    if (!chunk.empty()) broken("an event cut by a chunk's end");
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
    for (;;) {
      const std::size_t key = payload.find(kDataKey);
      if (key == std::string_view::npos) return;
      payload.remove_prefix(key + kDataKey.size());
      const std::optional<std::string_view> data = cbor_bytes(payload);
      if (!data) continue;
      payload.remove_prefix(static_cast<std::size_t>(data->end() - payload.begin()));
      if (slow()) {
        ++house_.slow_records_;
        continue;
      }
      ++totals_.get_records;
      totals_.get_bytes += data->size();
      if (data->size() < kStampBytes) continue;
      const std::optional<Stamp> stamp = read_stamp(data->data());
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
  std::string raw_;      // received, not yet taken: from taken_ to filled_
  std::size_t taken_ = 0, filled_ = 0;
  std::size_t chunk_bytes_ = 0;  // of the chunk that began at taken_
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
      const std::string body = subscribe_body(options.consumers[i], options.shards[shard]);
      subscriptions_.push_back(std::make_unique<Subscription>(*this, endpoint, totals,
                                                              slow ? nullptr : copies_.back().get(), shard));
      subscriptions_.back()->begin(signer.head("SubscribeToShard", body, now_us(), kContentType) + body);
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
