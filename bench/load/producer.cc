#include "load/producer.h"

#include <algorithm>
#include <utility>

namespace millrace::load {
namespace {

constexpr std::int64_t kSourcePollUs = 1'000;   // while the source has nothing yet
constexpr std::int64_t kAfterErrorUs = 20'000;  // before a lane tries again
constexpr std::int64_t kAfterRefusalUs = 1'000;

}  // namespace

Producer::Producer(EventLoop& loop, Endpoint endpoint, Credentials credentials, ProducerOptions options,
                   EventSource& source, Verdict& verdict, Totals& totals)
    : loop_(loop),
      signer_(std::move(credentials), endpoint.authority()),
      options_(std::move(options)),
      source_(source),
      verdict_(verdict),
      totals_(totals) {
  for (std::uint32_t i = 0; i < options_.lanes; ++i) {
    lanes_.push_back(std::make_unique<Lane>(loop, endpoint, i));
  }
}

void Producer::start(double seconds) {
  begin_us_ = now_us();
  end_us_ = begin_us_ + static_cast<std::int64_t>(seconds * 1e6);
  if (options_.closed_loop) {
    for (const auto& lane : lanes_) {
      fill(*lane);
      send_if_ready(*lane);
    }
  } else {
    take_due_events();
  }
}

bool Producer::finished() const {
  return drained_ &&
         std::ranges::all_of(lanes_, [](const auto& lane) { return !lane->busy && lane->queue.empty(); });
}

void Producer::take_due_events() {
  const std::int64_t now = now_us();
  const Event* event = source_.peek();
  while (event != nullptr && begin_us_ + event->due_us <= std::min(now, end_us_)) {
    add(*lanes_[event->lane], begin_us_ + event->due_us, *event);
    source_.pop();
    event = source_.peek();
  }
  drained_ = event == nullptr ? source_.ended() || now > end_us_ : begin_us_ + event->due_us > end_us_;
  for (const auto& lane : lanes_) send_if_ready(*lane);
  if (drained_) return;
  loop_.at(event == nullptr ? now + kSourcePollUs : begin_us_ + event->due_us, [this] { take_due_events(); });
}

void Producer::fill(Lane& lane) {
  const std::int64_t now = now_us();
  drained_ = drained_ || now >= end_us_;
  for (std::size_t i = 0; i < options_.batch && !drained_; ++i) {
    const Event* event = source_.peek();
    if (event == nullptr) break;
    add(lane, now, *event);
    source_.pop();
  }
}

void Producer::add(Lane& lane, std::int64_t due_us, const Event& event) {
  if (lane.queue.empty() || lane.queue.back()->count() >= options_.batch) {
    lane.queue.push_back(std::make_unique<PutBody>(options_.stream));
  }
  lane.queue.back()->add({lane.next_sequence++, lane.index, due_us}, event.key, event.rest);
}

void Producer::send_if_ready(Lane& lane) {
  if (lane.busy || lane.queue.empty()) return;
  const PutBody& first = *lane.queue.front();
  const std::int64_t linger_end_us = first.stamps().front().due_us + options_.linger_us;
  if (first.count() < options_.batch && !drained_ && now_us() < linger_end_us) {
    if (lane.alarm_set) return;
    lane.alarm_set = true;
    loop_.at(linger_end_us, [this, &lane] {
      lane.alarm_set = false;
      send_if_ready(lane);
    });
    return;
  }
  std::shared_ptr<PutBody> body = std::move(lane.queue.front());
  lane.queue.pop_front();
  send(lane, std::move(body));
}

void Producer::send(Lane& lane, std::shared_ptr<PutBody> body) {
  body->finish();
  for (const Stamp& stamp : body->stamps()) verdict_.attempted(stamp.lane, stamp.sequence);
  lane.busy = true;
  const std::int64_t sent_us = now_us();
  const std::shared_ptr<const std::string> json(body, &body->json());
  lane.connection.send(signer_.head("PutRecords", *json, sent_us), json,
                       [this, &lane, body = std::move(body), sent_us](int status, std::string_view answer) {
                         answered(lane, *body, sent_us, status, answer);
                       });
}

void Producer::answered(Lane& lane, const PutBody& body, std::int64_t sent_us, int status,
                        std::string_view answer) {
  std::int64_t pause_us = 0;
  ++totals_.put_requests;
  if (status == 200) {
    const std::int64_t from_us = options_.closed_loop ? sent_us : body.stamps().front().due_us;
    totals_.put_us.add(now_us() - from_us);
    const std::vector<std::size_t> failed = failed_records(answer);
    std::size_t next_failed = 0;
    for (std::size_t i = 0; i < body.count(); ++i) {
      if (next_failed < failed.size() && failed[next_failed] == i) {
        ++next_failed;
      } else {
        verdict_.acknowledged(body.stamps()[i].lane, body.stamps()[i].sequence);
      }
    }
    totals_.put_records += body.count() - failed.size();
    totals_.put_bytes += body.payload_bytes() * (body.count() - failed.size()) / body.count();
    totals_.put_body_bytes += body.json().size();
    totals_.refused_records += failed.size();
    if (!failed.empty()) {
      send_again(lane, body, failed);
      pause_us = kAfterRefusalUs;
    }
  } else {
    // Whether it was written is unknown: these records stay "attempted", and the lane goes on with the next.
    totals_.count_error(status, answer);
    pause_us = kAfterErrorUs;
  }
  loop_.at(pause_us == 0 ? 0 : now_us() + pause_us, [this, &lane] {
    lane.busy = false;
    if (options_.closed_loop && lane.queue.empty()) fill(lane);
    send_if_ready(lane);
  });
}

void Producer::send_again(Lane& lane, const PutBody& body, const std::vector<std::size_t>& failed) {
  auto again = std::make_unique<PutBody>(options_.stream);
  for (const std::size_t index : failed) again->add_from(body, index);
  lane.queue.push_front(std::move(again));
}

}  // namespace millrace::load
