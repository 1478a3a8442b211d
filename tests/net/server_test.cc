// A whole server over real sockets: limits, hostile clients, many connections.
#include "net/server.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <poll.h>
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

TEST(Server, AConnectionOverTheLimitIsClosedWhileAllOthersAreBusy) {
  ServerLimits limits;
  limits.connections_max = 3;
  HeldRequests held;
  Served served(held.handler(), limits);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (std::size_t i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<RawClient>(served.port()));
    clients.back()->send(kGet);
    ASSERT_TRUE(held.wait_for(i + 1));
  }
  RawClient refused(served.port());
  EXPECT_TRUE(refused.closed_by_peer());
  EXPECT_TRUE(Served::eventually([&] { return served.server().stats().connections_refused == 1; }));
  for (std::size_t i = 0; i < 3; ++i) held.answer(i, "ok");
  for (const auto& client : clients) EXPECT_EQ(client->response()->status, 200);
  EXPECT_EQ(served.server().stats().connections_evicted, 0u);
}

TEST(Server, TheStrangerThatHasWaitedLongestMakesWayAndKnownClientsStay) {
  ServerLimits limits;
  limits.connections_max = 4;
  Served served(
      [](std::unique_ptr<Request> request, Responder responder) {
        *request->caller_known = request->target == "/known";
        echo(std::move(request), std::move(responder));
      },
      limits, nullptr, 1);
  const std::string known_request = "GET /known HTTP/1.1\r\nHost: h\r\n\r\n";
  RawClient known(served.port());
  known.send(known_request);
  ASSERT_EQ(known.response()->status, 200);
  RawClient silent(served.port());
  ASSERT_TRUE(Served::eventually([&] { return served.server().stats().connections_open == 2; }));
  RawClient half(served.port());
  half.send("GET /half HTTP/1.1\r\n");
  ASSERT_TRUE(Served::eventually([&] { return served.server().stats().connections_open == 3; }));
  RawClient answered(served.port());
  answered.send(kGet);
  ASSERT_EQ(answered.response()->status, 200);

  RawClient late(served.port());
  late.send(kGet);
  EXPECT_EQ(late.response()->status, 200);
  EXPECT_TRUE(silent.closed_by_peer());
  RawClient later(served.port());
  later.send(kGet);
  EXPECT_EQ(later.response()->status, 200);
  EXPECT_TRUE(half.closed_by_peer());
  known.send(known_request);
  EXPECT_EQ(known.response()->status, 200);
  EXPECT_EQ(served.server().stats().connections_evicted, 2u);
  EXPECT_EQ(served.server().stats().connections_refused, 0u);
}

TEST(Server, AnIdleKnownClientMakesWayWhenThereAreNoStrangers) {
  ServerLimits limits;
  limits.connections_max = 2;
  Served served(
      [](std::unique_ptr<Request> request, Responder responder) {
        *request->caller_known = true;
        echo(std::move(request), std::move(responder));
      },
      limits, nullptr, 1);
  RawClient first(served.port());
  first.send(kGet);
  ASSERT_EQ(first.response()->status, 200);
  RawClient second(served.port());
  second.send(kGet);
  ASSERT_EQ(second.response()->status, 200);
  RawClient third(served.port());
  third.send(kGet);
  EXPECT_EQ(third.response()->status, 200);
  EXPECT_TRUE(first.closed_by_peer());
  second.send(kGet);
  EXPECT_EQ(second.response()->status, 200);
}

// Two megabytes for strangers; whoever is answered is known from then on.
class StrangersMemory : public testing::Test {
 protected:
  static ServerLimits limits() {
    ServerLimits limits;
    limits.body_bytes_max = 1'000'000;
    limits.strangers_bytes_max = 2'000'000;
    return limits;
  }
  static void know(std::unique_ptr<Request> request, Responder responder) {
    *request->caller_known = true;
    echo(std::move(request), std::move(responder));
  }
  void leave_unfinished(std::unique_ptr<RawClient> client) {
    client->send(std::string_view(whole).substr(0, whole.size() - 1));
    unfinished.push_back(std::move(client));
  }
  // How many of `unfinished` the server has closed.
  std::size_t closed() {
    std::size_t count = 0;
    for (const auto& client : unfinished) {
      pollfd ended{client->socket(), POLLRDHUP, 0};
      if (poll(&ended, 1, 0) == 1) ++count;
    }
    return count;
  }

  const std::string whole = post("/x", std::string(900'000, 'x'));
  std::vector<std::unique_ptr<RawClient>> unfinished;
};

TEST_F(StrangersMemory, IsTakenFromThoseWhoHaveBeenSilentLongestForThoseWhoSendAWholeRequest) {
  Served served(know, limits(), nullptr, 1);
  RawClient known(served.port());
  known.send(kGet);
  ASSERT_EQ(known.response()->status, 200);
  for (int i = 0; i < 4; ++i) {
    leave_unfinished(std::make_unique<RawClient>(served.port()));
    RawClient stranger(served.port());
    stranger.send(whole);
    EXPECT_EQ(stranger.response()->status, 200);
  }
  EXPECT_TRUE(Served::eventually([&] { return closed() >= 3; }));
  EXPECT_TRUE(unfinished.front()->closed_by_peer());
  known.send(whole);
  EXPECT_EQ(known.response()->status, 200);
}

TEST_F(StrangersMemory, IsNotKeptByHeadsThatDoNotEnd) {
  ServerLimits with_large_heads = limits();
  with_large_heads.header_bytes_max = 256 * 1024;
  Served served(know, with_large_heads, nullptr, 1);
  const std::string half = "GET /x HTTP/1.1\r\nHost: h\r\nX-Large: " + std::string(200'000, 'h');
  for (int i = 0; i < 40; ++i) {
    unfinished.push_back(std::make_unique<RawClient>(served.port()));
    unfinished.back()->send(half);
  }
  EXPECT_TRUE(Served::eventually([&] { return closed() >= 30; }));
  RawClient stranger(served.port());
  stranger.send(whole);
  EXPECT_EQ(stranger.response()->status, 200);
}

TEST_F(StrangersMemory, ThatIsHeldOnOtherLoopsIsFreeSoonAfter) {
  Served served(know, limits(), nullptr, 2);
  std::vector<std::unique_ptr<RawClient>> idle;  // every other connection is the second loop's
  for (int i = 0; i < 2; ++i) {
    leave_unfinished(std::make_unique<RawClient>(served.port()));
    idle.push_back(std::make_unique<RawClient>(served.port()));
  }
  bool served_in_the_end = false;
  for (int i = 0; i < 50 && !served_in_the_end; ++i) {
    idle.push_back(std::make_unique<RawClient>(served.port()));
    RawClient stranger(served.port());
    stranger.send(whole);
    const auto answer = stranger.response();
    served_in_the_end = answer && answer->status == 200;
  }
  EXPECT_TRUE(served_in_the_end);
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
