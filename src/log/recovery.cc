#include "log/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "log/journal_scan.h"
#include "log/leftovers.h"
#include "log/orphans.h"
#include "log/retention.h"
#include "log/run_codec.h"
#include "log/settled_segment.h"
#include "log/shard_blocks.h"

namespace millrace::log {

namespace {

class DiskRecovery final : public Recovery {
 public:
  DiskRecovery(std::shared_ptr<LogContext> context, std::vector<ShardOptions> shards)
      : context_(std::move(context)), disk_(context_->environment.disk), shards_(std::move(shards)) {}

  Result<void> read_all() {
    is_new_ = !context_->manifest->exists();
    manifest_ = context_->manifest->current();
    MR_ASSIGN(leftovers_, find_leftovers(disk_, is_new_ ? nullptr : &manifest_, origin().folder));
    context_->next_segment = manifest_.next_segment;
    open_shards();
    MR_TRY(open_segments(manifest_));
    MR_TRY(take_blocks(manifest_));
    for (std::uint32_t loop = 0; loop < manifest_.loops.size(); ++loop)
      MR_TRY(replay(loop, manifest_.loops[loop]));
    for (std::size_t loop = 0; loop < scans_.size(); ++loop)
      groups_[loop].newest = scans_[loop].end.sequence - 1;
    return check_ends();
  }

  const std::vector<JournalGroups>& journals() const override { return groups_; }

  Result<Recovered> finish(RunDecryptor* decryptor) override {
    context_->environment.decryptor = decryptor;
    MR_TRY(disk_.make_folder("log/journal"));
    MR_TRY(context_->manifest->begin(origin(), context_->environment.marks));
    const auto warn = [this](const std::string& line) { context_->warn(line); };
    for (const JournalScan& scan : scans_)
      if (!scan.torn.empty()) warn(scan.torn);
    for (const std::string& line : lost_) warn(line);
    for (const std::string& path : leftovers_.others)
      warn(fmt::format("{} is not a file of the log; it is left alone", disk_.describe(path)));
    for (const std::string& path : leftovers_.ours) MR_TRY(disk_.remove(path));
    for (const std::string& path : leftovers_.orphans) MR_TRY(move_to_orphaned(disk_, path, warn));
    MR_ASSIGN(const Orphaned orphaned, count_orphaned(disk_));
    count(context_->counters.orphaned_files, orphaned.files);
    count(context_->counters.orphaned_bytes, orphaned.bytes);
    MR_TRY(disk_.make_folder("log/segments"));
    for (const JournalScan& scan : scans_) MR_TRY(make_durable(scan));
    if (manifest_.loops.size() != loop_count()) {
      if (!is_new_) MR_TRY(settle_everything());
      MR_TRY(lay_out(manifest_));
    } else {
      for (std::uint32_t loop = 0; loop < loop_count(); ++loop) go_on(loop, manifest_.loops[loop]);
      // From the first start on, a log says whose it is.
      if (manifest_.origin.folder != origin().folder) MR_TRY(context_->manifest->edit([](Manifest&) {}));
    }
    MR_TRY(begin_clock(manifest_.clock));
    note_ends();
    return Recovered{context_, std::move(loops_), std::move(segments_)};
  }

 private:
  const store::Origin& origin() const { return context_->environment.origin; }
  std::size_t loop_count() const { return context_->environment.loops.size(); }
  LoopState& state_of(ShardKey shard) { return *loops_[loop_of(shard, loop_count())].state; }

  void open_shards() {
    for (Loop* loop : context_->environment.loops)
      loops_.push_back({std::make_shared<LoopState>(context_, *loop), {}, {}});
    for (const ShardOptions& options : shards_) state_of(options.shard).shards.open(options);
  }

