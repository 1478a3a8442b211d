// app/reader_board.h: where each reader of each stream has come, the stopped ones too.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "broker/catalog.h"
#include "kinesis/reader_positions.h"

namespace millrace::app {

// One thread at a time. In memory: it knows of reads since the start.
class ReaderBoard {
 public:
  struct Name {
    std::uint64_t stream_id;
    kinesis::ReaderKind kind;
    std::string reader;
    friend auto operator<=>(const Name&, const Name&) = default;
  };
  struct Reader {
    std::int64_t seen_ns = 0;
    std::map<std::uint32_t, std::uint64_t> offsets;  // by shard's index: what it has not read yet
  };

  // Where there is no room, whoever was silent for longest makes way.
  void note(const kinesis::ReaderPosition& position, std::int64_t now_ns);
  // Forgets readers whose stream or consumer is gone, or who were silent for so long that they will not come
  // back, and shards that are gone.
  void follow(const broker::Catalog& catalog, std::int64_t now_ns);

  const std::map<Name, Reader>& readers() const { return readers_; }

 private:
  void forget_oldest();

  std::map<Name, Reader> readers_;
  std::size_t offsets_ = 0;  // of all readers together
};

}  // namespace millrace::app
