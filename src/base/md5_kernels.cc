#include "base/md5_kernels.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12's AVX-512 header leaves the masked-off operand of its own builtins uninitialised.
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>
#endif

#define MR_INLINE __attribute__((always_inline)) inline

namespace millrace::md5_kernels {
namespace {

static_assert(std::endian::native == std::endian::little);  // words go in and out as they stand in memory

constexpr std::size_t kBlockBytes = 64;

// RFC 1321: the integer part of 4294967296 times abs(sin(i + 1)).
constexpr std::uint32_t kSines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
constexpr std::uint32_t kStart[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

// One word of every lane. Word is std::uint32_t for one lane, or a vector of them; its operators are then
// lane by lane, and the code is generated for the instructions of the caller that this is inlined into.
template <typename Word>
struct State {
  Word a, b, c, d;
};

template <int kRound, typename Word>
MR_INLINE void mix(Word& out, const Word& b, const Word& c, const Word& d) {
  if constexpr (kRound == 0) out = d ^ (b & (c ^ d));
  if constexpr (kRound == 1) out = c ^ (d & (b ^ c));
  if constexpr (kRound == 2) out = b ^ c ^ d;
  if constexpr (kRound == 3) out = c ^ (b | ~d);
}

template <int kRound, int kStep, typename Word>
MR_INLINE void step(Word& a, const Word& b, const Word& c, const Word& d, const Word* words) {
  constexpr int kTurns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
  constexpr int kStride[4] = {1, 5, 3, 7};
  constexpr int kFirst[4] = {0, 1, 5, 0};
  constexpr int kTurn = kTurns[kRound][kStep % 4];
  Word mixed;
  mix<kRound>(mixed, b, c, d);
  const Word sum =
      a + (words[(kFirst[kRound] + kStride[kRound] * kStep) % 16] + kSines[16 * kRound + kStep]) + mixed;
  a = b + (sum << kTurn | sum >> (32 - kTurn));
}

template <int kRound, int kStep, typename Word>
MR_INLINE void four_steps(State<Word>& s, const Word* words) {
  step<kRound, kStep>(s.a, s.b, s.c, s.d, words);
  step<kRound, kStep + 1>(s.d, s.a, s.b, s.c, words);
  step<kRound, kStep + 2>(s.c, s.d, s.a, s.b, words);
  step<kRound, kStep + 3>(s.b, s.c, s.d, s.a, words);
}

template <int kRound, typename Word>
MR_INLINE void round(State<Word>& s, const Word* words) {
  four_steps<kRound, 0>(s, words);
  four_steps<kRound, 4>(s, words);
  four_steps<kRound, 8>(s, words);
  four_steps<kRound, 12>(s, words);
}

// Takes one block of every lane into `state`; words[i] is word i of the blocks.
template <typename Word>
MR_INLINE void compress(State<Word>& state, const Word* words) {
  State<Word> next = state;
  round<0>(next, words);
  round<1>(next, words);
  round<2>(next, words);
  round<3>(next, words);
  state.a += next.a;
  state.b += next.b;
  state.c += next.c;
  state.d += next.d;
}

// With the byte 0x80 and the length behind the key.
inline std::size_t block_count(ByteView key) { return (key.size() + 8) / kBlockBytes + 1; }

// Writes block `index` of `key`; behind its last block, something.
inline void write_block(ByteView key, std::size_t index, std::uint8_t* out) {
  const std::size_t begin = index * kBlockBytes;
  const std::size_t here = begin < key.size() ? std::min(key.size() - begin, kBlockBytes) : 0;
  std::memset(out, 0, kBlockBytes);
  if (here > 0) std::memcpy(out, key.data() + begin, here);
  if (begin <= key.size() && here < kBlockBytes) out[here] = 0x80;
  if (index + 1 == block_count(key)) {
    const std::uint64_t bits = std::uint64_t{key.size()} * 8;
    std::memcpy(out + kBlockBytes - 8, &bits, 8);
  }
}

void hash_one_by_one(std::span<const ByteView> keys, std::span<Md5Digest> digests) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    State<std::uint32_t> state{kStart[0], kStart[1], kStart[2], kStart[3]};
    for (std::size_t block = 0; block < block_count(keys[i]); ++block) {
      std::uint32_t words[16];
      write_block(keys[i], block, reinterpret_cast<std::uint8_t*>(words));
      compress(state, words);
    }
    std::memcpy(digests[i].data(), &state, sizeof state);
  }
}

#if defined(__x86_64__)

// Calls hash_lanes(keys, digests) for every kLanes keys; what is left goes with empty keys, or, when few,
// singly.
template <std::size_t kLanes, std::size_t kFew, typename HashLanes>
void in_groups(std::span<const ByteView> keys, std::span<Md5Digest> digests, HashLanes hash_lanes) {
  std::size_t i = 0;
  for (; i + kLanes <= keys.size(); i += kLanes) hash_lanes(keys.data() + i, digests.data() + i);
  const std::size_t left = keys.size() - i;
  if (left <= kFew) return hash_one_by_one(keys.subspan(i), digests.subspan(i));
  ByteView group[kLanes];
  Md5Digest group_digests[kLanes];
  std::copy_n(keys.data() + i, left, group);
  hash_lanes(group, group_digests);
  std::copy_n(group_digests, left, digests.data() + i);
}

template <std::size_t kLanes>
std::size_t most_blocks(const ByteView* keys) {
  std::size_t bytes = 0;
  for (std::size_t lane = 0; lane < kLanes; ++lane) bytes = std::max(bytes, keys[lane].size());
  return (bytes + 8) / kBlockBytes + 1;
}

#define MR_TARGET_AVX2 __attribute__((target("avx2")))

using Word8 __attribute__((vector_size(32))) = std::uint32_t;

// Rows of eight words to columns.
MR_TARGET_AVX2 MR_INLINE void transpose_8(const std::uint8_t (*rows)[kBlockBytes], std::size_t offset,
                                          Word8* columns) {
  __m256i r[8], p[8];
  for (int i = 0; i < 8; ++i) r[i] = _mm256_load_si256(reinterpret_cast<const __m256i*>(rows[i] + offset));
  for (int i = 0; i < 8; i += 2) {
    p[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
    p[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    for (int j = 0; j < 2; ++j) {
      r[i + 2 * j] = _mm256_unpacklo_epi64(p[i + j], p[i + j + 2]);
      r[i + 2 * j + 1] = _mm256_unpackhi_epi64(p[i + j], p[i + j + 2]);
    }
  }
  for (int i = 0; i < 4; ++i) {
    columns[i] = reinterpret_cast<Word8>(_mm256_permute2x128_si256(r[i], r[i + 4], 0x20));
    columns[i + 4] = reinterpret_cast<Word8>(_mm256_permute2x128_si256(r[i], r[i + 4], 0x31));
  }
}

MR_TARGET_AVX2 void hash_8(const ByteView* keys, Md5Digest* digests) {
  State<Word8> state{kStart[0] + Word8{}, kStart[1] + Word8{}, kStart[2] + Word8{}, kStart[3] + Word8{}};
  const std::size_t blocks = most_blocks<8>(keys);
  for (std::size_t block = 0; block < blocks; ++block) {
    alignas(32) std::uint8_t rows[8][kBlockBytes];
    Word8 going;  // all ones in the lanes whose key has this block
    for (std::size_t lane = 0; lane < 8; ++lane) {
      write_block(keys[lane], block, rows[lane]);
      going[lane] = block < block_count(keys[lane]) ? ~0u : 0u;
    }
    Word8 words[16];
    transpose_8(rows, 0, words);
    transpose_8(rows, 32, words + 8);
    const State<Word8> before = state;
    compress(state, words);
    state.a = (state.a & going) | (before.a & ~going);
    state.b = (state.b & going) | (before.b & ~going);
    state.c = (state.c & going) | (before.c & ~going);
    state.d = (state.d & going) | (before.d & ~going);
  }
  for (std::size_t lane = 0; lane < 8; ++lane) {
    const std::uint32_t digest[4] = {state.a[lane], state.b[lane], state.c[lane], state.d[lane]};
    std::memcpy(digests[lane].data(), digest, sizeof digest);
  }
}

#define MR_TARGET_AVX512 __attribute__((target("avx512f,avx512bw,bmi2")))

using Word16 __attribute__((vector_size(64))) = std::uint32_t;

MR_TARGET_AVX512 MR_INLINE void transpose_16(__m512i* r, Word16* columns) {
  __m512i p[16];
  for (int i = 0; i < 16; i += 2) {
    p[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    p[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    for (int j = 0; j < 2; ++j) {
      r[i + 2 * j] = _mm512_unpacklo_epi64(p[i + j], p[i + j + 2]);
      r[i + 2 * j + 1] = _mm512_unpackhi_epi64(p[i + j], p[i + j + 2]);
    }
  }
  // Now r[4k + i] holds, in its lanes j, word 4j + i of rows 4k to 4k + 3.
  for (int i = 0; i < 4; ++i) {
    const __m512i low01 = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x44);
    const __m512i high01 = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xee);
    const __m512i low23 = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x44);
    const __m512i high23 = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xee);
    columns[i] = reinterpret_cast<Word16>(_mm512_shuffle_i32x4(low01, low23, 0x88));
    columns[i + 4] = reinterpret_cast<Word16>(_mm512_shuffle_i32x4(low01, low23, 0xdd));
    columns[i + 8] = reinterpret_cast<Word16>(_mm512_shuffle_i32x4(high01, high23, 0x88));
    columns[i + 12] = reinterpret_cast<Word16>(_mm512_shuffle_i32x4(high01, high23, 0xdd));
  }
}

// As write_block, without the length.
MR_TARGET_AVX512 MR_INLINE __m512i load_block(ByteView key, std::size_t begin) {
  if (begin > key.size()) return _mm512_setzero_si512();
  const std::size_t here = std::min(key.size() - begin, kBlockBytes);
  const __mmask64 there = _bzhi_u64(~0ull, static_cast<unsigned>(here));
  const __mmask64 end = here < kBlockBytes ? 1ull << here : 0;
  const __m512i bytes = _mm512_maskz_loadu_epi8(there, key.data() + begin);
  return _mm512_mask_mov_epi8(bytes, end, _mm512_set1_epi8(static_cast<char>(0x80)));
}

MR_TARGET_AVX512 MR_INLINE void store_digests(const State<Word16>& state, Md5Digest* digests) {
  const auto a = reinterpret_cast<__m512i>(state.a), b = reinterpret_cast<__m512i>(state.b);
  const auto c = reinterpret_cast<__m512i>(state.c), d = reinterpret_cast<__m512i>(state.d);
  const __m512i ab_low = _mm512_unpacklo_epi32(a, b), ab_high = _mm512_unpackhi_epi32(a, b);
  const __m512i cd_low = _mm512_unpacklo_epi32(c, d), cd_high = _mm512_unpackhi_epi32(c, d);
  alignas(64) std::uint8_t quarters[4][64];  // quarters[i] holds keys i, i + 4, i + 8, i + 12
  _mm512_store_si512(quarters[0], _mm512_unpacklo_epi64(ab_low, cd_low));
  _mm512_store_si512(quarters[1], _mm512_unpackhi_epi64(ab_low, cd_low));
  _mm512_store_si512(quarters[2], _mm512_unpacklo_epi64(ab_high, cd_high));
  _mm512_store_si512(quarters[3], _mm512_unpackhi_epi64(ab_high, cd_high));
  for (std::size_t i = 0; i < 16; ++i) std::memcpy(digests[i].data(), &quarters[i % 4][i / 4 * 16], 16);
}

MR_TARGET_AVX512 void hash_16(const ByteView* keys, Md5Digest* digests) {
  State<Word16> state{kStart[0] + Word16{}, kStart[1] + Word16{}, kStart[2] + Word16{}, kStart[3] + Word16{}};
  const std::size_t blocks = most_blocks<16>(keys);
  for (std::size_t block = 0; block < blocks; ++block) {
    __m512i rows[16];
    alignas(64) std::uint32_t bits_low[16];
    alignas(64) std::uint32_t bits_high[16];
    __mmask16 going = 0;  // the lanes whose key has this block
    for (std::size_t lane = 0; lane < 16; ++lane) {
      const ByteView key = keys[lane];
      rows[lane] = load_block(key, block * kBlockBytes);
      const std::size_t count = block_count(key);
      const std::uint64_t bits = block + 1 == count ? std::uint64_t{key.size()} * 8 : 0;
      bits_low[lane] = static_cast<std::uint32_t>(bits);
      bits_high[lane] = static_cast<std::uint32_t>(bits >> 32);
      going = static_cast<__mmask16>(going | (block < count ? 1u << lane : 0u));
    }
    Word16 words[16];
    transpose_16(rows, words);
    words[14] |= reinterpret_cast<Word16>(_mm512_load_si512(bits_low));
    words[15] |= reinterpret_cast<Word16>(_mm512_load_si512(bits_high));
    State<Word16> next = state;
    compress(next, words);
    const auto keep = [](Word16& old, const Word16& fresh, __mmask16 lanes) MR_TARGET_AVX512 {
      old = reinterpret_cast<Word16>(
          _mm512_mask_mov_epi32(reinterpret_cast<__m512i>(old), lanes, reinterpret_cast<__m512i>(fresh)));
    };
    keep(state.a, next.a, going);
    keep(state.b, next.b, going);
    keep(state.c, next.c, going);
    keep(state.d, next.d, going);
  }
  store_digests(state, digests);
}

void hash_by_avx2(std::span<const ByteView> keys, std::span<Md5Digest> digests) {
  in_groups<8, 1>(keys, digests, hash_8);
}
void hash_by_avx512(std::span<const ByteView> keys, std::span<Md5Digest> digests) {
  in_groups<16, 2>(keys, digests, hash_16);
}

#endif

}  // namespace

Kernel one_by_one() { return hash_one_by_one; }

#if defined(__x86_64__)
Kernel avx2() { return __builtin_cpu_supports("avx2") ? hash_by_avx2 : nullptr; }
Kernel avx512() {
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("bmi2") ? hash_by_avx512 : nullptr;
}
#else
Kernel avx2() { return nullptr; }
Kernel avx512() { return nullptr; }
#endif

}  // namespace millrace::md5_kernels