  Result<void> open_segments(const Manifest& manifest) {
    for (const SegmentEntry& entry : manifest.segments) {
      MR_ASSIGN(OpenedSegment opened, open_segment(disk_, entry));
      opened.segment->applied = true;
      if (const auto lost = manifest.lost.find(entry.number); lost != manifest.lost.end()) {
        opened.segment->damaged = true;
        for (const std::uint64_t position : lost->second) context_->damage.mark_lost(entry.number, position);
      }
      count(context_->counters.segments, 1);
      count(context_->counters.segment_bytes, entry.bytes);
      for (const RecoveredLoop& loop : loops_)
        loop.state->segments.emplace(static_cast<std::uint32_t>(entry.number), opened.segment);
      for (const BlockEntry& block : opened.blocks) {
        MR_TRY(check_made(disk_, segment_path(entry.number), block.position, block.shard,
                          context_->options.next_shard));
        Shard* shard = state_of(block.shard).shards.find(block.shard);
        const auto floor = manifest.floors.find(block.shard);
        const bool is_gone =
            shard == nullptr || (floor != manifest.floors.end() && block.end_offset() <= floor->second);
        if (is_gone) {
          opened.segment->live_bytes -= block.stored_bytes;
          continue;
        }
        BlockRef ref = make_ref(block, static_cast<std::uint32_t>(entry.number));
        if (opened.segment->damaged && context_->damage.is_lost(entry.number, block.position)) {
          ref.codec = BlockRef::kLost;
          lost_.push_back(
              fmt::format("records {} to {} of shard {} are marked as lost, in {}: readers pass "
                          "over them",
                          block.first_offset, block.end_offset() - 1, to_number(block.shard),
                          disk_.describe(opened.segment->path())));
        }
        shard->rest->blocks.push_back(ref);
      }
      segments_.push_back(std::move(opened.segment));
    }
    return {};
  }

  // Every shard's blocks follow each other; they give its ends.
  Result<void> take_blocks(const Manifest& manifest) {
    for (const ShardOptions& options : shards_) {
      Shard& shard = *state_of(options.shard).shards.find(options.shard);
      auto& blocks = shard.rest->blocks;
      MR_TRY(put_in_order(disk_, options.shard, blocks));
      const auto floor = manifest.floors.find(options.shard);
      const std::uint64_t floor_offset = floor == manifest.floors.end() ? 0 : floor->second;
      shard.durable_end = blocks.empty() ? floor_offset : blocks.back().end_offset();
      shard.rest->first_offset =
          blocks.empty() ? floor_offset : std::max(floor_offset, blocks.front().first_offset);
      shard.next_offset = shard.durable_end;
    }
    for (const LoopManifest& loop : manifest.loops)
      for (const RecoveredLoop& recovered : loops_) raise_arrival(*recovered.state, loop.last_arrival_ms);
    return {};
  }

  Result<void> check_ends() {
    for (const ShardOptions& options : shards_) {
      const Shard& shard = *state_of(options.shard).shards.find(options.shard);
      MR_TRY(check_reaches(disk_, options.shard, shard.durable_end, options.end_at_least));
    }
    return {};
  }

  // What the folder must reach from now on.
  void note_ends() {
    store::PartMarks* const marks = context_->environment.marks;
    if (marks == nullptr) return;
    marks->note(std::string(kManifestPart), context_->manifest->mark());
    for (std::uint32_t loop = 0; loop < loop_count(); ++loop)
      marks->note(journal_folder(loop),
                  {loops_[loop].journal.next_sequence - 1, 0, loops_[loop].journal.last_sum});
    for (std::size_t loop = loop_count(); loop < manifest_.loops.size(); ++loop)
      marks->forget(journal_folder(static_cast<std::uint32_t>(loop)));
  }

  static void raise_arrival(LoopState& state, std::int64_t arrival_ms) {
    state.last_arrival_ms = std::max(state.last_arrival_ms, arrival_ms);
  }

  // Reads what had not settled into the tail of the same loop; with another number of loops, of loop 0, from
  // where it goes into a segment.
  Result<void> replay(std::uint32_t loop, const LoopManifest& manifest) {
    const bool same_loops = loop_count() == context_->manifest->current().loops.size();
    RecoveredLoop& into = loops_[same_loops ? loop : 0];
    JournalGroups& groups = groups_.emplace_back();
    auto scan = scan_journal(disk_, loop, manifest, manifest_.origin.folder, store::Disk::Mode::kWrite,
                             [&](const ScannedFrame& frame) {
                               groups.add(frame.header.sequence, frame.sum);
                               return take_frame(into, frame);
                             });
    if (!scan.ok()) return std::move(scan).error();
    scans_.push_back(std::move(scan).value());
    return {};
  }

