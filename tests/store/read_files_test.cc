#include "store/read_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <array>
#include <filesystem>

#include <fmt/format.h>

#include "store/posix_disk.h"
#include "store/temporary_folder.h"

namespace millrace::store {
namespace {

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

std::string first_bytes(File& file) {
  std::array<std::uint8_t, 16> bytes{};
  const auto got = file.read_at(0, bytes);
  if (!got.ok()) return got.error().text;
  return std::string(as_text({bytes.data(), *got}));
}

// `count` files, each with its number in it, and all open to be read.
std::vector<std::unique_ptr<File>> open_many(Disk& disk, int count) {
  std::vector<std::unique_ptr<File>> files;
  for (int i = 0; i < count; ++i) {
    const std::string name = fmt::format("{}", i);
    auto made = disk.open(name, Disk::Mode::kCreate);
    EXPECT_TRUE(made.ok()) << made.error().text;
    const std::array<ByteView, 1> pieces{as_bytes(name)};
    EXPECT_TRUE((*made)->write_at(0, pieces).ok());
    auto opened = disk.open(name, Disk::Mode::kRead);
    EXPECT_TRUE(opened.ok()) << opened.error().text;
    files.push_back(std::move(*opened));
  }
  return files;
}

// A soft limit of open files, for as long as it lives.
class OpenFilesLimit {
 public:
  explicit OpenFilesLimit(rlim_t most) {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    rlimit limit = before_;
    limit.rlim_cur = most;
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  ~OpenFilesLimit() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST(ReadFiles, MoreFilesThanMayBeOpenAreReadAllTheSame) {
  TemporaryFolder folder;
  const std::size_t before = open_descriptors();
  const OpenFilesLimit limit(64);
  auto disk = open_posix_disk(folder.path()).value();
  const auto files = open_many(*disk, 200);
  EXPECT_LE(open_descriptors(), before + 12);
  for (int round = 0; round < 2; ++round)
    for (std::size_t i = 0; i < files.size(); ++i) ASSERT_EQ(first_bytes(*files[i]), fmt::format("{}", i));
  EXPECT_EQ(*files[17]->size(), 2u);
  EXPECT_LE(open_descriptors(), before + 12);
}

TEST(ReadFiles, AreClosedForWhoeverFindsNoDescriptor) {
  TemporaryFolder folder;
  auto disk = open_posix_disk(folder.path()).value();
  auto files = open_many(*disk, 8);
  const std::size_t all = open_descriptors() - 1;  // the count's own
  const OpenFilesLimit limit(all);
  EXPECT_TRUE(disk->open("fresh", Disk::Mode::kCreate).ok());
  for (std::size_t i = 0; i < files.size(); ++i) EXPECT_EQ(first_bytes(*files[i]), fmt::format("{}", i));
}

TEST(ReadFiles, OneThatIsGoneIsMissedWhenItIsOpenedAgainAndChangesAreRefused) {
  TemporaryFolder folder;
  auto disk = open_posix_disk(folder.path()).value();
  auto files = open_many(*disk, 2);
  std::filesystem::remove(folder.path() + "/1");
  EXPECT_EQ(first_bytes(*files[1]), "1") << "still open";
  {
    const OpenFilesLimit none(0);
    EXPECT_FALSE(disk->open("fresh", Disk::Mode::kCreate).ok());  // closes what nobody reads
  }
  EXPECT_EQ(files[1]->size().error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(first_bytes(*files[0]), "0");
  EXPECT_EQ(files[0]->truncate(0).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(files[0]->sync().error().kind, ErrorKind::kInvalid);
  disk.reset();
  EXPECT_EQ(first_bytes(*files[0]), "0") << "a file does not need its disk";
}

}  // namespace
}  // namespace millrace::store
