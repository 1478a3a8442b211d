// log/write_pace.h: how fast that is written which nobody waits for (segments, journal files to come), so
// that the journal's syncs, which share the disk with it, stay short.
//
// A disk that is asked to flush must first write out all that it was handed before, whoever handed it: behind
// 4 MiB of a segment, a journal's sync of a few KiB takes as long as those 4 MiB. So they are handed over in
// small pieces, each synced by itself, with time between the pieces.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "base/clock.h"
#include "base/result.h"
#include "store/disk.h"

namespace millrace::log {

// Shared by all workers of a Log. Any thread may call.
class WritePace {
 public:
  static constexpr std::uint64_t kPieceBytes = 512u << 10;

  // bytes_per_s     0: never waits. Else so fast at least, and faster while the journal is written faster:
  // what is
  //                 written here must not fall behind it
  // journal_bytes   written to the journals so far; borrowed
  WritePace(const Clock& clock, std::uint64_t bytes_per_s, const std::atomic<std::uint64_t>& journal_bytes)
      : clock_(clock), bytes_per_s_(bytes_per_s), journal_bytes_(journal_bytes) {}

  // Makes `bytes` that were just written to `file` durable, then blocks as long as the pace wants.
  // errors   as File::sync; kUnavailable after end()
  Result<void> sync(store::File& file, std::uint64_t bytes);

  // Blocks as long as the pace wants after so many bytes were read.
  // errors   kUnavailable after end()
  Result<void> after_read(std::uint64_t bytes);

  // Off, as it begins: nobody writes to the journal, or all wait for the end. Those who are held go on.
  void turn(bool on);
  // For good: what is being written is given up at its next piece, since its worker, the politest of threads,
  // may need minutes for the rest on a busy machine.
  void end();
  bool ended() const { return ended_; }

  // While one lives, somebody waits for what is written: nothing is held.
  class Hurry {
   public:
    explicit Hurry(WritePace& pace);
    ~Hurry();
    Hurry(const Hurry&) = delete;
    Hurry& operator=(const Hurry&) = delete;

   private:
    WritePace& pace_;
  };

 private:
  void hold(std::uint64_t bytes);
  std::uint64_t rate(std::int64_t now_ns);

  const Clock& clock_;
  const std::uint64_t bytes_per_s_;
  const std::atomic<std::uint64_t>& journal_bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool on_ = false;
  std::atomic<bool> ended_{false};
  int hurries_ = 0;
  std::int64_t free_ns_ = 0;  // when the next piece may be written
  std::int64_t sampled_ns_ = 0;
  std::uint64_t sampled_bytes_ = 0;
  std::uint64_t journal_bytes_per_s_ = 0;
};

}  // namespace millrace::log
