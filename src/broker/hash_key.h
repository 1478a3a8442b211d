// broker/hash_key.h: arithmetic of 128-bit hash keys: the decimal text of the APIs, and even shares of the
// range.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/catalog.h"
#include "log/record.h"

namespace millrace::broker {

using HashNumber = unsigned __int128;

HashNumber to_number(const log::HashKey& key);
log::HashKey to_key(HashNumber number);

// Decimal digits, up to 2^128 - 1, no sign and no blanks; nullopt for anything else.
std::optional<log::HashKey> parse_hash_key(std::string_view decimal);
std::string to_decimal(const log::HashKey& key);

// Share `part` (0 to parts - 1) of the whole range in `parts` (1 or more) even shares: the first ones are
// floor(2^128 / parts) wide, the last takes what is left. source: as CreateStream of Kinesis divides.
HashRange even_share(std::uint32_t part, std::uint32_t parts);

}  // namespace millrace::broker
