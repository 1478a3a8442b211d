// app/size.h: numbers as people write them: 67108864, 64MiB.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace::app {

// Decimal digits and nothing else. errors   kInvalid
Result<std::uint64_t> parse_number(std::string_view text);
// Decimal digits, and then nothing or B, KiB, MiB, GiB or TiB. errors   kInvalid
Result<std::uint64_t> parse_size(std::string_view text);
// The shortest whole form: 67108864 is "64MiB", 1000 is "1000".
std::string format_size(std::uint64_t bytes);

}  // namespace millrace::app
