// identity/amz_time.h: points in time as requests write them. Seconds since the Unix epoch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::identity {

// "20150830T123600Z", of the years 1970 to 9999; nullopt for anything else.
std::optional<std::int64_t> parse_amz_time(std::string_view text);
// "Sun, 30 Aug 2015 12:36:00 GMT" (RFC 9110 IMF-fixdate; the day's name is not looked at), or as above.
std::optional<std::int64_t> parse_http_date(std::string_view text);
// 0 to the end of the year 9999.
std::string format_amz_time(std::int64_t seconds);

}  // namespace millrace::identity
