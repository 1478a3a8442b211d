// HTTP/2 over real sockets: requests side by side, flow control, and peers that flood or stall.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "http2_client.h"
#include "net/source_gauge.h"
#include "served.h"

namespace millrace::net {
namespace {

std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
  std::string bytes;
  for (const int shift : {16, 8, 0}) bytes += static_cast<char>(payload.size() >> shift);
  bytes += static_cast<char>(type);
  bytes += static_cast<char>(flags);
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(stream >> shift);
  bytes += payload;
  return bytes;
}

std::string repeated(const std::string& bytes, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += bytes;
  return all;
}

std::string text_of(const Request& request) {
  std::string text = std::to_string(request.http_major) + " " + std::string(request.method) + " " +
                     std::string(request.target);
  for (const auto& header : request.headers) {
    text += " " + std::string(header.name) + "=" + std::string(header.value);
  }
  return text + " " + std::string(request.body.text());
}

TEST(Http2, AnswersManyRequestsOfOneConnectionInAnyOrder) {
  HeldRequests held;
  Served served(held.handler());
  Http2Client client(served.port());
  std::vector<std::int32_t> ids;
  for (int i = 0; i < 100; ++i) ids.push_back(client.request("POST", "/" + std::to_string(i), "body"));
  ASSERT_TRUE(client.exchange_until([&] { return held.count() == 100; }));
  for (std::size_t i = 100; i-- > 0;) held.answer(i, "answer to " + held.target(i));
  ASSERT_TRUE(client.exchange_until([&] {
    return std::all_of(ids.begin(), ids.end(), [&](auto id) { return client.stream(id).closed; });
  }));
  for (std::size_t i = 0; i < 100; ++i)
    EXPECT_EQ(client.stream(ids[i]).body, "answer to /" + std::to_string(i));
}

TEST(Http2, GivesTheHandlerPseudoHeadersAndLowersNamesOfTheResponse) {
  std::string seen;
  Served served([&](std::unique_ptr<Request> request, Responder responder) {
    seen = text_of(*request);
    Response response = text_response("ok");
    response.headers.emplace_back("X-Amzn-RequestId", "1\r\n2");
    response.headers.emplace_back("Connection", "close");
    std::move(responder).respond(std::move(response));
  });
  Http2Client client(served.port());
  const auto id = client.request("POST", "/path?query", "body", {{"x-amz-target", "Kinesis.PutRecord"}});
  ASSERT_TRUE(client.exchange_until([&] { return client.stream(id).closed; }));
  EXPECT_EQ(seen,
            "2 POST /path?query :method=POST :scheme=http :path=/path?query :authority=here "
            "x-amz-target=Kinesis.PutRecord body");
  EXPECT_EQ(client.stream(id).status(), 200);
  EXPECT_EQ(client.stream(id).headers.at("x-amzn-requestid"), "1  2");
  EXPECT_EQ(client.stream(id).headers.at("content-length"), "2");
  EXPECT_TRUE(client.stream(id).headers.contains("date"));
  EXPECT_FALSE(client.stream(id).headers.contains("connection"));
}

TEST(Http2, LargeBodiesGoBothWaysIntact) {
  Served served(echo);
  Http2Client client(served.port());
  std::string body(20 * 1024 * 1024, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 2'654'435'761u >> 13);
  const auto id = client.request("POST", "/x", body);
  ASSERT_TRUE(client.exchange_until([&] { return client.stream(id).closed; }, 30'000));
  EXPECT_TRUE(client.stream(id).body == "POST /x " + body);
}

TEST(Http2, HeadHasALengthAndNoBody) {
  Served served(echo);
  Http2Client client(served.port());
  const auto id = client.request("HEAD", "/x", "");
  ASSERT_TRUE(client.exchange_until([&] { return client.stream(id).closed; }));
  EXPECT_EQ(client.stream(id).headers.at("content-length"), "8");
  EXPECT_EQ(client.stream(id).body, "");
}

TEST(Http2, TooLargeIsAnsweredWhileOthersAreServed) {
  ServerLimits limits;
  limits.body_bytes_max = 100'000;
  limits.header_bytes_max = 4'000;
  Served served(echo, limits);
  Http2Client client(served.port());
  const auto claimed = client.request("POST", "/", std::string(200'000, 'x'), {{"content-length", "200000"}});
  const auto unclaimed = client.request("POST", "/", std::string(200'000, 'x'));
  const auto head = client.request("GET", "/", "", {{"long", std::string(5'000, 'x')}});
  const auto good = client.request("POST", "/", "fine");
  ASSERT_TRUE(client.exchange_until([&] {
    return client.stream(claimed).closed && client.stream(unclaimed).closed && client.stream(head).closed &&
           client.stream(good).closed;
  }));
  EXPECT_EQ(client.stream(claimed).status(), 413);
  EXPECT_EQ(client.stream(unclaimed).status(), 413);
  EXPECT_EQ(client.stream(head).status(), 431);
  EXPECT_EQ(client.stream(good).body, "POST / fine");
}

class WithholdingGate final : public Gate {
 public:
  Admission admit(const Request& head, std::uint64_t) const override {
    if (head.target == "/refused")
      return {.refusal = std::make_unique<Response>(text_response("not you", 403))};
    return {.withholds_body = head.target == "/withheld"};
  }
  bool allows_origin(std::string_view origin) const override { return origin == "http://good"; }
};

TEST(Http2, TheGateAnswersOrWithholdsTheBodyBeforeItIsRead) {
  const WithholdingGate gate;
  LoopGroup loops(1);
  auto server = Server::start(loops, "127.0.0.1:0", {}, nullptr, echo, &gate);
  ASSERT_TRUE(server.ok());
  Http2Client client(port_of((*server)->address()));
  const auto refused = client.request("POST", "/refused", "half", {{"origin", "http://good"}}, true);
  const auto withheld = client.request("POST", "/withheld", "half", {}, true);
  const auto served = client.request("POST", "/served", "whole", {{"origin", "http://bad"}});
  ASSERT_TRUE(client.exchange_until([&] {
    return client.stream(refused).closed && client.stream(withheld).closed && client.stream(served).closed;
  }));
  EXPECT_EQ(client.stream(refused).status(), 403);
  EXPECT_EQ(client.stream(refused).headers.at("access-control-allow-origin"), "http://good");
  EXPECT_EQ(client.stream(withheld).body, "POST /withheld ");
  EXPECT_EQ(client.stream(served).body, "POST /served whole");
  EXPECT_FALSE(client.stream(served).headers.contains("access-control-allow-origin"));
}

TEST(Http2, ADroppedResponderResetsItsStreamOnly) {
  HeldRequests held;
  Served served(held.handler());
  Http2Client client(served.port());
  const auto dropped = client.request("GET", "/a", "");
  const auto answered = client.request("GET", "/b", "");
  ASSERT_TRUE(client.exchange_until([&] { return held.count() == 2; }));
  held.drop(0);
  held.answer(1, "fine");
  ASSERT_TRUE(
      client.exchange_until([&] { return client.stream(dropped).closed && client.stream(answered).closed; }));
  EXPECT_EQ(client.stream(dropped).error_code, NGHTTP2_INTERNAL_ERROR);
  EXPECT_EQ(client.stream(answered).body, "fine");
}

TEST(Http2, AStreamedBodyArrivesAndHeldBackWindowsHoldTheWriterBack) {
  std::shared_ptr<BodyStream> stream;
  std::atomic<std::size_t> queued = 0;
  std::atomic<bool> below = false;
  Served served([&](std::unique_ptr<Request>, Responder responder) {
    stream = std::move(responder).start_stream(text_response(""));
    for (int i = 0; i < 10; ++i) stream->write(std::make_shared<const Bytes>(std::string(50'000, 's')));
    queued = stream->queued_bytes();
    stream->when_below(300'000, [&] {
      below = true;
      stream->end();
      stream.reset();
    });
  });
  Http2Client client(served.port(), 100'000, false);
  const auto id = client.request("GET", "/", "");
  client.exchange_until([&] { return client.stream(id).body.size() == 65'535; }, 2'000);
  EXPECT_EQ(queued, 500'000u);
  EXPECT_FALSE(below);
  EXPECT_EQ(client.stream(id).body.size(), 65'535u);  // the connection's window, which is not given back
  nghttp2_submit_window_update(client.session(), NGHTTP2_FLAG_NONE, 0, 1'000'000);
  nghttp2_submit_window_update(client.session(), NGHTTP2_FLAG_NONE, id, 1'000'000);
  ASSERT_TRUE(client.exchange_until([&] { return client.stream(id).closed; }));
  EXPECT_TRUE(below);
  EXPECT_EQ(client.stream(id).body.size(), 500'000u);
}

TEST(Http2, AStreamsWriterLearnsOfAReset) {
  std::atomic<bool> closed = false;
  std::shared_ptr<BodyStream> stream;
  Served served([&](std::unique_ptr<Request>, Responder responder) {
    stream = std::move(responder).start_stream(text_response(""));
    stream->when_closed([&] {
      stream.reset();
      closed = true;
    });
  });
  Http2Client client(served.port());
  const auto id = client.request("GET", "/", "");
  ASSERT_TRUE(client.exchange_until([&] { return client.stream(id).status() == 200; }));
  nghttp2_submit_rst_stream(client.session(), NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
  EXPECT_TRUE(client.exchange_until([&] { return closed.load(); }));
}

TEST(Http2, APeerThatTakesNoByteIsClosed) {
  ServerLimits limits;
  limits.write_ms_max = 300;
  Served served(
      [](std::unique_ptr<Request>, Responder responder) {
        std::move(responder).respond(text_response(std::string(1'000'000, 'r')));
      },
      limits);
  Http2Client client(served.port(), 0);
  client.request("GET", "/", "");
  EXPECT_TRUE(client.exchange_until([&] { return client.goaway_code().has_value(); }));
  EXPECT_EQ(client.goaway_code(), NGHTTP2_ENHANCE_YOUR_CALM);
}

TEST(Http2, AnUnfinishedBodyIs408) {
  ServerLimits limits;
  limits.body_ms_max = 200;
  Served served(echo, limits);
  Http2Client client(served.port());
  const auto id = client.request("POST", "/", "part", {}, true);
  ASSERT_TRUE(client.exchange_until([&] { return client.stream(id).closed; }));
  EXPECT_EQ(client.stream(id).status(), 408);
  const auto good = client.request("GET", "/", "");
  EXPECT_TRUE(client.exchange_until([&] { return client.stream(good).closed; }));
}

TEST(Http2, IdleConnectionsGoAway) {
  ServerLimits limits;
  limits.idle_ms_max = 200;
  Served served(echo, limits);
  Http2Client client(served.port());
  const auto id = client.request("GET", "/", "");
  ASSERT_TRUE(client.exchange_until([&] { return client.stream(id).closed; }));
  EXPECT_TRUE(client.exchange_until([&] { return client.ended(); }));
  EXPECT_EQ(client.goaway_code(), NGHTTP2_NO_ERROR);
}

TEST(Http2, FloodsEndInEnhanceYourCalm) {
  const std::string ping = frame(NGHTTP2_PING, 0, 0, "12345678");
  const std::string priority = frame(NGHTTP2_PRIORITY, 0, 1, std::string_view("\0\0\0\0\1", 5));
  const std::string window = frame(NGHTTP2_WINDOW_UPDATE, 0, 0, std::string_view("\0\0\0\1", 4));
  for (const auto& kind : {ping, priority, window}) {
    SCOPED_TRACE(static_cast<int>(kind[3]));  // the frame's type
    Served served(echo);
    Http2Client client(served.port());
    const auto id = client.request("GET", "/", "");
    ASSERT_TRUE(client.exchange_until([&] { return client.stream(id).closed; }));
    client.send_raw(repeated(kind, 5'000));
    EXPECT_TRUE(client.exchange_until([&] { return client.ended(); }));
    EXPECT_EQ(client.goaway_code(), NGHTTP2_ENHANCE_YOUR_CALM);
  }
}

// Sent by nghttp2, which does not read on behind an acknowledgement of settings that it has not sent itself.
TEST(Http2, AFloodOfSettingsEndsInEnhanceYourCalm) {
  Served served(echo);
  Http2Client client(served.port());
  for (int i = 0; i < 5'000; ++i)
    ASSERT_EQ(nghttp2_submit_settings(client.session(), NGHTTP2_FLAG_NONE, nullptr, 0), 0);
  EXPECT_TRUE(client.exchange_until([&] { return client.ended(); }));
  EXPECT_EQ(client.goaway_code(), NGHTTP2_ENHANCE_YOUR_CALM);
}

// RFC 9113, 5.5: they are ignored. They cost the reading of their nine bytes, and no answer.
TEST(Http2, FramesOfUnknownTypesAreIgnored) {
  Served served(echo);
  Http2Client client(served.port());
  client.send_raw(repeated(frame(0x42, 0, 0, ""), 5'000));
  const auto id = client.request("GET", "/", "");
  EXPECT_TRUE(client.exchange_until([&] { return client.stream(id).closed; }));
}

TEST(Http2, RapidResetEndsInEnhanceYourCalmAndBoundsTheRequestsUnderWay) {
  HeldRequests held;
  ServerLimits limits;
  limits.http2_streams_max = 50;
  Served served(held.handler(), limits);
  Http2Client client(served.port());
  const auto id = client.request("GET", "/", "");
  ASSERT_TRUE(client.exchange_until([&] { return held.count() == 1; }));
  std::string flood;
  for (std::uint32_t stream = static_cast<std::uint32_t>(id) + 2; stream < 8'000; stream += 2) {
    flood += frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, stream,
                   "\x82\x86\x84\x41\x01h");
    flood += frame(NGHTTP2_RST_STREAM, 0, stream, std::string_view("\0\0\0\x8", 4));
  }
  client.send_raw(flood);
  EXPECT_TRUE(client.exchange_until([&] { return client.ended(); }));
  EXPECT_EQ(client.goaway_code(), NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_LE(held.count(), 102u);
}

std::string resets(std::uint32_t first, std::uint32_t count) {
  std::string frames;
  for (std::uint32_t i = 0; i < count; ++i) {
    frames += frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, first + 2 * i,
                    "\x82\x86\x84\x41\x01h");
    frames += frame(NGHTTP2_RST_STREAM, 0, first + 2 * i, std::string_view("\0\0\0\x8", 4));
  }
  return frames;
}

TEST(Http2, ResetsOfRequestsAreBoundedPerAddressAndNotPerConnection) {
  Served served(echo);
  bool bounded = false;
  for (int connection = 0; connection < 12 && !bounded; ++connection) {
    Http2Client client(served.port());
    const auto id = client.request("GET", "/", "");
    ASSERT_TRUE(client.exchange_until([&] { return client.stream(id).closed || client.ended(); }));
    // Fewer than one connection may send at once.
    client.send_raw(resets(static_cast<std::uint32_t>(id) + 2, 400));
    ASSERT_EQ(nghttp2_session_set_next_stream_id(client.session(), id + 802), 0);
    const auto last = client.request("GET", "/last", "");
    ASSERT_TRUE(client.exchange_until([&] { return client.stream(last).closed || client.ended(); }));
    bounded = client.goaway_code() == NGHTTP2_ENHANCE_YOUR_CALM;
  }
  EXPECT_TRUE(bounded);
  // Who resets nothing is served from the same address.
  Http2Client good(served.port());
  for (int i = 0; i < 20; ++i) {
    const auto id = good.request("GET", "/", "");
    ASSERT_TRUE(good.exchange_until([&] { return good.stream(id).closed; }));
    EXPECT_EQ(good.stream(id).status(), 200);
  }
}

TEST(SourceGauge, RefillsWithTimeAndHoldsNoMoreThanAtFirst) {
  SourceGauge gauge;
  std::int64_t now_ns = 1'000'000'000'000;
  for (std::int64_t i = 0; i < SourceGauge::kTokensMax; ++i) ASSERT_TRUE(gauge.spend(now_ns));
  EXPECT_FALSE(gauge.spend(now_ns));
  now_ns += 1'000'000'000;
  for (std::int64_t i = 0; i < SourceGauge::kTokensPerSecond; ++i) ASSERT_TRUE(gauge.spend(now_ns));
  EXPECT_FALSE(gauge.spend(now_ns));
  now_ns += 3'600'000'000'000;
  for (std::int64_t i = 0; i < SourceGauge::kTokensMax; ++i) ASSERT_TRUE(gauge.spend(now_ns));
  EXPECT_FALSE(gauge.spend(now_ns));
}

TEST(Http2, AFloodOfContinuationsEndsTheConnection) {
  Served served(echo);
  Http2Client client(served.port());
  const auto id = client.request("GET", "/", "");
  ASSERT_TRUE(client.exchange_until([&] { return client.stream(id).closed; }));
  const std::string field = std::string("\x00\x01x\x7f\x81\x07", 6) + std::string(264, 'y');
  client.send_raw(frame(NGHTTP2_HEADERS, 0, 3, "\x82\x86\x84\x41\x01h") +
                  repeated(frame(NGHTTP2_CONTINUATION, 0, 3, field), 5'000));
  EXPECT_TRUE(client.exchange_until([&] { return client.ended(); }));
}

TEST(Http2, FewBytesThatUnpackToVeryManyEndTheConnection) {
  ServerLimits limits;
  limits.header_bytes_max = 8'000;
  Served served(echo, limits);
  Http2Client client(served.port());
  const auto id = client.request("GET", "/", "");
  ASSERT_TRUE(client.exchange_until([&] { return client.stream(id).closed; }));
  // One field of 4,000 bytes into the dynamic table, then one byte for each further copy of it.
  std::string value(3'900, 'v');
  std::string block = "\x82\x86\x84\x41\x01h";
  block += std::string("\x40\x01x\x7f\xbd\x1d", 6) + value + std::string(4'000, '\xbe');
  client.send_raw(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 3, block));
  EXPECT_TRUE(client.exchange_until([&] { return client.ended(); }));
  EXPECT_EQ(client.goaway_code(), NGHTTP2_ENHANCE_YOUR_CALM);
}

TEST(Http2, CurlWithPriorKnowledge) {
  if (std::system("curl --version 2>/dev/null | grep -q HTTP2") != 0)
    GTEST_SKIP() << "no curl with HTTP/2 here";
  Served served(echo);
  const std::string command =
      "curl -s --max-time 10 --http2-prior-knowledge -w ' %{http_version} %{http_code}' -d hello "
      "http://127.0.0.1:" +
      std::to_string(served.port()) + "/curl";
  std::string answer;
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  char text[256];
  while (std::fgets(text, sizeof(text), pipe) != nullptr) answer += text;
  ::pclose(pipe);
  EXPECT_EQ(answer, "POST /curl hello 2 200");
}

}  // namespace
}  // namespace millrace::net