  Result<void> take_frame(RecoveredLoop& into, const ScannedFrame& frame) {
    auto batch = std::make_shared<Batch>();
    batch->bytes.append(frame.payload);
    for (std::size_t at = 0; at < batch->bytes.size();) {
      const RunHeader header = load_run_header(batch->bytes.data() + at);
      Run run{header.shard, static_cast<std::uint32_t>(at),
              static_cast<std::uint32_t>(at + kRunHeaderBytes + header.bytes), header.count};
      run.first_offset = header.first_offset;
      run.arrival_ms = header.arrival_ms;
      at = run.end;
      MR_TRY(check_made(disk_, frame.file.path, frame.offset, run.shard, context_->options.next_shard));
      Shard* shard = state_of(run.shard).shards.find(run.shard);
      run.status = shard == nullptr ? RunStatus::kGone : RunStatus::kDurable;
      raise_arrival(*into.state, run.arrival_ms);
      if (shard != nullptr) {
        MR_TRY(check_follows(run.shard, run.first_offset, shard->durable_end));
        raise_arrival(state_of(run.shard), run.arrival_ms);
        shard->durable_end += run.count;
        shard->next_offset = shard->durable_end;
        shard->ring.push({static_cast<std::uint32_t>(run.first_offset),
                          static_cast<std::uint32_t>(into.state->tail.end()), run.begin, run.count});
      }
      batch->runs.push_back(run);
    }
    into.state->tail.push(std::move(batch));
    into.unsettled.push_back({frame.end, into.state->tail.end(), frame_bytes(frame.payload.size())});
    return {};
  }

  // The page cache may hold what no disk has (after a kill, or a sync that failed): the last group, or the
  // header of the file in use, and nothing earlier. Writes them again, and a mark that the group is durable
  // behind it.
  Result<void> make_durable(const JournalScan& scan) {
    if (scan.last_frame) {
      JournalFile& file = *scan.files[scan.last_frame->file];
      Bytes frame;
      frame.resize(scan.last_frame->bytes);
      MR_ASSIGN(const std::size_t read,
                file.file->read_at(scan.last_frame->offset, {frame.data(), frame.size()}));
      const ByteView piece = frame.view().first(read);
      MR_TRY(file.file->write_at(scan.last_frame->offset, {&piece, 1}));
      MR_TRY(file.file->sync());
    }
    if (scan.clean_stop) return {};
    JournalFile& file = *scan.files[scan.in_use - 1];
    MR_TRY(write_use(file));
    MR_TRY(write_mark(file, scan.end.offset, scan.end.sequence - 1, FrameKind::kMark));
    return file.file->sync();
  }

  void go_on(std::uint32_t loop, const LoopManifest& manifest) {
    JournalScan& scan = scans_[loop];
    Journal::Start& start = loops_[loop].journal;
    start.offset = scan.end.offset;
    start.next_sequence = scan.end.sequence;
    start.last_sum = groups_[loop].sum_of(scan.end.sequence - 1);
    start.pool.current = scan.files[scan.in_use - 1];
    start.pool.used.assign(scan.files.begin(),
                           scan.files.begin() + static_cast<std::ptrdiff_t>(scan.in_use - 1));
    start.pool.free.assign(scan.files.begin() + static_cast<std::ptrdiff_t>(scan.in_use), scan.files.end());
    start.pool.next_generation = scan.generation_max + 1;
    start.pool.next_file = manifest.next_file;
    if (!scan.clean_stop) start.pool.last_good_sequence = scan.end.sequence - 1;
  }

  // Another number of loops: what waited in the journals goes into a segment, and the journals begin anew.
  Result<void> settle_everything() {
    LoopState& from = *loops_[0].state;
    std::vector<std::shared_ptr<const Batch>> batches;
    for (std::uint64_t number = from.tail.begin(); number < from.tail.end(); ++number)
      batches.push_back(from.tail.batch(static_cast<std::uint32_t>(number)));
    MR_ASSIGN(settled_, write_settled(*context_, batches, Effort::kLittle));
    for (const ShardOptions& options : shards_)
      state_of(options.shard).shards.find(options.shard)->ring.clear();
    from.tail = Tail{};
    loops_[0].unsettled.clear();
    if (!settled_.segment) return {};
    settled_.segment->applied = true;
    for (const RecoveredLoop& loop : loops_)
      loop.state->segments.emplace(static_cast<std::uint32_t>(settled_.segment->number()), settled_.segment);
    for (const BlockEntry& block : settled_.blocks)
      add_block(state_of(block.shard), block, *settled_.segment);
    segments_.push_back(settled_.segment);
    count(context_->counters.segments, 1);
    count(context_->counters.segment_bytes, settled_.segment->bytes());
    return {};
  }

