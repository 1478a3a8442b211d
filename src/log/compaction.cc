#include "log/compaction.h"

#include <algorithm>
#include <utility>

#include "base/crc32c.h"
#include "log/retention.h"
#include "log/run_codec.h"
#include "log/segment_writer.h"

namespace millrace::log {

namespace {

constexpr std::uint64_t kSmallestClassBytes = 256u << 10;
constexpr std::uint64_t kClassFactor = 8;  // so each record is rewritten about log8 times
constexpr std::size_t kJoinedAtOnce = 8;
constexpr std::uint64_t kJoinedBytesMax = 1u << 30;
constexpr std::uint32_t kSmallBlockBytes = 64u << 10;  // unpacked: such are joined with their neighbours
constexpr std::size_t kAppliedAtOnce = 256;            // shards told before the loop does other work

std::size_t class_of(std::uint64_t bytes) {
  std::size_t size_class = 0;
  for (std::uint64_t limit = kSmallestClassBytes; bytes > limit; limit *= kClassFactor) ++size_class;
  return size_class;
}

// Blocks of one shard, out of several segments.
struct Source {
  BlockEntry block;
  Segment* segment;
};

Result<void> copy_block(LogContext& context, const Source& source, SegmentWriter& writer,
                        BlockBuilder& joined, std::uint64_t& joined_end) {
  const BlockRef ref = make_ref(source.block, static_cast<std::uint32_t>(source.segment->number()));
  MR_ASSIGN(const Bytes raw, load_noting_damage(context, *source.segment, source.block.shard, ref));
  if (source.block.raw_bytes < kSmallBlockBytes) {
    if (joined_end != source.block.first_offset) MR_TRY(joined.end_block());
    for (std::size_t at = 0; at < raw.size();) {
      const RunHeader run = load_run_header(raw.data() + at);
      MR_TRY(joined.add(run, raw.data() + at + kRunHeaderBytes));
      at += kRunHeaderBytes + run.bytes;
    }
  } else {
    MR_TRY(joined.end_block());
    MR_TRY(writer.add_raw(raw.view(), Effort::kMore));
  }
  joined_end = source.block.end_offset();
  return {};
}

}  // namespace

struct Compaction::Job {
  std::vector<std::shared_ptr<Segment>> inputs;
  std::map<ShardKey, std::vector<Source>> sources;
  // Of the shards in `sources` and in the manifest's floors: first record that is left; nullopt: the shard is
  // gone.
  std::map<ShardKey, std::optional<std::uint64_t>> firsts;
  std::map<ShardKey, std::uint64_t> floors;
  OpenedSegment made;
  bool written = false;
  bool in_manifest = false;
};

void Compaction::add(std::shared_ptr<Segment> segment) {
  const std::lock_guard lock(mutex_);
  segments_.push_back(std::move(segment));
}

std::vector<std::shared_ptr<Segment>> Compaction::segments() {
  const std::lock_guard lock(mutex_);
  return segments_;
}

void Compaction::tick() {
  if (stopped_ || running_) return;
  auto inputs = choose();
  if (inputs.empty() && removal_.waiting() == 0) return;
  if (running_.exchange(true)) return;
  auto job = std::make_shared<Job>();
  job->inputs = std::move(inputs);
  worker_.run([self = shared_from_this(), job] {
    self->removal_.run();
    if (!job->inputs.empty()) return self->read_indexes(job);
    self->running_ = false;
  });
}

std::vector<std::shared_ptr<Segment>> Compaction::choose() {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Segment>> dead;
  std::shared_ptr<Segment> thin;
  std::map<std::size_t, std::vector<std::shared_ptr<Segment>>> classes;
  for (const auto& segment : segments_) {
    if (!segment->applied) continue;
    const auto live = static_cast<std::uint64_t>(std::max<std::int64_t>(segment->live_bytes, 0));
    if (live == 0)
      dead.push_back(segment);
    else if (segment->damaged)
      continue;  // what is left of it stays where it is, for people to look at, and to restore
    else if (live < segment->block_bytes() / 2 && !thin)  // its index is no waste, however large beside them
      thin = segment;
    else
      classes[class_of(live)].push_back(segment);
  }
  if (!dead.empty()) return dead;
  if (thin) return {thin};
  for (auto& [size_class, members] : classes) {
    if (members.size() < kJoinedAtOnce) continue;
    std::sort(members.begin(), members.end(),
              [](const auto& a, const auto& b) { return a->number() < b->number(); });
    std::vector<std::shared_ptr<Segment>> joined;
    std::uint64_t bytes = 0;
    for (const auto& member : members) {
      bytes += member->bytes();
      if (joined.size() == kJoinedAtOnce || bytes > kJoinedBytesMax) break;
      joined.push_back(member);
    }
    if (joined.size() > 1) return joined;
  }
  return {};
}

void Compaction::read_indexes(std::shared_ptr<Job> job) {
  for (const auto& segment : job->inputs) {
    auto opened = open_noting_damage(*context_, *segment);
    if (!opened.ok()) return give_up(opened.error().kind, opened.error().text);
    for (const BlockEntry& block : opened->blocks) {
      job->sources[block.shard].push_back({block, segment.get()});
      job->firsts[block.shard] = std::nullopt;
    }
  }
  for (auto& [shard, sources] : job->sources)
    std::sort(sources.begin(), sources.end(),
              [](const Source& a, const Source& b) { return a.block.first_offset < b.block.first_offset; });
  for (const auto& [shard, floor] : context_->manifest->current().floors) job->firsts[shard] = std::nullopt;
  ask_loop(std::move(job), 0);
}

// What is alive is known on the shards' loops alone.
void Compaction::ask_loop(std::shared_ptr<Job> job, std::size_t loop) {
  if (stopped_) return;
  if (loop == states_.size()) return worker_.run([self = shared_from_this(), job] { self->rewrite(job); });
  states_[loop]->loop.post([self = shared_from_this(), job, loop] {
    LoopState& state = *self->states_[loop];
    for (auto& [key, first] : job->firsts) {
      if (loop_of(key, self->states_.size()) != loop) continue;
      if (const Shard* shard = state.shards.find(key); shard != nullptr) first = shard->rest->first_offset;
    }
    self->ask_loop(job, loop + 1);
  });
}

void Compaction::rewrite(std::shared_ptr<Job> job) {
  if (!job->written) {
    if (auto written = write(*job); !written.ok()) return give_up(written.error().kind, written.error().text);
  }
  auto listed = job->in_manifest ? context_->manifest->confirm() : put_in_manifest(*job);
  if (listed.ok()) return apply(std::move(job), 0, 0);
  if (job->in_manifest) {
    // It may be there: nothing may be removed, nor the old be taken for the truth, until it surely is.
    context_->warn("the manifest could not be made durable, will be tried again: " + listed.error().text);
    constexpr std::int64_t kRetryNs = 1'000'000'000;
    states_[0]->loop.post_after(kRetryNs, [self = shared_from_this(), job] {
      if (!self->stopped_) self->worker_.run([self, job] { self->rewrite(job); });
    });
    return;
  }
  if (job->made.segment) {
    const std::string path = job->made.segment->path();
    job->made = {};
    static_cast<void>(context_->environment.disk.remove(path).ok());
  }
  give_up(listed.error().kind, listed.error().text);
}

Result<void> Compaction::write(Job& job) {
  std::unique_ptr<SegmentWriter> writer;
  const auto fill = [&]() -> Result<void> {
    std::optional<BlockBuilder> joined;
    for (const auto& [shard, sources] : job.sources) {
      const std::optional<std::uint64_t> first = job.firsts[shard];
      if (!first) continue;
      std::uint64_t joined_end = 0;
      for (const Source& source : sources) {
        if (source.block.end_offset() <= *first) {
          job.floors[shard] = source.block.end_offset();
          continue;
        }
        if (!writer) {
          MR_ASSIGN(writer, SegmentWriter::create(context_->environment.disk, context_->pace,
                                                  context_->next_segment.fetch_add(1),
                                                  context_->environment.origin.folder));
          joined.emplace(*writer, Effort::kMore);
        }
        MR_TRY(copy_block(*context_, source, *writer, *joined, joined_end));
      }
      if (joined) MR_TRY(joined->end_block());
    }
    if (writer) {
      MR_ASSIGN(job.made, writer->finish());
    }
    return {};
  };
  auto filled = fill();
  if (!filled.ok() && writer) writer->discard();
  job.written = filled.ok();
  return filled;
}

Result<void> Compaction::put_in_manifest(Job& job) {
  auto edited = context_->manifest->edit([&](Manifest& manifest) {
    std::erase_if(manifest.segments, [&](const SegmentEntry& entry) {
      return std::any_of(job.inputs.begin(), job.inputs.end(),
                         [&](const auto& input) { return input->number() == entry.number; });
    });
    for (const auto& input : job.inputs) manifest.lost.erase(input->number());
    if (job.made.segment) add_segment(manifest, job.made.segment->entry());
    for (const auto& [shard, floor] : job.floors) {
      std::uint64_t& kept = manifest.floors[shard];
      kept = std::max(kept, floor);
    }
    for (const auto& [shard, first] : job.firsts)
      if (!first) manifest.floors.erase(shard);
  });
  job.in_manifest = edited.ok() || edited.error().kind == ErrorKind::kUnknown;
  return edited;
}

// Tells each loop, some shards at a time, that the new segment's blocks stand for the old ones'.
void Compaction::apply(std::shared_ptr<Job> job, std::size_t loop, std::size_t from) {
  if (stopped_) return;
  if (loop == states_.size())
    return worker_.run([self = shared_from_this(), job] { self->remove_inputs(job); });
  states_[loop]->loop.post([self = shared_from_this(), job, loop, from] {
    LoopState& state = *self->states_[loop];
    if (job->made.segment)
      state.segments.emplace(static_cast<std::uint32_t>(job->made.segment->number()), job->made.segment);
    auto source = std::next(job->sources.begin(), static_cast<std::ptrdiff_t>(from));
    std::size_t to = from;
    for (; source != job->sources.end() && to < from + kAppliedAtOnce; ++source, ++to) {
      if (loop_of(source->first, self->states_.size()) == loop)
        replace_blocks(state, source->first, job->inputs, job->made);
    }
    if (source != job->sources.end()) return self->apply(job, loop, to);
    for (const auto& input : job->inputs) state.segments.erase(static_cast<std::uint32_t>(input->number()));
    self->apply(job, loop + 1, 0);
  });
}

void Compaction::remove_inputs(std::shared_ptr<Job> job) {
  Counters& counters = context_->counters;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(segments_, [&](const auto& segment) {
      return std::find(job->inputs.begin(), job->inputs.end(), segment) != job->inputs.end();
    });
    if (job->made.segment) segments_.push_back(job->made.segment);
  }
  for (auto& input : std::exchange(job->inputs, {})) {
    counters.segments -= 1;
    counters.segment_bytes -= input->bytes();
    context_->damage.forget(input->number());
    removal_.add(std::move(input));
  }
  if (job->made.segment) {
    job->made.segment->applied = true;
    count(counters.segments, 1);
    count(counters.segment_bytes, job->made.segment->bytes());
  }
  removal_.run();
  running_ = false;
}

void Compaction::give_up(ErrorKind kind, const std::string& cause) {
  // Damage has been told, and is not met again: its segment is passed over from now on.
  if (!stopped_ && kind != ErrorKind::kCorrupt)
    context_->warn("rewriting segments failed, will be tried again: " + cause);
  running_ = false;
}

}  // namespace millrace::log
