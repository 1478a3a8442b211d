#include "app/open_files.h"

#include <fmt/format.h>

#include <algorithm>

namespace millrace::app {
namespace {

constexpr std::uint64_t kOfTheProcess = 64;  // streams, locks, some twenty folders, segments, workers' files
constexpr std::uint64_t kOfALoop = 6;        // its poll, timer and wake-up, and its journal's folder
// Of a loop's journal: those with records that are not in segments yet, and some that are made ready, free or
// failed. When segments fall further behind, each file more takes one more, and puts are refused without it.
constexpr std::uint64_t kJournalFilesMin = 4;
constexpr std::uint64_t kJournalFilesBeside = 6;
constexpr std::uint64_t kSettleBehind = 3;

}  // namespace

std::uint64_t open_files_needed(const Settings& settings, std::size_t loops) {
  const std::uint64_t journal_files =
      std::max(kJournalFilesMin, kSettleBehind * settings.settle_at_bytes / settings.journal_file_bytes) +
      kJournalFilesBeside;
  return kOfTheProcess + loops * (kOfALoop + journal_files);
}

Result<void> check_open_files(const Settings& settings, std::size_t loops, std::uint64_t open_files_max) {
  const std::uint64_t needed = open_files_needed(settings, loops);
  if (open_files_max >= needed) return {};
  return Error{
      ErrorKind::kUnavailable,
      fmt::format(
          "this process may have {} files open and needs {} for {} event loop{}, and one more for each "
          "connection: raise the limit (ulimit -n), or lower --loops",
          open_files_max, needed, loops, loops == 1 ? "" : "s")};
}

}  // namespace millrace::app
