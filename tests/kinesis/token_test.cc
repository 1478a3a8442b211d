// Opaque tokens: their shape, and that nothing but what was sealed opens.

#include <gtest/gtest.h>

#include <set>

#include "base/base64.h"
#include "kinesis/shard_iterator.h"
#include "kinesis/token_fields.h"
#include "sim/seeded_random.h"

namespace millrace::kinesis {
namespace {

struct Sealing {
  sim::SeededRandom dice{sim::Seed{1}};
  RandomPool random{dice};
  TokenSeal seal{TokenKey{1, 2, 3}};
};

Bytes decoded(std::string_view token) {
  const Bytes text(token);
  Bytes raw;
  raw.resize(base64_decoded_size(text.text()).value());
  EXPECT_TRUE(base64_decode(text.text(), raw.data()));
  return raw;
}

std::string encoded(const Bytes& raw) {
  Bytes text;
  text.resize(base64_encoded_size(raw.size()));
  base64_encode(raw.view(), reinterpret_cast<char*>(text.data()));
  return std::string(text.text());
}

ShardIterator sample(std::size_t name_bytes = 3) {
  return {std::string(name_bytes, 'n'), 7, 0x7fff'ffff, 1ull << 62, 1'764'000'000'000};
}

TEST(ShardIterator, ComesBackAsItWasAndHasTheServicesShape) {
  Sealing sealing;
  for (std::size_t name_bytes = 1; name_bytes <= 128; ++name_bytes) {
    const std::string text = to_text(sample(name_bytes), sealing.seal, sealing.random);
    EXPECT_LE(text.size(), 512u);
    const Bytes raw = decoded(text);
    EXPECT_GE(raw.size(), 152u);
    EXPECT_LE(raw.size(), 280u);
    EXPECT_EQ((raw.size() - 152) % 16, 0u);
    EXPECT_EQ(raw.text().substr(0, 8), std::string_view("\0\0\0\0\0\0\0\1", 8));
    EXPECT_EQ(parse_shard_iterator(text, sealing.seal), sample(name_bytes));
  }
}

TEST(ShardIterator, IsAnotherTextEachTime) {
  Sealing sealing;
  std::set<std::string> texts;
  for (int i = 0; i < 1'000; ++i) texts.insert(to_text(sample(), sealing.seal, sealing.random));
  EXPECT_EQ(texts.size(), 1'000u);
}

TEST(ShardIterator, AnyChangedBitIsRefused) {
  Sealing sealing;
  const std::string text = to_text(sample(), sealing.seal, sealing.random);
  const Bytes raw = decoded(text);
  for (std::size_t bit = 0; bit < raw.size() * 8; ++bit) {
    Bytes changed(raw.text());
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1u << bit % 8));
    EXPECT_FALSE(parse_shard_iterator(encoded(changed), sealing.seal).has_value()) << bit;
  }
  for (std::size_t size = 0; size < raw.size(); ++size)
    EXPECT_FALSE(parse_shard_iterator(encoded(Bytes(raw.text().substr(0, size))), sealing.seal).has_value())
        << size;
  for (const char* other : {"", "nonsense", "====", "\xff\xff\xff\xff"})
    EXPECT_FALSE(parse_shard_iterator(other, sealing.seal).has_value());
  EXPECT_FALSE(parse_shard_iterator(text + "AAAA", sealing.seal).has_value());
  EXPECT_FALSE(parse_shard_iterator(std::string(100'000, 'A'), sealing.seal).has_value());
}

TEST(ShardIterator, OpensWithTheSameKeyAlone) {
  Sealing sealing;
  const std::string text = to_text(sample(), sealing.seal, sealing.random);
  TokenSeal after_restart{TokenKey{1, 2, 3}};
  TokenSeal other{TokenKey{1, 2, 4}};
  EXPECT_TRUE(parse_shard_iterator(text, after_restart).has_value());
  EXPECT_FALSE(parse_shard_iterator(text, other).has_value());
}

TEST(TokenSeal, OneKindIsNotTakenForAnother) {
  Sealing sealing;
  const std::string token = sealing.seal.seal(TokenKind::kListStreams, as_bytes("x"), 1, sealing.random);
  EXPECT_FALSE(sealing.seal.open(TokenKind::kListShards, token).has_value());
  EXPECT_EQ(sealing.seal.open(TokenKind::kListStreams, token)->text(), "x");
}

TEST(TokenFields, ShortOnesAreNotOk) {
  TokenFieldsOut out;
  out.integer(258).text("name").text("");
  TokenFieldsIn in(out.view());
  EXPECT_EQ(in.integer(), 258u);
  EXPECT_EQ(in.text(), "name");
  EXPECT_EQ(in.text(), "");
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(in.text(), "");
  EXPECT_FALSE(in.ok());
  TokenFieldsIn cut(out.view().first(9));
  EXPECT_EQ(cut.integer(), 258u);
  EXPECT_EQ(cut.text(), "");
  EXPECT_FALSE(cut.ok());
}

TEST(UtcText, IsAsTheServiceWritesIt) {
  EXPECT_EQ(utc_text(1'421'889'722'999), "Thu Jan 22 01:22:02 UTC 2015");
}

}  // namespace
}  // namespace millrace::kinesis
