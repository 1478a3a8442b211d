// kinesis/reader_positions.h: how far each reader has come in each shard, for the metrics of who lags behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace millrace::kinesis {

enum class ReaderKind : std::uint8_t {
  kConsumer,   // with enhanced fan-out, by its name
  kAccessKey,  // of GetRecords
  kSession,    // of GetRecords with temporary credentials, whose keys change: "ROLE/SESSION"
};

struct ReaderPosition {
  std::uint64_t stream_id;
  std::uint32_t shard;  // its index
  ReaderKind kind;
  std::string reader;
  std::uint64_t offset;  // of the record that it has not read yet
};

// One loop's, and used on it alone: no locks.
class ReaderPositions {
 public:
  // Notes where the reader is now. Once a great many are noted, new ones are left out until the next take().
  void note(std::uint64_t stream_id, std::uint32_t shard, ReaderKind kind, std::string_view reader,
            std::uint64_t offset);
  // All that was noted since the last take, added to `positions`.
  void take(std::vector<ReaderPosition>& positions);

 private:
  struct Place {
    std::uint64_t stream_id;
    std::uint32_t shard;
    ReaderKind kind;
    std::string_view reader;
    friend bool operator==(const Place&, const Place&) = default;
  };
  struct PlaceHash {
    std::size_t operator()(const Place& place) const {
      const std::size_t number =
          (place.stream_id << 32 ^ place.shard) * 2 + static_cast<std::size_t>(place.kind);
      return std::hash<std::string_view>{}(place.reader) ^
             std::hash<std::size_t>{}(number * 0x9e37'79b9'7f4a'7c15);
    }
  };
  // A key's view is of its value's text.
  std::unordered_map<Place, std::unique_ptr<ReaderPosition>, PlaceHash> positions_;
};

}  // namespace millrace::kinesis
