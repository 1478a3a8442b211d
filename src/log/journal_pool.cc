#include "log/journal_pool.h"

#include <algorithm>

namespace millrace::log {

namespace {

// A block at the end stays free for the mark behind the last frame.
bool holds_first_frame(const JournalFile& file, std::uint64_t frame_bytes) {
  return kJournalFramesBegin + frame_bytes + kBlockBytes <= file.bytes;
}

std::uint64_t file_bytes_for(std::uint64_t frame_bytes, std::uint64_t file_bytes) {
  const std::uint64_t needed = kJournalFramesBegin + frame_bytes + kBlockBytes;
  return (needed + file_bytes - 1) / file_bytes * file_bytes;
}

void erase_entry(LoopManifest& loop, std::uint64_t number) {
  std::erase_if(loop.files, [number](const JournalFileEntry& entry) { return entry.number == number; });
}

}  // namespace

JournalPool::JournalPool(std::shared_ptr<LogContext> context, Loop& loop, Worker& worker, Start start)
    : context_(std::move(context)),
      loop_(loop),
      worker_(worker),
      current_(std::move(start.current)),
      used_(std::move(start.used)),
      free_(std::move(start.free)),
      next_generation_(start.next_generation),
      next_file_(start.next_file) {
  bytes_ = current_->bytes;
  for (const auto& file : used_) bytes_ += file->bytes;
  for (const auto& file : free_) bytes_ += file->bytes;
  if (start.last_good_sequence) give_up_current(*start.last_good_sequence);
}

bool JournalPool::advance(std::uint64_t frame_bytes) {
  // Uses follow each other by generation: a file that is too small is passed over, and free again.
  while (!ready_.empty() && !holds_first_frame(*ready_.front(), frame_bytes)) {
    free_unused(std::move(ready_.front()));
    ready_.pop_front();
  }
  if (ready_.empty()) return false;
  used_.push_back(std::exchange(current_, std::move(ready_.front())));
  ready_.pop_front();
  given_up_ = false;
  return true;
}

void JournalPool::prepare(std::uint64_t frame_bytes, Callback ready) {
  if (ready) {
    waiting_.push_back(std::move(ready));
    if (!hurry_) hurry_.emplace(context_->pace);
  }
  if (std::exchange(preparing_, true)) return;
  Request request{nullptr, 0, file_bytes_for(frame_bytes, context_->options.journal_file_bytes), {}};
  const auto fits = std::find_if(free_.begin(), free_.end(),
                                 [&](const auto& file) { return holds_first_frame(*file, frame_bytes); });
  if (fits != free_.end()) {
    request.file = std::move(*fits);
    free_.erase(fits);
    // Header slots take turns: the use must not overwrite the header of the last one.
    if ((next_generation_ - request.file->use.generation) % kJournalSlots == 0) ++next_generation_;
  } else {
    request.number = next_file_++;
  }
  request.use = {next_generation_++, context_->environment.random.next_u64(),
                 std::exchange(trusted_up_to_, kTrustAll), context_->environment.origin.folder};
  worker_.run([self = shared_from_this(), request = std::move(request)] {
    auto outcome = std::make_shared<Outcome>(
        make_ready(*self->context_, static_cast<std::uint32_t>(self->loop_.index()), request));
    self->loop_.post([self, outcome, trusted = request.use.trusted_up_to] {
      // A limit that did not reach the disk is still to be told.
      if (!outcome->ready) self->trusted_up_to_ = std::min(self->trusted_up_to_, trusted);
      self->prepared(std::move(*outcome));
    });
  });
}

void JournalPool::prepare_ahead() {
  if (ready_.empty() && !preparing_ && !stopped_) prepare(kBlockBytes, {});
}

JournalPool::Outcome JournalPool::make_ready(LogContext& context, std::uint32_t loop,
                                             const Request& request) {
  Outcome outcome{request.file, false, {}};
  if (!outcome.file) {
    auto made =
        create_journal_file(context.environment.disk, context.pace, loop, request.number, request.bytes);
    if (!made.ok()) return {nullptr, false, std::move(made.error().text)};
    auto listed = context.manifest->edit([&](Manifest& manifest) {
      manifest.loops[loop].files.push_back({request.number, request.bytes});
      manifest.loops[loop].next_file = request.number + 1;
    });
    if (!listed.ok() && listed.error().kind != ErrorKind::kUnknown) {
      static_cast<void>(context.environment.disk.remove((*made)->path).ok());
      return {nullptr, false, std::move(listed.error().text)};
    }
    outcome.file = std::move(made).value();
  }
  auto begun = context.manifest->confirm();
  if (begun.ok()) begun = begin_use(*outcome.file, request.use);
  if (!begun.ok()) {
    outcome.fault = std::move(begun.error().text);
    return outcome;
  }
  outcome.ready = true;
  return outcome;
}

void JournalPool::prepared(Outcome outcome) {
  preparing_ = false;
  fault_ = std::move(outcome.fault);
  if (outcome.ready) {
    // Made ready while the current file failed: it does not carry the limit.
    const bool stale = trusted_up_to_ != kTrustAll;
    if (stale)
      free_unused(std::move(outcome.file));
    else
      ready_.push_back(std::move(outcome.file));
  } else if (outcome.file) {
    drop(std::move(outcome.file));
  }
  bytes_ = current_->bytes;
  for (const auto* files : {&used_, &ready_})
    for (const auto& file : *files) bytes_ += file->bytes;
  for (const auto& file : free_) bytes_ += file->bytes;
  hurry_.reset();
  std::vector<Callback> waiting;
  waiting.swap(waiting_);
  for (Callback& callback : waiting) callback();
}

void JournalPool::abandon_current(std::uint64_t last_good_sequence) {
  failed_.push_back(current_);
  give_up_current(last_good_sequence);
}

void JournalPool::give_up_current(std::uint64_t last_good_sequence) {
  given_up_ = true;
  trusted_up_to_ = std::min(trusted_up_to_, last_good_sequence);
  // Those are of a generation before the one that will carry the limit.
  for (auto& file : ready_) free_unused(std::move(file));
  ready_.clear();
}

void JournalPool::free_unused(std::shared_ptr<JournalFile> file) {
  trusted_up_to_ = std::min(trusted_up_to_, file->use.trusted_up_to);
  free_.push_back(std::move(file));
}

void JournalPool::release_before(std::uint64_t generation) {
  while (!used_.empty() && used_.front()->use.generation < generation) {
    std::shared_ptr<JournalFile> file = std::move(used_.front());
    used_.pop_front();
    const auto failed = std::find(failed_.begin(), failed_.end(), file);
    if (failed != failed_.end()) {
      failed_.erase(failed);
      drop(std::move(file));
    } else if (free_.size() >= kFreeFilesMax || file->bytes > context_->options.journal_file_bytes) {
      drop(std::move(file));
    } else {
      free_.push_back(std::move(file));
    }
  }
}

void JournalPool::drop(std::shared_ptr<JournalFile> file) {
  worker_.run([context = context_, file = std::move(file), loop = static_cast<std::uint32_t>(loop_.index())] {
    const auto unlisted =
        context->manifest->edit([&](Manifest& manifest) { erase_entry(manifest.loops[loop], file->number); });
    // A file that stays in the manifest must stay on the disk; the next start finds it free.
    if (!unlisted.ok()) return;
    static_cast<void>(context->environment.disk.remove(file->path).ok());
  });
}

}  // namespace millrace::log
