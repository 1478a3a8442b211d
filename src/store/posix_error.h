// store/posix_error.h: what errno means to a caller of Disk.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace::store {

// "<what> <where>: <strerror>", e.g. "write /data/journal/3 at 4096: No space left on device".
// `where` names the path, and the offset where there is one.
std::string posix_error_text(std::string_view what, std::string_view where, int error);

// For what changes nothing when it fails (open, list, read).
// ENOENT, ENOTDIR -> kNotFound, EEXIST -> kConflict, all else -> kUnavailable.
Error posix_error(std::string_view what, std::string_view where, int error);

// For what may be half done when it fails (write, truncate, rename, remove): as posix_error, but what is
// neither "no space" nor refused before it began is kUnknown.
Error posix_change_error(std::string_view what, std::string_view where, int error);

}  // namespace millrace::store
