#include "load/http_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "base/assert.h"

namespace millrace::load {
namespace {

constexpr std::size_t kResponseReadBytes = 256 * 1024;
constexpr std::string_view kHeadEnd = "\r\n\r\n";

std::optional<std::string_view> header(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at)) {
    at += 2;
    if (head.size() - at <= name.size() || head[at + name.size()] != ':') continue;
    if (strncasecmp(head.data() + at, name.data(), name.size()) != 0) continue;
    std::string_view value = head.substr(at + name.size() + 1);
    value = value.substr(0, value.find("\r\n"));
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    return value;
  }
  return std::nullopt;
}

// The body of a chunked answer that begins at `text`, and how many bytes of text it took; nullopt: not whole
// yet.
std::optional<std::pair<std::string, std::size_t>> dechunk(std::string_view text) {
  std::string body;
  for (std::size_t at = 0;;) {
    const std::size_t line_end = text.find("\r\n", at);
    if (line_end == std::string_view::npos) return std::nullopt;
    std::size_t bytes = 0;
    std::from_chars(text.data() + at, text.data() + line_end, bytes, 16);
    at = line_end + 2;
    if (text.size() < at + bytes + 2) return std::nullopt;
    body.append(text.substr(at, bytes));
    at += bytes + 2;
    if (bytes == 0) return std::pair{std::move(body), at};
  }
}

}  // namespace

HttpConnection::HttpConnection(EventLoop& loop, Endpoint endpoint)
    : loop_(loop), endpoint_(std::move(endpoint)) {}

HttpConnection::~HttpConnection() {
  if (fd_ < 0) return;
  loop_.forget(fd_);
  close(fd_);
}

void HttpConnection::send(std::string head, std::shared_ptr<const std::string> body, Answer answer) {
  outgoing_.push_back({std::move(head), std::move(body)});
  waiting_.push_back(std::move(answer));
  if (fd_ < 0 && !connect_now()) {
    loop_.soon([this] { break_down(); });
    return;
  }
  if (writable_ && outgoing_.size() == 1 && !flush()) loop_.soon([this] { break_down(); });
}

bool HttpConnection::connect_now() {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return false;
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint_.port);
  if (inet_pton(AF_INET, endpoint_.host.c_str(), &address.sin_addr) != 1) return false;
  writable_ = false;
  loop_.watch(fd_, *this);
  // sockets of every family go through this one type
  const auto* any = reinterpret_cast<const sockaddr*>(&address);
  return connect(fd_, any, sizeof address) == 0 || errno == EINPROGRESS;
}

void HttpConnection::on_events(std::uint32_t events) {
  if (fd_ < 0) return;
  if (events & EPOLLOUT) {
    writable_ = true;
    if (!flush()) return break_down();
  }
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) && !read_all()) break_down();
}

bool HttpConnection::flush() {
  while (!outgoing_.empty()) {
    std::array<iovec, 2> pieces{};
    const Outgoing& first = outgoing_.front();
    std::size_t skip = sent_of_first_;
    std::size_t count = 0;
    std::size_t bytes = 0;
    for (const std::string_view part : {std::string_view(first.head), std::string_view(*first.body)}) {
      const std::size_t skipped = std::min(skip, part.size());
      skip -= skipped;
      if (skipped == part.size()) continue;
      pieces[count++] = {const_cast<char*>(part.data() + skipped), part.size() - skipped};
      bytes += part.size() - skipped;
    }
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = count;
    const ssize_t sent = sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      writable_ = false;
      return errno == EAGAIN;
    }
    sent_of_first_ += static_cast<std::size_t>(sent);
    if (static_cast<std::size_t>(sent) == bytes) {
      outgoing_.pop_front();
      sent_of_first_ = 0;
    }
  }
  return true;
}

bool HttpConnection::read_all() {
  for (;;) {
    if (taken_ == filled_) taken_ = filled_ = 0;
    if (in_.size() - filled_ < kResponseReadBytes) {
      std::memmove(in_.data(), in_.data() + taken_, filled_ - taken_);
      filled_ -= taken_;
      taken_ = 0;
      if (in_.size() - filled_ < kResponseReadBytes)
        in_.resize(std::max(2 * in_.size(), filled_ + kResponseReadBytes));
    }
    const ssize_t got = recv(fd_, in_.data() + filled_, in_.size() - filled_, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    filled_ += static_cast<std::size_t>(got);
    if (!take_answers()) return false;
  }
}

bool HttpConnection::take_answers() {
  while (filled_ - taken_ > need_) {
    const std::string_view text(in_.data() + taken_, filled_ - taken_);
    const std::size_t head_end = text.find(kHeadEnd);
    if (head_end == std::string_view::npos) return true;
    const std::string_view head = text.substr(0, head_end + 2);
    if (head.size() < 12 || waiting_.empty()) return false;
    int status = 0;
    std::from_chars(head.data() + 9, head.data() + 12, status);
    const std::size_t body_begin = head_end + kHeadEnd.size();

    std::string dechunked;
    std::string_view body;
    std::size_t end = body_begin;
    if (const auto length = header(head, "content-length")) {
      std::size_t bytes = 0;
      std::from_chars(length->data(), length->data() + length->size(), bytes);
      end += bytes;
      if (text.size() < end) {
        need_ = end - 1;
        return true;
      }
      body = text.substr(body_begin, bytes);
    } else if (header(head, "transfer-encoding")) {
      auto whole = dechunk(text.substr(body_begin));
      if (!whole) return true;
      dechunked = std::move(whole->first);
      body = dechunked;
      end += whole->second;
    }
    const auto closing = header(head, "connection");
    const bool last = closing && *closing == "close";
    need_ = 0;
    taken_ += end;
    const Answer answer = std::move(waiting_.front());
    waiting_.pop_front();
    answer(status, body);  // may send the next, which does not touch in_
    if (last) return false;
  }
  return true;
}

void HttpConnection::break_down() {
  if (fd_ >= 0) {
    loop_.forget(fd_);
    close(fd_);
    fd_ = -1;
  }
  writable_ = false;
  outgoing_.clear();
  sent_of_first_ = taken_ = filled_ = need_ = 0;
  std::deque<Answer> waiting = std::exchange(waiting_, {});
  for (const Answer& answer : waiting) answer(0, {});
}

}  // namespace millrace::load
