#include "net/connection.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/assert.h"
#include "base/clock.h"
#include "base/random.h"
#include "net/http1.h"
#include "net/http2.h"

namespace millrace::net {
namespace {

// Read before other connections have their turn.
constexpr std::size_t kTurnBytes = 1024 * 1024;
constexpr std::size_t kTurnOfStrangerBytes = 16 * 1024;
// A newcomer has sent less, read or not: enough for a handshake and a small request.
constexpr std::size_t kNewcomerBytes = 4 * 1024;
constexpr std::size_t kNewcomerTurns = 8;
constexpr std::size_t kSwallowedBytesMax = 64 * 1024 * 1024;
constexpr std::int64_t kLingerNs = 3'000 * kNsPerMs;
constexpr std::size_t kPiecesMax = 64;  // of one write
constexpr std::uint8_t kTlsHandshakeRecord = 0x16;
constexpr std::size_t kTlsSessionBytes = 48 * 1024;  // OpenSSL's, with both buffers
constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

std::int64_t now_ns() { return system_clock().monotonic_ns(); }

IoResult outcome(ssize_t returned) {
  if (returned > 0) return {IoResult::Kind::kDone, static_cast<std::size_t>(returned)};
  if (returned == 0) return {IoResult::Kind::kEnd};
  return {errno == EAGAIN || errno == EINTR ? IoResult::Kind::kWantsRead : IoResult::Kind::kBroken};
}

// How often time limits are looked at: often enough for the shortest.
std::int64_t sweep_interval_ns(const ServerLimits& limits) {
  const std::int64_t shortest_ms =
      std::min({limits.header_ms_max, limits.body_ms_max, limits.idle_ms_max, limits.write_ms_max});
  return std::clamp<std::int64_t>(shortest_ms / 4, 10, 500) * kNsPerMs;
}

// One timer a loop, whatever the number of connections; none when there are none.
void sweep(const std::shared_ptr<ServerCore>& core, LoopShare& share) {
  share.loop.post_after(sweep_interval_ns(core->limits), [weak = std::weak_ptr(core), &share] {
    const auto alive = weak.lock();
    if (!alive) return;
    const std::int64_t now = now_ns();
    // A closed one is replaced by the last, which has been visited already.
    // One that makes room may close many.
    for (std::size_t i = share.connections.size(); i-- > 0;)
      if (i < share.connections.size()) share.connections[i]->tick(now);
    share.sweeping = !share.connections.empty();
    if (share.sweeping) sweep(alive, share);
  });
}

}  // namespace

ServerCore::ServerCore(ServerLimits given_limits, Handler given_handler, const Gate* given_gate,
                       ConnectionLog* given_log)
    : limits(given_limits),
      handler(std::move(given_handler)),
      gate(given_gate),
      log(given_log),
      budget(std::make_shared<Budget>(limits.buffered_bytes_max)),
      strangers_budget(std::make_shared<Budget>(
          std::max(limits.strangers_bytes_max, limits.body_bytes_max / 2 * 3), budget)),
      sources(system_random().next_u64()) {}

TlsContext ServerCore::tls() {
  const std::lock_guard lock(tls_mutex_);
  return tls_;
}

void ServerCore::set_tls(TlsContext context) {
  const std::lock_guard lock(tls_mutex_);
  tls_ = std::move(context);
}

void ServerCore::closed_one() {
  open.fetch_sub(1, std::memory_order_release);
  if (draining.load(std::memory_order_relaxed)) closed.notify_all();
}

void Connection::adopt(std::shared_ptr<ServerCore> core, LoopShare& share, int socket, std::string peer,
                       SourceGauge& source) {
  std::make_shared<Connection>(std::move(core), share, std::move(peer), source)->open(socket);
}

Connection::Connection(std::shared_ptr<ServerCore> core, LoopShare& share, std::string peer,
                       SourceGauge& source)
    : core_(std::move(core)),
      share_(share),
      socket_(share.loop.context()),
      context_{core_->limits, core_->budget, core_->strangers_budget, core_->handler, share.counters,
               share.loop,    *this,         std::move(peer),         source,         core_->gate},
      since_ns_(now_ns()),
      active_ns_(since_ns_),
      charge_(*core_->strangers_budget) {
  context_.log = core_->log;
}

Connection::~Connection() = default;

void Connection::open(int socket) {
  LoopCounters::add(share_.counters.connections_open, 1);
  LoopCounters::add(share_.counters.connections_total, 1);
  place_ = share_.connections.size();
  share_.connections.push_back(shared_from_this());
  if (!std::exchange(share_.sweeping, true)) sweep(core_, share_);
  boost::system::error_code error;
  socket_.assign(boost::asio::ip::tcp::v4(), socket, error);  // the family is not looked at afterwards
  if (error) {
    ::close(socket);
    close();
  } else if (core_->draining.load(std::memory_order_relaxed)) {
    close();
  } else {
    wait_readable();
  }
}

void Connection::wait_readable() {
  if (read_armed_ || input_ended_) return;
  read_armed_ = true;
  socket_.async_wait(boost::asio::socket_base::wait_read,
                     [self = shared_from_this()](const boost::system::error_code&) {
                       self->read_armed_ = false;
                       self->on_ready();
                     });
}

void Connection::wait_writable() {
  if (write_armed_) return;
  write_armed_ = true;
  socket_.async_wait(boost::asio::socket_base::wait_write,
                     [self = shared_from_this()](const boost::system::error_code&) {
                       self->write_armed_ = false;
                       self->on_ready();
                     });
}

void Connection::on_ready() {
  if (context_.known)
    have_turn();
  else if (stage_ != Stage::kClosed)
    ask_for_turn();
}

void Connection::ask_for_turn() {
  if (std::exchange(turn_asked_, true)) return;
  if (context_.known)
    share_.loop.post([self = shared_from_this()] { self->have_turn(); });
  else
    share_.strangers.wait(core_, shared_from_this(), context_.source, is_newcomer());
}

bool Connection::is_newcomer() {
  if (turns_ >= kNewcomerTurns || received_bytes_ >= kNewcomerBytes) return false;
  int unread_bytes = 0;
  ::ioctl(socket_.native_handle(), FIONREAD, &unread_bytes);
  return received_bytes_ + static_cast<std::size_t>(unread_bytes) < kNewcomerBytes;
}

// Either direction: TLS may need the one to go on with the other.
bool Connection::have_turn() {
  if (stage_ == Stage::kClosed) return false;
  turn_asked_ = false;
  ++turns_;
  if (stage_ == Stage::kServing && output_blocked_) flush();
  go_on();
  return true;
}

void Connection::go_on() {
  if (stage_ == Stage::kFirstByte) look_at_first_byte();
  if (stage_ == Stage::kHandshake) shake_hands();
  if (stage_ == Stage::kSniff || stage_ == Stage::kServing) {
    read_on();
  } else if (stage_ == Stage::kLingering) {
    swallow();
  }
}

void Connection::look_at_first_byte() {
  std::uint8_t first = 0;
  const IoResult peeked = outcome(::recv(socket_.native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT));
  if (peeked.kind == IoResult::Kind::kWantsRead) return wait_readable();
  if (peeked.kind != IoResult::Kind::kDone) return close();
  since_ns_ = now_ns();
  if (first != kTlsHandshakeRecord) {
    stage_ = Stage::kSniff;
    return;
  }
  const TlsContext context = core_->tls();
  if (!context) {
    if (core_->log != nullptr) core_->log->tls_refused(context_.peer);
    return close();
  }
  if (!afford(kTlsSessionBytes)) return;
  tls_ = std::make_unique<TlsChannel>(context, socket_.native_handle());
  context_.tls = true;
  stage_ = Stage::kHandshake;
}

void Connection::shake_hands() {
  switch (tls_->handshake().kind) {
    case IoResult::Kind::kWantsRead:
      return wait_readable();
    case IoResult::Kind::kWantsWrite:
      return wait_writable();
    case IoResult::Kind::kEnd:
    case IoResult::Kind::kBroken:
      if (core_->log != nullptr) core_->log->handshake_failed(context_.peer, tls_->fault());
      return close();
    case IoResult::Kind::kDone:
      break;
  }
  const std::string_view protocol = tls_->protocol();
  if (protocol.empty()) {
    stage_ = Stage::kSniff;
  } else {
    serve(protocol == "h2");
  }
}

// Clear text, or TLS without ALPN: HTTP/2 begins with its preface, everything else is taken for HTTP/1.
void Connection::sniff(ByteView bytes) {
  if (!sniffed_) sniffed_ = std::make_unique<Bytes>();
  sniffed_->append(bytes);
  const std::string_view text = sniffed_->text();
  const std::string_view begin = text.substr(0, kHttp2Preface.size());
  const bool could_be_http2 = kHttp2Preface.substr(0, begin.size()) == begin;
  if (could_be_http2 && begin.size() < kHttp2Preface.size()) return;
  serve(could_be_http2);
  const auto first = std::move(sniffed_);
  if (stage_ == Stage::kServing) feed(first->view());
}

void Connection::serve(bool http2) {
  if (http2) {
    if (!afford(kHttp2SessionBytes)) return;
    driver_ = std::make_unique<Http2>(context_, now_ns());
  } else {
    driver_ = std::make_unique<Http1>(context_, now_ns());
  }
  stage_ = Stage::kServing;
  if (core_->draining.load(std::memory_order_relaxed)) driver_->drain();
}

bool Connection::afford(std::size_t bytes) {
  if (context_.raise(charge_, charge_.bytes() + bytes)) return true;
  close();
  return false;
}

std::span<std::uint8_t> Connection::scratch(std::size_t bytes) {
  if (share_.scratch.size() < bytes) share_.scratch.resize(bytes);
  return {share_.scratch.data(), bytes};
}

IoResult Connection::read(std::span<std::uint8_t> space) {
  return tls_ ? tls_->read(space)
              : outcome(::recv(socket_.native_handle(), space.data(), space.size(), MSG_DONTWAIT));
}

IoResult Connection::write(std::span<const iovec> pieces) {
  if (tls_) return tls_->write(pieces);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());
  message.msg_iovlen = pieces.size();
  IoResult result = outcome(::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL));
  if (result.kind == IoResult::Kind::kWantsRead) result.kind = IoResult::Kind::kWantsWrite;
  return result;
}

