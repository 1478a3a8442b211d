#include "base/md5.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "base/md5_kernels.h"

namespace millrace {
namespace {

Md5Digest by_openssl(ByteView key) {
  Md5Digest digest;
  unsigned size = 0;
  EXPECT_EQ(EVP_Digest(key.data(), key.size(), digest.data(), &size, EVP_md5(), nullptr), 1);
  return digest;
}

std::string hex(const Md5Digest& digest) {
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

struct NamedMd5 {
  const char* name;
  md5_kernels::Kernel kernel;
};

class Md5 : public testing::TestWithParam<NamedMd5> {
 protected:
  void SetUp() override {
    if (GetParam().kernel == nullptr) GTEST_SKIP() << "this machine cannot run it";
  }
  // Hashes keys of these lengths, each in memory of exactly its length, and compares with OpenSSL.
  void expect_right(const std::vector<std::size_t>& lengths) {
    std::vector<std::vector<std::uint8_t>> keys;
    std::vector<ByteView> views;
    for (const std::size_t length : lengths) {
      auto& key = keys.emplace_back(length);
      for (auto& byte : key) byte = static_cast<std::uint8_t>(dice_());
    }
    for (const auto& key : keys) views.emplace_back(key);
    std::vector<Md5Digest> digests(keys.size() + 1);
    digests.back().fill(0xee);
    GetParam().kernel(views, std::span(digests).first(keys.size()));
    for (std::size_t i = 0; i < keys.size(); ++i) {
      ASSERT_EQ(hex(digests[i]), hex(by_openssl(keys[i])))
          << "key " << i << " of " << keys.size() << ", " << lengths[i] << " bytes";
    }
    EXPECT_TRUE(
        std::all_of(digests.back().begin(), digests.back().end(), [](auto byte) { return byte == 0xee; }));
  }
  std::mt19937_64 dice_{5};
};

TEST_P(Md5, VectorsOfRfc1321) {
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"", "d41d8cd98f00b204e9800998ecf8427e"},
      {"a", "0cc175b9c0f1b6a831c399e269772661"},
      {"abc", "900150983cd24fb0d6963f7d28e17f72"},
      {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
      {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
      {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"},
      {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
       "57edf4a22be3c955ac49da2e2107b67a"}};
  std::vector<ByteView> keys;
  for (const auto& vector : vectors) keys.push_back(as_bytes(vector.first));
  std::vector<Md5Digest> digests(keys.size());
  GetParam().kernel(keys, digests);
  for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(hex(digests[i]), vectors[i].second);
}

TEST_P(Md5, EveryLengthInEveryLane) {
  for (std::size_t length = 0; length <= 300; ++length) expect_right(std::vector<std::size_t>(16, length));
}

TEST_P(Md5, LengthsMixedInOneCall) {
  std::vector<std::size_t> lengths;
  for (std::size_t length = 0; length <= 300; ++length) lengths.push_back(length);
  for (int i = 0; i < 30; ++i) {
    expect_right(lengths);
    std::shuffle(lengths.begin(), lengths.end(), dice_);
  }
}

TEST_P(Md5, EveryCountOfKeys) {
  for (std::size_t count = 0; count <= 70; ++count) {
    std::vector<std::size_t> lengths(count);
    for (auto& length : lengths) length = dice_() % 60;
    expect_right(lengths);
  }
}

TEST_P(Md5, ALongKeyAmongShortOnes) {
  for (const std::size_t lane : {0u, 5u, 8u, 15u, 16u}) {
    std::vector<std::size_t> lengths(17, 20);
    lengths[lane] = 100'000;
    expect_right(lengths);
  }
}

INSTANTIATE_TEST_SUITE_P(Kernel, Md5,
                         testing::Values(NamedMd5{"chosen", md5_each},
                                         NamedMd5{"one_by_one", md5_kernels::one_by_one()},
                                         NamedMd5{"avx2", md5_kernels::avx2()},
                                         NamedMd5{"avx512", md5_kernels::avx512()}),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(Md5OfOne, IsWhatTheManyGive) {
  const std::string key = "user-00042";
  EXPECT_EQ(hex(md5(as_bytes(key))), hex(by_openssl(as_bytes(key))));
}

}  // namespace
}  // namespace millrace