  Result<void> lay_out(const Manifest& before) {
    std::vector<LoopManifest> layout;
    for (std::uint32_t loop = 0; loop < loop_count(); ++loop) {
      LoopManifest entry;
      if (loop < before.loops.size()) {
        entry = before.loops[loop];
        entry.position = scans_[loop].end;
        go_on(loop, entry);
      } else {
        MR_TRY(disk_.make_folder(journal_folder(loop)));
        const std::uint64_t number = entry.next_file++;
        MR_ASSIGN(auto file, create_journal_file(disk_, context_->pace, loop, number,
                                                 context_->options.journal_file_bytes));
        MR_TRY(begin_use(*file, {1, context_->environment.random.next_u64(), kTrustAll, origin().folder}));
        entry.files.push_back({number, file->bytes});
        entry.position = {number, 1, kJournalFramesBegin, 1};
        Journal::Start& start = loops_[loop].journal;
        start.offset = kJournalFramesBegin;
        start.pool.current = std::move(file);
        start.pool.next_generation = 2;
        start.pool.next_file = entry.next_file;
      }
      entry.last_arrival_ms = loops_[loop].state->last_arrival_ms;
      layout.push_back(std::move(entry));
    }
    MR_TRY(context_->manifest->edit([&](Manifest& manifest) {
      manifest.loops = layout;
      if (settled_.segment) add_segment(manifest, settled_.segment->entry());
    }));
    for (std::size_t loop = loop_count(); loop < before.loops.size(); ++loop)
      for (const JournalFileEntry& file : before.loops[loop].files)
        MR_TRY(disk_.remove(journal_path(static_cast<std::uint32_t>(loop), file.number)));
    return {};
  }

  // The time since the last stop is skipped: nobody knows whether it passed.
  Result<void> begin_clock(const ClockMark& mark) {
    std::int64_t newest_ms = 0;
    for (const RecoveredLoop& loop : loops_) newest_ms = std::max(newest_ms, loop.state->last_arrival_ms);
    FolderClock& clock = context_->environment.clock;
    clock.begin(mark, newest_ms, context_->environment.warn);
    const auto skips = clock.observe();
    // A folder without records has time stamps in its catalog: the next start must know of them from the
    // first on.
    if (!skips && mark != ClockMark{}) return {};
    auto kept = context_->manifest->edit([&](Manifest& manifest) {
      manifest.clock = skips ? ClockMark{clock.wall_ms(), *skips} : clock.mark();
    });
    if (kept.ok()) {
      if (skips) clock.accept();
      return {};
    }
    if (kept.error().kind != ErrorKind::kUnavailable) return kept;
    if (skips) clock.decline();
    context_->warn("the folder's clock cannot be kept yet: " + kept.error().text);
    return {};
  }

  std::shared_ptr<LogContext> context_;
  store::Disk& disk_;
  const std::vector<ShardOptions> shards_;
  bool is_new_ = true;
  Manifest manifest_;
  Leftovers leftovers_;
  std::vector<JournalGroups> groups_;  // of each loop
  std::vector<RecoveredLoop> loops_;
  std::vector<std::shared_ptr<Segment>> segments_;
  std::vector<JournalScan> scans_;
  std::vector<std::string> lost_;  // a line for each block that is marked so
  OpenedSegment settled_;
};

}  // namespace

Result<std::unique_ptr<Recovery>> Recovery::read(LogEnvironment environment, const LogOptions& options,
                                                 std::vector<ShardOptions> shards) {
  MR_ASSIGN(auto manifest, ManifestStore::open(environment.disk));
  auto context = std::make_shared<LogContext>(std::move(environment), options, std::move(manifest));
  auto recovery = std::make_unique<DiskRecovery>(std::move(context), std::move(shards));
  MR_TRY(recovery->read_all());
  return std::unique_ptr<Recovery>(std::move(recovery));
}

}  // namespace millrace::log