void Connection::feed(ByteView bytes) {
  if (stage_ == Stage::kSniff) return sniff(bytes);
  if (stage_ == Stage::kServing) driver_->received(bytes, now_ns());
}

void Connection::read_on() {
  in_driver_ = true;  // answers given meanwhile leave together, in flush()
  std::size_t turn_bytes = 0;
  bool dry = false;
  while (!dry && (stage_ == Stage::kSniff || (stage_ == Stage::kServing && driver_->wants_input()))) {
    if (driver_ && driver_->holds_input()) driver_->resume_input(now_ns());
    if (driver_ && !driver_->wants_input()) break;
    const std::size_t turn_bytes_max = context_.known ? kTurnBytes : kTurnOfStrangerBytes;
    if (turn_bytes >= turn_bytes_max) break;
    std::span<std::uint8_t> space = driver_ ? driver_->body_space() : std::span<std::uint8_t>{};
    const bool straight = !space.empty();
    if (!straight) space = scratch(driver_ ? driver_->read_bytes() : 16 * 1024);
    space = space.first(std::min(space.size(), turn_bytes_max));
    const IoResult got = read(space);
    switch (got.kind) {
      case IoResult::Kind::kDone:
        break;
      case IoResult::Kind::kWantsWrite:
        wait_writable();
        [[fallthrough]];
      case IoResult::Kind::kWantsRead:
        dry = true;
        continue;
      case IoResult::Kind::kEnd:
        input_ended_ = true;
        dry = true;
        if (!driver_) {
          in_driver_ = false;
          return close();
        }
        driver_->input_ended();
        continue;
      case IoResult::Kind::kBroken:
        in_driver_ = false;
        return close();
    }
    turn_bytes += got.bytes;
    received_bytes_ += got.bytes;
    active_ns_ = now_ns();
    LoopCounters::add(share_.counters.bytes_in, got.bytes);
    if (straight) {
      driver_->body_arrived(got.bytes);
      // The body is whole: answer first, then look for another request.
      dry = !tls_ && driver_->body_space().empty();
    } else {
      feed(space.first(got.bytes));
    }
    if (!tls_ && got.bytes < space.size()) dry = true;  // saves the read that would say so
  }
  in_driver_ = false;
  if (stage_ == Stage::kSniff) return wait_readable();
  if (stage_ != Stage::kServing) return;
  if (context_.known && charge_.bytes() != 0) charge_.release();
  if (!wide_ && (context_.known || context_.admitted)) widen();
  read_dry_ = dry;
  flush();
}

