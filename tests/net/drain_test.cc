// Server::drain: what is under way ends, what is idle closes, nothing new begins.
#include <gtest/gtest.h>

#include <future>
#include <string>

#include "http2_client.h"
#include "served.h"

namespace millrace::net {
namespace {

TEST(Drain, IdleConnectionsCloseAtOnceAndNewOnesAreRefused) {
  Served served(echo);
  RawClient idle(served.port());
  RawClient used(served.port());
  used.send(kGet);
  ASSERT_EQ(used.response()->status, 200);
  ASSERT_TRUE(Served::eventually([&] { return served.server().stats().connections_open == 2; }));
  served.server().drain(10'000);
  EXPECT_EQ(served.server().stats().connections_open, 0u);
  EXPECT_EQ(idle.rest(), "");
  EXPECT_EQ(used.rest(), "");
}

TEST(Drain, RequestsUnderWayAreAnsweredAndToldThatTheConnectionCloses) {
  HeldRequests held;
  Served served(held.handler());
  RawClient waiting(served.port());
  RawClient halfway(served.port());
  waiting.send(kGet);
  ASSERT_TRUE(held.wait_for(1));
  halfway.send("POST /y HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab");
  ASSERT_TRUE(Served::eventually([&] { return served.server().stats().bytes_in > kGet.size(); }));
  auto drained = std::async(std::launch::async, [&] { served.server().drain(10'000); });
  EXPECT_EQ(drained.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  halfway.send("cd");
  ASSERT_TRUE(held.wait_for(2));
  held.answer(0, "first");
  held.answer(1, "second");
  const auto first = waiting.response();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->body, "first");
  EXPECT_EQ(first->headers.at("connection"), "close");
  EXPECT_EQ(halfway.response()->body, "second");
  EXPECT_EQ(waiting.rest(), "");
  drained.get();
  EXPECT_EQ(served.server().stats().connections_open, 0u);
}

TEST(Drain, GivesUpWhenTheTimeIsOver) {
  HeldRequests held;
  Served served(held.handler());
  RawClient client(served.port());
  client.send(kGet);
  ASSERT_TRUE(held.wait_for(1));
  served.server().drain(50);
  EXPECT_EQ(served.server().stats().connections_open, 1u);
  served.destroy_server();
  EXPECT_EQ(client.rest(), "");
}

TEST(Drain, Http2StreamsEndAndTheConnectionGoesAway) {
  HeldRequests held;
  Served served(held.handler());
  Http2Client client(served.port());
  const auto id = client.request("POST", "/x", "body");
  client.exchange_until([&] { return held.count() == 1; });
  auto drained = std::async(std::launch::async, [&] { served.server().drain(10'000); });
  client.exchange_until([&] { return client.goaway_code().has_value(); });
  held.answer(0, "answer");
  client.exchange_until([&] { return client.stream(id).closed; });
  EXPECT_EQ(client.stream(id).body, "answer");
  EXPECT_EQ(client.goaway_code(), NGHTTP2_NO_ERROR);
  client.disconnect();
  drained.get();
  EXPECT_EQ(served.server().stats().connections_open, 0u);
}

}  // namespace
}  // namespace millrace::net
