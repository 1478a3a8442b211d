#include "base/bytes.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace millrace {
namespace {

TEST(Bytes, KeepsWhatIsAppended) {
  Bytes bytes;
  EXPECT_TRUE(bytes.empty());
  std::string expected;
  for (int i = 0; i < 2'000; ++i) {
    const std::string piece(static_cast<std::size_t>(i % 7), static_cast<char>('a' + i % 26));
    bytes.append(piece);
    bytes.push_back('|');
    expected += piece + '|';
  }
  EXPECT_EQ(bytes.text(), expected);
  EXPECT_EQ(bytes.size(), expected.size());
  EXPECT_EQ(bytes.view().size(), expected.size());
}

TEST(Bytes, SlackBehindTheEndMayBeReadAtEverySize) {
  for (std::size_t size = 1; size < 300; ++size) {
    Bytes bytes(std::string(size, 'x'));
    std::uint8_t seen = 0;
    const std::uint8_t* const end = bytes.data() + bytes.size();
    for (std::size_t i = 0; i < Bytes::kSlackBytes; ++i) {
      const_cast<std::uint8_t*>(end)[i] = 0;  // ours to scribble on as well: AddressSanitizer watches
      seen |= end[i];
    }
    EXPECT_EQ(seen, 0);
    EXPECT_EQ(bytes.text(), std::string(size, 'x'));
  }
}

TEST(Bytes, PrepareAndCommitGrowWithoutLosingWhatWasThere) {
  Bytes bytes("head");
  std::uint8_t* room = bytes.prepare(1'000);
  EXPECT_EQ(bytes.size(), 4u);
  EXPECT_GE(bytes.capacity(), 1'004u);
  std::memset(room, 'r', 1'000);
  bytes.commit(3);
  EXPECT_EQ(bytes.text(), "headrrr");
  EXPECT_DEATH(bytes.commit(bytes.capacity()), "capacity_");
}

TEST(Bytes, ResizeAndReserveKeepTheContent) {
  Bytes bytes("abcdef");
  bytes.reserve(100);
  EXPECT_GE(bytes.capacity(), 100u);
  EXPECT_EQ(bytes.text(), "abcdef");
  bytes.resize(3);
  EXPECT_EQ(bytes.text(), "abc");
  bytes.resize(5'000);
  EXPECT_EQ(bytes.size(), 5'000u);
  EXPECT_EQ(bytes.text().substr(0, 3), "abc");
  bytes.clear();
  EXPECT_TRUE(bytes.empty());
  EXPECT_GE(bytes.capacity(), 5'000u);
}

TEST(Bytes, MovesLeaveTheSourceEmpty) {
  Bytes source("abc");
  const std::uint8_t* const data = source.data();
  Bytes target(std::move(source));
  EXPECT_EQ(target.data(), data);
  EXPECT_TRUE(source.empty());  // NOLINT(bugprone-use-after-move): what is promised
  EXPECT_EQ(source.capacity(), 0u);
  source.append("again");
  EXPECT_EQ(source.text(), "again");
  target = std::move(source);
  EXPECT_EQ(target.text(), "again");
  Bytes& itself = target;
  target = std::move(itself);
  EXPECT_EQ(target.text(), "again");
}

TEST(Bytes, AppendingNothingIsNothing) {
  Bytes bytes;
  bytes.append(std::string_view());
  bytes.append(ByteView());
  bytes.append(nullptr, 0);
  EXPECT_EQ(bytes.capacity(), 0u);
  EXPECT_EQ(bytes.text(), "");
}

}  // namespace
}  // namespace millrace
