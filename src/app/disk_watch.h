// app/disk_watch.h: looks every second whether the data folder is still where the server opened it, with the
// files that the next start needs. A write that is acknowledged has asked for itself (store::File::sync);
// this tells the people who run the server, also while nobody writes.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "base/conditions.h"
#include "base/loop.h"
#include "store/disk.h"

namespace millrace::app {

// Begins and ends the conditions "data_folder" and "data_folder_files".
class DiskWatch : public std::enable_shared_from_this<DiskWatch> {
 public:
  // All borrowed; outlive it. loop   keeps the time
  DiskWatch(store::Disk& disk, Conditions& conditions, Loop& loop);

  // Begins to look. Once.
  void start();

 private:
  void look();
  void look_at_files();
  void look_later();

  store::Disk& disk_;
  Conditions& conditions_;
  Loop& loop_;
  std::set<std::string> files_;     // that were there once; the worker's
  std::unique_ptr<Worker> worker_;  // last: its destructor ends the work that uses the others
};

}  // namespace millrace::app
