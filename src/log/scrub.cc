#include "log/scrub.h"

#include <algorithm>

namespace millrace::log {

namespace {

// More than this is not made up for at once after a pause.
constexpr double kDueSecondsMax = 2;

}  // namespace

std::uint64_t Scrub::next_bytes() const {
  return next_block_ < blocks_.size() ? blocks_[next_block_].stored_bytes : kSegmentHeaderBytes;
}

void Scrub::tick() {
  const std::int64_t pass_ms = context_->options.scrub_ms;
  if (stopped_ || running_ || pass_ms == 0) return;
  const std::int64_t now_ns = context_->environment.clock.monotonic_ns();
  const double elapsed_s = static_cast<double>(now_ns - ticked_ns_) / static_cast<double>(kNsPerS);
  const bool first = ticked_ns_ == 0;
  ticked_ns_ = now_ns;
  if (first) return;
  const double bytes_per_s =
      static_cast<double>(context_->counters.segment_bytes.load()) * 1e3 / static_cast<double>(pass_ms);
  due_bytes_ = std::min(due_bytes_ + bytes_per_s * elapsed_s,
                        static_cast<double>(next_bytes()) + bytes_per_s * kDueSecondsMax);
  if (bytes_per_s == 0 || due_bytes_ < static_cast<double>(next_bytes())) return;
  running_ = true;
  worker_.run([self = shared_from_this()] {
    self->read_due();
    self->running_ = false;
  });
}

void Scrub::count_read(std::uint64_t bytes) {
  count(context_->counters.scrubbed_bytes, bytes);
  count(context_->counters.scrub_pass_bytes, bytes);
}

void Scrub::read_due() {
  while (!stopped_ && due_bytes_ >= static_cast<double>(next_bytes())) {
    const auto segment = segment_.lock();
    if (segment == nullptr || next_block_ == blocks_.size()) {
      if (!next_segment()) return;
      continue;
    }
    const BlockEntry& block = blocks_[next_block_++];
    due_bytes_ -= block.stored_bytes;
    if (context_->damage.is_lost(segment->number(), block.position)) continue;
    segment->file().forget(block.position, block.stored_bytes);
    // Damage is noted; what the disk refuses now is read in the next pass.
    static_cast<void>(load_noting_damage(*context_, *segment, block.shard,
                                         make_ref(block, static_cast<std::uint32_t>(segment->number())))
                          .ok());
    count_read(block.stored_bytes);
  }
}

// False: there is none.
bool Scrub::next_segment() {
  auto segments = compaction_->segments();
  std::sort(segments.begin(), segments.end(),
            [](const auto& a, const auto& b) { return a->number() < b->number(); });
  if (segments.empty()) return false;
  if (!pass_began_) {
    context_->counters.scrub_pass_began_ms = context_->environment.clock.wall_ms();
    pass_began_ = segments[context_->environment.random.next_u64() % segments.size()]->number();
    next_number_ = *pass_began_;
  }
  auto found = std::find_if(segments.begin(), segments.end(),
                            [this](const auto& segment) { return segment->number() >= next_number_; });
  if (found == segments.end() && !wrapped_) {
    wrapped_ = true;
    found = segments.begin();
  }
  if (found == segments.end() || (wrapped_ && (*found)->number() >= *pass_began_)) {
    context_->counters.scrub_finished_ms = context_->environment.clock.wall_ms();
    context_->counters.scrub_pass_began_ms = context_->counters.scrub_finished_ms.load();
    context_->counters.scrub_pass_bytes = 0;
    wrapped_ = false;
    pass_began_ = found == segments.end() ? segments.front()->number() : (*found)->number();
    if (found == segments.end()) found = segments.begin();
  }
  next_number_ = (*found)->number() + 1;
  segment_ = *found;
  blocks_.clear();
  next_block_ = 0;
  due_bytes_ -= kSegmentHeaderBytes;
  if (auto opened = open_noting_damage(*context_, **found); opened.ok()) {
    blocks_ = std::move(opened->blocks);
    const std::uint64_t index_bytes = blocks_.size() * kBlockEntryBytes;
    due_bytes_ -= static_cast<double>(index_bytes);
    count_read(index_bytes);
  }
  return true;
}

}  // namespace millrace::log
