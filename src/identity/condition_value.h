// identity/condition_value.h: the values that conditions compare: numbers, moments, truths, addresses.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace millrace::identity {

// "10", "-1.5"
std::optional<double> parse_decimal(std::string_view text);
// Seconds since 1970: of "1796083199", "2026-12-31", "2026-12-31T23:59Z", "2026-12-31T23:59:59.5+01:00"
std::optional<double> parse_moment(std::string_view text);
// "true" or "false", in any case
std::optional<bool> parse_truth(std::string_view text);

struct IpRange {
  bool v6 = false;
  std::array<std::uint8_t, 16> address{};  // of IPv4 the first four
  int bits = 0;                            // of it that count
};
// "203.0.113.0/24", "2001:db8::/32", or a single address
std::optional<IpRange> parse_ip_range(std::string_view text);
// An IPv4 address mapped into IPv6 ("::ffff:203.0.113.7") is the IPv4 address.
bool is_within(std::string_view address, const IpRange& range);

}  // namespace millrace::identity
