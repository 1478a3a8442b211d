// base/md5.h: MD5 (RFC 1321) of many short keys at once, one a SIMD lane: what routes records to shards.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace millrace {

using Md5Digest = std::array<std::uint8_t, 16>;

// digests[i] = MD5(keys[i]); spans of one length. 8 or 16 lanes with AVX2 or AVX-512, else one by one. Any
// thread.
void md5_each(std::span<const ByteView> keys, std::span<Md5Digest> digests);
Md5Digest md5(ByteView key);

}  // namespace millrace
