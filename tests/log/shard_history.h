// log/shard_history.h: what was asked of one shard and what is known of it; says what a log must not do.
//
// Known is a record that was acknowledged or read: it stays, at its offset, until retention takes it. A run
// whose answer was "unknown" or never came may be there: as a whole, in the order of the appends, or never
// again.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "log/attempted_records.h"
#include "log/batch.h"
#include "log/log.h"

namespace millrace::log {

struct Attempt {
  std::uint32_t count = 0;    // of records
  std::int64_t begun_ms = 0;  // by the monotonic clock
  RunStatus status = RunStatus::kPending;
  bool in_crash = false;  // answered when the machine was down, or never
  bool is_gone = false;   // was not there after a recovery: must never come back
};

class ShardHistory {
 public:
  explicit ShardHistory(std::int64_t retention_ms) : retention_ms_(retention_ms) {}

  std::int64_t retention_ms() const { return retention_ms_; }
  // The longer of old and new counts for what a shorter one may have taken already.
  void set_retention_ms(std::int64_t retention_ms) {
    retention_ms_ = retention_ms;
    if (retention_ms != kRetentionUnlimited &&
        (shortest_ms_ == kRetentionUnlimited || retention_ms < shortest_ms_))
      shortest_ms_ = retention_ms;
  }
  std::uint64_t known_end() const { return known_.size(); }
  std::int64_t arrival_at(std::uint64_t offset) const { return known_[offset]->arrival_ms; }

  // Each returns what is wrong; empty when nothing is.
  void attempted(std::uint32_t number, std::uint32_t count, std::int64_t monotonic_ms) {
    attempts_[number].count = count;
    attempts_[number].begun_ms = monotonic_ms;
  }
  std::string answered(std::uint32_t number, const Run& run, bool in_crash) {
    Attempt& attempt = attempts_.at(number);
    if (attempt.status != RunStatus::kPending) return fmt::format("attempt {} was answered twice", number);
    attempt.status = run.status;
    attempt.in_crash = in_crash;
    if (run.status != RunStatus::kDurable) {
      return was_read(number) && run.status != RunStatus::kUnknown
                 ? fmt::format("attempt {} was read, then answered {}", number, static_cast<int>(run.status))
                 : std::string();
    }
    for (std::uint32_t index = 0; index < attempt.count; ++index) {
      std::string fault = learn(run.first_offset + index, {number, index}, run.arrival_ms);
      if (!fault.empty()) return fault;
    }
    return {};
  }

  std::string saw(const RecordView& record) {
    const std::optional<RecordId> id = id_of(record);
    if (!id || attempts_.count(id->attempt) == 0 || id->index >= attempts_.at(id->attempt).count)
      return fmt::format("offset {}: a record that was never appended", record.offset);
    if (!is_record(record, *id))
      return fmt::format("offset {}: record {}/{} has other bytes than were appended", record.offset,
                         id->attempt, id->index);
    const Attempt& attempt = attempts_.at(id->attempt);
    if (attempt.is_gone)
      return fmt::format("offset {}: attempt {} was gone after a recovery and came back", record.offset,
                         id->attempt);
    if (attempt.status == RunStatus::kSealed || attempt.status == RunStatus::kGone ||
        attempt.status == RunStatus::kUnavailable)
      return fmt::format("offset {}: attempt {} was answered 'nothing written' ({})", record.offset,
                         id->attempt, static_cast<int>(attempt.status));
    return learn(record.offset, *id, record.arrival_ms);
  }

  // Records before `first_offset` are not there. They may be gone when their retention has really passed,
  // whatever the wall clock said meanwhile.
  std::string begins_at(std::uint64_t first_offset, std::int64_t monotonic_ms) const {
    if (first_offset == 0 || first_offset > known_.size() || !known_[first_offset - 1]) return {};
    const std::int64_t age_ms = monotonic_ms - attempts_.at(known_[first_offset - 1]->id.attempt).begun_ms;
    if (shortest_ms_ != kRetentionUnlimited && age_ms >= shortest_ms_) return {};
    return fmt::format("offset {} is gone at an age of {} ms, with a retention of {} ms", first_offset - 1,
                       age_ms, shortest_ms_);
  }

