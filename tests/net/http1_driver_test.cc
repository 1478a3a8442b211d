// The HTTP/1 driver by itself: every way in which bytes can be cut, and the shapes that it refuses.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "bare_driver.h"
#include "served.h"

namespace millrace::net {
namespace {

std::string answers_to(std::string_view input, ServerLimits limits = {}) {
  BareDriver bare(limits, echo);
  bare.speak_http1();
  bare.input(input);
  return bare.output();
}

int status_of(std::string_view input, ServerLimits limits = {}) {
  const std::string answer = answers_to(input, limits);
  return answer.size() < 12 ? 0 : std::stoi(answer.substr(9, 3));
}

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

// Without the Date header, which may change between two calls.
std::string undated(std::string text) {
  for (std::size_t at = 0; (at = text.find("Date: ")) != std::string::npos;)
    text.erase(at, text.find('\n', at) - at + 1);
  return text;
}

constexpr std::string_view kThreeRequests =
    "\r\nPOST /one HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\nhello"
    "POST /two HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
    "6;ext=\"a b\"\r\nchunke\r\n1\r\nd\r\n0\r\nTrailer: x\r\n\r\n"
    "GET /three HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";

TEST(Http1Driver, AnswersARunOfRequestsInOrder) {
  const std::string answers = answers_to(kThreeRequests);
  const std::size_t one = answers.find("POST /one hello");
  const std::size_t two = answers.find("POST /two chunked");
  const std::size_t three = answers.find("GET /three ");
  EXPECT_LT(one, two);
  EXPECT_LT(two, three);
  EXPECT_NE(three, std::string::npos);
  EXPECT_EQ(count(answers, "HTTP/1.1 200 OK\r\n"), 3u);
  EXPECT_EQ(count(answers, "Connection: close\r\n"), 1u);
}

TEST(Http1Driver, WhereTheBytesAreCutMakesNoDifference) {
  const std::string whole = undated(answers_to(kThreeRequests));
  for (std::size_t cut = 1; cut < kThreeRequests.size(); ++cut) {
    BareDriver bare({}, echo);
    bare.speak_http1();
    bare.input(kThreeRequests.substr(0, cut));
    bare.input(kThreeRequests.substr(cut));
    ASSERT_EQ(undated(bare.output()), whole) << "cut at " << cut;
  }
  BareDriver bare({}, echo);
  bare.speak_http1();
  for (const char byte : kThreeRequests) bare.input({&byte, 1});
  EXPECT_EQ(undated(bare.output()), whole);
}

TEST(Http1Driver, GivesTheHandlerTheRequestAsItWasSent) {
  std::unique_ptr<Request> seen;
  BareDriver bare({}, [&](std::unique_ptr<Request> request, Responder responder) {
    seen = std::move(request);
    std::move(responder).respond(text_response(""));
  });
  bare.speak_http1();
  bare.input(
      "PUT /a%20b?x=1&y HTTP/1.1\r\nHost: here:80\r\nX-Amz-Target:  Kinesis.PutRecord \t\r\nEmpty:\r\nX-Dup: "
      "1\r\nx-dup: 2\r\n\r\n");
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->method, "PUT");
  EXPECT_EQ(seen->target, "/a%20b?x=1&y");
  ASSERT_EQ(seen->headers.size(), 5u);
  EXPECT_EQ(seen->headers[1].name, "X-Amz-Target");
  EXPECT_EQ(seen->headers[1].value, "Kinesis.PutRecord");
  EXPECT_EQ(seen->header("empty"), "");
  EXPECT_EQ(seen->header("X-DUP"), "1");
  EXPECT_EQ(seen->peer, "192.0.2.1:1");
  EXPECT_EQ(seen->http_major, 1);
}

TEST(Http1Driver, RefusesWhatTwoReadersCouldReadDifferently) {
  const std::vector<std::string> shapes{
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 2\r\n\r\nab",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\na",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
      "chunked\r\n\r\n0\r\n\r\n",
      "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;e=\"\r\n\thello\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 1\r\n\r\na",
      "GET / HTTP/1.1\r\nHost: h\r\nFolded: a\r\n b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nFolded:\r\n\tb\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nBare: lf\nNext: x\r\n\r\n",
      "GET / HTTP/1.1\nHost: h\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nBare: cr\rNext: x\r\n\r\n",
      std::string("GET / HTTP/1.1\r\nHost: h\r\nNul: a") + '\0' + "b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nB@d: x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/2.0\r\nHost: h\r\n\r\n",
      "GET /\r\n\r\n",
      "GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
      "get-ish\x01 / HTTP/1.1\r\nHost: h\r\n\r\n",
      "{\"not\": \"http\"}",
      std::string("\0\0\0\0\0\0\0\0", 8),
      "\x80\x80\x80",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
  };
  for (const auto& shape : shapes) {
    BareDriver bare({}, echo);
    bare.speak_http1();
    bare.input(shape + "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
    const std::string answer = bare.output();
    EXPECT_EQ(answer.substr(0, 13), "HTTP/1.1 400 ") << shape;
    EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos) << shape;
    EXPECT_EQ(answer.find("smuggled"), std::string::npos) << shape;
    EXPECT_EQ(bare.driver->ending(), Driver::Ending::kLinger) << shape;
  }
}

TEST(Http1Driver, AcceptsTheSameLengthTwice) {
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab"), 200);
}

class TestGate final : public Gate {
 public:
  Admission admit(const Request& head, std::uint64_t body_bytes) const override {
    asked_about = body_bytes;
    if (head.target == "/refused")
      return {.refusal = std::make_unique<Response>(text_response("not you", 403))};
    return {.withholds_body = head.target == "/withheld", .digests_body = true};
  }
  bool allows_origin(std::string_view origin) const override { return origin == "http://good"; }
  mutable std::uint64_t asked_about = 0;
};

std::string hex_of(const Request& request) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  if (request.body_sha256.has_value())
    for (const std::uint8_t byte : *request.body_sha256) {
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    }
  return text;
}

