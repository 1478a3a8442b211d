// Byte 0: what the rest is. 0: edits of a data folder, as disks and people damage one. 1: edits by someone
// who makes the sums right again. 2: bytes for one of the decoders.
//
// Whatever a folder looks like, the log starts, or refuses and names a file; and every record that it serves
// after an accident is the one that was written there, in order, without a gap. What a forger wrote may be
// served, but nothing that he writes makes the log fail in another way.
#include <algorithm>
#include <map>
#include <string>

#include "base/assert.h"
#include "fuzz/damage.h"
#include "fuzz/decoders.h"
#include "fuzz/drawn_input.h"
#include "fuzz/log_folder.h"
#include "log/inspect.h"

namespace millrace::log {
namespace {

constexpr int kReadsMax = 500;

bool names_a_file(const std::string& text) { return text.find("sim:/log/") != std::string::npos; }

class Trial {
 public:
  Trial(const Folder& folder, const Files& files, Damage::By by, bool is_simple)
      : folder_(folder), by_(by), is_simple_(is_simple), machine_(folder.loops, folder.shards) {
    machine_.put(files);
  }

  void run(bool dump, bool second_life) {
    look_at(dump);
    if (!start()) return;
    read_all();
    if (second_life && live_on()) read_all();
    if (machine_.log) static_cast<void>(machine_.stop().ok());
  }

 private:
  bool is_accident() const { return by_ == Damage::By::kAccident; }

  // An accident leaves no other error; a forger's numbers may also ask for what the disk does not do.
  void expect_refusal(const Error& error) {
    if (is_accident()) MR_ASSERT(error.kind == ErrorKind::kCorrupt);
    MR_ASSERT(names_a_file(error.text));
  }

  void look_at(bool dump) {
    const std::uint64_t operations = machine_.disk.operations();  // that change something
    const LineSink line = [](const std::string& text) {
      MR_ASSERT(std::all_of(text.begin(), text.end(),
                            [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7f; }));
    };
    const auto found = inspect(machine_.disk, dump ? Inspect::kDump : Inspect::kVerify, line);
    MR_ASSERT(found.ok());
    problems_ = found->problems;
    MR_ASSERT(machine_.disk.operations() == operations);
  }

  // A start may remove what a crash left of an object being put; else the folder stays as it was, for people.
  static Files without_unfinished(Files files) {
    std::erase_if(files, [](const auto& file) { return file.first.find(".tmp-") != std::string::npos; });
    return files;
  }

  bool start() {
    const Files before = machine_.files();
    auto started = machine_.start();
    if (started.ok()) return true;
    expect_refusal(started.error());
    if (is_accident()) MR_ASSERT(without_unfinished(machine_.files()) == without_unfinished(before));
    return false;
  }

  void read_all() {
    for (std::uint64_t shard = 1; shard <= folder_.shards; ++shard) read_shard(shard);
  }

  void read_shard(std::uint64_t shard) {
    const Extent extent = machine_.extent(shard);
    MR_ASSERT(extent.first_offset <= extent.end_offset);
    std::uint64_t next = extent.first_offset;
    for (int reads = 0; reads < kReadsMax; ++reads) {
      const auto batch = machine_.read(shard, next);
      if (!batch.ok()) {
        if (!is_accident()) return;  // an encrypted run, and no key
        // The file is the log's business; a reader is told of the records.
        MR_ASSERT(batch.error().kind == ErrorKind::kCorrupt && !names_a_file(batch.error().text));
        MR_ASSERT(problems_ != 0);  // `log verify` reads the same blocks
        return;
      }
      if (batch->records.empty()) break;
      for (const RecordView& record : batch->records) {
        if (!is_accident()) continue;
        MR_ASSERT(record.offset == next);
        MR_ASSERT(is_record(record, {static_cast<std::uint32_t>(shard), static_cast<std::uint32_t>(next)}));
        ++next;
      }
      MR_ASSERT(batch->next_offset > batch->records.back().offset);
      next = batch->next_offset;
    }
    if (!is_accident()) return;
    const Extent& known = folder_.extents.at(shard);
    MR_ASSERT(next == extent.end_offset);
    MR_ASSERT(next <= known.end_offset + appended_);
    if (is_simple_) {
      MR_ASSERT(next == known.end_offset + appended_);
      MR_ASSERT(extent.first_offset == known.first_offset);
    }
    MR_ASSERT(next >= served_[shard]);
    served_[shard] = next;
  }

  // What starts goes on: appends, stops, and starts again with all of it.
  bool live_on() {
    for (std::uint64_t shard = 1; shard <= folder_.shards; ++shard) {
      const RunStatus status = machine_.append(shard, 1);
      if (!is_accident()) continue;
      MR_ASSERT(status == RunStatus::kDurable);
      ++served_[shard];
    }
    ++appended_;
    const auto stopped = machine_.stop();
    const auto started = machine_.start();
    if (is_accident()) MR_ASSERT(stopped.ok() && started.ok());
    return started.ok();
  }

  const Folder& folder_;
  const Damage::By by_;
  const bool is_simple_;
  Machine machine_;
  std::uint64_t problems_ = 0;
  std::uint64_t appended_ = 0;                     // to each shard
  std::map<std::uint64_t, std::uint64_t> served_;  // up to this offset, by shard
};

void check_folder(fuzz::DrawnInput& draw, Damage::By by) {
  const auto& folders = log_folders();
  const std::uint8_t options = draw.byte();
  const Folder& folder = folders[options % folders.size()];
  const std::size_t flags = options / folders.size();
  Files files = folder.files;
  Damage damage(files, draw, by);
  damage.run();
  Trial(folder, files, by, damage.is_simple()).run((flags & 1) != 0, (flags & 2) != 0);
}

void check(std::string_view input) {
  fuzz::DrawnInput draw(input);
  switch (draw.below(3)) {
    case 0:
      return check_folder(draw, Damage::By::kAccident);
    case 1:
      return check_folder(draw, Damage::By::kForger);
    default:
      return check_decoders(draw);
  }
}

}  // namespace
}  // namespace millrace::log

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  millrace::log::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
