// app/settings.h: everything that can be set, in one table: flag, environment variable, config key, range,
// help.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace::app {

// A server's settings, with their defaults. Ranges stand in the table in settings.cc and in
// docs/configuration.md.
struct Settings {
  bool ephemeral = false;  // `data` is empty, and the server makes a folder of its own and removes it
  std::string listen = "127.0.0.1:4566";
  std::string data = "./data";
  std::string port_file;
  std::string streams;  // as parse_first_streams() takes it
  std::string region = "us-east-1";
  std::string node_name;  // empty: the host's name
  std::string zone;
  std::string tls_certificate_path;
  std::string tls_key_path;
  bool tls_self_signed = false;
  std::string account_id = "000000000000";
  std::string keyring;       // empty: "keyring" in `data`
  std::string kms_endpoint;  // empty: the server's own keys
  std::string kms_access_key;
  std::string kms_secret_key;
  std::uint64_t key_answer_ms = 0;  // 0: 1 s, or 1 min with kms_endpoint
  std::string root_access_key;
  std::string root_secret_key;
  std::string any_credentials = "no";  // "yes", or "with-kept-data"
  std::string log_level = "info";
  std::string audit_log = "stderr";
  bool takes_unknown_keys = false;  // of policies' conditions
  bool aws_limits = false;
  std::uint64_t loops = 0;  // 0: one a core
  std::uint64_t transition_ms = 200;
  std::uint64_t journal_file_bytes = 64u << 20;
  std::uint64_t settle_at_bytes = 64u << 20;
  std::uint64_t settle_after_ms = 60'000;
  std::uint64_t unsettled_bytes_max = 512u << 20;
  std::uint64_t tail_cache_bytes = 256u << 20;
  std::uint64_t block_cache_bytes = 128u << 20;
  std::uint64_t scrub_days = 7;
  std::uint64_t shards_max = 20'000;
  std::uint64_t consumers_max = 20;
  std::uint64_t max_record_bytes = 10u << 20;
  std::uint64_t connections_max = 20'000;
  std::string allow_origin;
  std::string metrics_owners = "no";
  std::string metrics_auth;
  std::uint64_t buffered_bytes_max = 1u << 30;
  std::uint64_t memory_bytes_max = 1u << 30;
  // Of the clustered release: named here so that they get a clear answer.
  std::string bucket;
  std::string s3_endpoint;
  std::string prefix;
};

// One line of the table.
struct Setting {
  std::string
      name;  // "tail-cache-bytes": --tail-cache-bytes, MILLRACE_TAIL_CACHE_BYTES, tail-cache-bytes = …
  std::string value_name;  // "BYTES"
  std::string help;
  bool has_flag;     // a secret has none: command lines can be read by every user of the machine
  std::string bare;  // what the flag without a value stands for; empty: it needs a value
  // Checks and stores. errors   kInvalid: what is wrong, to stand behind the setting's name: "is 0: must be 1
  // to 256"
  // The first in the table may set defaults of those behind it.
  std::function<Result<void>(Settings&, const std::string& value)> store;

  std::string environment_name() const;
};

// In the order in which --help shows them. Made once; any thread.
std::span<const Setting> all_settings();

// What holds between settings, once all are in. errors   kInvalid: one line for people
Result<void> check_together(const Settings& settings);

// Whether `listen` ("127.0.0.1:4566", "[::1]:4566", "localhost:4566") can be reached from this machine only.
bool is_loopback(std::string_view listen);

}  // namespace millrace::app
