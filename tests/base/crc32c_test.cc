#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/crc32c_kernels.h"
#include "drawn_bytes.h"

namespace millrace {
namespace {

// One bit at a time, straight from the definition.
std::uint32_t bitwise(ByteView bytes, std::uint32_t before = 0) {
  std::uint32_t crc = ~before;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0u);
  }
  return ~crc;
}

struct NamedCrc {
  const char* name;
  crc32c_kernels::Kernel kernel;
};
const NamedCrc kKernels[] = {{"chosen", crc32c},
                             {"portable", crc32c_kernels::portable()},
                             {"crc32", crc32c_kernels::crc32()},
                             {"vpclmulqdq", crc32c_kernels::vpclmulqdq()}};

class Crc32c : public testing::TestWithParam<NamedCrc> {
 protected:
  void SetUp() override {
    if (GetParam().kernel == nullptr) GTEST_SKIP() << "this machine cannot run it";
  }
  std::uint32_t crc(ByteView bytes, std::uint32_t before = 0) const {
    return GetParam().kernel(bytes, before);
  }
};

TEST_P(Crc32c, VectorsOfRfc3720) {
  EXPECT_EQ(crc(std::vector<std::uint8_t>(32, 0x00)), 0x8a9136aau);
  EXPECT_EQ(crc(std::vector<std::uint8_t>(32, 0xff)), 0x62a8ab43u);
  std::vector<std::uint8_t> rising(32);
  for (std::size_t i = 0; i < 32; ++i) rising[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(crc(rising), 0x46dd794eu);
  EXPECT_EQ(crc(std::vector<std::uint8_t>(rising.rbegin(), rising.rend())), 0x113fdb5cu);
  const std::uint8_t read_command[48] = {0x01, 0xc0, 0, 0, 0, 0, 0,    0, 0,    0, 0, 0,    0, 0, 0, 0,
                                         0x14, 0,    0, 0, 0, 0, 0x04, 0, 0,    0, 0, 0x14, 0, 0, 0, 0x18,
                                         0x28, 0,    0, 0, 0, 0, 0,    0, 0x02, 0, 0, 0,    0, 0, 0, 0};
  EXPECT_EQ(crc(read_command), 0xd9963a56u);
  EXPECT_EQ(crc(as_bytes("123456789")), 0xe3069283u);
  EXPECT_EQ(crc({}), 0u);
  EXPECT_EQ(crc({}, 0x12345678u), 0x12345678u);
}

TEST_P(Crc32c, EveryLengthAtEveryAlignmentOfACacheLine) {
  const auto bytes = drawn_bytes(700 + 64);
  for (std::size_t offset = 0; offset < 64; ++offset) {
    std::uint32_t expected = 0;
    for (std::size_t size = 0; size <= 700; ++size) {
      ASSERT_EQ(crc(ByteView(bytes).subspan(offset, size)), expected) << offset << "+" << size;
      expected = bitwise(ByteView(bytes).subspan(offset + size, size < 700 ? 1 : 0), expected);
    }
  }
}

TEST_P(Crc32c, LengthsAroundTheStridesOfTheKernels) {
  const auto bytes = drawn_bytes(70'000);
  for (const std::size_t around : {1536u, 2048u, 3072u, 4096u, 65'536u}) {
    for (std::size_t size = around - 70; size < around + 70; ++size) {
      ASSERT_EQ(crc(ByteView(bytes).first(size)), bitwise(ByteView(bytes).first(size))) << size;
    }
  }
}

TEST_P(Crc32c, ContinuesWhereAnotherEnded) {
  const auto bytes = drawn_bytes(5000);
  const ByteView all(bytes);
  const std::uint32_t whole = bitwise(all);
  for (std::size_t cut = 0; cut <= all.size(); cut += cut < 600 ? 1 : 97) {
    ASSERT_EQ(crc(all.subspan(cut), crc(all.first(cut))), whole) << cut;
  }
}

TEST_P(Crc32c, EveryFlippedBitChangesIt) {
  auto bytes = drawn_bytes(600);
  const std::uint32_t before = crc(bytes);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    ASSERT_NE(crc(bytes), before) << bit;
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
  }
}

INSTANTIATE_TEST_SUITE_P(Kernel, Crc32c, testing::ValuesIn(kKernels),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(Crc32cJoined, IsThatOfBothTextsOneBehindTheOther) {
  const auto bytes = drawn_bytes(5'000);
  const std::uint32_t whole = crc32c(bytes);
  for (const std::size_t at : {0u, 1u, 2u, 3u, 24u, 255u, 256u, 2'500u, 4'999u, 5'000u}) {
    const ByteView first = ByteView(bytes).first(at);
    const ByteView second = ByteView(bytes).subspan(at);
    EXPECT_EQ(crc32c_joined(crc32c(first), crc32c(second), second.size()), whole) << at;
  }
}

}  // namespace
}  // namespace millrace
