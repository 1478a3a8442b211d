// app/open_files.h: how many files the server holds open for itself, beside its connections.
#pragma once

#include <cstddef>
#include <cstdint>

#include "app/settings.h"
#include "base/result.h"

namespace millrace::app {

// Journals, folders, event loops, and what is open for a moment: the most at a time, with room to spare. What
// the limit leaves above it is for connections and for segments, of which more are kept open where there is
// room.
std::uint64_t open_files_needed(const Settings& settings, std::size_t loops);

// errors   kUnavailable: fewer than that are allowed; one line that names both
Result<void> check_open_files(const Settings& settings, std::size_t loops, std::uint64_t open_files_max);

}  // namespace millrace::app
