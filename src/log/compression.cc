#include "log/compression.h"

#include <fmt/format.h>
#include <lz4.h>
#include <zstd.h>

#include <memory>

namespace millrace::log {

namespace {

constexpr int kAccelerationBehind = 8;
constexpr int kZstdLevel = 1;

// Their tables are larger than most blocks: made once a thread.
ZSTD_CCtx* compressor() {
  thread_local const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> made(ZSTD_createCCtx(),
                                                                                  ZSTD_freeCCtx);
  return made.get();
}
ZSTD_DCtx* decompressor() {
  thread_local const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> made(ZSTD_createDCtx(),
                                                                                  ZSTD_freeDCtx);
  return made.get();
}

}  // namespace

Codec pack(ByteView raw, Effort effort, Bytes& out) {
  out.clear();
  if (raw.empty() || raw.size() > LZ4_MAX_INPUT_SIZE) return Codec::kNone;
  const std::size_t worth_it = raw.size() - raw.size() / 16;
  if (effort == Effort::kMore) {
    std::uint8_t* to = out.prepare(ZSTD_compressBound(raw.size()));
    const std::size_t packed =
        ZSTD_compressCCtx(compressor(), to, out.capacity(), raw.data(), raw.size(), kZstdLevel);
    if (ZSTD_isError(packed) != 0 || packed > worth_it) return Codec::kNone;
    out.commit(packed);
    return Codec::kZstd;
  }
  const int bound = LZ4_compressBound(static_cast<int>(raw.size()));
  auto* to = reinterpret_cast<char*>(out.prepare(static_cast<std::size_t>(bound)));
  const int packed =
      LZ4_compress_fast(reinterpret_cast<const char*>(raw.data()), to, static_cast<int>(raw.size()), bound,
                        effort == Effort::kLeast ? kAccelerationBehind : 1);
  if (packed <= 0 || static_cast<std::size_t>(packed) > worth_it) return Codec::kNone;
  out.commit(static_cast<std::size_t>(packed));
  return Codec::kLz4;
}

Result<Bytes> unpack(Codec codec, ByteView packed, std::size_t raw_bytes) {
  Bytes raw;
  std::uint8_t* to = raw.prepare(raw_bytes);
  std::size_t unpacked = 0;
  switch (codec) {
    case Codec::kNone:
      if (packed.size() == raw_bytes) {
        raw.append(packed);
        return raw;
      }
      break;
    case Codec::kLz4: {
      const int n =
          LZ4_decompress_safe(reinterpret_cast<const char*>(packed.data()), reinterpret_cast<char*>(to),
                              static_cast<int>(packed.size()), static_cast<int>(raw_bytes));
      unpacked = n < 0 ? 0 : static_cast<std::size_t>(n);
      break;
    }
    case Codec::kZstd: {
      const std::size_t n = ZSTD_decompressDCtx(decompressor(), to, raw_bytes, packed.data(), packed.size());
      unpacked = ZSTD_isError(n) != 0 ? 0 : n;
      break;
    }
  }
  if (unpacked != raw_bytes || raw_bytes == 0)
    return Error{ErrorKind::kCorrupt, fmt::format("{} bytes do not unpack to {}", packed.size(), raw_bytes)};
  raw.commit(raw_bytes);
  return raw;
}

}  // namespace millrace::log
