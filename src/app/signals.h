// app/signals.h: the process's signals, taken one at a time by the main thread instead of by handlers.
#pragma once

namespace millrace::app {

enum class Signal { kStop, kReload };

// Holds SIGTERM, SIGINT and SIGHUP back for next_signal(), and ignores those that mean nothing to the server
// and would end it: SIGPIPE and SIGXFSZ (write() reports the same), SIGUSR1, SIGUSR2, timers and the like.
// SIGQUIT, SIGABRT and SIGXCPU still end it. In main, before the first thread: threads inherit it.
void hold_signals();
// For every command: a write beyond the limit of file sizes (ulimit -f) fails with an error, as on a full
// disk, instead of ending the process without a line.
void outlive_file_size_limit();
// Waits for one of them. Main thread.
Signal next_signal();
// From now on SIGTERM and SIGINT end the process at once. Main thread.
void let_signals_kill();

}  // namespace millrace::app
