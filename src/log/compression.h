// log/compression.h: how a block of a segment is packed.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace millrace::log {

enum class Codec : std::uint32_t { kNone = 0, kLz4 = 1, kZstd = 2 };

enum class Effort : std::uint8_t {
  kLeast,   // the settler is behind
  kLittle,  // it keeps up
  kMore,    // rewriting in the background
};

// Packs `raw` into `out` (cleared first); kNone, with `out` empty, where packing gains less than a sixteenth.
Codec pack(ByteView raw, Effort effort, Bytes& out);
// errors   kCorrupt: does not unpack to exactly `raw_bytes`
Result<Bytes> unpack(Codec codec, ByteView packed, std::size_t raw_bytes);

}  // namespace millrace::log
