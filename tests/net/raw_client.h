// A client that sends what the test says, byte for byte, and reads what comes.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::net {

struct RawResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // lower-cased names
  std::string body;                            // de-chunked
};

constexpr int kPatienceMs = 10'000;

// Blocks, but for no longer than kPatienceMs.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer_bytes = 0);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  int socket() const { return socket_; }
  // False when the peer no longer takes it.
  bool send(std::string_view bytes);
  // As much as can be sent without waiting.
  std::size_t send_some(std::string_view bytes);
  void end_sending();
  // One response; nullopt when the connection ended, or nothing came. `head_only`: to a HEAD.
  std::optional<RawResponse> response(bool head_only = false);
  // All that comes until the peer closes; nullopt when it does not within the patience.
  std::optional<std::string> rest();
  // At least one byte, at most `bytes_max`; empty at the end.
  std::string some(std::size_t bytes_max);
  bool closed_by_peer() { return rest().has_value(); }

 private:
  bool fill();  // false: the end, or out of patience
  std::optional<std::string> line();
  std::optional<std::string> exactly(std::size_t bytes);

  int socket_;
  std::string buffer_;
  bool ended_ = false;
};

inline std::uint16_t port_of(const std::string& address) {
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

inline RawClient::RawClient(std::uint16_t port, int receive_buffer_bytes)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer_bytes != 0) {
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof(receive_buffer_bytes));
  }
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    ADD_FAILURE() << "cannot connect to port " << port;
  }
}

inline RawClient::~RawClient() { ::close(socket_); }

inline bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

inline std::size_t RawClient::send_some(std::string_view bytes) {
  const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

inline void RawClient::end_sending() { ::shutdown(socket_, SHUT_WR); }

inline bool RawClient::fill() {
  if (ended_) return false;
  pollfd ready{socket_, POLLIN, 0};
  if (::poll(&ready, 1, kPatienceMs) != 1) return false;
  char bytes[65'536];
  const ssize_t got = ::recv(socket_, bytes, sizeof(bytes), 0);
  if (got <= 0) {
    ended_ = true;
    return false;
  }
  buffer_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

inline std::optional<std::string> RawClient::line() {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    if (!fill()) return std::nullopt;
  }
  std::string text = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return text;
}

inline std::optional<std::string> RawClient::exactly(std::size_t bytes) {
  while (buffer_.size() < bytes) {
    if (!fill()) return std::nullopt;
  }
  std::string text = buffer_.substr(0, bytes);
  buffer_.erase(0, bytes);
  return text;
}

inline std::optional<RawResponse> RawClient::response(bool head_only) {
  auto next = line();
  if (!next || next->size() < 12) return std::nullopt;
  RawResponse response;
  response.status = std::stoi(next->substr(9, 3));
  while ((next = line()) && !next->empty()) {
    const std::size_t colon = next->find(": ");
    std::string name = next->substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    response.headers[name] = next->substr(colon + 2);
  }
  if (!next) return std::nullopt;
  if (head_only || response.status < 200) return response;
  if (response.headers.contains("content-length")) {
    auto body = exactly(std::stoul(response.headers["content-length"]));
    if (!body) return std::nullopt;
    response.body = std::move(*body);
  } else if (response.headers.contains("transfer-encoding")) {
    while (const auto size = line()) {
      const auto chunk = exactly(std::stoul(*size, nullptr, 16) + 2);
      if (!chunk) return std::nullopt;
      if (chunk->size() == 2) return response;
      response.body.append(*chunk, 0, chunk->size() - 2);
    }
    return std::nullopt;
  }
  return response;
}

inline std::optional<std::string> RawClient::rest() {
  while (fill()) {
  }
  if (!ended_) return std::nullopt;
  return std::exchange(buffer_, {});
}

inline std::string RawClient::some(std::size_t bytes_max) {
  if (buffer_.empty()) fill();
  std::string text = buffer_.substr(0, bytes_max);
  buffer_.erase(0, text.size());
  return text;
}

}  // namespace millrace::net