  // After a recovery, when all from `first_offset` to `end_offset` was seen.
  std::string recovered(std::uint64_t first_offset, std::uint64_t end_offset) {
    if (end_offset < known_.size())
      return fmt::format("ends at {}, but {} is known", end_offset, known_.size() - 1);
    if (std::string fault = check_order(first_offset); !fault.empty()) return fault;
    if (std::string fault = check_prefix(); !fault.empty()) return fault;
    known_.resize(end_offset);  // what expired before it was ever seen
    if (shortest_ms_ != kRetentionUnlimited) return {};
    for (auto& [number, attempt] : attempts_)
      if (attempt.status != RunStatus::kDurable && !was_read(number)) attempt.is_gone = true;
    return {};
  }

  // Along the offsets, runs stand whole and in the order of their attempts.
  std::string check_order(std::uint64_t first_offset) const {
    const Known* before = nullptr;
    for (std::uint64_t offset = first_offset; offset < known_.size(); ++offset) {
      if (!known_[offset]) return fmt::format("offset {} is a gap", offset);
      const Known& record = *known_[offset];
      if (before != nullptr) {
        const bool goes_on = before->id.index + 1 < attempts_.at(before->id.attempt).count;
        const bool right = goes_on ? record.id == RecordId{before->id.attempt, before->id.index + 1}
                                   : record.id.attempt > before->id.attempt && record.id.index == 0;
        if (!right)
          return fmt::format("offset {}: record {}/{} follows {}/{}", offset, record.id.attempt,
                             record.id.index, before->id.attempt, before->id.index);
        if (record.arrival_ms < before->arrival_ms)
          return fmt::format("offset {}: the arrival time falls", offset);
      }
      before = &record;
    }
    if (before != nullptr && before->id.index + 1 != attempts_.at(before->id.attempt).count)
      return fmt::format("the last run, attempt {}, is not whole", before->id.attempt);
    return {};
  }

 private:
  struct Known {
    RecordId id;
    std::int64_t arrival_ms;
  };

  std::string learn(std::uint64_t offset, RecordId id, std::int64_t arrival_ms) {
    if (offset >= known_.size()) known_.resize(offset + 1);
    std::optional<Known>& known = known_[offset];
    if (!known) {
      known = Known{id, arrival_ms};
      read_.insert(id.attempt);
      return {};
    }
    if (known->id != id)
      return fmt::format("offset {}: was record {}/{}, is now {}/{}", offset, known->id.attempt,
                         known->id.index, id.attempt, id.index);
    if (known->arrival_ms != arrival_ms) return fmt::format("offset {}: its arrival time changed", offset);
    return {};
  }

  bool was_read(std::uint32_t number) const { return read_.count(number) != 0; }

  // Of the runs that the crash left open, those that are there were appended before those that are not. Where
  // records expire unseen, nothing can be said.
  std::string check_prefix() const {
    if (shortest_ms_ != kRetentionUnlimited) return {};
    std::optional<std::uint32_t> missing;
    for (const auto& [number, attempt] : attempts_) {
      const bool is_open = attempt.status == RunStatus::kPending ||
                           (attempt.status == RunStatus::kUnknown && attempt.in_crash);
      if (!is_open || attempt.is_gone) continue;
      if (!was_read(number))
        missing = number;
      else if (missing)
        return fmt::format("attempt {} survived the crash, attempt {} before it did not", number, *missing);
    }
    return {};
  }

  std::int64_t retention_ms_;
  std::int64_t shortest_ms_ = retention_ms_;
  std::map<std::uint32_t, Attempt> attempts_;
  std::set<std::uint32_t> read_;             // attempts of which a record is known
  std::vector<std::optional<Known>> known_;  // by offset
};

}  // namespace millrace::log
