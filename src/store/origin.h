// store/origin.h: which data folder a thing at rest belongs to, and how a part of the folder says what its
// newest is.
#pragma once

#include <cstdint>
#include <string>

namespace millrace::store {

// Stands in what is written, so that a part of another folder, or of a later start, is recognised.
struct Origin {
  std::uint64_t folder = 0;  // random, one per data folder; 0: none, as in folders of the first version
  std::uint64_t start = 0;   // the start of the folder that wrote it, from 1
};

// The newest thing that exists of a part: at the next start the part must reach it.
struct PartMark {
  std::uint64_t number = 0;  // of the newest entry, manifest or group
  std::uint64_t from = 0;    // of a chain: the snapshot that it begins with
  std::string sum;           // of what the number stands for; empty: not compared

  friend bool operator==(const PartMark&, const PartMark&) = default;
};

// Takes notes of what became durable. Any thread; does not block on the disk.
class PartMarks {
 public:
  virtual ~PartMarks() = default;
  // part   its path in the data folder: "control/kms", "log/journal/000"
  virtual void note(const std::string& part, PartMark mark) = 0;
  // The part is no longer there, and need not be.
  virtual void forget(const std::string& part) = 0;
};

}  // namespace millrace::store
