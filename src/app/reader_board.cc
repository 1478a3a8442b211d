#include "app/reader_board.h"

#include <algorithm>
#include <unordered_map>

#include "base/clock.h"

namespace millrace::app {
namespace {

constexpr std::size_t kReadersMax = 2'000;
constexpr std::size_t kOffsetsMax = 200'000;
constexpr std::int64_t kHourNs = 3'600 * kNsPerS;

// A consumer stays as long as it is registered.
std::int64_t kept_ns(kinesis::ReaderKind kind) {
  return kind == kinesis::ReaderKind::kSession ? 24 * kHourNs : 7 * 24 * kHourNs;
}

}  // namespace

void ReaderBoard::note(const kinesis::ReaderPosition& position, std::int64_t now_ns) {
  Reader& reader = readers_[{position.stream_id, position.kind, position.reader}];
  reader.seen_ns = now_ns;
  if (reader.offsets.insert_or_assign(position.shard, position.offset).second) ++offsets_;
  while (readers_.size() > kReadersMax || (offsets_ > kOffsetsMax && readers_.size() > 1)) forget_oldest();
}

void ReaderBoard::forget_oldest() {
  const auto oldest = std::min_element(readers_.begin(), readers_.end(), [](const auto& a, const auto& b) {
    return a.second.seen_ns < b.second.seen_ns;
  });
  offsets_ -= oldest->second.offsets.size();
  readers_.erase(oldest);
}

void ReaderBoard::follow(const broker::Catalog& catalog, std::int64_t now_ns) {
  std::unordered_map<std::uint64_t, const broker::Stream*> streams;
  for (const auto& [name, stream] : catalog.streams) streams.emplace(stream->id, stream.get());
  offsets_ = 0;
  for (auto at = readers_.begin(); at != readers_.end();) {
    auto& [name, reader] = *at;
    const auto stream = streams.find(name.stream_id);
    const bool is_consumer = name.kind == kinesis::ReaderKind::kConsumer;
    const bool kept =
        stream != streams.end() && (is_consumer ? stream->second->find_consumer(name.reader) != nullptr
                                                : now_ns - reader.seen_ns < kept_ns(name.kind));
    if (!kept) {
      at = readers_.erase(at);
      continue;
    }
    std::erase_if(reader.offsets,
                  [&](const auto& each) { return stream->second->find(each.first) == nullptr; });
    offsets_ += reader.offsets.size();
    ++at;
  }
}

}  // namespace millrace::app
