#include "load/replayer.h"

#include <algorithm>
#include <utility>

#include "load/put_body.h"

namespace millrace::load {
namespace {

constexpr std::int64_t kSignEveryUs = 60'000'000;  // a signature is good for five minutes
constexpr std::int64_t kReplayAfterErrorUs = 20'000;

}  // namespace

Replayer::Replayer(EventLoop& loop, Endpoint endpoint, Credentials credentials, ReplayerOptions options,
                   EventSource& source, Totals& totals)
    : loop_(loop),
      signer_(std::move(credentials), endpoint.authority()),
      options_(std::move(options)),
      totals_(totals) {
  for (std::uint32_t i = 0; i < options_.bodies; ++i) {
    PutBody body(options_.stream);
    while (body.count() < options_.batch) {
      const Event& event = *source.peek();
      body.add({i * options_.batch + body.count(), 0, now_us()}, event.key, event.rest);
      source.pop();
    }
    body.finish();
    const std::uint64_t payload_bytes = body.payload_bytes();
    signed_.push_back({std::make_shared<const std::string>(body.take_json()), payload_bytes, {}});
  }
  for (std::uint32_t i = 0; i < options_.connections; ++i) {
    connections_.push_back(std::make_unique<HttpConnection>(loop, endpoint));
  }
}

void Replayer::start(double warmup_seconds, double seconds) {
  count_from_us_ = now_us() + static_cast<std::int64_t>(warmup_seconds * 1e6);
  end_us_ = count_from_us_ + static_cast<std::int64_t>(seconds * 1e6);
  for (const auto& connection : connections_) {
    for (std::uint32_t i = 0; i < options_.pipeline; ++i) send(*connection);
  }
}

bool Replayer::finished() const {
  return now_us() >= end_us_ &&
         std::ranges::all_of(connections_, [](const auto& c) { return c->in_flight() == 0; });
}

void Replayer::send(HttpConnection& connection) {
  const std::int64_t sent_us = now_us();
  if (sent_us >= end_us_) return;
  Signed& next = signed_[next_++ % signed_.size()];
  if (sent_us - next.signed_us >= kSignEveryUs) {
    next.head = signer_.head("PutRecords", *next.body, sent_us);
    next.signed_us = sent_us;
  }
  connection.send(next.head, next.body,
                  [this, &connection, &next, sent_us](int status, std::string_view answer) {
                    const std::int64_t now = now_us();
                    if (status != 200) {
                      totals_.count_error(status, answer);
                      return loop_.at(now + kReplayAfterErrorUs, [this, &connection] { send(connection); });
                    }
                    if (now >= count_from_us_ && now < end_us_) {
                      const std::size_t refused = failed_records(answer).size();
                      ++totals_.put_requests;
                      totals_.put_records += options_.batch - refused;
                      totals_.put_bytes += next.payload_bytes * (options_.batch - refused) / options_.batch;
                      totals_.put_body_bytes += next.body->size();
                      totals_.refused_records += refused;
                      totals_.put_us.add(now - sent_us);
                    }
                    send(connection);
                  });
}

}  // namespace millrace::load
