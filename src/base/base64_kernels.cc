// The vector kernels follow W. Muła and D. Lemire, "Faster Base64 Encoding and Decoding Using AVX2
// Instructions" (2018) and "Base64 encoding and decoding at almost the speed of a memory copy" (2019).
#include "base/base64_kernels.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12's AVX-512 header leaves the masked-off operand of its own builtins uninitialised.
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>
#endif

namespace millrace::base64_kernels {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static_assert(sizeof kAlphabet == 64 + 1);

// Value of each character; bit 7 set where it has none.
constexpr std::uint8_t kNoValue = 0x80;
constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoValue);
  for (std::uint8_t i = 0; i < 64; ++i) values[static_cast<std::uint8_t>(kAlphabet[i])] = i;
  return values;
}();

bool decode_portable(const char* text, std::size_t n, std::uint8_t* out) {
  std::uint8_t seen = 0;
  for (std::size_t i = 0; i < n; i += 4, out += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = i; j < i + 4; ++j) {
      const std::uint8_t value = j < n ? kValues[static_cast<std::uint8_t>(text[j])] : std::uint8_t{0};
      seen |= value;
      group = group << 6 | (value & 0x3f);
    }
    out[0] = static_cast<std::uint8_t>(group >> 16);
    out[1] = static_cast<std::uint8_t>(group >> 8);
    out[2] = static_cast<std::uint8_t>(group);
  }
  return (seen & kNoValue) == 0;
}

void encode_portable(const std::uint8_t* bytes, std::size_t n, char* out) {
  for (std::size_t i = 0; i < n; i += 3, out += 4) {
    std::uint32_t group = 0;
    for (std::size_t j = i; j < i + 3; ++j) group = group << 8 | (j < n ? bytes[j] : 0u);
    for (int j = 0; j < 4; ++j) out[j] = kAlphabet[group >> (18 - 6 * j) & 0x3f];
  }
}

#if defined(__x86_64__)

#define MR_TARGET_AVX2 __attribute__((target("avx2")))

MR_TARGET_AVX2 inline __m256i in_both_lanes(__m128i lane) { return _mm256_broadcastsi128_si256(lane); }

// 32 characters to 24 bytes and 8 zeros; sets bits of `wrong` where a character is not of the alphabet.
MR_TARGET_AVX2 inline __m256i decode_32(__m256i text, __m256i* wrong) {
  // A character is right when none of the classes that its low nibble excludes is the class of its high
  // nibble. Classes: 0x01 high nibble 2 ('+', '/'), 0x02 3 (digits), 0x04 4 and 6, 0x08 5 and 7 (letters),
  // 0x10 no other.
  const __m256i class_of_high = in_both_lanes(_mm_setr_epi8(0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08,
                                                            0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10));
  const __m256i excluded_by_low = in_both_lanes(_mm_setr_epi8(
      0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a));
  // From character to value, by high nibble; '/' takes entry 1, which nothing right uses.
  const __m256i offset_of_high = in_both_lanes(_mm_setr_epi8(
      0, 63 - '/', 62 - '+', 52 - '0', 0 - 'A', 0 - 'A', 26 - 'a', 26 - 'a', 0, 0, 0, 0, 0, 0, 0, 0));
  const __m256i nibble = _mm256_set1_epi8(0x0f);
  const __m256i high = _mm256_and_si256(_mm256_srli_epi32(text, 4), nibble);
  const __m256i low = _mm256_and_si256(text, nibble);
  *wrong = _mm256_or_si256(*wrong, _mm256_and_si256(_mm256_shuffle_epi8(class_of_high, high),
                                                    _mm256_shuffle_epi8(excluded_by_low, low)));
  const __m256i is_slash = _mm256_cmpeq_epi8(text, _mm256_set1_epi8('/'));
  const __m256i values =
      _mm256_add_epi8(text, _mm256_shuffle_epi8(offset_of_high, _mm256_add_epi8(high, is_slash)));

  const __m256i pairs = _mm256_maddubs_epi16(values, _mm256_set1_epi32(0x01400140));  // 12 bits in every 16
  const __m256i fours = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));      // 24 bits in every 32
  const __m256i packed = _mm256_shuffle_epi8(
      fours, in_both_lanes(_mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1)));
  return _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
}

MR_TARGET_AVX2 bool decode_avx2(const char* text, std::size_t n, std::uint8_t* out) {
  __m256i wrong = _mm256_setzero_si256();
  for (; n >= 32; text += 32, n -= 32, out += 24) {
    const __m256i block = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), decode_32(block, &wrong));
  }
  if (n > 0) {
    alignas(32) char last[32];
    std::memset(last, 'A', sizeof last);
    std::memcpy(last, text, n);
    const __m256i block = _mm256_load_si256(reinterpret_cast<const __m256i*>(last));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), decode_32(block, &wrong));
  }
  return _mm256_testz_si256(wrong, wrong) != 0;
}

