// app/version.h: what `millrace version` prints.
#pragma once

#include <string>

namespace millrace::app {

inline constexpr char kVersion[] = MILLRACE_VERSION;  // of project() in CMakeLists.txt

// "millrace 0.1.0", and a line each: the commit that it was built of, the compiler, the formats of files that
// it writes.
std::string version_text();

}  // namespace millrace::app
