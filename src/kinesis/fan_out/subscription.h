// kinesis/fan_out/subscription.h: one SubscribeToShard from its begin to its end: up to five minutes of
// events.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/loop.h"
#include "broker/broker.h"
#include "kinesis/consumer_ref.h"
#include "kinesis/fan_out/lasting_access.h"
#include "kinesis/fan_out/shard_feed.h"
#include "kinesis/protocol.h"
#include "kinesis/quotas.h"
#include "kinesis/stream_meter.h"
#include "net/http.h"

namespace millrace::kinesis {

class FanOut;

// Of which consumer, to which shard.
struct SubscriptionTarget {
  ConsumerPlace consumer;
  std::uint64_t consumer_id;
  std::uint64_t stream_id;
  broker::Shard shard;
  Encoding encoding;
  std::shared_ptr<const identity::Principal> caller;

  MeteredConsumer metered() const {
    return {.stream_id = stream_id, .id = consumer_id, .stream = consumer.stream.name, .name = consumer.name};
  }
};

// Belongs to its connection's loop. Begins behind the tip, or at it; reads by itself until it has what the
// shard's feed gave last, and then takes the feed's events. A client that takes them too slowly is left
// behind, and reads by itself again when there is room. FanOut keeps it until it ends.
class Subscription : public std::enable_shared_from_this<Subscription> {
 public:
  // meter    the loop's; borrowed, outlives it
  // call     that was allowed it; looked at for this call
  // offset   of the first record that it gives
  Subscription(FanOut& house, const Call& call, SubscriptionTarget target, StreamMeter& meter,
               std::uint64_t offset)
      : house_(house),
        loop_(*call.request.loop),
        target_(std::move(target)),
        access_(call),
        meter_(meter),
        cursor_(offset) {}

  const SubscriptionTarget& target() const { return target_; }
  Loop& loop() const { return loop_; }
  // Of SubscribeToShard's call, once it was accepted: later ones of the same consumer and shard are greater.
  std::uint64_t serial = 0;

  // feed_at   FanOut::claim's answer
  void start(std::shared_ptr<net::BodyStream> stream, std::uint64_t feed_at);
  // From the feed; also before start().
  void received(const FeedEvent& event);
  // What exists is another now: the shard may be closed, consumer or stream gone.
  void look_at_catalog();
  // Another one has the consumer and the shard now.
  void replace();
  // Without an error.
  void finish();

 private:
  struct Throttle {
    double bytes;  // below 0: in debt
    std::int64_t at_ns;
  };
  // Until when nothing is sent. What a quota says holds only while it is the same.
  struct Pause {
    std::int64_t throttled_until_ns;
    std::int64_t quota_until_ns;
    Quotas quotas;
  };

  void go_on();
  static Task<void> read(std::shared_ptr<Subscription> self);
  void got(Result<log::ReadBatch> batch);
  void send(SharedBytes event, const StreamMeter::Event& content);
  void charge(std::uint64_t payload_bytes);
  std::int64_t charge_throttle(std::uint64_t payload_bytes);
  Quotas quotas_now() const;
  void pause(Pause pause);
  void hold();
  void release();
  void send_empty();
  void send_empty_later(std::int64_t delay_ns);
  void ask_again_later();
  void finish_shard();
  void fail(const ApiError& error);
  std::optional<ApiError> fault_in_catalog();
  std::int64_t now_ns() const;

  FanOut& house_;
  Loop& loop_;
  SubscriptionTarget target_;
  LastingAccess access_;
  StreamMeter& meter_;
  bool shards_metered_ = false;                        // by the stream's owner
  std::shared_ptr<net::BodyStream> stream_;            // null before start() and after the end
  std::shared_ptr<const broker::Stream> end_picture_;  // of the catalog, when the shard is closed
  std::uint64_t cursor_;                               // what it sends next
  std::uint64_t feed_at_ = 0;                          // where the feed goes on
  std::int64_t newest_s_ = 0;                          // arrival of the newest record that was sent
  std::int64_t behind_ms_ = 0;
  std::int64_t sent_ns_ = 0;
  std::optional<Throttle> throttle_;
  bool reading_ = false;
  bool held_ = false;  // by the client, the service's limit or a quota
  bool ended_ = false;
};

}  // namespace millrace::kinesis
