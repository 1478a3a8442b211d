// What a chain must reach is noted as it is written, and a chain that does not is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

#include "cluster/bound_store.h"
#include "cluster/control_log.h"
#include "sim/sim_disk.h"

namespace millrace::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Marks final : store::PartMarks {
  void note(const std::string& part, store::PartMark mark) override { noted[part] = std::move(mark); }
  void forget(const std::string& part) override { noted.erase(part); }
  std::map<std::string, store::PartMark> noted;
};

struct Folder {
  explicit Folder(std::uint64_t number, std::uint64_t start = 1) : origin{number, start} { boot(); }
  // A start: what the chain reaches is read, and what is put is of this start.
  void boot() {
    auto plain = std::move(*store::open_directory_store(disk, "control"));
    std::map<std::string, Chain> chains;
    auto chain = read_chain(*plain, "kms/", nullptr, [](Error error) -> Result<void> { return error; });
    EXPECT_TRUE(chain.ok()) << chain.error().text;
    chains["kms"] = *chain;
    store = bind_store(std::move(plain), origin, marks, "control", std::move(chains));
    log = std::move(ControlLog::open(*store, "kms/")->log);
  }
  void append(int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(log->append(fmt::format("{} of {}", i, origin.folder)).ok());
  }
  const store::PartMark& mark() { return marks.noted.at("control/kms"); }
  std::vector<std::string> faults(const store::PartMark& expected) {
    std::vector<std::string> told;
    auto chain = read_chain(*store, "kms/", &expected, [&](Error error) -> Result<void> {
      told.push_back(std::move(error.text));
      return {};
    });
    EXPECT_TRUE(chain.ok());
    return told;
  }

  store::Origin origin;
  sim::SimDisk disk{sim::Seed{1}};
  Marks marks;
  std::unique_ptr<store::ObjectStore> store;
  std::unique_ptr<ControlLog> log;
};

std::string entry_path(std::uint64_t number) { return fmt::format("control/kms/log/{:020}", number); }

void put_file(sim::SimDisk& disk, const std::string& path, const Bytes& bytes) {
  ASSERT_TRUE(disk.remove(path).ok());
  auto file = disk.open(path, store::Disk::Mode::kCreate);
  const ByteView piece = bytes.view();
  ASSERT_TRUE(file.ok() && (*file)->write_at(0, {&piece, 1}).ok());
}

TEST(Chain, ReachesWhatWasNotedAtEveryStepAndAfterARestart) {
  Folder folder{7};
  for (int i = 0; i < 3; ++i) {
    folder.append(2);
    EXPECT_EQ(folder.mark().number, 2u * (i + 1));
    EXPECT_THAT(folder.faults(folder.mark()), IsEmpty());
    folder.boot();
  }
  ASSERT_TRUE(folder.log->snapshot("state").ok());
  EXPECT_EQ(folder.mark().from, 6u);
  folder.append(1);
  EXPECT_THAT(folder.faults(folder.mark()), IsEmpty());
}

TEST(Chain, MayBeAheadOfWhatWasNoted) {
  Folder folder{7};
  folder.append(3);
  const store::PartMark noted = folder.mark();
  folder.append(2);
  EXPECT_THAT(folder.faults(noted), IsEmpty());
  ASSERT_TRUE(folder.log->snapshot("state").ok());
  EXPECT_THAT(folder.faults(noted), IsEmpty());
}

TEST(Chain, ThatEndsBeforeWhatWasNotedIsTold) {
  Folder folder{7};
  folder.append(3);
  ASSERT_TRUE(folder.disk.remove(entry_path(3)).ok());
  EXPECT_THAT(folder.faults(folder.mark()), ElementsAre(HasSubstr("ends with entry 2, and 3 was written")));
  for (const int number : {1, 2}) ASSERT_TRUE(folder.disk.remove(entry_path(number)).ok());
  EXPECT_THAT(folder.faults(folder.mark()), ElementsAre(HasSubstr("kms is missing")));
}

TEST(Chain, AnEntryOfAnotherFolderInItsMiddleIsTold) {
  Folder folder{7};
  folder.append(3);
  Folder other{8};
  other.append(3);
  put_file(folder.disk, entry_path(2), other.disk.file_bytes(entry_path(2)));
  EXPECT_THAT(folder.faults(folder.mark()), ElementsAre(HasSubstr("is older or of another folder")));
  const auto chain =
      read_chain(*folder.store, "kms/", nullptr, [](Error error) -> Result<void> { return error; });
  ASSERT_TRUE(chain.ok());
  EXPECT_EQ(chain->folders.size(), 2u);
  EXPECT_THAT(chain->folders.at(8), HasSubstr("00000000000000000002"));
}

TEST(Chain, EveryDamagedObjectIsToldInOneReading) {
  Folder folder{7};
  folder.append(5);
  for (const std::uint64_t number : {2, 4}) folder.disk.flip_bit(entry_path(number), 45 * 8);
  EXPECT_THAT(folder.faults(folder.mark()), ElementsAre(HasSubstr("00002"), HasSubstr("00004")));
}

TEST(Chain, SaysWhichStartWroteItsNewest) {
  Folder folder{7, 3};
  folder.append(1);
  const auto chain =
      read_chain(*folder.store, "kms/", nullptr, [](Error error) -> Result<void> { return error; });
  ASSERT_TRUE(chain.ok());
  EXPECT_EQ(chain->newest_start, 3u);
  EXPECT_THAT(chain->of_newest_start, HasSubstr("00001"));
}

}  // namespace
}  // namespace millrace::cluster
