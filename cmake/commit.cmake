# Writes OUT, a header with the commit that SOURCE is at, if it says something else by now. MILLRACE_COMMIT in the environment
# wins, as where a package is built outside of a checkout.
set(commit "$ENV{MILLRACE_COMMIT}")
if(commit STREQUAL "")
  execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=* OUTPUT_VARIABLE commit
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(commit STREQUAL "")
  set(commit "unknown")
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT "#pragma once
namespace millrace::app {
inline constexpr char kCommit[] = \"@commit@\";
}
" @ONLY)
