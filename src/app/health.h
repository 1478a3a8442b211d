// app/health.h: millrace health: whether a server is ready, for container platforms that run a command to
// ask.
#pragma once

#include "app/server_address.h"

namespace millrace::app {

struct HealthCall {
  ServerAddress server;
};

// Prints what /readyz says. Exit code: 0 when the server is ready, 1 when it is not or does not answer.
int run_health(const HealthCall& call);

}  // namespace millrace::app