TEST(Http1Driver, TheGateAnswersOrWithholdsTheBodyBeforeItIsRead) {
  const TestGate gate;
  bool withheld = false;
  BareDriver bare(
      {},
      [&](std::unique_ptr<Request> request, Responder responder) {
        withheld = request->body_withheld;
        echo(std::move(request), std::move(responder));
      },
      &gate);
  bare.speak_http1();
  bare.input("POST /refused HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 9000000\r\n\r\n");
  const std::string refused = bare.output();
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 403 ")) << refused;
  EXPECT_EQ(gate.asked_about, 9'000'000u);
  EXPECT_EQ(bare.driver->ending(), Driver::Ending::kLinger);

  bare.speak_http1();
  bare.input("POST /withheld HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_TRUE(bare.output().ends_with("POST /withheld "));
  EXPECT_TRUE(withheld);
  EXPECT_EQ(gate.asked_about, Gate::kUnknownLength);
  EXPECT_EQ(bare.driver->ending(), Driver::Ending::kLinger);
}

TEST(Http1Driver, ABodysDigestIsThereWhenTheRequestIsWhole) {
  const TestGate gate;
  std::vector<std::string> digests;
  BareDriver bare(
      {},
      [&](std::unique_ptr<Request> request, Responder responder) {
        digests.push_back(hex_of(*request));
        echo(std::move(request), std::move(responder));
      },
      &gate);
  bare.speak_http1();
  for (const char byte : post("/x", "abc")) bare.input(std::string_view(&byte, 1));
  bare.input(
      "POST /y HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n");
  bare.input(kGet);
  bare.output();
  const std::string of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(digests, (std::vector<std::string>{of_abc, of_abc, ""}));
}

TEST(Http1Driver, PagesOfAllowedOriginsMayReadEveryAnswer) {
  const TestGate gate;
  for (const std::string_view request :
       {"GET /x HTTP/1.1\r\nHost: h\r\nOrigin: http://good\r\n\r\n",
        "GET /refused HTTP/1.1\r\nHost: h\r\norigin:http://good \r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: h\r\nOrigin: http://good\r\nContent-Length: 99999999999\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: h\r\nORIGIN: http://good\r\nContent-Length: none\r\n\r\n"}) {
    BareDriver bare({}, echo, &gate);
    bare.speak_http1();
    bare.input(request);
    const std::string answer = bare.output();
    EXPECT_NE(answer.find("Access-Control-Allow-Origin: http://good\r\n"), std::string::npos) << answer;
    EXPECT_NE(answer.find("Vary: Origin\r\n"), std::string::npos) << answer;
  }
  BareDriver bare({}, echo, &gate);
  bare.speak_http1();
  bare.input("GET /x HTTP/1.1\r\nHost: h\r\nOrigin: http://bad\r\n\r\n");
  EXPECT_EQ(bare.output().find("Access-Control"), std::string::npos);
}

TEST(Http1Driver, HeadersOverTheLimitAre431) {
  ServerLimits limits;
  limits.header_bytes_max = 200;
  const std::string long_header(300, 'x');
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: h\r\nLong: " + long_header + "\r\n\r\n", limits), 431);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: h\r\nLong: " + long_header, limits),
            431);  // not even complete
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: h\r\nShort: " + std::string(100, 'x') + "\r\n\r\n", limits),
            200);
  EXPECT_EQ(
      status_of("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;" + long_header, limits),
      431);
  EXPECT_EQ(
      status_of("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nT: " + long_header,
                limits),
      431);
}

