// net/connection.h: one accepted socket: reads and writes for a driver, which it picks by the first bytes.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "net/driver.h"
#include "net/event_loop.h"
#include "net/tls.h"

namespace millrace::net {

class Connection;

// What the connections of one server share on one loop. The loop's thread, but for the counters.
struct LoopShare {
  explicit LoopShare(EventLoop& own_loop) : loop(own_loop) {}
  EventLoop& loop;
  LoopCounters counters;
  std::vector<std::shared_ptr<Connection>> connections;  // each knows its place
  Bytes scratch;                                         // where bytes are read whose kind is not yet known
  bool sweeping = false;
};

// What all of them share. Connections keep it alive.
struct ServerCore : std::enable_shared_from_this<ServerCore> {
  ServerCore(ServerLimits given_limits, Handler given_handler)
      : limits(given_limits),
        handler(std::move(given_handler)),
        budget(std::make_shared<Budget>(given_limits.buffered_bytes_max)) {}

  TlsContext tls();  // empty: none
  void set_tls(TlsContext context);
  void closed_one();

  const ServerLimits limits;
  Handler handler;  // called on many loops at once
  const std::shared_ptr<Budget> budget;
  std::vector<std::unique_ptr<LoopShare>> shares;  // one a loop
  std::atomic<std::size_t> open{0};                // accepted and not yet closed
  std::atomic<bool> draining{false};
  std::condition_variable closed;  // told while draining; look again now and then all the same

 private:
  std::mutex tls_mutex_;
  TlsContext tls_;  // guarded
};

class Connection final : public Carrier, public std::enable_shared_from_this<Connection> {
 public:
  // Takes `socket`, non-blocking and counted in core.open, over; begins to serve it. The loop's thread.
  static void adopt(std::shared_ptr<ServerCore> core, LoopShare& share, int socket, std::string peer);

  Connection(std::shared_ptr<ServerCore> core, LoopShare& share, std::string peer);
  ~Connection() override;

  void tick(std::int64_t now_ns);
  void drain();
  void close();

  void output_ready(bool more_soon) override;

 private:
  enum class Stage : std::uint8_t { kFirstByte, kHandshake, kSniff, kServing, kLingering, kClosed };

  void open(int socket);
  void wait_readable();
  void wait_writable();
  void on_ready();
  void go_on();  // as far as the socket lets it; from an event, not from a driver
  void look_at_first_byte();
  void shake_hands();
  void sniff(ByteView bytes);
  void serve(bool http2);
  void read_on();
  void feed(ByteView bytes);
  void flush();
  void linger();
  void swallow();
  void settle();  // after output: closes, or waits for what comes next
  IoResult read(std::span<std::uint8_t> space);
  IoResult write(std::span<const iovec> pieces);
  std::span<std::uint8_t> scratch(std::size_t bytes);

  const std::shared_ptr<ServerCore> core_;
  LoopShare& share_;
  boost::asio::ip::tcp::socket socket_;
  DriverContext context_;
  std::unique_ptr<TlsChannel> tls_;
  std::unique_ptr<Driver> driver_;
  std::unique_ptr<Bytes> sniffed_;  // first bytes that both protocols could begin with
  std::int64_t since_ns_;           // of the stage; while serving: since when output has been blocked
  std::size_t swallowed_bytes_ = 0;
  std::size_t place_ = 0;  // in share_.connections
  Stage stage_ = Stage::kFirstByte;
  bool read_armed_ = false;
  bool write_armed_ = false;
  bool output_blocked_ = false;
  bool read_dry_ = true;  // the last read left nothing behind, in the socket or in TLS
  bool go_on_posted_ = false;
  bool flush_posted_ = false;
  bool in_driver_ = false;
  bool input_ended_ = false;
};

}  // namespace millrace::net
