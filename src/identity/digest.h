// identity/digest.h: SHA-256 and HMAC by OpenSSL, its algorithms fetched once and its contexts kept a thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace millrace::identity {

using Sha256 = std::array<std::uint8_t, 32>;

// Any thread. They abort where OpenSSL has no SHA-256 or no memory.
Sha256 sha256(ByteView bytes);
Sha256 hmac_sha256(ByteView key, std::string_view text);

// 64 lower-case digits.
std::string hex(const Sha256& digest);

// Whether they are equal, in a time that tells only whether their lengths are.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace millrace::identity
