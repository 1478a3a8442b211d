// app/exit_code.h: what the program exits with, besides 0.
#pragma once

namespace millrace::app {

inline constexpr int kFailed = 1;  // what was asked for did not happen: the text says why
inline constexpr int kBadUsage =
    2;  // what was asked for cannot be meant: the command line or the configuration

}  // namespace millrace::app