// 24 bytes to 32 characters; reads 28.
MR_TARGET_AVX2 inline __m256i encode_24(const std::uint8_t* bytes) {
  const __m256i input = _mm256_inserti128_si256(
      _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes))),
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + 12)), 1);
  // Bytes a b c as the 16-bit words (b a) (c b); each word's two values are then moved apart by multiplying.
  const __m256i words = _mm256_shuffle_epi8(
      input, in_both_lanes(_mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10)));
  const __m256i even = _mm256_mulhi_epu16(_mm256_and_si256(words, _mm256_set1_epi32(0x0fc0fc00)),
                                          _mm256_set1_epi32(0x04000040));
  const __m256i odd = _mm256_mullo_epi16(_mm256_and_si256(words, _mm256_set1_epi32(0x003f03f0)),
                                         _mm256_set1_epi32(0x01000010));
  const __m256i values = _mm256_or_si256(even, odd);
  // Entry 0 for 26..51, 1..10 for 52..61, 11 and 12 for 62 and 63, 13 for 0..25.
  const __m256i offsets =
      in_both_lanes(_mm_setr_epi8('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                                  '0' - 52, '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0));
  const __m256i is_upper = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), values);
  const __m256i entry = _mm256_or_si256(_mm256_subs_epu8(values, _mm256_set1_epi8(51)),
                                        _mm256_and_si256(is_upper, _mm256_set1_epi8(13)));
  return _mm256_add_epi8(values, _mm256_shuffle_epi8(offsets, entry));
}

MR_TARGET_AVX2 void encode_avx2(const std::uint8_t* bytes, std::size_t n, char* out) {
  for (; n >= 28; bytes += 24, n -= 24, out += 32) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), encode_24(bytes));
  }
  if (n > 0) {
    std::uint8_t last[24 + 28] = {};
    std::memcpy(last, bytes, n);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), encode_24(last));
    if (n > 24) _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 32), encode_24(last + 24));
  }
}

#define MR_TARGET_VBMI __attribute__((target("avx512f,avx512bw,avx512vbmi,bmi2")))

struct ByteTable {
  alignas(64) std::uint8_t at[64];
};

// Byte 3i+2, 3i+1, 3i of every four to the front, in the order of the wire.
constexpr ByteTable kPack = [] {
  ByteTable table{};
  for (std::uint8_t i = 0; i < 48; ++i) table.at[i] = static_cast<std::uint8_t>(i / 3 * 4 + 2 - i % 3);
  return table;
}();
// Bytes a b c as b a c b, so that every value's six bits lie within one 32-bit word.
constexpr ByteTable kSpread = [] {
  ByteTable table{};
  constexpr std::uint8_t kOrder[] = {1, 0, 2, 1};
  for (std::uint8_t i = 0; i < 64; ++i) table.at[i] = static_cast<std::uint8_t>(i / 4 * 3 + kOrder[i % 4]);
  return table;
}();

// 64 characters to 48 bytes; what is behind them in the result is unspecified.
MR_TARGET_VBMI inline __m512i decode_64(__m512i text, __m512i* seen) {
  const __m512i values = _mm512_permutex2var_epi8(_mm512_loadu_si512(kValues.data()), text,
                                                  _mm512_loadu_si512(kValues.data() + 64));
  // Bit 7: of the table's entry where there is no value, of the character where it is beyond the table.
  *seen = _mm512_ternarylogic_epi32(*seen, text, values, 0xfe);
  const __m512i pairs = _mm512_maddubs_epi16(values, _mm512_set1_epi32(0x01400140));
  const __m512i fours = _mm512_madd_epi16(pairs, _mm512_set1_epi32(0x00011000));
  return _mm512_permutexvar_epi8(_mm512_load_si512(kPack.at), fours);
}

MR_TARGET_VBMI bool decode_vbmi(const char* text, std::size_t n, std::uint8_t* out) {
  __m512i seen = _mm512_setzero_si512();
  for (; n >= 64; text += 64, n -= 64, out += 48) {
    _mm512_storeu_si512(out, decode_64(_mm512_loadu_si512(text), &seen));
  }
  if (n > 0) {
    const __mmask64 there = _bzhi_u64(~0ull, static_cast<unsigned>(n));
    const __m512i block = _mm512_mask_loadu_epi8(_mm512_set1_epi8('A'), there, text);
    _mm512_storeu_si512(out, decode_64(block, &seen));
  }
  return _mm512_movepi8_mask(seen) == 0;
}

MR_TARGET_VBMI void encode_vbmi(const std::uint8_t* bytes, std::size_t n, char* out) {
  const __m512i spread = _mm512_load_si512(kSpread.at);
  const __m512i alphabet = _mm512_loadu_si512(kAlphabet);
  const __m512i shifts = _mm512_set1_epi64(0x30'36'24'2a'10'16'04'0a);
  for (std::size_t i = 0; i < n; i += 48, out += 64) {
    const std::size_t here = n - i < 48 ? n - i : 48;
    const __mmask64 there = _bzhi_u64(~0ull, static_cast<unsigned>(here));
    const __m512i words = _mm512_permutexvar_epi8(spread, _mm512_maskz_loadu_epi8(there, bytes + i));
    const __m512i values = _mm512_multishift_epi64_epi8(shifts, words);
    _mm512_storeu_si512(out, _mm512_permutexvar_epi8(values, alphabet));  // takes the low six bits of each
  }
}

#endif

}  // namespace

const Kernel* portable() {
  static constexpr Kernel kKernel{decode_portable, encode_portable};
  return &kKernel;
}

#if defined(__x86_64__)
const Kernel* avx2() {
  static constexpr Kernel kKernel{decode_avx2, encode_avx2};
  return __builtin_cpu_supports("avx2") ? &kKernel : nullptr;
}
const Kernel* avx512_vbmi() {
  static constexpr Kernel kKernel{decode_vbmi, encode_vbmi};
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi") &&
                 __builtin_cpu_supports("bmi2")
             ? &kKernel
             : nullptr;
}
#else
const Kernel* avx2() { return nullptr; }
const Kernel* avx512_vbmi() { return nullptr; }
#endif

}  // namespace millrace::base64_kernels
