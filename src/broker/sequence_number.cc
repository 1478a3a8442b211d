#include "broker/sequence_number.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/assert.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace millrace::broker {
namespace {

__extension__ using U128 = unsigned __int128;

constexpr std::int64_t kCreatedEnd_s = 16'025'175'000;
constexpr std::int64_t kTimeEnd_s = std::int64_t{1} << 36;
constexpr std::uint64_t kBehind = 0xff;
constexpr std::uint64_t kTenTo8 = 100'000'000;
constexpr std::uint64_t kTenTo16 = kTenTo8 * kTenTo8;
constexpr std::uint64_t kTenTo19 = kTenTo16 * 1000;

// 192 bits; limb 0 holds the lowest.
using Wide = std::array<std::uint64_t, 3>;

// Division of (high, low) by 10^19 where high < 10^19, by multiplication.
// source: Möller and Granlund, "Improved division by invariant integers" (2011), algorithm 4
struct Division {
  std::uint64_t quotient;
  std::uint64_t remainder;
};
inline Division divide_by_ten_to_19(std::uint64_t high, std::uint64_t low) {
  static_assert(kTenTo19 >> 63 == 1);  // the algorithm wants a normalised divisor
  constexpr auto kReciprocal = static_cast<std::uint64_t>((~U128{0} - (U128{kTenTo19} << 64)) / kTenTo19);
  const U128 estimate = U128{kReciprocal} * high + (U128{high} << 64 | low);
  auto quotient = static_cast<std::uint64_t>(estimate >> 64) + 1;
  std::uint64_t remainder = low - quotient * kTenTo19;
  if (remainder > static_cast<std::uint64_t>(estimate)) {
    --quotient;
    remainder += kTenTo19;
  }
  if (remainder >= kTenTo19) [[unlikely]] {
    ++quotient;
    remainder -= kTenTo19;
  }
  return {quotient, remainder};
}

// Exactly 16 digits; number < 10^16.
#if defined(__x86_64__)
inline void write_16(std::uint64_t number, char* out) {
  // The halves in two lanes; each step divides every lane and leaves quotient and remainder side by side.
  const __m128i eights = _mm_set_epi64x(static_cast<std::int64_t>(number % kTenTo8),
                                        static_cast<std::int64_t>(number / kTenTo8));
  const __m128i by_10000 = _mm_srli_epi64(_mm_mul_epu32(eights, _mm_set1_epi64x(0xd1b71759)), 45);
  const __m128i fours = _mm_add_epi32(
      by_10000, _mm_slli_epi64(_mm_sub_epi32(eights, _mm_mul_epu32(by_10000, _mm_set1_epi64x(10'000))), 32));
  const __m128i by_100 = _mm_srli_epi16(_mm_mulhi_epu16(fours, _mm_set1_epi32(5243)), 3);
  const __m128i twos = _mm_add_epi16(
      by_100, _mm_slli_epi32(_mm_sub_epi16(fours, _mm_mullo_epi16(by_100, _mm_set1_epi32(100))), 16));
  const __m128i by_10 = _mm_mulhi_epu16(twos, _mm_set1_epi16(6554));
  const __m128i ones =
      _mm_add_epi8(by_10, _mm_slli_epi16(_mm_sub_epi16(twos, _mm_mullo_epi16(by_10, _mm_set1_epi16(10))), 8));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_add_epi8(ones, _mm_set1_epi8('0')));
}
#else
inline void write_16(std::uint64_t number, char* out) {
  for (int i = 15; i >= 0; --i, number /= 10) out[i] = static_cast<char>('0' + number % 10);
}
#endif

// The digits of 0 to 99, two each.
constexpr std::array<char, 200> kTwoDigits = [] {
  std::array<char, 200> digits{};
  for (std::size_t i = 0; i < 100; ++i) {
    digits[2 * i] = static_cast<char>('0' + i / 10);
    digits[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return digits;
}();

// Exactly 18 digits; number < 10^18.
inline void write_18(std::uint64_t number, char* out) {
  std::memcpy(out, &kTwoDigits[2 * (number / kTenTo16)], 2);
  write_16(number % kTenTo16, out + 2);
}
// Exactly 19 digits; number < 10^19.
inline void write_19(std::uint64_t number, char* out) {
  const std::uint64_t first = number / (100 * kTenTo16);
  *out = static_cast<char>('0' + first);
  write_18(number - first * (100 * kTenTo16), out + 1);
}

// 57 digits at most, all of them digits.
Wide read_digits(std::string_view digits) {
  Wide value{};
  while (!digits.empty()) {
    const std::size_t here = digits.size() % 19 == 0 ? 19 : digits.size() % 19;
    std::uint64_t chunk = 0;
    for (const char digit : digits.substr(0, here))
      chunk = chunk * 10 + static_cast<std::uint64_t>(digit - '0');
    U128 carry = chunk;
    for (std::uint64_t& limb : value) {
      carry += U128{limb} * kTenTo19;
      limb = static_cast<std::uint64_t>(carry);
      carry >>= 64;
    }
    digits.remove_prefix(here);
  }
  return value;
}

int bit_width(const Wide& value) {
  for (int i = 2; i >= 0; --i) {
    const std::uint64_t limb = value[static_cast<std::size_t>(i)];
    if (limb != 0) return 64 * i + std::bit_width(limb);
  }
  return 0;
}

// A number as its hexadecimal digits, counted from the first: the layouts are told that way.
class HexDigits {
 public:
  explicit HexDigits(const Wide& value) : value_(value), count_((bit_width(value) + 3) / 4) {}
  int count() const { return count_; }
  // Digits first to end - 1 as a number; at most 16.
  std::uint64_t slice(int first, int end) const {
    const auto shift = static_cast<unsigned>(4 * (count_ - end));
    const std::size_t limb = shift / 64;
    const unsigned bit = shift % 64;
    std::uint64_t bits = value_[limb] >> bit;
    if (bit != 0 && limb + 1 < value_.size()) bits |= value_[limb + 1] << (64 - bit);
    const int width = 4 * (end - first);
    return width == 64 ? bits : bits & ((std::uint64_t{1} << width) - 1);
  }

 private:
  Wide value_;
  int count_;
};

Error invalid(std::string_view text, const char* why) {
  return Error{ErrorKind::kInvalid, std::string("sequence number ").append(text).append(": ").append(why)};
}

}  // namespace

SequenceNumber sequence_of(const Shard& shard, std::uint64_t offset, std::int64_t arrival_ms) {
  return sequence_of(ShardLabel{shard.key, shard.created_s, shard.index}, offset, arrival_ms);
}

SequenceNumber sequence_of(const ShardLabel& shard, std::uint64_t offset, std::int64_t arrival_ms) {
  MR_ASSERT(offset < kOrdinalMax - 1);  // else it would be the shard's end
  return {shard.created_s, offset + 1, std::max<std::int64_t>(arrival_ms, 0) / 1000, shard.index};
}

SequenceNumber place_before(const Shard& shard, std::uint64_t offset, std::int64_t time_s) {
  MR_ASSERT(offset < kOrdinalMax);
  return {shard.created_s, offset, std::max<std::int64_t>(time_s, 0), shard.index, true};
}

SequenceNumber starting_sequence(const Shard& shard) {
  return {shard.created_s, 0, shard.created_s, shard.index};
}

SequenceNumber ending_sequence(const Shard& shard) {
  return {shard.created_s, kOrdinalMax, std::max<std::int64_t>(shard.closed_ms, 0) / 1000, shard.index};
}

std::size_t format(const SequenceNumber& number, char* out) {
  MR_ASSERT(number.shard_created_s >= 0 && number.shard_created_s < kCreatedEnd_s);
  MR_ASSERT(number.time_s >= 0 && number.time_s < kTimeEnd_s);
  MR_ASSERT(number.ordinal <= kOrdinalMax);
  const auto created = static_cast<std::uint64_t>(number.shard_created_s);
  const auto time = static_cast<std::uint64_t>(number.time_s);
  const std::uint64_t index = number.shard_index;
  const std::uint64_t high =
      std::uint64_t{2} << 56 | created << 20 | (index & 0xf) << 16 | number.ordinal >> 48;
  const std::uint64_t middle = number.ordinal << 16 | (number.behind ? kBehind << 8 : 0) | time >> 28;
  const std::uint64_t low = time << 36 | index << 4 | 2;

  // Between 2^185 and 3 * 2^184, so always 56 digits, in limbs of 18, 19 and 19.
  const Division first = divide_by_ten_to_19(high, middle);
  const Division second = divide_by_ten_to_19(first.remainder, low);
  const Division third = divide_by_ten_to_19(first.quotient, second.quotient);
  write_18(third.quotient, out);
  write_19(third.remainder, out + 18);
  write_19(second.remainder, out + 37);
  return 56;
}

std::string to_string(const SequenceNumber& number) {
  char digits[kSequenceDigitsMax];
  return std::string(digits, format(number, digits));
}

Result<SequenceNumber> parse_sequence_number(std::string_view text) {
  const bool all_digits = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (text.empty() || !all_digits) return invalid(text, "not a number");
  std::string_view digits = text;
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.size() > kSequenceDigitsMax) return invalid(text, "of no known version");

  Wide value = read_digits(digits);
  if (bit_width(value) <= 124) value[1] |= std::uint64_t{1} << 60;  // below 2^124, which is then added
  const HexDigits hex(value);
  const bool has_mark =
      hex.count() == 47 && hex.slice(0, 1) == 2 && value != Wide{0, 0, std::uint64_t{2} << 56};
  const std::uint64_t created = hex.slice(1, 10);
  SequenceNumber number{static_cast<std::int64_t>(created), 0, 0, 0};
  if (bit_width(value) <= 129 || (has_mark && hex.slice(46, 47) == 0)) {
    number.shard_index = static_cast<std::uint32_t>(hex.slice(28, 32));
  } else if (has_mark && hex.slice(46, 47) == 1) {
    number.time_s = static_cast<std::int64_t>(hex.slice(13, 22));
    number.shard_index = static_cast<std::uint32_t>(hex.slice(38, 46));
  } else if (has_mark && hex.slice(46, 47) == 2) {
    number.ordinal = hex.slice(11, 27);
    number.behind = hex.slice(27, 29) == kBehind;
    number.time_s = static_cast<std::int64_t>(hex.slice(29, 38));
    number.shard_index = static_cast<std::uint32_t>(hex.slice(38, 46));
  } else {
    return invalid(text, "of no known version");
  }
  if (number.ordinal > kOrdinalMax) return invalid(text, "its index in the shard is too high");
  if (number.shard_created_s >= kCreatedEnd_s) return invalid(text, "its shard's creation is too late");
  return number;
}

}  // namespace millrace::broker
