// bench/load/api.h: calls of the control plane, one after the other, before a run begins.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "load/http_connection.h"
#include "load/signer.h"

namespace millrace::load {

// Value of the first string field `name` in `json`, not unescaped; empty where there is none.
std::string_view string_field(std::string_view json, std::string_view name);

// Each call blocks until its answer. A call that fails ends the process: status 1, one line on stderr.
class Api {
 public:
  Api(EventLoop& loop, Endpoint endpoint, Credentials credentials);

  // Creates the stream, unless there is one of that name, and waits until it is ACTIVE.
  void create_stream(std::string_view stream, std::uint32_t shards);
  std::vector<std::string> shards(std::string_view stream);
  // type   "LATEST" or "TRIM_HORIZON"
  std::string iterator(std::string_view stream, std::string_view shard, std::string_view type);
  // ARNs of `count` consumers of the stream, registered now where they are not, once all are ACTIVE.
  std::vector<std::string> consumers(std::string_view stream, std::uint32_t count);

 private:
  struct Reply {
    int status;
    std::string body;
  };
  Reply call(std::string_view operation, std::string body);
  std::string must(std::string_view operation, std::string body);
  void wait_a_little();

  EventLoop& loop_;
  HttpConnection connection_;
  Signer signer_;
};

}  // namespace millrace::load
