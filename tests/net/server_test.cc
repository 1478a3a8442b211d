// A whole server over real sockets: limits, hostile clients, many connections.
#include "net/server.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "served.h"

namespace millrace::net {
namespace {

TEST(Server, RefusesAddressesThatAreNoneAndPortsThatAreTaken) {
  LoopGroup loops(1);
  for (const char* address :
       {"", "4566", ":4566", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:x"}) {
    const auto started = Server::start(loops, address, {}, nullptr, echo);
    ASSERT_FALSE(started.ok()) << address;
    EXPECT_EQ(started.error().kind, ErrorKind::kInvalid) << address;
  }
  const auto first = Server::start(loops, "127.0.0.1:0", {}, nullptr, echo);
  ASSERT_TRUE(first.ok());
  const auto second = Server::start(loops, (*first)->address(), {}, nullptr, echo);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind, ErrorKind::kUnavailable);
}

TEST(Server, ServesOnIpv6) {
  LoopGroup loops(1);
  const auto started = Server::start(loops, "[::1]:0", {}, nullptr, echo);
  if (!started.ok()) GTEST_SKIP() << "no IPv6 here";
  EXPECT_EQ((*started)->address().substr(0, 6), "[::1]:");
}

TEST(Server, PipelinedAnswersKeepTheirOrderWhateverTheOrderOfTheHandler) {
  HeldRequests held;
  Served served(held.handler());
  RawClient client(served.port());
  client.send(post("/0", "a") + post("/1", "b") + post("/2", "c"));
  ASSERT_TRUE(held.wait_for(3));
  held.answer(2, "third");
  held.answer(1, "second");
  held.answer(0, "first");
  EXPECT_EQ(client.response()->body, "first");
  EXPECT_EQ(client.response()->body, "second");
  EXPECT_EQ(client.response()->body, "third");
}

TEST(Server, LargeBodiesGoBothWaysIntact) {
  Served served(echo);
  RawClient client(served.port());
  std::string body(10 * 1024 * 1024, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 2'654'435'761u >> 13);
  for (int i = 0; i < 2; ++i) {
    std::thread sender([&] { client.send(post("/big", body)); });
    const auto response = client.response();
    sender.join();
    ASSERT_TRUE(response);
    EXPECT_TRUE(response->body == "POST /big " + body);
  }
}

TEST(Server, AClientThatSendsMuchTooMuchStillSeesThe413) {
  ServerLimits limits;
  limits.body_bytes_max = 1'000;
  Served served(echo, limits);
  RawClient client(served.port());
  EXPECT_TRUE(client.send(post("/x", std::string(8'000'000, 'x'))));
  EXPECT_EQ(client.response()->status, 413);
  client.end_sending();
  EXPECT_TRUE(client.closed_by_peer());
}

TEST(Server, HalfRequestsAreAnswered408AndClosed) {
  ServerLimits limits;
  limits.header_ms_max = 100;
  limits.body_ms_max = 100;
  limits.idle_ms_max = 150;
  Served served(echo, limits);
  RawClient head(served.port());
  RawClient body(served.port());
  RawClient one_byte(served.port());
  RawClient idle(served.port());
  head.send("GET / HTTP/1.1\r\nHos");
  body.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  one_byte.send("P");
  EXPECT_EQ(head.response()->status, 408);
  EXPECT_EQ(body.response()->status, 408);
  EXPECT_TRUE(one_byte.closed_by_peer());
  EXPECT_EQ(idle.rest(), "");
}

TEST(Server, AKeptAliveConnectionIsClosedWhenIdleAndNotBefore) {
  ServerLimits limits;
  limits.idle_ms_max = 200;
  Served served(echo, limits);
  RawClient client(served.port());
  for (int i = 0; i < 5; ++i) {
    client.send(kGet);
    ASSERT_EQ(client.response()->status, 200);
    std::this_thread::sleep_for(std::chrono::milliseconds(80));
  }
  EXPECT_EQ(client.rest(), "");
}

TEST(Server, AnAnswerThatTakesLongIsNotIdleness) {
  ServerLimits limits;
  limits.idle_ms_max = 50;
  limits.header_ms_max = 50;
  limits.body_ms_max = 50;
  HeldRequests held;
  Served served(held.handler(), limits);
  RawClient client(served.port());
  client.send(kGet);
  ASSERT_TRUE(held.wait_for(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  held.answer(0, "late");
  EXPECT_EQ(client.response()->body, "late");
}

TEST(Server, ConnectionsOverTheLimitAreClosedAndThoseWithinServed) {
  ServerLimits limits;
  limits.connections_max = 3;
  Served served(echo, limits);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<RawClient>(served.port()));
    clients.back()->send(kGet);
    ASSERT_EQ(clients.back()->response()->status, 200);
  }
  RawClient refused(served.port());
  EXPECT_TRUE(refused.closed_by_peer());
  EXPECT_TRUE(Served::eventually([&] { return served.server().stats().connections_refused == 1; }));
  clients.pop_back();
  ASSERT_TRUE(Served::eventually([&] { return served.server().stats().connections_open == 2; }));
  RawClient accepted(served.port());
  accepted.send(kGet);
  EXPECT_EQ(accepted.response()->status, 200);
}

TEST(Server, GarbageNeverHarmsOthers) {
  ServerLimits limits;
  limits.header_ms_max = 200;
  Served served(echo, limits);
  RawClient good(served.port());
  std::uint32_t state = 12'345;
  for (int round = 0; round < 200; ++round) {
    RawClient bad(served.port());
    std::string bytes;
    for (int i = 0; i < 300; ++i) {
      state = state * 1'664'525 + 1'013'904'223;
      bytes += static_cast<char>(state >> 24);
    }
    if (round % 3 == 0) bytes = "POST / HTTP/1.1\r\nHost: h\r\n" + bytes;
    if (round % 5 == 0) bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes;
    bad.send(bytes);
    if (round % 2 == 0) continue;
    bad.end_sending();
    ASSERT_TRUE(bad.closed_by_peer()) << "round " << round;
  }
  good.send(kGet);
  EXPECT_EQ(good.response()->status, 200);
}

TEST(Server, ASlowReaderCostsBoundedMemoryAndIsClosed) {
  ServerLimits limits;
  limits.write_ms_max = 300;
  limits.buffered_bytes_max = 64u * 1024 * 1024;
  std::atomic<int> handled = 0;
  Served served(
      [&](std::unique_ptr<Request>, Responder responder) {
        ++handled;
        std::move(responder).respond(text_response(std::string(4 * 1024 * 1024, 'r')));
      },
      limits);
  RawClient slow(served.port(), 4'096);
  std::string requests;
  for (int i = 0; i < 500; ++i) requests += kGet;
  slow.send(requests);
  EXPECT_TRUE(served.all_closed());
  EXPECT_LE(handled, 20);
}

TEST(Server, OneConnectionsRequestsDoNotUseUpTheMemoryOfAll) {
  ServerLimits limits;
  limits.buffered_bytes_max = 8u * 1024 * 1024;
  HeldRequests held;
  Served served(held.handler(), limits);
  RawClient greedy(served.port());
  const std::string request = post("/x", std::string(600'000, 'x'));
  std::thread sender([&] {
    for (int i = 0; i < 16 && greedy.send(request); ++i) {
    }
  });
  ASSERT_TRUE(held.wait_for(2));
  RawClient modest(served.port());
  modest.send(request);
  ASSERT_TRUE(Served::eventually([&] { return held.count() >= 3; }));
  EXPECT_LE(held.count(), 4u);
  for (std::size_t i = 0; i < 17; ++i) {
    ASSERT_TRUE(held.wait_for(i + 1));
    held.answer(i, "ok");
  }
  sender.join();
  for (int i = 0; i < 16; ++i) ASSERT_EQ(greedy.response()->status, 200);
  EXPECT_EQ(modest.response()->status, 200);
}

TEST(Server, TwoThousandIdleConnectionsCostLittleMemoryAndNewOnesAreServed) {
  rlimit descriptors{};
  getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = descriptors.rlim_max;
  setrlimit(RLIMIT_NOFILE, &descriptors);
  if (descriptors.rlim_cur < 4'200) GTEST_SKIP() << "too few descriptors here";
  Served served(echo);
  const auto connect = [&](std::size_t count) {
    std::vector<std::unique_ptr<RawClient>> clients;
    for (std::size_t i = 0; i < count; ++i) {
      clients.push_back(std::make_unique<RawClient>(served.port()));
      clients.back()->send(post("/x", std::string(2'000, 'x')));
    }
    for (auto& client : clients) EXPECT_EQ(client->response()->status, 200);
    return clients;
  };
  connect(100);  // what is allocated once
  ASSERT_TRUE(served.all_closed());
  [[maybe_unused]] const std::size_t before = mallinfo2().uordblks;
  const auto clients = connect(2'000);
  ASSERT_EQ(served.server().stats().connections_open, 2'000u);
  [[maybe_unused]] const std::size_t after = mallinfo2().uordblks;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LE((after - before) / 2'000, 4'096u);
#endif
  RawClient another(served.port());
  another.send(kGet);
  EXPECT_EQ(another.response()->status, 200);
  EXPECT_EQ(served.server().stats().connections_total, 2'101u);
}

TEST(Server, HalfClosedClientsGetTheirAnswer) {
  HeldRequests held;
  Served served(held.handler());
  RawClient client(served.port());
  client.send(kGet);
  client.end_sending();
  ASSERT_TRUE(held.wait_for(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  held.answer(0, "answer");
  EXPECT_EQ(client.response()->body, "answer");
  EXPECT_EQ(client.rest(), "");
}

TEST(Server, DroppedResponderClosesTheConnection) {
  HeldRequests held;
  Served served(held.handler());
  RawClient client(served.port());
  client.send(kGet);
  ASSERT_TRUE(held.wait_for(1));
  held.drop(0);
  EXPECT_EQ(client.rest(), "");
}

TEST(Server, AnsweringAClientThatHasGoneIsHarmless) {
  HeldRequests held;
  Served served(held.handler());
  {
    RawClient client(served.port());
    client.send(kGet);
    ASSERT_TRUE(held.wait_for(1));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  held.answer(0, "nobody");
  EXPECT_TRUE(served.all_closed());
}

TEST(Server, AResponderMayOutliveTheServer) {
  HeldRequests held;
  Served served(held.handler());
  RawClient client(served.port());
  client.send(std::string(kGet) + std::string(kGet));
  ASSERT_TRUE(held.wait_for(2));
  served.destroy_server();
  EXPECT_EQ(client.rest(), "");
  held.answer(0, "nobody");
  held.drop(1);
}

TEST(Server, CountsWhatItServes) {
  Served served(echo);
  RawClient client(served.port());
  client.send(post("/x", "12345"));
  ASSERT_EQ(client.response()->status, 200);
  ASSERT_TRUE(Served::eventually([&] { return served.server().stats().bytes_out > 20; }));
  const auto stats = served.server().stats();
  EXPECT_EQ(stats.connections_open, 1u);
  EXPECT_EQ(stats.requests_total, 1u);
  EXPECT_EQ(stats.bytes_in, post("/x", "12345").size());
}

}  // namespace
}  // namespace millrace::net
