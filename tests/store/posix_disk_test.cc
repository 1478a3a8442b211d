#include "store/posix_disk.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <thread>

#include "store/temporary_folder.h"

namespace millrace::store {
namespace {

using Mode = Disk::Mode;
using testing::HasSubstr;

std::unique_ptr<Disk> open_disk(const std::string& folder) {
  auto disk = open_posix_disk(folder);
  EXPECT_TRUE(disk.ok()) << disk.error().text;
  return std::move(disk).value();
}

std::unique_ptr<File> open_file(Disk& disk, std::string_view path, Mode mode) {
  auto file = disk.open(path, mode);
  EXPECT_TRUE(file.ok()) << file.error().text;
  return std::move(file).value();
}

Result<void> write(File& file, std::uint64_t offset, std::string_view text) {
  const std::array<ByteView, 1> pieces{as_bytes(text)};
  return file.write_at(offset, pieces);
}

std::string read(File& file, std::uint64_t offset, std::size_t bytes) {
  std::string text(bytes, '?');
  auto got = file.read_at(offset, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  EXPECT_TRUE(got.ok()) << got.error().text;
  text.resize(*got);
  return text;
}

void make_file(Disk& disk, std::string_view path, std::string_view text) {
  auto file = open_file(disk, path, Mode::kCreate);
  ASSERT_TRUE(write(*file, 0, text).ok());
}

template <typename T>
ErrorKind kind_of(const Result<T>& result) {
  return result.error().kind;
}

TEST(PosixDisk, WhatIsWrittenIsReadBackFromAnywhere) {
  TemporaryFolder folder;
  auto disk = open_disk(folder.path() + "/made/on/the/way");
  auto file = open_file(*disk, "data", Mode::kCreate);
  ASSERT_TRUE(write(*file, 4, "events").ok());
  ASSERT_TRUE(file->sync().ok());
  EXPECT_EQ(*file->size(), 10u);
  EXPECT_EQ(read(*file, 0, 6), std::string("\0\0\0\0ev", 6));
  EXPECT_EQ(read(*file, 8, 100), "ts");
  EXPECT_EQ(read(*file, 10, 1), "");
  EXPECT_EQ(read(*open_file(*disk, "data", Mode::kRead), 4, 6), "events");
}

TEST(PosixDisk, MorePiecesThanTheKernelTakesAtOnceAreWrittenWhole) {
  TemporaryFolder folder;
  auto disk = open_disk(folder.path());
  auto file = open_file(*disk, "data", Mode::kCreate);
  std::vector<std::string> texts;
  std::string all;
  for (int i = 0; i < 3'000; ++i) {
    texts.push_back(i % 7 == 0 ? ""
                               : std::to_string(i) + std::string(static_cast<std::size_t>(i % 300), 'x'));
    all += texts.back();
  }
  std::vector<ByteView> pieces;
  for (const std::string& text : texts) pieces.push_back(as_bytes(text));
  ASSERT_TRUE(file->write_at(0, pieces).ok());
  EXPECT_EQ(read(*file, 0, all.size() + 1), all);
}

TEST(PosixDisk, TruncateCutsAndExtendsWithZeros) {
  TemporaryFolder folder;
  auto disk = open_disk(folder.path());
  auto file = open_file(*disk, "data", Mode::kCreate);
  ASSERT_TRUE(write(*file, 0, "abcdef").ok());
  ASSERT_TRUE(file->truncate(3).ok());
  ASSERT_TRUE(file->truncate(5).ok());
  EXPECT_EQ(read(*file, 0, 10), std::string("abc\0\0", 5));
}

TEST(PosixDisk, OpenTellsMissingFromTaken) {
  TemporaryFolder folder;
  auto disk = open_disk(folder.path());
  ASSERT_TRUE(disk->make_folder("sub").ok());
  EXPECT_EQ(kind_of(disk->open("none", Mode::kRead)), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of(disk->open("none", Mode::kWrite)), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of(disk->open("no/folder", Mode::kCreate)), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of(disk->open("sub", Mode::kRead)), ErrorKind::kNotFound);
  make_file(*disk, "data", "1");
  auto again = disk->open("data", Mode::kCreate);
  EXPECT_EQ(kind_of(again), ErrorKind::kConflict);
  EXPECT_THAT(again.error().text, HasSubstr(disk->describe("data")));
  EXPECT_THAT(again.error().text, HasSubstr("File exists"));
}

TEST(PosixDisk, FoldersAreMadeWithTheirParentsAndListedSorted) {
  TemporaryFolder folder;
  auto disk = open_disk(folder.path());
  ASSERT_TRUE(disk->make_folder("a/b/c").ok());
  ASSERT_TRUE(disk->make_folder("a/b/c").ok());
  make_file(*disk, "a/z", "1");
  make_file(*disk, "a/k", "1");
  EXPECT_EQ(*disk->list("a"), (std::vector<std::string>{"b", "k", "z"}));
  EXPECT_EQ(*disk->list(""), (std::vector<std::string>{"LOCK", "a"}));
  EXPECT_EQ(kind_of(disk->list("none")), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of(disk->list("a/z")), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of(disk->make_folder("a/z")), ErrorKind::kNotFound);
  EXPECT_TRUE(disk->sync_folder("a/b").ok());
  EXPECT_TRUE(disk->sync_folder("").ok());
  EXPECT_EQ(kind_of(disk->sync_folder("none")), ErrorKind::kNotFound);
}

TEST(PosixDisk, RenameReplacesAndRenameNewDoesNot) {
  TemporaryFolder folder;
  auto disk = open_disk(folder.path());
  make_file(*disk, "one", "1");
  make_file(*disk, "two", "2");
  EXPECT_EQ(kind_of(disk->rename_new("one", "two")), ErrorKind::kConflict);
  EXPECT_EQ(read(*open_file(*disk, "two", Mode::kRead), 0, 1), "2");
  EXPECT_EQ(read(*open_file(*disk, "one", Mode::kRead), 0, 1), "1");
  ASSERT_TRUE(disk->rename("one", "two").ok());
  EXPECT_EQ(read(*open_file(*disk, "two", Mode::kRead), 0, 1), "1");
  ASSERT_TRUE(disk->rename_new("two", "three").ok());
  EXPECT_EQ(kind_of(disk->rename("two", "four")), ErrorKind::kNotFound);
  EXPECT_EQ(*disk->list(""), (std::vector<std::string>{"LOCK", "three"}));
}

TEST(PosixDisk, RemoveIsFineWithoutAFile) {
  TemporaryFolder folder;
  auto disk = open_disk(folder.path());
  make_file(*disk, "data", "1");
  EXPECT_TRUE(disk->remove("data").ok());
  EXPECT_TRUE(disk->remove("data").ok());
  EXPECT_EQ(kind_of(disk->open("data", Mode::kRead)), ErrorKind::kNotFound);
}

TEST(PosixDisk, ASecondOwnerIsTurnedAwayUntilTheFirstOneIsGone) {
  TemporaryFolder folder;
  auto disk = open_disk(folder.path());
  name_holder(*disk);
  auto second = open_posix_disk(folder.path());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(kind_of(second), ErrorKind::kUnavailable);
  EXPECT_THAT(second.error().text, HasSubstr(folder.path()));
  EXPECT_THAT(second.error().text, HasSubstr("process " + std::to_string(getpid()) + " holds it"));
  disk.reset();
  EXPECT_TRUE(open_posix_disk(folder.path()).ok());
}

TEST(PosixDisk, RemovingTheLockFileOrTakingAnotherPathLetsNobodyElseIn) {
  TemporaryFolder folder;
  auto disk = open_disk(folder.path() + "/data");
  std::filesystem::create_directory_symlink(folder.path() + "/data", folder.path() + "/link");
  EXPECT_EQ(kind_of(open_posix_disk(folder.path() + "/link")), ErrorKind::kUnavailable);
  std::filesystem::remove(folder.path() + "/data/LOCK");
  for (const char* path : {"/data", "/link"}) {
    auto second = open_posix_disk(folder.path() + path);
    ASSERT_FALSE(second.ok());
    EXPECT_THAT(second.error().text, HasSubstr("another process holds it"));
    EXPECT_FALSE(std::filesystem::exists(folder.path() + "/data/LOCK"))
        << "whoever is turned away changes nothing";
  }
  std::filesystem::rename(folder.path() + "/data", folder.path() + "/moved");
  EXPECT_EQ(kind_of(open_posix_disk(folder.path() + "/moved")), ErrorKind::kUnavailable);
  disk.reset();
  EXPECT_TRUE(open_posix_disk(folder.path() + "/moved").ok());
}

// What is there of a folder, as `disk` sees it: a file that is written on, and new ones.
struct Written {
  explicit Written(Disk& the_disk) : disk(the_disk) {
    EXPECT_TRUE(disk.make_folder("sub").ok());
    file = open_file(disk, "sub/data", Mode::kCreate);
    EXPECT_TRUE(holds());
  }
  bool holds() const {
    return write(*file, 0, "1").ok() && file->sync().ok() && disk.sync_folder("sub").ok();
  }
  void expect_refused(std::string_view why) const {
    ASSERT_TRUE(write(*file, 0, "2").ok());
    auto synced = file->sync();
    ASSERT_FALSE(synced.ok());
    EXPECT_EQ(kind_of(synced), ErrorKind::kUnknown);
    EXPECT_THAT(synced.error().text, HasSubstr(why));
    EXPECT_FALSE(disk.sync_folder("sub").ok());
    auto found = disk.check_in_place();
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(kind_of(found), ErrorKind::kUnavailable);
    EXPECT_THAT(found.error().text, HasSubstr(why));
  }

  Disk& disk;
  std::unique_ptr<File> file;
};

TEST(PosixDisk, NothingIsDurableInAFolderThatNoPathLeadsToUntilItIsBack) {
  TemporaryFolder folder;
  const std::string data = folder.path() + "/data";
  const std::string away = folder.path() + "/away";
  auto disk = open_disk(data);
  const Written written(*disk);
  EXPECT_TRUE(disk->check_in_place().ok());
  std::filesystem::rename(data, away);
  written.expect_refused("removed or renamed");
  std::filesystem::create_directory(data);
  std::filesystem::create_directory(data + "/sub");
  written.expect_refused("is another folder");
  std::filesystem::remove_all(data);
  std::filesystem::rename(away, data);
  EXPECT_TRUE(disk->check_in_place().ok());
  EXPECT_TRUE(written.holds());
  std::filesystem::rename(data + "/sub", data + "/other");
  written.expect_refused("removed or renamed");
  std::filesystem::rename(data + "/other", data + "/sub");
  EXPECT_TRUE(written.holds());
  std::filesystem::remove_all(data);
  written.expect_refused("removed");
}

TEST(PosixDisk, NothingIsDurableInAFileWithoutAName) {
  TemporaryFolder folder;
  auto disk = open_disk(folder.path());
  const Written written(*disk);
  std::filesystem::remove(folder.path() + "/sub/data");
  ASSERT_TRUE(write(*written.file, 0, "2").ok());
  auto synced = written.file->sync();
  ASSERT_FALSE(synced.ok());
  EXPECT_EQ(kind_of(synced), ErrorKind::kUnknown);
  EXPECT_THAT(synced.error().text, HasSubstr("/sub/data was removed"));
}

TEST(PosixDisk, AFileInAFolderThatTheDiskRenamedIsInItsNewPlace) {
  TemporaryFolder folder;
  auto disk = open_disk(folder.path());
  ASSERT_TRUE(disk->make_folder("a/b").ok());
  ASSERT_TRUE(disk->rename("a", "c").ok());
  EXPECT_TRUE(disk->check_in_place().ok());
  EXPECT_TRUE(disk->sync_folder("c/b").ok());
  EXPECT_EQ(kind_of(disk->sync_folder("a/b")), ErrorKind::kNotFound);
}

TEST(PosixDisk, AFolderThatWasMadeIsSyncedHoweverManyFilesAreOpen) {
  TemporaryFolder folder;
  auto disk = open_disk(folder.path());
  ASSERT_TRUE(disk->make_folder("sub").ok());
  const rlimit before = [] {
    rlimit limit{};
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    return limit;
  }();
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto opened = disk->open("sub/data", Mode::kCreate);
  const bool synced = disk->sync_folder("sub").ok() && disk->sync_folder("").ok();
  const bool in_place = disk->check_in_place().ok();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(kind_of(opened), ErrorKind::kUnavailable);
  EXPECT_TRUE(synced);
  EXPECT_TRUE(in_place);
  EXPECT_EQ(*disk->list("sub"), std::vector<std::string>{}) << "what could not be opened was not made";
}

TEST(PosixDisk, TheLockOfAKilledProcessIsFree) {
  TemporaryFolder folder;
  std::array<int, 2> ready{};
  ASSERT_EQ(pipe(ready.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    auto disk = open_posix_disk(folder.path());
    const char answer = disk.ok() ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) == 1) pause();
    _exit(1);
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  EXPECT_EQ(kind_of(open_posix_disk(folder.path())), ErrorKind::kUnavailable);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(open_posix_disk(folder.path()).ok());
  close(ready[0]);
  close(ready[1]);
}

TEST(PosixDisk, AFolderThatCannotBeMadeIsNamed) {
  TemporaryFolder folder;
  auto disk = open_disk(folder.path());
  make_file(*disk, "data", "1");
  auto below_a_file = open_posix_disk(folder.path() + "/data/below");
  ASSERT_FALSE(below_a_file.ok());
  EXPECT_EQ(kind_of(below_a_file), ErrorKind::kUnavailable);
  EXPECT_THAT(below_a_file.error().text, HasSubstr(folder.path() + "/data"));
}

TEST(PosixDisk, AReadOnlyDiskReadsBesideTheOwnerAndChangesNothing) {
  TemporaryFolder folder;
  auto owner = open_disk(folder.path());
  make_file(*owner, "data", "1");
  auto reader = open_posix_disk_read_only(folder.path());
  ASSERT_TRUE(reader.ok());
  Disk& disk = **reader;
  EXPECT_EQ(read(*open_file(disk, "data", Mode::kRead), 0, 9), "1");
  EXPECT_EQ(kind_of(disk.open("data", Mode::kWrite)), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of(disk.open("new", Mode::kCreate)), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of(disk.remove("data")), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of(disk.rename("data", "other")), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of(disk.make_folder("new")), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of(open_posix_disk_read_only(folder.path() + "/none")), ErrorKind::kUnavailable);
}

TEST(PosixDisk, ReadsOfOneFileFromManyThreadsDoNotDisturbEachOther) {
  TemporaryFolder folder;
  auto disk = open_disk(folder.path());
  auto file = open_file(*disk, "data", Mode::kCreate);
  for (std::uint64_t i = 0; i < 1'000; ++i)
    ASSERT_TRUE(write(*file, i * 8, "number" + std::to_string(i % 90 + 10)).ok());
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (std::uint64_t i = t; i < 1'000; ++i)
        if (read(*file, i * 8, 8) != "number" + std::to_string(i % 90 + 10)) ++wrong;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

// A file system of 1 MiB, where this process may mount one.
class SmallFileSystem {
 public:
  SmallFileSystem() : mounted_(mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, "size=1m") == 0) {}
  ~SmallFileSystem() {
    if (mounted_) umount2(folder_.path().c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  const std::string& path() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
  bool mounted_;
};

TEST(PosixDisk, AFullDiskIsUnavailableAndServesAgainWithSpace) {
  SmallFileSystem small;
  if (!small.mounted()) GTEST_SKIP() << "cannot mount a tmpfs here (needs root): the full disk is not tested";
  auto disk = open_disk(small.path());
  EXPECT_LE(*disk->free_bytes(), 1u << 20);
  auto file = open_file(*disk, "data", Mode::kCreate);
  ASSERT_TRUE(write(*file, 0, "kept").ok());
  const std::string big(2u << 20, 'x');
  auto full = write(*file, 4, big);
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(full.error().text, HasSubstr(disk->describe("data") + " at "));
  EXPECT_THAT(full.error().text, HasSubstr("No space left on device"));
  EXPECT_EQ(*disk->free_bytes(), 0u);
  EXPECT_EQ(read(*file, 0, 4), "kept");
  ASSERT_TRUE(file->truncate(4).ok());
  EXPECT_TRUE(write(*file, 4, big.substr(0, 100'000)).ok());
}

TEST(PosixDisk, AnErrorThatMayHaveLeftHalfIsUnknown) {
  // /dev/full refuses what is written for want of space, and cannot be truncated or synced (EINVAL).
  TemporaryFolder folder;
  auto disk = open_disk(folder.path());
  ASSERT_EQ(symlink("/dev/full", (folder.path() + "/full").c_str()), 0);
  auto file = open_file(*disk, "full", Mode::kWrite);
  EXPECT_EQ(kind_of(write(*file, 0, "x")), ErrorKind::kUnavailable);
  EXPECT_EQ(kind_of(file->truncate(0)), ErrorKind::kUnknown);
  EXPECT_EQ(kind_of(file->sync()), ErrorKind::kUnknown);
}

}  // namespace
}  // namespace millrace::store
