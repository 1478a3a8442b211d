#include "base/base64.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/base64_kernels.h"
#include "drawn_bytes.h"

namespace millrace {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kSlack = 64;
constexpr std::uint8_t kUntouched = 0xa5;

// Straight from RFC 4648, bit by bit.
std::string reference(ByteView bytes) {
  std::string text;
  for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 6) {
    std::size_t value = 0;
    for (std::size_t i = bit; i < bit + 6; ++i) {
      value = value << 1 | (i / 8 < bytes.size() ? bytes[i / 8] >> (7 - i % 8) & 1u : 0u);
    }
    text += kAlphabet[value];
  }
  while (text.size() % 4 != 0) text += '=';
  return text;
}

std::string encode(ByteView bytes) {
  std::string out(base64_encoded_size(bytes.size()) + kSlack, '?');
  base64_encode(bytes, out.data());
  out.resize(base64_encoded_size(bytes.size()));
  return out;
}

std::optional<std::vector<std::uint8_t>> decode(std::string_view text) {
  const Bytes input(text);  // with the slack that the contract asks for
  const auto size = base64_decoded_size(input.text());
  if (!size.has_value()) return std::nullopt;
  std::vector<std::uint8_t> out(*size + kSlack);
  if (!base64_decode(input.text(), out.data())) return std::nullopt;
  out.resize(*size);
  return out;
}

std::vector<std::uint8_t> bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

TEST(Base64, VectorsOfRfc4648) {
  const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    EXPECT_EQ(encode(as_bytes(plain)), text);
    EXPECT_EQ(decode(text), bytes_of(plain));
  }
}

TEST(Base64, EveryLengthGoesThereAndBack) {
  for (std::size_t size = 0; size <= 300; ++size) {
    const auto bytes = drawn_bytes(size);
    const std::string text = encode(bytes);
    ASSERT_EQ(text, reference(bytes)) << size;
    ASSERT_EQ(base64_decoded_size(text), size);
    ASSERT_EQ(decode(text), bytes) << size;
  }
}

TEST(Base64, EveryWrongByteAtEveryPositionIsRefused) {
  for (const std::size_t size : {3u, 47u, 48u, 96u, 99u, 150u, 151u}) {
    std::string text = encode(drawn_bytes(size));
    for (std::size_t position = 0; position < text.size(); ++position) {
      const char right = text[position];
      for (int byte = 0; byte < 256; ++byte) {
        if (kAlphabet.find(static_cast<char>(byte)) != std::string_view::npos || byte == '=') continue;
        text[position] = static_cast<char>(byte);
        ASSERT_FALSE(decode(text).has_value())
            << "byte " << byte << " at " << position << " of " << text.size();
      }
      text[position] = right;
    }
  }
}

TEST(Base64, TextsOfTheirOwnSayTheSame) {
  for (std::size_t size = 0; size < 100; ++size) {
    const auto bytes = drawn_bytes(size);
    const std::string text = base64_text(bytes);
    EXPECT_EQ(text, encode(bytes));
    EXPECT_EQ(base64_bytes(text), std::string(bytes.begin(), bytes.end()));
    EXPECT_EQ(base64_bytes(text + "A"), std::nullopt);
    EXPECT_EQ(base64_bytes(text + "A==="), std::nullopt);
  }
}

TEST(Base64, PaddingAnywhereButAtTheEndIsRefused) {
  for (const std::size_t size : {3u, 30u, 48u, 75u, 150u}) {
    const std::string text = encode(drawn_bytes(size));
    for (std::size_t position = 0; position < text.size(); ++position) {
      std::string bad = text;
      bad[position] = '=';
      if (position + 1 < text.size()) {
        ASSERT_FALSE(decode(bad).has_value()) << bad;
      }
      for (std::size_t more = position; more + 3 < text.size(); ++more) bad[more] = '=';
      if (position + 3 < text.size()) {
        ASSERT_FALSE(decode(bad).has_value()) << bad;
      }
    }
  }
  for (const std::string_view bad : {"=", "==", "===", "====", "A===", "=AAA", "A=AA", "AA=A", "AAA", "AAAAA",
                                     "A", "AA==AAAA", "AAA=AAAA", "AAAA====", "AAAAAA=", "AAAA=", "AAAAA===",
                                     "AA=="
                                     "="}) {
    EXPECT_FALSE(decode(bad).has_value()) << bad;
  }
}

