// net/connection.h: one accepted socket: reads and writes for a driver, which it picks by the first bytes.
#pragma once

#include <atomic>
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
#include "net/stranger_turns.h"
#include "net/tls.h"

namespace millrace::net {

class Connection;

// What the connections of one server share on one loop. The loop's thread, but for the counters.
struct LoopShare {
  explicit LoopShare(EventLoop& own_loop) : loop(own_loop), strangers(own_loop) {}
  EventLoop& loop;
  StrangerTurns strangers;
  LoopCounters counters;
  std::vector<std::shared_ptr<Connection>> connections;  // each knows its place
  std::vector<std::weak_ptr<Connection>>
      leaving_next;                // when memory for strangers runs out; the last one first
  std::int64_t look_again_ns = 0;  // for more of them
  Bytes scratch;                   // where bytes are read whose kind is not yet known
  bool sweeping = false;
  std::atomic<bool> asked_for_room{false};  // by another loop, for strangers; any thread
};

// What all of them share. Connections keep it alive.
struct ServerCore : std::enable_shared_from_this<ServerCore> {
  ServerCore(ServerLimits given_limits, Handler given_handler, const Gate* given_gate,
             ConnectionLog* given_log);

  TlsContext tls();  // empty: none
  void set_tls(TlsContext context);
  void closed_one();

  const ServerLimits limits;
  Handler handler;  // called on many loops at once
  const Gate* const gate;
  ConnectionLog* const log;
  const std::shared_ptr<Budget> budget;
  const std::shared_ptr<Budget> strangers_budget;
  SourceTable sources;
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
  //
  // source   of core.sources: the peer's address
  static void adopt(std::shared_ptr<ServerCore> core, LoopShare& share, int socket, std::string peer,
                    SourceGauge& source);
  // Closes up to `count` of the loop's connections that only wait for their peers, those that have waited
  // longest: of callers who are not known, or else, and then only a few, idle ones of those who are. Returns
  // how many; a few of them are closed at once, the others soon. The loop's thread.
  static std::size_t make_way(LoopShare& share, std::size_t count);

  Connection(std::shared_ptr<ServerCore> core, LoopShare& share, std::string peer, SourceGauge& source);
  ~Connection() override;

  // Goes on, as far as the socket lets it. False: it was closed already, and nothing was done.
  bool have_turn();
  void tick(std::int64_t now_ns);
  void drain();
  void close();

  void output_ready(bool more_soon) override;
  void make_room(std::size_t bytes) override;

 private:
  enum class Stage : std::uint8_t { kFirstByte, kHandshake, kSniff, kServing, kLingering, kClosed };

  void open(int socket);
  void wait_readable();
  void wait_writable();
  void on_ready();
  // Lets it go on soon: a known caller's connection in the loop's next batch, a stranger's in its turn.
  void ask_for_turn();
  void go_on();  // as far as the socket lets it; from a turn, not from a driver
  void look_at_first_byte();
  void shake_hands();
  void sniff(ByteView bytes);
  void serve(bool http2);
  // Charges a stranger's connection for what it takes by itself. False, and closed: there is no room.
  bool afford(std::size_t bytes);
  bool is_newcomer();
  bool is_stranger_waiting() const;
  bool may_hold_strangers_bytes() const;
  // Whether it makes way before `other` does, where both may.
  bool goes_before(const Connection& other) const;
  struct RoomWanted {
    std::size_t bytes;           // more than are held now
    std::size_t received_bytes;  // of who wants it
    const Connection* by;        // spared; null: it is another loop's
  };
  // Closes connections of waiting strangers until their budget has that room, or none is left: those silent
  // longest, then those who go on sending and have sent most, as long as that is more than who wants it has
  // sent.
  static void make_room(LoopShare& share, const Budget& strangers, const RoomWanted& wanted);
  // Finds the next ones of those. False: there are none, or it was tried just now.
  static bool find_holders(LoopShare& share);
  static void close_by_and_by(LoopShare& share, std::vector<std::weak_ptr<Connection>> leaving);
  bool is_known_and_idle() const;
  void read_on();
  void widen();  // what the system may hold of what it sends, as for any socket
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
  std::int64_t active_ns_;          // when the peer sent something last
  Charge charge_;                   // what it takes by itself, TLS and HTTP/2 sessions
  std::size_t swallowed_bytes_ = 0;
  std::size_t turns_ = 0;           // as a stranger, since it was idle
  std::size_t received_bytes_ = 0;  // the same
  std::size_t place_ = 0;           // in share_.connections
  Stage stage_ = Stage::kFirstByte;
  bool read_armed_ = false;
  bool write_armed_ = false;
  bool output_blocked_ = false;
  bool read_dry_ = true;  // the last read left nothing behind, in the socket or in TLS
  bool turn_asked_ = false;
  bool wide_ = false;
  bool flush_posted_ = false;
  bool in_driver_ = false;
  bool input_ended_ = false;
};

}  // namespace millrace::net
