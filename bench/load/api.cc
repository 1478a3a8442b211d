#include "load/api.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <optional>

namespace millrace::load {
namespace {

constexpr std::int64_t kStatusPollUs = 20'000;

}  // namespace

std::string_view string_field(std::string_view json, std::string_view name) {
  const std::string quoted = fmt::format("\"{}\":\"", name);
  const std::size_t at = json.find(quoted);
  if (at == std::string_view::npos) return {};
  const std::string_view value = json.substr(at + quoted.size());
  return value.substr(0, value.find('"'));
}

Api::Api(EventLoop& loop, Endpoint endpoint, Credentials credentials)
    : loop_(loop), connection_(loop, endpoint), signer_(std::move(credentials), endpoint.authority()) {}

Api::Reply Api::call(std::string_view operation, std::string body) {
  std::optional<Reply> reply;
  const auto shared = std::make_shared<const std::string>(std::move(body));
  connection_.send(signer_.head(operation, *shared, now_us()), shared,
                   [&](int status, std::string_view answer) {
                     reply = {status, std::string(answer)};
                   });
  loop_.run_until([&] { return reply.has_value(); });
  return *reply;
}

std::string Api::must(std::string_view operation, std::string body) {
  Reply reply = call(operation, std::move(body));
  if (reply.status == 200) return std::move(reply.body);
  fmt::print(stderr, "load: {}: status {}: {}\n", operation, reply.status, reply.body);
  std::exit(1);
}

void Api::create_stream(std::string_view stream, std::uint32_t shards) {
  const Reply reply =
      call("CreateStream", fmt::format(R"({{"StreamName":"{}","ShardCount":{}}})", stream, shards));
  if (reply.status != 200 && reply.body.find("ResourceInUseException") == std::string::npos) {
    fmt::print(stderr, "load: CreateStream: status {}: {}\n", reply.status, reply.body);
    std::exit(1);
  }
  for (;;) {
    const std::string summary =
        must("DescribeStreamSummary", fmt::format(R"({{"StreamName":"{}"}})", stream));
    if (string_field(summary, "StreamStatus") == "ACTIVE") return;
    wait_a_little();
  }
}

void Api::wait_a_little() {
  bool waited = false;
  loop_.at(now_us() + kStatusPollUs, [&] { waited = true; });
  loop_.run_until([&] { return waited; });
}

std::vector<std::string> Api::shards(std::string_view stream) {
  std::vector<std::string> shards;
  std::string request = fmt::format(R"({{"StreamName":"{}"}})", stream);
  for (;;) {
    const std::string answer = must("ListShards", request);
    constexpr std::string_view kShard = R"("ShardId":")";
    for (std::size_t at = answer.find(kShard); at != std::string::npos; at = answer.find(kShard, at)) {
      at += kShard.size();
      shards.push_back(answer.substr(at, answer.find('"', at) - at));
    }
    const std::string_view next = string_field(answer, "NextToken");
    if (next.empty()) return shards;
    request = fmt::format(R"({{"NextToken":"{}"}})", next);
  }
}

std::string Api::iterator(std::string_view stream, std::string_view shard, std::string_view type) {
  const std::string answer = must(
      "GetShardIterator",
      fmt::format(R"({{"StreamName":"{}","ShardId":"{}","ShardIteratorType":"{}"}})", stream, shard, type));
  return std::string(string_field(answer, "ShardIterator"));
}

std::vector<std::string> Api::consumers(std::string_view stream, std::uint32_t count) {
  const std::string summary = must("DescribeStreamSummary", fmt::format(R"({{"StreamName":"{}"}})", stream));
  const std::string stream_arn(string_field(summary, "StreamARN"));
  std::vector<std::string> arns;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string consumer =
        fmt::format(R"({{"StreamARN":"{}","ConsumerName":"bench-{}"}})", stream_arn, i);
    call("RegisterStreamConsumer", consumer);  // one that is there already is as good
    for (;;) {
      const std::string description = must("DescribeStreamConsumer", consumer);
      if (string_field(description, "ConsumerStatus") == "ACTIVE") {
        arns.emplace_back(string_field(description, "ConsumerARN"));
        break;
      }
      wait_a_little();
    }
  }
  return arns;
}

}  // namespace millrace::load
