// log/journal_pool.h: the files of one loop's journal: which is written, which still hold unsettled groups,
// which are ready to come next. Files are made and made ready on a worker, ahead of need.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/callback.h"
#include "log/journal_file.h"
#include "log/log_context.h"

namespace millrace::log {

// On the loop.
class JournalPool : public std::enable_shared_from_this<JournalPool> {
 public:
  struct Start {
    std::shared_ptr<JournalFile> current;           // goes on from the recovered end
    std::deque<std::shared_ptr<JournalFile>> used;  // before it, oldest first
    std::vector<std::shared_ptr<JournalFile>> free;
    std::uint64_t next_generation = 1;
    std::uint64_t next_file = 1;
    // Set after an unclean stop: what stands behind that group in `current` may be part of a write that did
    // not end. Another would be told from it badly, so writing goes on in another file.
    std::optional<std::uint64_t> last_good_sequence;
  };
  // worker   borrowed; outlives what the loop runs of this
  JournalPool(std::shared_ptr<LogContext> context, Loop& loop, Worker& worker, Start start);

  const std::shared_ptr<JournalFile>& current() const { return current_; }
  // Goes on in the next file that is ready, if one holds a first frame of `bytes`.
  bool advance(std::uint64_t frame_bytes);
  // Asks for a file that holds a frame of `bytes`, unless one is being made ready already; `ready` is called
  // when that has ended, well or not.
  void prepare(std::uint64_t frame_bytes, Callback ready);
  // Makes one ready ahead of need.
  void prepare_ahead();
  // Why the last attempt failed; empty when it did not.
  const std::string& fault() const { return fault_; }

  // A write to the current file failed, or may have: nothing behind `sequence` counts in it, and it is not
  // written again.
  void give_up_current(std::uint64_t last_good_sequence);
  // As above, and it is not used again.
  void abandon_current(std::uint64_t last_good_sequence);
  bool current_given_up() const { return given_up_; }
  // All groups in files before this use are in segments, durably.
  void release_before(std::uint64_t generation);
  // No more preparing.
  void stop() { stopped_ = true; }

  std::size_t used_files() const { return used_.size() + 1; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Request {
    std::shared_ptr<JournalFile> file;  // to be used again; none: to be made
    std::uint64_t number;
    std::uint64_t bytes;
    JournalUse use;
  };
  struct Outcome {
    std::shared_ptr<JournalFile> file;  // exists and is in the manifest
    bool ready = false;
    std::string fault;
  };
  static Outcome make_ready(LogContext& context, std::uint32_t loop, const Request& request);
  void prepared(Outcome outcome);
  // A file that was made ready and will not be used so: the limit it carried is still to be told.
  void free_unused(std::shared_ptr<JournalFile> file);
  void drop(std::shared_ptr<JournalFile> file);
  static constexpr std::size_t kFreeFilesMax = 4;

  std::shared_ptr<LogContext> context_;
  Loop& loop_;
  Worker& worker_;
  std::shared_ptr<JournalFile> current_;
  std::deque<std::shared_ptr<JournalFile>> used_;
  std::deque<std::shared_ptr<JournalFile>> ready_;  // by generation
  std::vector<std::shared_ptr<JournalFile>> free_;
  std::vector<std::shared_ptr<JournalFile>> failed_;  // not to be used again; removed when released
  std::uint64_t next_generation_;
  std::uint64_t next_file_;
  std::uint64_t trusted_up_to_ = kTrustAll;  // for the next use
  std::uint64_t bytes_ = 0;
  bool given_up_ = false;
  bool preparing_ = false;
  bool stopped_ = false;
  std::vector<Callback> waiting_;
  std::optional<WritePace::Hurry> hurry_;  // while some wait
  std::string fault_;
};

}  // namespace millrace::log
