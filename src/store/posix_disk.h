// store/posix_disk.h: Disk over a folder of a POSIX file system, and the Worker that is a thread.
#pragma once

#include <memory>
#include <string>

#include "base/loop.h"
#include "base/result.h"
#include "store/disk.h"

namespace millrace::store {

// Makes `folder` where missing and locks it against a second process until destroyed: by flock on the folder
// itself, whatever path leads to it, and on a file LOCK in it, which is all that earlier versions look at.
// Where the file system cannot lock a folder (NFS), LOCK alone holds. Changes nothing in a folder that has a
// LOCK.
//
// errors   kUnavailable: cannot be made, or another process holds it; text says which
Result<std::unique_ptr<Disk>> open_posix_disk(const std::string& folder);
// Writes this process's number into LOCK, for the message that another process gets. As far as it can: on a
// full disk it may be missing.
void name_holder(Disk& disk);
// Whether no process holds the folder now; changes nothing.
// errors   kUnavailable: text says which process does
Result<void> check_not_in_use(const std::string& folder);
// As open_posix_disk, but takes no lock and makes nothing: for tools that only read.
Result<std::unique_ptr<Disk>> open_posix_disk_read_only(const std::string& folder);

// A thread named `name` that runs what it is given, in order; the destructor finishes what was given and
// joins. nice     0 to 19, added to the thread's priority (settling yields to serving)
std::unique_ptr<Worker> start_thread_worker(const std::string& name, int nice);

}  // namespace millrace::store