TEST(Base64, BitsOfTheLastCharacterThatNoByteHoldsMustBeZero) {
  for (const std::size_t before : {0u, 12u, 45u, 48u, 96u, 147u}) {
    const std::string start = encode(drawn_bytes(before));
    for (std::size_t value = 0; value < 64; ++value) {
      const std::string two = start + 'x' + kAlphabet[value] + "==";
      EXPECT_EQ(decode(two).has_value(), value % 16 == 0) << two;
      const std::string three = start + "xy" + kAlphabet[value] + '=';
      EXPECT_EQ(decode(three).has_value(), value % 4 == 0) << three;
    }
  }
}

struct NamedKernel {
  const char* name;
  const base64_kernels::Kernel* kernel;
};

class Base64Kernel : public testing::TestWithParam<NamedKernel> {
 protected:
  void SetUp() override {
    if (GetParam().kernel == nullptr) GTEST_SKIP() << "this machine cannot run it";
  }
};

TEST_P(Base64Kernel, EncodesEveryLengthAsTheOthersWithinItsSlack) {
  for (std::size_t size = 0; size <= 300; ++size) {
    const auto bytes = drawn_bytes(size);  // no slack behind: a read too far is seen under AddressSanitizer
    const std::size_t chars = base64_encoded_size(size);
    std::vector<char> out(chars + kSlack + 64, static_cast<char>(kUntouched));
    GetParam().kernel->encode(bytes.data(), size, out.data());
    const std::string expected = reference(bytes);
    ASSERT_EQ(std::string(out.data(), expected.find('=') == std::string::npos ? chars : expected.find('=')),
              expected.substr(0, expected.find('=')))
        << size;
    ASSERT_TRUE(std::all_of(out.begin() + static_cast<std::ptrdiff_t>(chars + kSlack), out.end(),
                            [](char c) { return c == static_cast<char>(kUntouched); }));
  }
}

TEST_P(Base64Kernel, DecodesEveryLengthAsTheOthersWithinItsSlack) {
  for (std::size_t size = 0; size <= 300; ++size) {
    const auto bytes = drawn_bytes(size);
    std::string text = reference(bytes);
    text.resize(text.size() - static_cast<std::size_t>(std::count(text.begin(), text.end(), '=')));
    std::vector<std::uint8_t> out(size + kSlack + 64, kUntouched);
    const std::vector<char> exact(text.begin(), text.end());
    ASSERT_TRUE(GetParam().kernel->decode(exact.data(), exact.size(), out.data())) << size;
    ASSERT_TRUE(std::equal(bytes.begin(), bytes.end(), out.begin())) << size;
    if (size % 3 != 0) {
      ASSERT_EQ(out[size], 0) << size;
    }
    ASSERT_TRUE(std::all_of(out.begin() + static_cast<std::ptrdiff_t>(size + kSlack), out.end(),
                            [](std::uint8_t byte) { return byte == kUntouched; }));
  }
}

TEST_P(Base64Kernel, TellsEveryByteRightOrWrongAtEveryPosition) {
  std::vector<std::uint8_t> out(300);
  for (const std::size_t size : {2u, 3u, 4u, 31u, 32u, 63u, 64u, 67u, 128u, 130u}) {
    if (size % 4 == 1) continue;
    std::string text(size, 'Q');
    for (std::size_t position = 0; position < size; ++position) {
      for (int byte = 0; byte < 256; ++byte) {
        text[position] = static_cast<char>(byte);
        const bool right = kAlphabet.find(static_cast<char>(byte)) != std::string_view::npos;
        ASSERT_EQ(GetParam().kernel->decode(text.data(), size, out.data()), right)
            << "byte " << byte << " at " << position << " of " << size;
      }
      text[position] = 'Q';
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kernel, Base64Kernel,
                         testing::Values(NamedKernel{"portable", base64_kernels::portable()},
                                         NamedKernel{"avx2", base64_kernels::avx2()},
                                         NamedKernel{"avx512_vbmi", base64_kernels::avx512_vbmi()}),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace millrace
