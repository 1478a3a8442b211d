// Who is served first by a loop to which many strangers send much at once.
#include "net/stranger_turns.h"

#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "served.h"

namespace millrace::net {
namespace {

// One loop, which /hold stops; whatever comes meanwhile waits in its sockets. /known is from a caller who is
// known.
class StrangersInTurn : public testing::Test {
 protected:
  void handle(std::unique_ptr<Request> request, Responder responder) {
    {
      const std::lock_guard lock(mutex_);
      order_.emplace_back(request->target);
    }
    if (request->target == "/known") *request->caller_known = true;
    if (request->target == "/hold") {
      held_.count_down();
      go_on_.wait();
    }
    echo(std::move(request), std::move(responder));
  }
  std::vector<std::string> order() {
    const std::lock_guard lock(mutex_);
    return order_;
  }
  void hold(RawClient& client) {
    client.send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    held_.wait();
  }
  // Strangers who have sent requests with bodies that take several turns.
  std::vector<std::unique_ptr<RawClient>> busy_strangers() {
    std::vector<std::unique_ptr<RawClient>> strangers;
    for (int i = 0; i < 20; ++i) {
      strangers.push_back(std::make_unique<RawClient>(served.port()));
      strangers.back()->send(post("/busy", std::string(100'000, 'x')));
    }
    return strangers;
  }
  void go_on() { go_on_.count_down(); }

  Served served{[this](std::unique_ptr<Request> request, Responder responder) {
                  handle(std::move(request), std::move(responder));
                },
                {},
                nullptr,
                1};

 private:
  std::latch held_{1}, go_on_{1};
  std::mutex mutex_;
  std::vector<std::string> order_;
};

TEST_F(StrangersInTurn, ANewcomerIsServedBeforeThoseWhoHaveMuchToSend) {
  RawClient holder(served.port());
  hold(holder);
  const auto strangers = busy_strangers();
  RawClient newcomer(served.port());
  newcomer.send("GET /newcomer HTTP/1.1\r\nHost: h\r\n\r\n");
  go_on();
  for (const auto& stranger : strangers) EXPECT_EQ(stranger->response()->status, 200);
  EXPECT_EQ(newcomer.response()->status, 200);
  const auto served_first = order();
  ASSERT_EQ(served_first.size(), 22u);
  EXPECT_EQ(served_first[1], "/newcomer");
}

TEST_F(StrangersInTurn, AKnownCallerWaitsForNoneOfThem) {
  RawClient known(served.port());
  known.send("GET /known HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_EQ(known.response()->status, 200);
  RawClient holder(served.port());
  hold(holder);
  const auto strangers = busy_strangers();
  known.send("GET /known HTTP/1.1\r\nHost: h\r\n\r\n");
  go_on();
  EXPECT_EQ(known.response()->status, 200);
  for (const auto& stranger : strangers) EXPECT_EQ(stranger->response()->status, 200);
  const auto served_first = order();
  ASSERT_EQ(served_first.size(), 23u);
  EXPECT_EQ(served_first[2], "/known");
}

}  // namespace
}  // namespace millrace::net
