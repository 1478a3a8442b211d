#include "app/first_streams.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <utility>

#include "app/size.h"
#include "base/clock.h"
#include "base/task.h"

namespace millrace::app {
namespace {

constexpr std::uint32_t kOnDemandShards = 4;  // as CreateStream gives them
constexpr std::int64_t kLookEveryNs = 2 * kNsPerMs;
constexpr std::string_view kNameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

Error wrong(std::string_view stream, std::string_view what) {
  return {ErrorKind::kInvalid, fmt::format("has \"{}\": {}", stream, what)};
}

Result<FirstStream> parse_one(std::string_view text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  FirstStream stream{.name = std::string(text.substr(0, colon))};
  if (stream.name.empty() || stream.name.size() > 128 ||
      stream.name.find_first_not_of(kNameBytes) != std::string::npos)
    return wrong(text, "a stream's name is 1 to 128 letters, digits, '_', '.' and '-'");
  if (colon == text.size()) return stream;
  const std::string_view shards = text.substr(colon + 1);
  if (shards == "on-demand") {
    stream.on_demand = true;
    stream.shards = kOnDemandShards;
    return stream;
  }
  const auto count = parse_number(shards);
  if (!count.ok() || *count == 0 || *count > broker::kShardsMax)
    return wrong(
        text, fmt::format("behind ':' stands a number of shards, 1 to {}, or on-demand", broker::kShardsMax));
  stream.shards = static_cast<std::uint32_t>(*count);
  return stream;
}

Task<Result<void>> make_one(const FirstStream& stream, broker::Broker& broker, Loop& home) {
  if (broker.catalog()->find(stream.name) == nullptr) {
    broker::CreateStream wanted{stream.name, stream.shards, stream.on_demand, {}};
    auto made = co_await broker.create_stream(std::move(wanted));
    if (!made.ok() && made.error().kind != ErrorKind::kConflict)
      co_return Error{made.error().kind, fmt::format("--streams: {}: {}", stream.name, made.error().text)};
  }
  for (;;) {
    const auto found = broker.catalog()->find(stream.name);
    if (found == nullptr || found->status != broker::StreamStatus::kCreating) co_return Result<void>{};
    co_await sleep_for(home, kLookEveryNs);
  }
}

Task<Result<void>> make_all(const std::vector<FirstStream>& streams, broker::Broker& broker, Loop& home) {
  for (const FirstStream& stream : streams) {
    if (auto made = co_await make_one(stream, broker, home); !made.ok()) co_return made;
  }
  co_return Result<void>{};
}

}  // namespace

Result<std::vector<FirstStream>> parse_first_streams(std::string_view list) {
  std::vector<FirstStream> streams;
  for (;;) {
    const std::size_t comma = std::min(list.find(','), list.size());
    MR_ASSIGN(FirstStream stream, parse_one(list.substr(0, comma)));
    const bool again = std::any_of(streams.begin(), streams.end(),
                                   [&](const FirstStream& other) { return other.name == stream.name; });
    if (again) return wrong(stream.name, "it is named twice");
    streams.push_back(std::move(stream));
    if (comma == list.size()) return streams;
    list.remove_prefix(comma + 1);
  }
}

Result<void> make_first_streams(const std::vector<FirstStream>& streams, broker::Broker& broker, Loop& home) {
  std::promise<Result<void>> done;
  home.post([&] {
    spawn(make_all(streams, broker, home), [&done](Result<void> made) { done.set_value(std::move(made)); });
  });
  return done.get_future().get();
}

}  // namespace millrace::app
