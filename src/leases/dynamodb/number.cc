#include "leases/dynamodb/number.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace millrace::leases::dynamodb {
namespace {

constexpr std::size_t kDigitsMax = 38;
constexpr int kExponentMin = -130;
constexpr int kExponentMax = 125;
constexpr int kExponentUnbounded = 1'000'000;  // an exponent as written is cut off here

bool is_numeral(char c) { return c >= '0' && c <= '9'; }

Error invalid(std::string text) { return {ErrorKind::kInvalid, std::move(text)}; }

// From digits with any zeros around, the first of which stands for 10^exponent.
Result<Number> normalised(bool negative, std::string_view digits, int exponent) {
  const std::size_t first = digits.find_first_not_of('0');
  if (first == std::string_view::npos) return Number{};
  digits = digits.substr(first, digits.find_last_not_of('0') + 1 - first);
  exponent -= static_cast<int>(first);
  if (exponent > kExponentMax)
    return invalid(
        "Number overflow. Attempting to store a number with magnitude larger than supported range");
  if (exponent < kExponentMin)
    return invalid(
        "Number underflow. Attempting to store a number with magnitude smaller than supported range");
  if (digits.size() > kDigitsMax)
    return invalid("Attempting to store more than 38 significant digits in a Number");
  return Number{negative, std::string(digits), exponent};
}

// The digits of `number` from 10^high down to 10^low.
std::string aligned(const Number& number, int high, int low) {
  std::string digits(static_cast<std::size_t>(high - low + 1), '0');
  std::copy(number.digits.begin(), number.digits.end(), digits.begin() + (high - number.exponent));
  return digits;
}

int lowest(const Number& number) { return number.exponent - static_cast<int>(number.digits.size()) + 1; }

int compare_magnitudes(const Number& a, const Number& b) {
  if (a.digits.empty() || b.digits.empty()) return (a.digits.empty() ? 0 : 1) - (b.digits.empty() ? 0 : 1);
  if (a.exponent != b.exponent) return a.exponent < b.exponent ? -1 : 1;
  return a.digits.compare(b.digits);
}

}  // namespace

Result<Number> parse_number(std::string_view text) {
  if (text.empty()) return invalid("The parameter cannot be converted to a numeric value");
  const auto not_numeric = [text] {
    constexpr std::size_t kShownMax = 256;
    std::size_t shown = std::min(text.size(), kShownMax);
    while (shown > 0 && shown < text.size() && (text[shown] & 0xc0) == 0x80) --shown;  // no half character
    return invalid(
        fmt::format("The parameter cannot be converted to a numeric value: {}", text.substr(0, shown)));
  };
  std::string_view rest = text;
  const bool negative = rest.front() == '-';
  if (negative || rest.front() == '+') rest.remove_prefix(1);
  std::string digits;
  int exponent = -1;
  bool point = false;
  std::size_t at = 0;
  for (; at < rest.size() && (is_numeral(rest[at]) || (rest[at] == '.' && !point)); ++at) {
    if (rest[at] == '.') {
      point = true;
      continue;
    }
    digits += rest[at];
    if (!point && exponent < kExponentUnbounded) ++exponent;
  }
  if (digits.empty()) return not_numeric();
  rest.remove_prefix(at);
  if (!rest.empty()) {
    if (rest.front() != 'e' && rest.front() != 'E') return not_numeric();
    rest.remove_prefix(1);
    const bool down = !rest.empty() && rest.front() == '-';
    if (!rest.empty() && (down || rest.front() == '+')) rest.remove_prefix(1);
    if (rest.empty() || !std::all_of(rest.begin(), rest.end(), is_numeral)) return not_numeric();
    int written = 0;
    for (const char c : rest) written = std::min(written * 10 + (c - '0'), kExponentUnbounded);
    exponent += down ? -written : written;
  }
  return normalised(negative, digits, exponent);
}

std::string Number::text() const {
  if (digits.empty()) return "0";
  std::string text = negative ? "-" : "";
  const int count = static_cast<int>(digits.size());
  if (exponent < 0) {
    text += "0.";
    text.append(static_cast<std::size_t>(-exponent - 1), '0');
    return text + digits;
  }
  const int whole = exponent + 1;
  if (count <= whole) {
    text += digits;
    text.append(static_cast<std::size_t>(whole - count), '0');
    return text;
  }
  text.append(digits, 0, static_cast<std::size_t>(whole));
  text += '.';
  text.append(digits, static_cast<std::size_t>(whole));
  return text;
}

std::string Number::sort_key() const {
  if (digits.empty()) return "\x01";
  std::string key;
  if (!negative) {
    key += '\x02';
    key += static_cast<char>(exponent - kExponentMin);
    return key + digits;
  }
  // The greater the magnitude, the earlier: everything turned round, and behind it what any digit precedes.
  key += '\0';
  key += static_cast<char>(kExponentMax - exponent);
  for (const char digit : digits) key += static_cast<char>('0' + ('9' - digit));
  key += '\x7f';
  return key;
}

Number negated(Number number) {
  number.negative = !number.negative && !number.digits.empty();
  return number;
}

int compare(const Number& a, const Number& b) {
  const bool a_below = a.negative;
  if (a_below != b.negative) return a_below ? -1 : 1;
  return a_below ? compare_magnitudes(b, a) : compare_magnitudes(a, b);
}

Result<Number> add(const Number& a, const Number& b) {
  if (a.digits.empty()) return b;
  if (b.digits.empty()) return a;
  const bool swap = compare_magnitudes(a, b) < 0;
  const Number& greater = swap ? b : a;
  const Number& smaller = swap ? a : b;
  const int high = greater.exponent + 1;  // room for a carry
  const int low = std::min(lowest(greater), lowest(smaller));
  std::string sum = aligned(greater, high, low);
  const std::string other = aligned(smaller, high, low);
  const int sign = greater.negative == smaller.negative ? 1 : -1;
  int carry = 0;
  for (std::size_t i = sum.size(); i > 0; --i) {
    int digit = (sum[i - 1] - '0') + sign * (other[i - 1] - '0') + carry;
    carry = digit < 0 ? -1 : digit > 9 ? 1 : 0;
    digit -= carry * 10;
    sum[i - 1] = static_cast<char>('0' + digit);
  }
  return normalised(greater.negative, sum, high);
}

}  // namespace millrace::leases::dynamodb
