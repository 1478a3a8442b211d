// A server on loops of its own for one test, and the handlers that tests share.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "net/server.h"
#include "raw_client.h"

namespace millrace::net {

inline constexpr std::string_view kGet = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";

inline Response text_response(std::string_view text, int status = 200) {
  Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "text/plain");
  response.body = Bytes(text);
  return response;
}

// Answers with the method, the target and the body: "POST /a hello".
inline void echo(std::unique_ptr<Request> request, Responder responder) {
  std::string text(request->method);
  text += ' ';
  text += request->target;
  text += ' ';
  text += request->body.text();
  std::move(responder).respond(text_response(text));
}

inline std::string post(std::string_view target, std::string_view body, std::string_view extra = "") {
  std::string text = "POST ";
  text += target;
  text += " HTTP/1.1\r\nHost: here\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  text += extra;
  text += "\r\n";
  text += body;
  return text;
}

// Requests held back until the test answers them, on their loop.
class HeldRequests {
 public:
  Handler handler() {
    return [this](std::unique_ptr<Request> request, Responder responder) {
      const std::lock_guard lock(mutex_);
      held_.push_back({std::move(request), std::make_unique<Responder>(std::move(responder))});
      changed_.notify_all();
    };
  }
  // Waits until that many have arrived, answered ones included.
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return held_.size() >= count; });
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return held_.size();
  }
  std::string target(std::size_t index) {
    const std::lock_guard lock(mutex_);
    return std::string(held_.at(index).request->target);
  }
  // Lets `act` have the responder of request `index`, on its loop; returns at once.
  void on_loop(std::size_t index, std::function<void(Responder)> act) {
    const std::lock_guard lock(mutex_);
    Held& held = held_.at(index);
    held.request->loop->post(
        [act = std::move(act), responder = std::move(held.responder)] { act(std::move(*responder)); });
  }
  void answer(std::size_t index, std::string text) {
    on_loop(index, [text = std::move(text)](Responder responder) {
      std::move(responder).respond(text_response(text));
    });
  }
  void drop(std::size_t index) {
    on_loop(index, [](Responder responder) { const Responder dropped = std::move(responder); });
  }

 private:
  struct Held {
    std::unique_ptr<Request> request;
    std::unique_ptr<Responder> responder;
  };
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Held> held_;
};

class Served {
 public:
  explicit Served(Handler handler, ServerLimits limits = {}, const TlsFiles* tls = nullptr,
                  std::size_t loops = 2)
      : loops_(loops) {
    auto started = Server::start(loops_, "127.0.0.1:0", limits, tls, std::move(handler));
    MR_ASSERT(started.ok());
    server_ = std::move(started).value();
  }
  Server& server() { return *server_; }
  std::uint16_t port() const { return port_of(server_->address()); }
  LoopGroup& loops() { return loops_; }
  // Polls, since counters tell nobody: true as soon as `condition` holds, false after ten seconds.
  static bool eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 1'000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  bool all_closed() {
    return eventually([this] { return server_->stats().connections_open == 0; });
  }
  void destroy_server() { server_.reset(); }

 private:
  LoopGroup loops_;
  std::unique_ptr<Server> server_;
};

}  // namespace millrace::net
