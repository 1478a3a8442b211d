// app/version.h: what `millrace version` prints.
#pragma once

namespace millrace::app {

inline constexpr char kVersion[] = MILLRACE_VERSION;  // of project() in CMakeLists.txt
inline constexpr char kVersionText[] = "millrace " MILLRACE_VERSION;

}  // namespace millrace::app
