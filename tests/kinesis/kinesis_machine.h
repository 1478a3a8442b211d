// kinesis/kinesis_machine.h: the front door over a real broker, on a simulated machine of two loops.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/broker.h"
#include "identity/sigv4.h"
#include "kinesis/front_door.h"
#include "kinesis/stream_client.h"
#include "sim/sim_disk.h"
#include "sim/sim_world.h"
#include "store/object_store.h"

namespace millrace::kinesis {

// Of stream "s" of those who do not sign.
inline const std::string kArnOfS = "arn:aws:kinesis:us-east-1:000000000000:stream/s";

using Json = nlohmann::json;
using Headers = std::vector<std::pair<std::string, std::string>>;

struct Answer {
  int status = 0;
  std::string body;
  Headers headers;
  std::shared_ptr<StreamClient> stream = {};  // of an answer that is one; then `body` is empty

  Json json() const { return Json::parse(body, nullptr, false); }
  // Empty where there is none.
  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (key == name) return value;
    return {};
  }
  std::string type() const { return json().value("__type", ""); }
  std::string message() const { return json().value("message", json().value("Message", "")); }
};

class KinesisMachine {
 public:
  explicit KinesisMachine(FrontDoorOptions options = {}, broker::BrokerOptions broker_options = {},
                          std::unique_ptr<const identity::Verifier> verifier = everybody_passes())
      : verifier_(std::move(verifier)) {
    world.add_loop();
    world.add_loop();
    store_ = store::open_directory_store(disk, "objects").value();
    log::LogEnvironment environment{
        disk, world.folder_clock(), world.random(), {&world.loop(0), &world.loop(1)}, {}, {}};
    environment.start_worker = [this](const std::string& name, int) { return world.start_worker(name); };
    environment.warn = [](const std::string&) {};
    broker = broker::Broker::open(std::move(environment), {}, *store_, std::move(broker_options)).value();
    options.token_key.fill(7);
    door =
        std::make_unique<FrontDoor>(*broker, *verifier_, authorizer_, world.clock(), world.random(), options);
  }
  ~KinesisMachine() {
    world.run_for(2'000'000'000);  // commands under way end
    world.drop_events();
    broker.reset();
    world.drop_events();
    door.reset();
  }

  // Any HTTP request, by the loop `connections_on`.
  Answer exchange(std::string_view method, const Headers& headers, std::string_view body,
                  std::string_view target = "/") {
    auto request = std::make_unique<net::Request>();
    // The views point into copies that live as long as the machine.
    texts_.push_back(std::make_unique<std::string>(method));
    request->method = *texts_.back();
    texts_.push_back(std::make_unique<std::string>(target));
    request->target = *texts_.back();
    for (const auto& [name, value] : headers) {
      texts_.push_back(std::make_unique<std::string>(name));
      const std::string_view kept_name = *texts_.back();
      texts_.push_back(std::make_unique<std::string>(value));
      request->headers.push_back({kept_name, *texts_.back()});
    }
    request->body.append(body);
    sim::SimLoop& loop = world.loop(connections_on);
    request->loop = &loop;
    auto sink = std::make_shared<Sink>(loop);
    world.on(loop, [&] { door->handle(std::move(request), net::Responder(sink)); });
    EXPECT_TRUE(world.run_until([&] { return sink->answer.has_value(); })) << "no answer";
    return sink->answer.value_or(Answer{});
  }
  // An operation, with a body that may be anything.
  Answer post_text(std::string_view operation, std::string_view body) {
    return exchange("POST",
                    {{"Content-Type", "application/x-amz-json-1.1"},
                     {"X-Amz-Target", "Kinesis_20131202." + std::string(operation)},
                     {"Authorization",
                      "AWS4-HMAC-SHA256 Credential=AKID/20261125/us-east-1/kinesis/aws4_request, "
                      "SignedHeaders=host, Signature=00"},
                     {"X-Amz-Date", "20261125T000000Z"}},
                    body);
  }
  Answer post(std::string_view operation, const Json& request) {
    return post_text(operation, request.dump());
  }
  // One that must go well; its answer's members.
  Json call(std::string_view operation, const Json& request) {
    const Answer answer = post(operation, request);
    EXPECT_EQ(answer.status, 200) << operation << " " << request.dump().substr(0, 500) << ": " << answer.body;
    return answer.body.empty() ? Json::object() : answer.json();
  }
  // One that must fail so.
  void refuses(std::string_view operation, const Json& request, std::string_view type,
               std::string_view message) {
    const Answer answer = post(operation, request);
    EXPECT_EQ(answer.status, 400) << operation << ": " << answer.body;
    EXPECT_EQ(answer.json(), (Json{{"__type", type}, {"message", message}})) << operation;
  }

  void wait_active(const std::string& stream) {
    EXPECT_TRUE(world.run_until([&] {
      std::shared_ptr<const broker::Stream> found;
      world.on(world.loop(1), [&] { found = broker->catalog()->find(stream); });
      return found != nullptr && found->status == broker::StreamStatus::kActive;
    }));
  }
  void create(const std::string& stream, int shards) {
    call("CreateStream", {{"StreamName", stream}, {"ShardCount", shards}});
    wait_active(stream);
  }
  std::string iterator(const std::string& stream, int shard, const std::string& type = "TRIM_HORIZON") {
    return call("GetShardIterator",
                {{"StreamName", stream}, {"ShardId", std::to_string(shard)}, {"ShardIteratorType", type}})
        .value("ShardIterator", "");
  }

  std::size_t connections_on = 1;
  sim::SimWorld world{sim::Seed{1}};
  sim::SimDisk disk{sim::Seed{1}, &world};
  std::unique_ptr<broker::Broker> broker;
  std::unique_ptr<FrontDoor> door;

 private:
  class Sink final : public net::Responder::Sink {
   public:
    explicit Sink(Loop& loop) : loop_(loop) {}
    void respond(net::Response response) override {
      answer = Answer{response.status, std::string(response.body.text()), std::move(response.headers)};
    }
    std::shared_ptr<net::BodyStream> start_stream(net::Response head) override {
      answer = Answer{head.status, "", std::move(head.headers), std::make_shared<StreamClient>(loop_)};
      return answer->stream;
    }
    void abandon() override { answer = Answer{}; }
    std::optional<Answer> answer;

   private:
    Loop& loop_;
  };

  static std::unique_ptr<const identity::Verifier> everybody_passes() {
    return std::make_unique<identity::Verifier>(std::map<std::string, identity::Secret>{}, "us-east-1", true);
  }

  std::unique_ptr<const identity::Verifier> verifier_;
  identity::Authorizer authorizer_{"us-east-1", nullptr};
  std::unique_ptr<store::ObjectStore> store_;
  std::vector<std::unique_ptr<std::string>> texts_;
};

inline const std::string kHere = " in stream s under account 000000000000";

}  // namespace millrace::kinesis
