#include "log/journal.h"

#include <utility>

namespace millrace::log {

namespace {

constexpr std::int64_t kIdleNs = 20'000'000;  // without a group for so long, the mark is made durable

}  // namespace

// What the worker needs for a group and the mark behind it.
struct Journal::Write {
  std::shared_ptr<JournalFile> file;
  std::uint64_t offset = 0;
  FrameHeader header;
  std::span<const ByteView> payload;
  std::span<const JournalGroup::ToEncrypt> to_encrypt;
  std::size_t lane = 0;  // the loop: its journal has one writer
  FrameSealer sealer;

  std::uint64_t end() const { return offset + frame_bytes(header.payload_bytes); }
};

Journal::Journal(std::shared_ptr<LogContext> context, Loop& loop, Worker& writer, Worker& preparer,
                 Start start)
    : context_(std::move(context)),
      loop_(loop),
      writer_(writer),
      pool_(std::make_shared<JournalPool>(context_, loop, preparer, std::move(start.pool))),
      write_(std::make_shared<Write>()),
      offset_(start.offset),
      next_sequence_(start.next_sequence),
      last_sum_(std::move(start.last_sum)) {}

bool Journal::has_room(std::uint64_t payload_bytes) {
  MR_ASSERT(!busy_);
  const std::uint64_t bytes = frame_bytes(payload_bytes);
  pool_->prepare_ahead();
  if (!pool_->current_given_up() && offset_ + bytes + kBlockBytes <= pool_->current()->bytes) return true;
  if (!pool_->advance(bytes)) return false;
  offset_ = kJournalFramesBegin;
  pool_->prepare_ahead();
  return true;
}

void Journal::make_room(std::uint64_t payload_bytes, Callback tried) {
  pool_->prepare(frame_bytes(payload_bytes), std::move(tried));
}

void Journal::write(const JournalGroup& group, Done done) {
  MR_ASSERT(!busy_);
  MR_ASSERT(!stopped_);
  MR_ASSERT(group.payload_bytes > 0);
  MR_ASSERT(group.payload_bytes <= kFramePayloadBytesMax);
  busy_ = true;
  mark_synced_ = true;  // an older mark is of no use once this group's frame stands there
  write_->file = pool_->current();
  write_->offset = offset_;
  write_->header = {FrameKind::kGroup,      write_->file->use.generation,
                    write_->file->use.salt, next_sequence_,
                    next_sequence_ - 1,     static_cast<std::uint32_t>(group.payload_bytes)};
  write_->payload = group.payload;
  write_->to_encrypt = group.to_encrypt;
  write_->lane = loop_.index();
  writer_.run([self = shared_from_this(), done = std::move(done)]() mutable {
    auto outcome = std::make_unique<Outcome>(self->perform(*self->write_));
    Loop& loop = self->loop_;
    loop.post([self = std::move(self), outcome = std::move(outcome), done = std::move(done)]() mutable {
      self->finished(std::move(*outcome), std::move(done));
    });
  });
}

Journal::Outcome Journal::perform(Write& write) {
  Outcome outcome;
  JournalFile& file = *write.file;
  if (file.write_failed) {
    outcome.written = Error{ErrorKind::kUnavailable, file.path + ": an earlier write to this file failed"};
    return outcome;
  }
  for (const JournalGroup::ToEncrypt& part : write.to_encrypt) part.encryptor->encrypt(write.lane, part.run);
  outcome.written = file.file->write_at(write.offset, write.sealer.seal(write.header, write.payload));
  if (outcome.written.ok()) {
    const Clock& clock = context_->environment.clock;
    const std::int64_t begun_ns = clock.monotonic_ns();
    outcome.written = file.file->sync();
    syncs_.count((clock.monotonic_ns() - begun_ns) / 1'000);
  }
  if (!outcome.written.ok()) {
    file.write_failed = outcome.written.error().kind != ErrorKind::kUnavailable;
    return outcome;
  }
  // Before anyone hears of the group: a killed process leaves the mark too. The next frame goes over it.
  outcome.mark_fault = write_mark(file, write.end(), write.header.sequence, FrameKind::kMark);
  file.write_failed = !outcome.mark_fault.ok();
  return outcome;
}

void Journal::finished(Outcome outcome, Done done) {
  busy_ = false;
  if (outcome.written.ok()) {
    offset_ = write_->end();
    ++next_sequence_;
    last_sum_ = fmt::format("{:08x}", write_->sealer.sum());
    mark_synced_ = false;
    sync_mark_when_idle();
  }
  const bool failed = !outcome.written.ok() && outcome.written.error().kind != ErrorKind::kUnavailable;
  if (failed) give_up(write_->file, outcome.written.error().text);
  if (!outcome.mark_fault.ok()) give_up(write_->file, outcome.mark_fault.error().text);
  done(std::move(outcome.written));
}

// Off the way of acknowledgements: only when nothing was written for a while, and once.
void Journal::sync_mark_when_idle() {
  if (std::exchange(idle_check_pending_, true)) return;
  loop_.post_after(kIdleNs, [self = shared_from_this(), sequence = next_sequence_] {
    self->idle_check_pending_ = false;
    if (self->mark_synced_ || self->busy_ || self->stopped_ || self->pool_->current_given_up()) return;
    if (sequence != self->next_sequence_) return self->sync_mark_when_idle();
    self->mark_synced_ = true;
    self->writer_.run([self, file = self->pool_->current()] {
      auto synced = std::make_shared<Result<void>>(file->file->sync());
      if (synced->ok()) return;
      file->write_failed = true;
      self->loop_.post([self, file, synced] { self->give_up(file, synced->error().text); });
    });
  });
}

void Journal::give_up(const std::shared_ptr<JournalFile>& file, const std::string& cause) {
  if (file != pool_->current() || pool_->current_given_up()) return;
  context_->warn("journal file given up after a failed write: " + file->path + ": " + cause);
  pool_->abandon_current(next_sequence_ - 1);
}

JournalPosition Journal::position() const {
  return {pool_->current()->number, pool_->current()->use.generation, offset_, next_sequence_};
}

void Journal::stop(Done done) {
  MR_ASSERT(!busy_);
  stopped_ = true;
  pool_->stop();
  const bool given_up = pool_->current_given_up();
  writer_.run(
      [self = shared_from_this(), given_up, file = pool_->current(), done = std::move(done)]() mutable {
        auto outcome = std::make_unique<Result<void>>();
        if (!given_up && !file->write_failed) {
          *outcome = write_mark(*file, self->offset_, self->last_sequence(), FrameKind::kCleanStop);
          if (outcome->ok()) *outcome = file->file->sync();
        }
        Loop& loop = self->loop_;
        loop.post([self = std::move(self), outcome = std::move(outcome), done = std::move(done)]() mutable {
          done(std::move(*outcome));
        });
      });
}

}  // namespace millrace::log
