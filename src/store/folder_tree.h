// store/folder_tree.h: folders as a whole, for tools that make and remove them. Paths are the system's. Calls
// block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/disk.h"

namespace millrace::store {

// errors   kUnavailable: it cannot be looked into, or is no folder
Result<bool> is_new_or_empty(const std::string& folder);
// The path without symbolic links, "." and "..", also where its end does not exist yet.
// errors   kUnavailable
Result<std::string> real_path(const std::string& path);
// Whether the path itself, and not what a symbolic link there leads to, is such a thing.
bool is_folder(const std::string& path);
bool is_file(const std::string& path);
// Removes the folder and all below it; fine when it is not there. Not durable before its parent is synced.
Result<void> remove_tree(const std::string& folder);
// The same, and the entry `last` goes after all others: until then the folder can be recognised by it.
Result<void> remove_tree(const std::string& folder, std::string_view last);
// Gives a file of `bytes` bytes a second name. False: it has another size, or it cannot be done there.
bool link_file(const std::string& from, const std::string& to, std::uint64_t bytes);
// Makes the names in all folders of `disk`, which is at `root`, durable.
Result<void> sync_folders(Disk& disk, const std::string& root);

}  // namespace millrace::store
