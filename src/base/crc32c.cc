#include "base/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

#include "base/crc32c_kernels.h"

#if defined(__x86_64__)
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12's AVX-512 header leaves the masked-off operand of its own builtins uninitialised.
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>
#endif

namespace millrace {
namespace {

// The polynomial 0x1EDC6F41 with its bits reflected: bit 31 stands for x^0.
constexpr std::uint32_t kPolynomial = 0x82f63b78;

std::uint64_t load_u64(const std::uint8_t* from) {
  std::uint64_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

static_assert(std::endian::native == std::endian::little);  // load_u64 and the tables below

constexpr std::array<std::array<std::uint32_t, 256>, 8> make_tables() {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t t = 1; t < 8; ++t) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t crc = tables[t - 1][byte];
      tables[t][byte] = (crc >> 8) ^ tables[0][crc & 0xff];
    }
  }
  return tables;
}
constexpr auto kTables = make_tables();

std::uint32_t by_tables(ByteView bytes, std::uint32_t before) {
  std::uint32_t crc = ~before;
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    const std::uint64_t word = load_u64(at) ^ crc;
    crc = 0;
    for (std::size_t i = 0; i < 8; ++i) crc ^= kTables[7 - i][word >> (8 * i) & 0xff];
  }
  for (; left > 0; ++at, --left) crc = (crc >> 8) ^ kTables[0][(crc ^ *at) & 0xff];
  return ~crc;
}

#if defined(__x86_64__)

// x^n modulo the polynomial, reflected.
constexpr std::uint32_t x_to_the(unsigned n) {
  std::uint32_t value = 0x8000'0000;
  while (n-- > 0) value = (value >> 1) ^ (value & 1 ? kPolynomial : 0);
  return value;
}

// Carry-less factor that moves 64 reflected bits up by n bits. The product of two reflected numbers comes out
// one bit low, so the factor is x^(n-1); it stands in the upper half, where the powers below x^32 are.
constexpr std::uint64_t shift_factor(unsigned n) { return std::uint64_t{x_to_the(n - 1)} << 32; }

// The running register (already inverted) over any bytes, one stream.
inline std::uint32_t one_stream(const std::uint8_t* at, std::size_t left, std::uint64_t crc) {
  for (; left >= 8; at += 8, left -= 8) crc = _mm_crc32_u64(crc, load_u64(at));
  auto narrow = static_cast<std::uint32_t>(crc);
  if (left & 4) {
    std::uint32_t word;
    std::memcpy(&word, at, sizeof word);
    narrow = _mm_crc32_u32(narrow, word);
    at += 4;
  }
  for (left &= 3; left > 0; ++at, --left) narrow = _mm_crc32_u8(narrow, *at);
  return narrow;
}

// The register after n further zero bytes, where factor == x_to_the(8 * n - 33): a 32-bit register times a
// 32-bit factor is a 64-bit message; crc32 multiplies it by x^32, and its reflection stands one bit low.
inline std::uint64_t shifted(std::uint64_t crc, std::uint64_t factor) {
  const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<long long>(crc)),
                                               _mm_cvtsi64_si128(static_cast<long long>(factor)), 0);
  return _mm_crc32_u64(0, static_cast<std::uint64_t>(_mm_cvtsi128_si64(product)));
}

constexpr std::size_t kStreamBytes = 512;

std::uint32_t by_crc32(ByteView bytes, std::uint32_t before) {
  constexpr std::uint64_t kOver1 = x_to_the(8 * kStreamBytes - 33);
  constexpr std::uint64_t kOver2 = x_to_the(2 * 8 * kStreamBytes - 33);
  std::uint64_t crc = ~before & 0xffff'ffff;
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 3 * kStreamBytes; at += 3 * kStreamBytes, left -= 3 * kStreamBytes) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < kStreamBytes; i += 8) {
      crc = _mm_crc32_u64(crc, load_u64(at + i));
      second = _mm_crc32_u64(second, load_u64(at + kStreamBytes + i));
      third = _mm_crc32_u64(third, load_u64(at + 2 * kStreamBytes + i));
    }
    crc = shifted(crc, kOver2) ^ shifted(second, kOver1) ^ third;
  }
  return ~one_stream(at, left, crc);
}

#define MR_TARGET_FOLD __attribute__((target("avx512f,vpclmulqdq,pclmul,sse4.2")))

// Moves both halves of every 128-bit lane up (the lower half holds the higher powers) and adds `next`.
MR_TARGET_FOLD inline __m512i fold(__m512i lanes, __m512i factors, __m512i next) {
  return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(lanes, factors, 0x00),
                                   _mm512_clmulepi64_epi128(lanes, factors, 0x11), next, 0x96);
}

