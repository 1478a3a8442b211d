#include "kinesis/reader_positions.h"

#include <memory>
#include <utility>

namespace millrace::kinesis {
namespace {

constexpr std::size_t kNotedMax = 65'536;

}  // namespace

void ReaderPositions::note(std::uint64_t stream_id, std::uint32_t shard, ReaderKind kind,
                           std::string_view reader, std::uint64_t offset) {
  const auto found = positions_.find({stream_id, shard, kind, reader});
  if (found != positions_.end()) {
    found->second->offset = offset;
    return;
  }
  if (positions_.size() == kNotedMax) return;
  auto position =
      std::make_unique<ReaderPosition>(ReaderPosition{stream_id, shard, kind, std::string(reader), offset});
  const Place place{stream_id, shard, kind, position->reader};
  positions_.emplace(place, std::move(position));
}

void ReaderPositions::take(std::vector<ReaderPosition>& positions) {
  for (auto& [place, position] : positions_) positions.push_back(*position);
  positions_.clear();
}

}  // namespace millrace::kinesis
