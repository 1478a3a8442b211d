// app/server_address.h: which server a command asks.
#pragma once

#include <string>

namespace millrace::app {

struct ServerAddress {
  std::string endpoint = "http://127.0.0.1:4566";
  std::string region = "us-east-1";
  std::string certificates = {};  // PEM file of authorities that are trusted too; empty: the system's alone
};

}  // namespace millrace::app
