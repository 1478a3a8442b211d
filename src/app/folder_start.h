// app/folder_start.h: how a server takes up a data folder: everything is read and checked first, and only
// then is the first byte written. docs/decisions/0015.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/conditions.h"
#include "base/random.h"
#include "base/result.h"
#include "log/log.h"
#include "store/folder_keeper.h"
#include "store/object_store.h"

namespace millrace::app {

// All is borrowed and outlives the start.
struct FolderGround {
  const std::string& keyring;             // its path
  const std::string& account;             // as --account-id
  const std::string& region;              // as --region
  Random& random;                         // makes the number of a folder that has none
  Conditions* conditions;                 // told what is in doubt; nullptr: nobody is
  std::unique_ptr<Worker> keeper_worker;  // writes FOLDER behind the changes
};

// Destroyed from the last member to the first: each stands on those before it.
struct FolderStart {
  std::unique_ptr<store::FolderKeeper> keeper;
  std::unique_ptr<store::ObjectStore> control;
  std::unique_ptr<log::StoppedLog> log;  // read, found right and not yet started
  std::vector<std::string> given_up;     // what a person decided to go on without, one line each
};

// Blocks.
// environment   of the log; its origin and marks are set here
// options       next_shard is set here
// errors   kCorrupt: a part is missing, older, or of another folder; nothing was changed, and the text says
// what
//          to do.  kUnavailable: the disk said no
Result<FolderStart> start_folder(FolderGround ground, log::LogEnvironment environment,
                                 log::LogOptions options);

}  // namespace millrace::app