void Connection::widen() {
  wide_ = true;
  // From the size that sockets usually begin with the system may go on by itself; where it is too old for
  // that, a large one does. An option that is refused only makes the connection slower.
  const int own_pace = 0, usual_bytes = 64 * 1024, large_bytes = 4 * 1024 * 1024;
  const int socket = socket_.native_handle();
  ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &usual_bytes, sizeof(int));
  if (::setsockopt(socket, SOL_SOCKET, SO_BUF_LOCK, &own_pace, sizeof(int)) != 0)
    ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &large_bytes, sizeof(int));
}

void Connection::output_ready(bool more_soon) {
  if (in_driver_ || stage_ != Stage::kServing) return;
  if (!share_.loop.is_current()) return;  // the loops have ended; a Responder was dropped after them
  if (!more_soon) return flush();
  if (std::exchange(flush_posted_, true)) return;
  share_.loop.post([self = shared_from_this()] {
    self->flush_posted_ = false;
    if (self->stage_ == Stage::kServing) self->flush();
  });
}

void Connection::flush() {
  std::array<iovec, kPiecesMax> pieces;
  while (stage_ == Stage::kServing && !write_armed_) {
    in_driver_ = true;
    const std::size_t count = driver_->gather(pieces);
    in_driver_ = false;
    if (count == 0) {
      output_blocked_ = false;
      break;
    }
    const IoResult put = write({pieces.data(), count});
    if (put.kind == IoResult::Kind::kDone) {
      LoopCounters::add(share_.counters.bytes_out, put.bytes);
      output_blocked_ = false;
      in_driver_ = true;
      driver_->sent(put.bytes, now_ns());
      in_driver_ = false;
    } else if (put.kind == IoResult::Kind::kWantsWrite || put.kind == IoResult::Kind::kWantsRead) {
      if (!std::exchange(output_blocked_, true)) since_ns_ = now_ns();
      put.kind == IoResult::Kind::kWantsWrite ? wait_writable() : wait_readable();
      break;
    } else {
      return close();
    }
  }
  settle();
}

