#include "net/listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string_view>

namespace millrace::net {
namespace {

namespace ip = boost::asio::ip;

constexpr int kBacklog = 4096;
constexpr int kAcceptsATurn = 16;
constexpr std::size_t kWayShare = 32;  // one of so many connections makes way at once
// What the system holds of what a stranger has sent and nobody has read: many strangers are not to use up the
// memory of all connections of the machine. Connection lets it grow once the caller seems to be somebody.
constexpr int kReceiveBufferOfStrangerBytes = 16 * 1024;
constexpr std::int64_t kPauseNs = 100'000'000;  // without descriptors, until accepting is tried again

int open_spare() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

std::string text_of(const ip::tcp::endpoint& endpoint) {
  const bool v6 = endpoint.address().is_v6();
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", endpoint.address().to_string(), v6 ? "]" : "",
                     endpoint.port());
}

Result<ip::tcp::endpoint> resolve(boost::asio::io_context& context, const std::string& address) {
  const Error unusable{ErrorKind::kInvalid, fmt::format("\"{}\" is not an address: HOST:PORT", address)};
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return unusable;
  std::string host = address.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const char* const end = address.data() + address.size();
  const auto parsed = std::from_chars(address.data() + colon + 1, end, port);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return unusable;
  boost::system::error_code error;
  const auto found = ip::tcp::resolver(context).resolve(host, std::to_string(port),
                                                        ip::resolver_base::numeric_service, error);
  if (error || found.empty())
    return Error{ErrorKind::kInvalid,
                 fmt::format("\"{}\" is not an address: {} has none ({})", address, host, error.message())};
  return found.begin()->endpoint();
}

// What SourceTable tells addresses apart by.
std::uint64_t address_key(const ip::address& address) {
  if (address.is_v4()) return address.to_v4().to_uint();
  const ip::address_v6 v6 = address.to_v6();
  if (v6.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, v6).to_uint();
  std::uint64_t key = 0;
  const auto bytes = v6.to_bytes();
  for (std::size_t i = 0; i < 8; ++i) key = key << 8 | bytes[i];
  return key;
}

// On its way to its loop; closed, and no longer counted, where that has ended.
class AcceptedSocket {
 public:
  AcceptedSocket(int socket, std::shared_ptr<ServerCore> core) : socket_(socket), core_(std::move(core)) {}
  AcceptedSocket(AcceptedSocket&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), core_(std::move(other.core_)) {}
  AcceptedSocket& operator=(AcceptedSocket&&) = delete;
  ~AcceptedSocket() {
    if (socket_ < 0) return;
    ::close(socket_);
    core_->closed_one();
  }
  int take() { return std::exchange(socket_, -1); }

 private:
  int socket_;
  std::shared_ptr<ServerCore> core_;
};

// Small answers go out at once. To a peer on this machine nothing is paced either: where the system's
// congestion control is BBR, its pacing held back every burst of events by about a millisecond, and there is
// no network between to spare. Where an option is refused, the connection is only slower.
void tune(int socket, const ip::tcp::endpoint& peer) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  constexpr std::string_view kUnpaced = "reno";  // the one that every system has, and lets everybody choose
  if (peer.address().is_loopback())
    ::setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, kUnpaced.data(), kUnpaced.size());
}

}  // namespace

Result<void> check_address(const std::string& address) {
  boost::asio::io_context context;
  const auto endpoint = resolve(context, address);
  return endpoint.ok() ? Result<void>{} : endpoint.error();
}

