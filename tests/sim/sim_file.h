// sim/sim_file.h: an open file of a SimDisk. Part of SimDisk.
#pragma once

#include <string>

#include "sim/sim_disk.h"

namespace millrace::sim {

class SimFile final : public store::File {
 public:
  SimFile(SimDisk& disk, InodePtr inode, std::string path, bool writable);
  ~SimFile() override;

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override;
  Result<void> write_at(std::uint64_t offset, std::span<const ByteView> pieces) override;
  Result<void> sync() override;
  Result<std::uint64_t> size() override;
  Result<void> truncate(std::uint64_t size) override;

 private:
  SimDisk::Fate decide(Operation operation, std::uint64_t detail);
  // What a write that a crash or an I/O error interrupts leaves: nothing, a beginning, any sectors, or all of
  // it.
  void write_some(std::uint64_t offset, ByteView bytes);
  Error failure(ErrorKind kind, Operation operation, std::uint64_t offset, std::string_view cause) const;

  SimDisk& disk_;
  InodePtr inode_;
  const std::string path_;
  const bool writable_;
  const std::uint64_t generation_;
};

}  // namespace millrace::sim
