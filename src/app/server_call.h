// app/server_call.h: a request to a server that runs, for commands.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/server_address.h"
#include "base/result.h"

namespace millrace::app {

struct ServerRequest {
  std::string path;     // "/admin/AddUser"
  std::string service;  // that it is signed for: "millrace"; empty: an unsigned GET
  std::vector<std::string> headers;
  std::string body;
  long seconds_max = 60;  // until the whole answer is here
};

struct ServerAnswer {
  long status = 0;
  std::string body;
};

// "access key:secret" of the environment: MILLRACE_ROOT_ACCESS_KEY and MILLRACE_ROOT_SECRET_KEY, or
// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.   errors   kInvalid: there are none
Result<std::string> credentials_of_environment();

// Blocks. errors   kUnavailable: no answer
Result<ServerAnswer> call_server(const ServerAddress& server, const std::string& credentials,
                                 const ServerRequest& request);

// POST /admin/OPERATION.
// seconds_max   as ServerRequest's
// errors   kInvalid: it was refused, and the text is the server's.  kUnavailable: no answer, or none of a
//          Millrace server
Result<nlohmann::ordered_json> ask_admin(const ServerAddress& server, const std::string& credentials,
                                         const std::string& operation, const nlohmann::ordered_json& body,
                                         long seconds_max = 60);

}  // namespace millrace::app