TEST(Http1Driver, BodiesOverTheLimitAre413BeforeTheyArrive) {
  ServerLimits limits;
  limits.body_bytes_max = 1'000;
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n", limits), 413);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", limits),
            413);
  EXPECT_EQ(status_of(post("/", std::string(1'000, 'x')), limits), 200);
}

TEST(Http1Driver, ALengthThatIsOnlyClaimedCostsLittleMemory) {
  BareDriver bare({}, echo);
  bare.speak_http1();
  bare.input("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 90000000\r\n\r\nx");
  EXPECT_LE(bare.budget->used(), 1024u * 1024);
  bare.input(std::string(3'000'000, 'x'));
  EXPECT_LE(bare.budget->used(), 5u * 1024 * 1024);
}

struct NoRoomLog final : ConnectionLog {
  void handshake_failed(std::string_view, std::string_view) override {}
  void tls_refused(std::string_view) override {}
  void no_room(std::string_view) override { ++times; }
  int times = 0;
};

TEST(Http1Driver, OverTheMemoryBudgetIs503AndTheBudgetComesBack) {
  ServerLimits limits;
  limits.buffered_bytes_max = 100'000;
  BareDriver bare(limits, echo);
  NoRoomLog log;
  bare.log_to(log);
  bare.speak_http1();
  bare.input("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n");
  EXPECT_EQ(bare.output().substr(0, 12), "HTTP/1.1 503");
  EXPECT_EQ(log.times, 1);
  EXPECT_EQ(bare.budget->used(), 0u);
}

TEST(Http1Driver, ContinueWaitsForItsTurn) {
  std::vector<Responder> responders;
  BareDriver bare(
      {}, [&](std::unique_ptr<Request>, Responder responder) { responders.push_back(std::move(responder)); });
  bare.speak_http1();
  bare.input("GET /first HTTP/1.1\r\nHost: h\r\n\r\n");
  bare.input("POST /second HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(bare.output(), "");
  std::move(responders[0]).respond(text_response("one"));
  const std::string answers = bare.output();
  EXPECT_LT(answers.find("one"), answers.find("HTTP/1.1 100 Continue\r\n\r\n"));
  EXPECT_NE(answers.find("HTTP/1.1 100 Continue\r\n\r\n"), std::string::npos);
}

TEST(Http1Driver, ContinueAnswersAnExpectingClient) {
  BareDriver bare({}, echo);
  bare.speak_http1();
  const std::string head = "POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  bare.input(head);
  EXPECT_EQ(bare.output(), "HTTP/1.1 100 Continue\r\n\r\n");
  bare.input("ab");
  EXPECT_EQ(bare.output().substr(0, 15), "HTTP/1.1 200 OK");
  bare.input(head + "ab");  // did not wait
  EXPECT_EQ(bare.output().substr(0, 15), "HTTP/1.1 200 OK");
  bare.input("POST /x HTTP/1.1\r\nHost: h\r\nExpect: the-impossible\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(bare.output().substr(0, 12), "HTTP/1.1 417");
}

TEST(Http1Driver, HeadAnswersHaveALengthAndNoBody) {
  const std::string answer = answers_to("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(answer.find("Content-Length: 8\r\n"), std::string::npos);
  EXPECT_EQ(answer.substr(answer.size() - 4), "\r\n\r\n");
}

TEST(Http1Driver, OldClientsAreClosedUnlessTheyAskOtherwise) {
  BareDriver bare({}, echo);
  bare.speak_http1();
  bare.input("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_NE(bare.output().find("Connection: keep-alive\r\n"), std::string::npos);
  EXPECT_EQ(bare.driver->ending(), Driver::Ending::kNone);
  bare.input("GET / HTTP/1.0\r\n\r\n");
  EXPECT_NE(bare.output().find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(bare.driver->ending(), Driver::Ending::kClose);
}

TEST(Http1Driver, AStreamToAnOldClientIsTheLastAnswerAndNothingIsReadBehindIt) {
  int requests = 0;
  std::shared_ptr<BodyStream> stream;
  BareDriver bare({}, [&](std::unique_ptr<Request>, Responder responder) {
    ++requests;
    stream = std::move(responder).start_stream({});
  });
  bare.speak_http1();
  bare.input("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nPOST /b HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(requests, 1);
  stream->write(std::make_shared<const Bytes>("the body"));
  stream->end();
  EXPECT_TRUE(bare.output().ends_with("\r\n\r\nthe body"));
  EXPECT_EQ(bare.driver->ending(), Driver::Ending::kLinger);
}

TEST(Http1Driver, LinesBetweenChunksAreBoundedTheSameHoweverTheyArrive) {
  ServerLimits limits;
  limits.header_bytes_max = 100;
  const auto status = [&](const std::string& input, std::size_t cut) {
    BareDriver bare(limits, echo);
    bare.speak_http1();
    for (std::size_t at = 0; at < input.size(); at += cut)
      bare.input(std::string_view(input).substr(at, cut));
    return bare.output().substr(9, 3);
  };
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::size_t bytes : {97u, 98u}) {  // with "1" or "0", and the line's end: 100 and 101
    const std::string extension = ';' + std::string(bytes - 1, 'e');
    const std::string trailer = "0\r\nT: " + std::string(bytes - 7, 't') + "\r\n\r\n";
    for (const std::size_t cut : {1u, 7u, 1'000u}) {
      const std::string expected = bytes == 97 ? "200" : "431";
      EXPECT_EQ(status(head + "1" + extension + "\r\na\r\n0\r\n\r\n", cut), expected) << bytes << ' ' << cut;
      EXPECT_EQ(status(head + trailer, cut), expected) << bytes << ' ' << cut;
    }
  }
}

TEST(Http1Driver, AHandlersHeadersCannotBreakTheFraming) {
  BareDriver bare({}, [](std::unique_ptr<Request>, Responder responder) {
    Response response = text_response("ok");
    response.headers.emplace_back("X-Reflected", "a\r\nSet-Cookie: b");
    response.headers.emplace_back("Content-Length", "999");
    std::move(responder).respond(std::move(response));
  });
  bare.speak_http1();
  bare.input("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string answer = bare.output();
  EXPECT_EQ(answer.find("\r\nSet-Cookie"), std::string::npos);
  EXPECT_EQ(count(answer, "Content-Length: "), 1u);
  EXPECT_NE(answer.find("Content-Length: 2\r\n"), std::string::npos);
}

TEST(Http1Driver, IsNotReadBeyondPipelinedMaxAndGoesOnAfterAnAnswer) {
  std::vector<Responder> responders;
  ServerLimits limits;
  limits.pipelined_max = 3;
  BareDriver bare(limits, [&](std::unique_ptr<Request>, Responder responder) {
    responders.push_back(std::move(responder));
  });
  bare.speak_http1();
  for (int i = 0; i < 5; ++i) bare.input("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(responders.size(), 3u);
  EXPECT_FALSE(bare.driver->wants_input());
  std::move(responders[1]).respond(text_response("second"));
  EXPECT_EQ(bare.output(), "");
  std::move(responders[0]).respond(text_response("first"));
  const std::string answers = bare.output();
  EXPECT_LT(answers.find("first"), answers.find("second"));
  EXPECT_EQ(responders.size(), 5u);
}

TEST(Http1Driver, ADroppedResponderClosesAfterTheAnswersBeforeIt) {
  std::vector<std::unique_ptr<Responder>> responders;
  BareDriver bare({}, [&](std::unique_ptr<Request>, Responder responder) {
    responders.push_back(std::make_unique<Responder>(std::move(responder)));
  });
  bare.speak_http1();
  for (int i = 0; i < 2; ++i) bare.input("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  responders[1].reset();
  EXPECT_EQ(bare.driver->ending(), Driver::Ending::kNone);
  std::move(*responders[0]).respond(text_response("first"));
  EXPECT_NE(bare.output().find("first"), std::string::npos);
  EXPECT_EQ(bare.driver->ending(), Driver::Ending::kClose);
}

TEST(Http1Driver, TimeLimitsAreKeptPhaseByPhase) {
  ServerLimits limits;
  limits.header_ms_max = 100;
  limits.body_ms_max = 200;
  limits.idle_ms_max = 300;
  const auto after_ms = [&](std::string_view input, std::int64_t ms) {
    BareDriver bare(limits, echo);
    bare.speak_http1();
    bare.input(input);
    bare.now_ns += ms * 1'000'000;
    bare.driver->tick(bare.now_ns);
    const std::string answer = bare.output();
    if (answer.empty())
      return bare.driver->ending() == Driver::Ending::kNone ? std::string("waits") : std::string("closed");
    return answer.substr(9, 3);
  };
  EXPECT_EQ(after_ms("GET / HT", 90), "waits");
  EXPECT_EQ(after_ms("GET / HT", 110), "408");
  EXPECT_EQ(after_ms("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab", 190), "waits");
  EXPECT_EQ(after_ms("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab", 210), "408");
  EXPECT_EQ(after_ms("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", 210), "408");
  EXPECT_EQ(after_ms("", 290), "waits");
  EXPECT_EQ(after_ms("", 310), "closed");
}

}  // namespace
}  // namespace millrace::net
