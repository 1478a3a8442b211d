#include "app/health.h"

#include <cstdio>

#include "app/exit_code.h"
#include "app/server_call.h"

namespace millrace::app {

int run_health(const HealthCall& call) {
  const auto answer = call_server(
      call.server, "", {.path = "/readyz", .service = {}, .headers = {}, .body = {}, .seconds_max = 5});
  if (!answer.ok()) {
    std::fprintf(stderr, "millrace: health: %s\n", answer.error().text.c_str());
    return kFailed;
  }
  std::printf("%s\n", answer->body.c_str());
  return answer->status == 200 ? 0 : kFailed;
}

}  // namespace millrace::app
