#include "app/signals.h"

#include <csignal>
#include <initializer_list>

#include "base/assert.h"

namespace millrace::app {
namespace {

sigset_t held(bool with_reload) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  if (with_reload) sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

void hold_signals() {
  for (const int number :
       {SIGPIPE, SIGXFSZ, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT})
    std::signal(number, SIG_IGN);
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) std::signal(number, SIG_IGN);
  const sigset_t set = held(true);
  MR_ASSERT(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
}

void outlive_file_size_limit() { std::signal(SIGXFSZ, SIG_IGN); }

Signal next_signal() {
  const sigset_t set = held(true);
  int number = 0;
  MR_ASSERT(sigwait(&set, &number) == 0);
  return number == SIGHUP ? Signal::kReload : Signal::kStop;
}

void let_signals_kill() {
  const sigset_t set = held(false);
  MR_ASSERT(pthread_sigmask(SIG_UNBLOCK, &set, nullptr) == 0);
}

}  // namespace millrace::app
