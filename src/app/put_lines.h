// app/put_lines.h: `millrace put`: puts records that are lines of JSON, as `millrace log dump --data` prints
// them.
#pragma once

#include <string>

#include "app/server_address.h"

namespace millrace::app {

struct PutLines {
  ServerAddress server;
  std::string stream;
};

// Reads standard input: an object a line, with PartitionKey, Data (base64) and perhaps ExplicitHashKey; other
// members are passed over. Puts the records in order, each one acknowledged before a later request is sent.
// Returns the exit code: 0; 1: a record was refused, and a line on stderr says which line and why: all before
// it are there; 2: bad usage.
int put_lines(const PutLines& command);

}  // namespace millrace::app
