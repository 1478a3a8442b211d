#include "broker/sequence_number.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "broker/sequence_number_vectors.h"

namespace millrace::broker {
namespace {

std::string parsed_text(const SequenceNumber& number) {
  return std::to_string(number.shard_created_s) + "/" + std::to_string(number.ordinal) + "/" +
         std::to_string(number.time_s) + "/" + std::to_string(number.shard_index);
}

// Numbers of one length compare as their texts do.
bool rises(const SequenceNumber& lower, const SequenceNumber& higher) {
  const std::string a = to_string(lower);
  const std::string b = to_string(higher);
  return a.size() == b.size() && a < b;
}

Shard shard_of(std::uint32_t index, std::int64_t created_s) {
  Shard shard{};
  shard.index = index;
  shard.created_s = created_s;
  return shard;
}

TEST(SequenceNumber, PrintsTheDigitsThatBigIntegersGive) {
  for (const SequenceVector& vector : kFormatted) {
    EXPECT_EQ(to_string(vector.number), vector.digits) << parsed_text(vector.number);
  }
}

TEST(SequenceNumber, ReadsWhatItPrints) {
  for (const SequenceVector& vector : kFormatted) {
    const auto parsed = parse_sequence_number(vector.digits);
    ASSERT_TRUE(parsed.ok()) << vector.digits;
    EXPECT_EQ(*parsed, vector.number) << parsed_text(*parsed);
  }
  std::mt19937_64 dice(1);
  for (int i = 0; i < 20'000; ++i) {
    const SequenceNumber number{static_cast<std::int64_t>(dice() % 16'025'175'000),
                                dice() >> (1 + dice() % 63),
                                static_cast<std::int64_t>(dice() >> (28 + dice() % 36)),
                                static_cast<std::uint32_t>(dice() >> (33 + dice() % 31))};
    const auto parsed = parse_sequence_number(to_string(number));
    ASSERT_TRUE(parsed.ok()) << parsed_text(number);
    ASSERT_EQ(*parsed, number) << parsed_text(number);
  }
}

TEST(SequenceNumber, WritesNoFurtherThanItsLongest) {
  for (const SequenceVector& vector : kFormatted) {
    std::string out(kSequenceDigitsMax + 8, '#');
    ASSERT_EQ(format(vector.number, out.data()), 56u);
    EXPECT_EQ(out.substr(kSequenceDigitsMax), "########");
  }
}

TEST(SequenceNumber, ReadsTheOlderVersionsOfKinesis) {
  for (const SequenceVector& vector : kParsed) {
    const auto parsed = parse_sequence_number(vector.digits);
    ASSERT_TRUE(parsed.ok()) << vector.digits << ": " << parsed.error().text;
    EXPECT_EQ(*parsed, vector.number) << vector.digits << " gave " << parsed_text(*parsed);
  }
}

TEST(SequenceNumber, LeadingZerosChangeNothing) {
  for (const SequenceVector& vector : kParsed) {
    const auto parsed = parse_sequence_number(std::string(70, '0') + vector.digits);
    ASSERT_TRUE(parsed.ok()) << vector.digits;
    EXPECT_EQ(*parsed, vector.number);
  }
}

TEST(SequenceNumber, RefusesWhatIsOfNoVersionOrOutOfRange) {
  for (const char* text : kRefused) {
    const auto parsed = parse_sequence_number(text);
    ASSERT_FALSE(parsed.ok()) << text << " gave " << parsed_text(*parsed);
    EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalid);
    EXPECT_NE(parsed.error().text.find(text), std::string::npos);
  }
}

TEST(SequenceNumber, RefusesWhatIsNotANumber) {
  const std::string right = to_string({1'700'000'000, 5, 1'700'000'001, 3});
  EXPECT_TRUE(parse_sequence_number(right).ok());
  for (const std::string& text :
       {std::string(), std::string(" "), " " + right, right + " ", "+" + right, "-" + right, right + "a",
        "0x" + right, right + ".0", right + "e1", right + std::string(1, '\0'), std::string("LATEST"),
        std::string(1000, '9'), std::string("１２")}) {
    const auto parsed = parse_sequence_number(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalid);
  }
}

TEST(SequenceNumber, RisesWithTheOffsetWhateverTheClockDoes) {
  std::mt19937_64 dice(2);
  for (int i = 0; i < 5'000; ++i) {
    const Shard shard =
        shard_of(static_cast<std::uint32_t>(dice() >> 33), static_cast<std::int64_t>(dice() % 4'000'000'000));
    const std::uint64_t offset = dice() >> (2 + dice() % 60);
    const auto earlier = static_cast<std::int64_t>(dice() % 2'000'000'000'000);
    const auto later = static_cast<std::int64_t>(dice() % 2'000'000'000'000);
    EXPECT_TRUE(rises(sequence_of(shard, offset, later), sequence_of(shard, offset + 1, earlier)));
    EXPECT_TRUE(rises(starting_sequence(shard), sequence_of(shard, 0, earlier)));
  }
}

TEST(SequenceNumber, AClosedShardsEndIsAboveAllOfItsRecords) {
  Shard shard = shard_of(7, 1'700'000'000);
  shard.closed_ms = 1'700'000'500'999;
  EXPECT_TRUE(rises(sequence_of(shard, kOrdinalMax - 2, 9'999'999'999'999), ending_sequence(shard)));
  EXPECT_EQ(ending_sequence(shard), (SequenceNumber{1'700'000'000, kOrdinalMax, 1'700'000'500, 7}));
}

TEST(SequenceNumber, AChildsAreAboveItsParents) {
  Shard parent = shard_of(2'147'483'647, 1'700'000'000);
  parent.closed_ms = 4'000'000'000'000;
  const Shard child = shard_of(0, 1'700'000'001);
  EXPECT_TRUE(rises(ending_sequence(parent), starting_sequence(child)));
}

TEST(SequenceNumber, NamesOffsetTimeAndShard) {
  const Shard shard = shard_of(3, 1'700'000'000);
  EXPECT_EQ(sequence_of(shard, 41, 1'700'000'123'999), (SequenceNumber{1'700'000'000, 42, 1'700'000'123, 3}));
  EXPECT_EQ(sequence_of(shard, 0, -5), (SequenceNumber{1'700'000'000, 1, 0, 3}));
  EXPECT_EQ(starting_sequence(shard), (SequenceNumber{1'700'000'000, 0, 1'700'000'000, 3}));
}

TEST(SequenceNumber, APlaceBehindARecordStandsBetweenItAndTheNext) {
  const Shard shard{.index = 3, .created_s = 1'700'000'000, .end_offset = std::nullopt};
  const std::string place = to_string(place_before(shard, 42, 1'700'000'123));
  EXPECT_EQ(place.size(), 56u);
  EXPECT_GT(place, to_string(sequence_of(shard, 41, 1'700'000'123'000)));
  EXPECT_LT(place, to_string(sequence_of(shard, 42, 1'700'000'123'000)));
  const auto read = parse_sequence_number(place);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, (SequenceNumber{1'700'000'000, 42, 1'700'000'123, 3, true}));
  EXPECT_EQ(to_string(*read), place);
}

}  // namespace
}  // namespace millrace::broker