void Connection::settle() {
  if (stage_ != Stage::kServing) return;
  if (!output_blocked_ && !write_armed_ && driver_->ending() != Driver::Ending::kNone) {
    return driver_->ending() == Driver::Ending::kLinger && !input_ended_ ? linger() : close();
  }
  if (!driver_->wants_input()) return;
  if (!context_.known && driver_->activity() == Driver::Activity::kIdle) turns_ = received_bytes_ = 0;
  if (read_dry_ && !driver_->holds_input()) return wait_readable();
  ask_for_turn();
}

// A close with unread input would reset the connection, and the peer might never see its answer.
void Connection::linger() {
  stage_ = Stage::kLingering;
  since_ns_ = now_ns();
  driver_->gone();
  if (tls_) tls_->shut_down();
  ::shutdown(socket_.native_handle(), SHUT_WR);
  wait_readable();
}

// Not a byte of it is copied: MSG_TRUNC drops what has come.
void Connection::swallow() {
  constexpr std::size_t kAtOnceBytes = 256 * 1024;
  for (std::size_t turn_bytes = 0; turn_bytes < kAtOnceBytes;) {
    const IoResult got =
        outcome(::recv(socket_.native_handle(), nullptr, kAtOnceBytes, MSG_DONTWAIT | MSG_TRUNC));
    if (got.kind == IoResult::Kind::kWantsRead) break;
    swallowed_bytes_ += got.bytes;
    turn_bytes += got.bytes;
    if (got.kind != IoResult::Kind::kDone || swallowed_bytes_ > kSwallowedBytesMax) return close();
  }
  wait_readable();
}

void Connection::tick(std::int64_t now) {
  const ServerLimits& limits = core_->limits;
  const std::int64_t waited_ns = now - since_ns_;
  switch (stage_) {
    case Stage::kFirstByte:
      if (waited_ns > limits.idle_ms_max * kNsPerMs) close();
      break;
    case Stage::kHandshake:
    case Stage::kSniff:
      if (waited_ns > limits.header_ms_max * kNsPerMs) close();
      break;
    case Stage::kServing:
      if (output_blocked_ && waited_ns > limits.write_ms_max * kNsPerMs) return close();
      in_driver_ = true;
      driver_->tick(now);
      in_driver_ = false;
      flush();
      break;
    case Stage::kLingering:
      if (waited_ns > kLingerNs) close();
      break;
    case Stage::kClosed:
      break;
  }
}

void Connection::drain() {
  if (stage_ == Stage::kFirstByte) return close();
  if (stage_ != Stage::kServing) return;
  in_driver_ = true;
  driver_->drain();
  in_driver_ = false;
  flush();
}

void Connection::close() {
  if (stage_ == Stage::kClosed) return;
  stage_ = Stage::kClosed;
  charge_.release();
  // Whoever called may stand on this object, or on the driver.
  share_.loop.post([self = shared_from_this()] {});
  if (driver_) driver_->gone();
  if (tls_) tls_->shut_down();
  boost::system::error_code ignored;
  socket_.close(ignored);
  share_.connections[place_] = std::move(share_.connections.back());
  share_.connections[place_]->place_ = place_;
  share_.connections.pop_back();
  LoopCounters::add(share_.counters.connections_open, std::uint64_t{0} - 1);
  core_->closed_one();
}

}  // namespace millrace::net
