// Only what does not depend on how busy the machine is: a piece is held for its time at least, and let go at
// once where somebody waits.
#include "log/write_pace.h"

#include <gtest/gtest.h>

#include <thread>

#include "sim/sim_disk.h"

namespace millrace::log {
namespace {

constexpr std::uint64_t kSlow = 1u << 20;
constexpr std::int64_t kForever = 3'600;

class PacedFile {
 public:
  explicit PacedFile(std::uint64_t bytes_per_s) : pace(system_clock(), bytes_per_s, journal_bytes) {
    file = std::move(disk.open("file", store::Disk::Mode::kCreate)).value();
  }
  // How long, in ns, that many bytes are held.
  std::int64_t hold(std::uint64_t bytes) {
    const std::int64_t begin = system_clock().monotonic_ns();
    EXPECT_TRUE(pace.sync(*file, bytes).ok());
    return system_clock().monotonic_ns() - begin;
  }

  std::atomic<std::uint64_t> journal_bytes{0};
  WritePace pace;
  sim::SimDisk disk{sim::Seed{1}};
  std::unique_ptr<store::File> file;
};

TEST(WritePace, PiecesAreHeldOneAfterAnother) {
  PacedFile paced(kSlow);
  paced.pace.turn(true);
  std::int64_t held = 0;
  for (int i = 0; i < 4; ++i) held += paced.hold(kSlow / 32);
  EXPECT_GE(held, kNsPerS / 8);
}

TEST(WritePace, NothingIsHeldBeforeItIsTurnedOnNorWithoutARate) {
  PacedFile off(kSlow), free(0);
  free.pace.turn(true);
  for (PacedFile* paced : {&off, &free}) EXPECT_LT(paced->hold(kSlow * kForever), kForever * kNsPerS);
}

TEST(WritePace, WhoIsHeldGoesOnWhenSomebodyWaitsOrTheLogCloses) {
  PacedFile paced(kSlow);
  paced.pace.turn(true);
  std::thread waits([&] { paced.hold(kSlow * kForever); });
  {
    const WritePace::Hurry hurry(paced.pace);
    waits.join();
    paced.hold(kSlow * kForever);
  }
  std::thread waits_too([&] { paced.hold(kSlow * kForever); });
  paced.pace.turn(false);
  waits_too.join();
}

TEST(WritePace, AFasterJournalIsKeptUpWith) {
  PacedFile paced(kSlow);
  paced.pace.turn(true);
  paced.hold(1);  // takes a sample
  std::thread journal([&] {
    for (int i = 0; i < 100; ++i) {
      paced.journal_bytes += kSlow * kForever;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  journal.join();
  EXPECT_LT(paced.hold(kSlow * kForever / 100), kForever / 100 * kNsPerS);
}

TEST(WritePace, AtTheEndWhatIsWrittenIsGivenUp) {
  PacedFile paced(kSlow);
  paced.pace.turn(true);
  std::thread waits([&] { static_cast<void>(paced.pace.sync(*paced.file, kSlow * kForever).ok()); });
  paced.pace.end();
  waits.join();
  const auto after = paced.pace.sync(*paced.file, 1);
  ASSERT_FALSE(after.ok());
  EXPECT_EQ(after.error().kind, ErrorKind::kUnavailable);
}

TEST(WritePace, AFaultOfTheDiskIsTold) {
  PacedFile paced(0);
  paced.disk.crash(sim::Crash::kProcessKilled);
  EXPECT_FALSE(paced.pace.sync(*paced.file, 1).ok());
}

}  // namespace
}  // namespace millrace::log
