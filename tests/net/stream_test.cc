// Streamed response bodies: framing, back-pressure, and either side going away.
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>

#include "served.h"

namespace millrace::net {
namespace {

SharedBytes chunk(std::string_view text) { return std::make_shared<const Bytes>(text); }

// Writes `left` chunks of 64 KiB, never more than 256 KiB ahead of the peer.
struct Pump : std::enable_shared_from_this<Pump> {
  std::shared_ptr<BodyStream> stream;
  int left = 0;
  std::size_t most_queued = 0;
  std::promise<std::size_t> done;

  void go_on() {
    while (left > 0 && stream->queued_bytes() < 256 * 1024) {
      --left;
      stream->write(chunk(std::string(64 * 1024, 'c')));
      most_queued = std::max(most_queued, stream->queued_bytes());
    }
    if (left > 0) {
      stream->when_below(128 * 1024, [self = shared_from_this()] { self->go_on(); });
      return;
    }
    stream->end();
    stream.reset();
    done.set_value(most_queued);
  }
};

TEST(BodyStream, ArrivesChunkedAndTheConnectionGoesOn) {
  Served served([](std::unique_ptr<Request> request, Responder responder) {
    if (request->target == "/plain") return std::move(responder).respond(text_response("plain"));
    const auto stream = std::move(responder).start_stream(text_response(""));
    stream->write(chunk("one,"));
    stream->write(chunk(""));
    request->loop->post([stream] {
      stream->write(chunk("two"));
      stream->end();
      stream->write(chunk("ignored"));
    });
  });
  RawClient client(served.port());
  client.send(std::string(kGet) + "GET /plain HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto streamed = client.response();
  EXPECT_EQ(streamed->headers.at("transfer-encoding"), "chunked");
  EXPECT_EQ(streamed->body, "one,two");
  EXPECT_EQ(client.response()->body, "plain");
}

TEST(BodyStream, OldClientsGetItBareUntilTheClose) {
  Served served([](std::unique_ptr<Request>, Responder responder) {
    const auto stream = std::move(responder).start_stream(text_response(""));
    stream->write(chunk("bare"));
    stream->end();
  });
  RawClient client(served.port());
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const auto all = client.rest();
  ASSERT_TRUE(all);
  EXPECT_EQ(all->find("chunked"), std::string::npos);
  EXPECT_EQ(all->substr(all->size() - 8), "\r\n\r\nbare");
}

TEST(BodyStream, AReaderThatWaitsHoldsTheWriterBack) {
  auto pump = std::make_shared<Pump>();
  pump->left = 640;  // 40 MiB
  auto done = pump->done.get_future();
  Served served([pump](std::unique_ptr<Request>, Responder responder) {
    pump->stream = std::move(responder).start_stream(text_response(""));
    pump->go_on();
  });
  RawClient client(served.port(), 64 * 1024);
  client.send(kGet);
  EXPECT_EQ(done.wait_for(std::chrono::milliseconds(300)), std::future_status::timeout);
  const auto response = client.response();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body.size(), 640u * 64 * 1024);
  EXPECT_LE(done.get(), 320u * 1024);
}

TEST(BodyStream, TheWriterLearnsThatThePeerHasGone) {
  std::promise<void> closed;
  std::shared_ptr<BodyStream> kept;
  Served served([&](std::unique_ptr<Request>, Responder responder) {
    kept = std::move(responder).start_stream(text_response(""));
    kept->write(chunk("hello"));
    kept->when_closed([&] {
      kept->write(chunk("ignored"));
      EXPECT_EQ(kept->queued_bytes(), 0u);
      kept.reset();
      closed.set_value();
    });
  });
  {
    RawClient client(served.port());
    client.send(kGet);
    ASSERT_NE(client.some(100), "");
  }
  EXPECT_EQ(closed.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST(BodyStream, AWriterThatIsDroppedBreaksTheResponseOff) {
  Served served([](std::unique_ptr<Request>, Responder responder) {
    const auto stream = std::move(responder).start_stream(text_response(""));
    stream->write(chunk("part"));
  });
  RawClient client(served.port());
  client.send(kGet);
  const auto all = client.rest();
  ASSERT_TRUE(all);
  EXPECT_NE(all->find("part"), std::string::npos);
  EXPECT_EQ(all->find("\r\n0\r\n"), std::string::npos);
}

TEST(BodyStream, MayOutliveTheServer) {
  std::promise<std::shared_ptr<BodyStream>> started;
  Served served([&](std::unique_ptr<Request>, Responder responder) {
    started.set_value(std::move(responder).start_stream(text_response("")));
  });
  RawClient client(served.port());
  client.send(kGet);
  auto stream = started.get_future().get();
  served.destroy_server();
  std::promise<void> done;
  served.loops().loop(0).post([&] {
    stream->write(chunk("nobody"));
    stream->end();
    stream.reset();
    done.set_value();
  });
  done.get_future().get();
}

}  // namespace
}  // namespace millrace::net
