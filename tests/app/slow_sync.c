/* A preloaded library with a disk that takes its time: fdatasync() begins after as many milliseconds as the file that
   SLOW_SYNC names says, 4 bytes in the machine's order. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int32_t* delay_ms;

__attribute__((constructor)) static void open_delay(void) {
  const char* path = getenv("SLOW_SYNC");
  const int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  void* mapped = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *delay_ms, PROT_READ, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) abort();
  delay_ms = mapped;
  close(file);
}

int fdatasync(int file) {
  const int32_t ms = *delay_ms;
  const struct timespec delay = {ms / 1000, (long)(ms % 1000) * 1000000};
  if (ms > 0) nanosleep(&delay, NULL);
  return (int)syscall(SYS_fdatasync, file);
}