MR_TARGET_FOLD inline __m512i in_every_lane(const std::uint64_t* pair) {
  return _mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(pair)));
}

MR_TARGET_FOLD std::uint32_t by_folding(ByteView bytes, std::uint32_t before) {
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  if (left < 256) return by_crc32(bytes, before);

  alignas(64) static constexpr std::uint64_t kBy2048[2] = {shift_factor(2048 + 64), shift_factor(2048)};
  alignas(64) static constexpr std::uint64_t kBy512[2] = {shift_factor(512 + 64), shift_factor(512)};
  alignas(64) static constexpr std::uint64_t kToLast[8] = {shift_factor(384 + 64),
                                                           shift_factor(384),
                                                           shift_factor(256 + 64),
                                                           shift_factor(256),
                                                           shift_factor(128 + 64),
                                                           shift_factor(128),
                                                           0,
                                                           0};
  const __m512i by_2048 = in_every_lane(kBy2048);
  const __m512i by_512 = in_every_lane(kBy512);

  __m512i a = _mm512_xor_si512(_mm512_loadu_si512(at),
                               _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(~before))));
  __m512i b = _mm512_loadu_si512(at + 64);
  __m512i c = _mm512_loadu_si512(at + 128);
  __m512i d = _mm512_loadu_si512(at + 192);
  for (at += 256, left -= 256; left >= 256; at += 256, left -= 256) {
    a = fold(a, by_2048, _mm512_loadu_si512(at));
    b = fold(b, by_2048, _mm512_loadu_si512(at + 64));
    c = fold(c, by_2048, _mm512_loadu_si512(at + 128));
    d = fold(d, by_2048, _mm512_loadu_si512(at + 192));
  }
  a = fold(fold(fold(a, by_512, b), by_512, c), by_512, d);
  for (; left >= 64; at += 64, left -= 64) a = fold(a, by_512, _mm512_loadu_si512(at));

  // The four lanes into the last one, whose CRC crc32 then takes.
  const __m512i sum = fold(a, _mm512_load_si512(kToLast), _mm512_setzero_si512());
  const __m128i last =
      _mm_xor_si128(_mm_xor_si128(_mm512_extracti32x4_epi32(sum, 0), _mm512_extracti32x4_epi32(sum, 1)),
                    _mm_xor_si128(_mm512_extracti32x4_epi32(sum, 2), _mm512_extracti32x4_epi32(a, 3)));
  std::uint64_t crc = _mm_crc32_u64(0, static_cast<std::uint64_t>(_mm_cvtsi128_si64(last)));
  crc = _mm_crc32_u64(crc, static_cast<std::uint64_t>(_mm_extract_epi64(last, 1)));
  return ~one_stream(at, left, crc);
}

#endif

}  // namespace

namespace {

// Of two polynomials, reflected: bit 31 stands for x^0.
std::uint32_t product(std::uint32_t a, std::uint32_t b) {
  std::uint32_t sum = 0;
  for (std::uint32_t bit = 0x8000'0000; bit != 0; bit >>= 1) {
    if (a & bit) sum ^= b;
    b = (b >> 1) ^ (b & 1 ? kPolynomial : 0);
  }
  return sum;
}

}  // namespace

std::uint32_t crc32c_joined(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes) {
  std::uint32_t shift = 0x8000'0000;       // x^0
  std::uint32_t power = 0x8000'0000 >> 8;  // x^8, of a byte; then of two, of four, …
  for (std::uint64_t left = second_bytes; left != 0; left >>= 1) {
    if (left & 1) shift = product(shift, power);
    power = product(power, power);
  }
  return product(shift, first) ^ second;
}

namespace crc32c_kernels {

Kernel portable() { return by_tables; }

#if defined(__x86_64__)
Kernel crc32() { return by_crc32; }
Kernel vpclmulqdq() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("vpclmulqdq") ? by_folding : nullptr;
}
#else
Kernel crc32() { return nullptr; }
Kernel vpclmulqdq() { return nullptr; }
#endif

}  // namespace crc32c_kernels

std::uint32_t crc32c(ByteView bytes, std::uint32_t before) {
  static const crc32c_kernels::Kernel kernel = [] {
    for (const auto choice : {crc32c_kernels::vpclmulqdq(), crc32c_kernels::crc32()}) {
      if (choice != nullptr) return choice;
    }
    return crc32c_kernels::portable();
  }();
  return kernel(bytes, before);
}

}  // namespace millrace