Result<std::shared_ptr<Listener>> Listener::open(std::shared_ptr<ServerCore> core,
                                                 const std::string& address) {
  EventLoop& loop = core->shares.front()->loop;
  const auto listener = std::make_shared<Listener>(std::move(core), loop);
  MR_ASSIGN(const ip::tcp::endpoint endpoint, resolve(loop.context(), address));
  boost::system::error_code error;
  auto& acceptor = listener->acceptor_;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(ip::tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.non_blocking(true, error);
  ::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_RCVBUF, &kReceiveBufferOfStrangerBytes, sizeof(int));
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(kBacklog, error);
  if (error)
    return Error{ErrorKind::kUnavailable, fmt::format("cannot listen on {}: {}", address, error.message())};
  listener->address_ = text_of(acceptor.local_endpoint(error));
  return listener;
}

Listener::Listener(std::shared_ptr<ServerCore> core, EventLoop& loop)
    : core_(std::move(core)), loop_(loop), acceptor_(loop.context()), spare_descriptor_(open_spare()) {}

Listener::~Listener() {
  if (spare_descriptor_ >= 0) ::close(spare_descriptor_);
}

void Listener::start() { wait(); }

void Listener::stop() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

void Listener::wait() {
  acceptor_.async_wait(boost::asio::socket_base::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& error) {
                         if (!error && self->acceptor_.is_open()) self->accept_waiting();
                       });
}

bool Listener::is_full() const {
  return core_->open.load(std::memory_order_relaxed) >= core_->limits.connections_max;
}

// Nobody is accepted meanwhile: the system's queue holds those who come.
void Listener::make_way() {
  const std::size_t per_loop =
      std::max<std::size_t>(core_->limits.connections_max / core_->shares.size() / kWayShare, 1);
  making_way_ = core_->shares.size();
  way_made_ = 0;
  for (const auto& share : core_->shares) {
    share->loop.post([self = shared_from_this(), &share = *share, per_loop] {
      const std::size_t closed = Connection::make_way(share, per_loop);
      self->loop_.post([self, closed] { self->made_way(closed); });
    });
  }
}

void Listener::made_way(std::size_t closed) {
  way_made_ += closed;
  if (--making_way_ != 0 || !acceptor_.is_open()) return;
  // Everybody is being served: who waits is told so.
  if (way_made_ == 0)
    for (int i = 0; i < kAcceptsATurn && accept_one(); ++i) {
    }
  wait();
}

void Listener::accept_waiting() {
  if (is_full()) return make_way();
  for (int i = 0; i < kAcceptsATurn && !is_full(); ++i) {
    if (!accept_one()) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        return out_of_descriptors();
      break;
    }
  }
  wait();
}

bool Listener::accept_one() {
  ip::tcp::endpoint peer;
  auto peer_bytes = static_cast<socklen_t>(peer.capacity());
  const int socket =
      ::accept4(acceptor_.native_handle(), peer.data(), &peer_bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket < 0) return errno == ECONNABORTED || errno == EINTR || errno == EPROTO;
  peer.resize(peer_bytes);
  LoopShare& share = *core_->shares[next_share_];
  if (is_full()) {
    ::close(socket);
    LoopCounters::add(core_->shares.front()->counters.connections_refused, 1);
    return true;
  }
  next_share_ = (next_share_ + 1) % core_->shares.size();
  core_->open.fetch_add(1, std::memory_order_relaxed);
  tune(socket, peer);
  share.loop.post([&share, core = core_, accepted = AcceptedSocket(socket, core_), name = text_of(peer),
                   &source = core_->sources.of(address_key(peer.address()))]() mutable {
    Connection::adopt(core, share, accepted.take(), std::move(name), source);
  });
  return true;
}

// The waiting connection would keep the listener ready, and the loop spinning: take it, drop it, and pause.
void Listener::out_of_descriptors() {
  if (spare_descriptor_ >= 0) {
    ::close(spare_descriptor_);
    const int refused = ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC);
    if (refused >= 0) {
      ::close(refused);
      LoopCounters::add(core_->shares.front()->counters.connections_refused, 1);
    }
  }
  spare_descriptor_ = open_spare();
  loop_.post_after(kPauseNs, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->acceptor_.is_open()) self->wait();
  });
}

}  // namespace millrace::net
