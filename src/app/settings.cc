#include "app/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <vector>

#include "app/first_streams.h"
#include "app/request_gate.h"
#include "app/size.h"
#include "base/clock.h"
#include "broker/catalog.h"

namespace millrace::app {
namespace {

using enum ErrorKind;

constexpr std::uint64_t kKiB = 1u << 10;
constexpr std::uint64_t kMiB = 1u << 20;
constexpr std::uint64_t kGiB = 1u << 30;
constexpr std::uint64_t kTiB = std::uint64_t{1} << 40;

const Settings kDefaults;

std::string with_default(std::string help, const std::string& value) {
  return value.empty() ? help : fmt::format("{} [{}]", help, value);
}

bool is_word_byte(char byte) {
  return std::isalnum(static_cast<unsigned char>(byte)) != 0 || byte == '-' || byte == '_' || byte == '.';
}
bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

// A text that `fits`; `must_be` says in words what that means.
Setting text(std::string name, std::string value_name, std::string help, std::string Settings::*member,
             bool (*fits)(const std::string&), std::string must_be) {
  return {std::move(name),
          std::move(value_name),
          with_default(std::move(help), kDefaults.*member),
          true,
          "",
          [member, fits, must_be](Settings& settings, const std::string& value) -> Result<void> {
            if (!fits(value)) {
              return Error{kInvalid, fmt::format("is \"{}\": must be {}", value, must_be)};
            }
            settings.*member = value;
            return {};
          }};
}

// As text(), but never shown: neither as a flag nor in a message.
Setting secret(std::string name, std::string help, std::string Settings::*member,
               bool (*fits)(const std::string&), std::string must_be) {
  return {std::move(name),
          "KEY",
          std::move(help),
          false,
          "",
          [member, fits, must_be](Settings& settings, const std::string& value) -> Result<void> {
            if (!fits(value)) return Error{kInvalid, "does not fit: must be " + must_be};
            settings.*member = value;
            return {};
          }};
}

struct Range {
  std::uint64_t min;
  std::uint64_t max;
};

Setting number(std::string name, std::string value_name, std::string help, std::uint64_t Settings::*member,
               Range range) {
  // 0 stands for "found out at the start", and the help says of what.
  std::string shown = kDefaults.*member == 0 ? "" : std::to_string(kDefaults.*member);
  return {std::move(name),
          std::move(value_name),
          with_default(std::move(help), shown),
          true,
          "",
          [member, range](Settings& settings, const std::string& value) -> Result<void> {
            const auto parsed = parse_number(value);
            if (!parsed.ok() || *parsed < range.min || *parsed > range.max) {
              return Error{kInvalid, fmt::format("is {}: must be {} to {}", value, range.min, range.max)};
            }
            settings.*member = *parsed;
            return {};
          }};
}

Setting size(std::string name, std::string help, std::uint64_t Settings::*member, Range range) {
  return {std::move(name),
          "BYTES",
          with_default(std::move(help), format_size(kDefaults.*member)),
          true,
          "",
          [member, range](Settings& settings, const std::string& value) -> Result<void> {
            const auto parsed = parse_size(value);
            if (!parsed.ok() || *parsed < range.min || *parsed > range.max) {
              return Error{kInvalid,
                           fmt::format("is {}: must be {} to {} (bytes, or with KiB, MiB, GiB, TiB)", value,
                                       format_size(range.min), format_size(range.max))};
            }
            settings.*member = *parsed;
            return {};
          }};
}

bool fits_address(const std::string& value) {
  const std::size_t colon = value.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  const std::string_view host = std::string_view(value).substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (!bracketed && host.find(':') != std::string_view::npos) return false;
  const auto port = parse_number(std::string_view(value).substr(colon + 1));
  return port.ok() && *port <= 65'535;
}
bool fits_name(const std::string& value) {
  return !value.empty() && value.size() <= 64 && std::all_of(value.begin(), value.end(), is_word_byte);
}
bool fits_path(const std::string& value) { return !value.empty(); }
bool fits_url(const std::string& value) {
  const std::size_t scheme = value.starts_with("https://")  ? 8
                             : value.starts_with("http://") ? 7
                                                            : value.size();
  return value.size() > scheme && value.size() <= 2'048 && value.find('/', scheme) == std::string::npos;
}
bool fits_account(const std::string& value) {
  return value.size() == 12 && std::all_of(value.begin(), value.end(), is_digit);
}
bool fits_any_credentials(const std::string& value) {
  return value == "no" || value == "yes" || value == "with-kept-data";
}
bool fits_limits(const std::string& value) { return value == "aws" || value == "none"; }
bool fits_yes_or_no(const std::string& value) { return value == "yes" || value == "no"; }
bool fits_level(const std::string& value) {
  return value == "debug" || value == "info" || value == "warn" || value == "error";
}
bool fits_access_key(const std::string& value) {
  return !value.empty() && value.size() <= 128 && std::all_of(value.begin(), value.end(), is_word_byte);
}
bool fits_secret_key(const std::string& value) { return value.size() >= 8 && value.size() <= 256; }

Setting limits() {
  return {"limits",
          "aws|none",
          "Throughput limits of a shard: aws (1 MiB/s and 1,000 records/s in, 2 MiB/s and 5 reads/s out), or "
          "none [none]",
          true,
          "",
          [](Settings& settings, const std::string& value) -> Result<void> {
            if (!fits_limits(value)) {
              return Error{kInvalid, fmt::format("is \"{}\": must be aws or none", value)};
            }
            settings.aws_limits = value == "aws";
            return {};
          }};
}

Setting first_streams() {
  return {"streams",
          "LIST",
          "Creates those that are missing: clicks:4,orders:on-demand",
          true,
          "",
          [](Settings& settings, const std::string& value) -> Result<void> {
            MR_TRY(parse_first_streams(value));
            settings.streams = value;
            return {};
          }};
}

Setting any_credentials() {
  Setting made = text("allow-any-credentials", "yes|no|with-kept-data",
                      "Takes requests from everywhere, however they are signed: only with --ephemeral, or as "
                      "with-kept-data",
                      &Settings::any_credentials, fits_any_credentials, "yes, no or with-kept-data");
  made.bare = "yes";
  return made;
}

Setting unknown_condition_keys() {
  return {"unknown-condition-keys",
          "refuse|take",
          "Policies with condition keys that the server does not know: refuse, or take them [refuse]",
          true,
          "",
          [](Settings& settings, const std::string& value) -> Result<void> {
            if (value != "refuse" && value != "take") {
              return Error{kInvalid, fmt::format("is \"{}\": must be refuse or take", value)};
            }
            settings.takes_unknown_keys = value == "take";
            return {};
          }};
}

// A flag that stands alone; in the environment and the config file it is yes or no.
Setting choice(std::string name, std::string help, void (*apply)(Settings&, bool)) {
  return {std::move(name),
          "yes|no",
          std::move(help),
          true,
          "yes",
          [apply](Settings& settings, const std::string& value) -> Result<void> {
            const bool yes = value == "yes" || value == "true";
            if (!yes && value != "no" && value != "false")
              return Error{kInvalid, fmt::format("is \"{}\": must be yes or no", value)};
            apply(settings, yes);
            return {};
          }};
}

// A server for tests: little memory, small files, and no waiting.
void make_ephemeral(Settings& settings, bool yes) {
  if (!yes) return;
  settings.ephemeral = true;
  settings.data.clear();
  settings.loops = 1;
  settings.transition_ms = 0;
  settings.journal_file_bytes = kMiB;
  settings.settle_at_bytes = 4 * kMiB;
  settings.unsettled_bytes_max = 16 * kMiB;
  settings.tail_cache_bytes = 8 * kMiB;
  settings.block_cache_bytes = 4 * kMiB;
  settings.scrub_days = 0;
}

// A setting that one machine does not have.
Setting of_the_cluster(std::string name, std::string value_name) {
  return {std::move(name),
          std::move(value_name),
          "Comes with the clustered release",
          true,
          "",
          [](Settings&, const std::string&) -> Result<void> {
            return Error{kInvalid, "comes with the clustered release: use --data on one machine"};
          }};
}

std::vector<Setting> make_table() {
  using S = Settings;
  const std::string name_rule = "1 to 64 letters, digits, '-', '_' and '.'";
  std::vector<Setting> table;
  table.push_back(choice(
      "ephemeral", "Keeps nothing: a folder of its own for as long as it runs, small files", make_ephemeral));
  table.push_back(text("listen", "HOST:PORT", "Where to serve; port 0 takes any free one", &S::listen,
                       fits_address, "HOST:PORT, such as 127.0.0.1:4566 or [::1]:4566"));
  table.push_back(
      text("port-file", "FILE", "Writes the port there once it serves", &S::port_file, fits_path, "a file"));
  table.push_back(text("data", "DIR", "Folder that holds everything; made where missing", &S::data, fits_path,
                       "a folder"));
  table.push_back(first_streams());
  table.push_back(
      text("region", "REGION", "AWS region that it answers for", &S::region, fits_name, name_rule));
  table.push_back(
      text("node-name", "NAME", "Name of this node [the host's]", &S::node_name, fits_name, name_rule));
  table.push_back(text("zone", "ZONE", "Availability zone of this node", &S::zone, fits_name, name_rule));
  table.push_back(
      text("account-id", "DIGITS", "AWS account in every ARN", &S::account_id, fits_account, "12 digits"));
  table.push_back(text("tls-cert", "FILE", "Certificate chain, PEM: then TLS is spoken too, on the same port",
                       &S::tls_certificate_path, fits_path, "a file"));
  table.push_back(
      text("tls-key", "FILE", "Private key of --tls-cert, PEM", &S::tls_key_path, fits_path, "a file"));
  table.push_back(choice("tls-self-signed",
                         "Makes a certificate for this machine, tls/certificate.pem in the data folder",
                         [](Settings& settings, bool yes) { settings.tls_self_signed = yes; }));
  table.push_back(text("keyring", "FILE", "Secrets that wrap master keys [keyring in the data folder]",
                       &S::keyring, fits_path, "a file"));
  table.push_back(text("kms-endpoint", "URL", "Another key service for streams' keys [the server's own]",
                       &S::kms_endpoint, fits_url, "http://… or https://…, without a path"));
  table.push_back(number("key-answer-ms", "MS",
                         "So long a key service's answer holds [1000; 60000 with --kms-endpoint]",
                         &S::key_answer_ms, {1, 300'000}));
  table.push_back(secret("kms-access-key", "Access key id for --kms-endpoint", &S::kms_access_key,
                         fits_access_key, "1 to 128 letters, digits, '-', '_' and '.'"));
  table.push_back(secret("kms-secret-key", "Secret key for --kms-endpoint", &S::kms_secret_key,
                         fits_secret_key, "8 to 256 characters"));
  table.push_back(secret("root-access-key",
                         "Access key id of the one root user; with it every signature is verified",
                         &S::root_access_key, fits_access_key, "1 to 128 letters, digits, '-', '_' and '.'"));
  table.push_back(secret("root-secret-key", "Secret key of the root user", &S::root_secret_key,
                         fits_secret_key, "8 to 256 characters"));
  table.push_back(any_credentials());
  table.push_back(unknown_condition_keys());
  table.push_back(limits());
  table.push_back(number("loops", "N", "Event loops, a thread each [one a core]", &S::loops, {1, 256}));
  table.push_back(number("transition-ms", "MS",
                         "How long a stream stays CREATING, UPDATING or DELETING at least", &S::transition_ms,
                         {0, 600'000}));
  table.push_back(size("journal-file-bytes", "Size of a journal file; files are used again and again",
                       &S::journal_file_bytes, {kMiB, 4 * kGiB}));
  table.push_back(size("settle-at-bytes", "A loop's records move from journal to segments when so much waits",
                       &S::settle_at_bytes, {64 * kKiB, 16 * kGiB}));
  table.push_back(number("settle-after-ms", "MS", "… or when the oldest of them is so old",
                         &S::settle_after_ms, {10, kMsPerDay}));
  table.push_back(size("unsettled-bytes-max", "A loop's puts wait when so much is still to be moved",
                       &S::unsettled_bytes_max, {kMiB, kTiB}));
  table.push_back(size("tail-cache-bytes", "Newest records a loop keeps in memory for readers",
                       &S::tail_cache_bytes, {kMiB, kTiB}));
  table.push_back(size("block-cache-bytes", "Older records kept in memory once read, all loops together",
                       &S::block_cache_bytes, {kMiB, kTiB}));
  table.push_back(number("scrub-days", "DAYS",
                         "Every segment is read again and checked once in this time; 0: never",
                         &S::scrub_days, {0, 3'650}));
  table.push_back(
      number("shards-max", "N", "Open shards of the account", &S::shards_max, {1, broker::kShardsMax}));
  table.push_back(number("consumers-max", "N", "Consumers with enhanced fan-out a stream", &S::consumers_max,
                         {1, 10'000}));
  table.push_back(size("max-record-bytes", "Largest record that is taken, without its key",
                       &S::max_record_bytes, {kMiB, 64 * kMiB}));
  table.push_back(number("connections-max", "N", "Connections at once; then idle ones make way",
                         &S::connections_max, {1, 1'000'000}));
  table.push_back(size("buffered-bytes-max", "Requests and answers in memory, all connections together",
                       &S::buffered_bytes_max, {16 * kMiB, kTiB}));
  table.push_back(size("memory-bytes-max", "Tables, metrics, and what is remembered of policies and sessions",
                       &S::memory_bytes_max, {64 * kMiB, kTiB}));
  table.push_back(text(
      "allow-origin", "ORIGINS",
      "Origins, separated by commas, whose web pages may use the server; those of this machine may",
      &S::allow_origin, fits_origins, "origins such as https://app.example.com,http://10.0.0.5:3000, or *"));
  table.push_back(text("metrics-owners", "yes|no",
                       "Whether /metrics, which anybody may read, names users, roles and streams with quotas",
                       &S::metrics_owners, fits_yes_or_no, "yes or no"));
  table.push_back(text("metrics-auth", "FILE", "File with the bearer token that GET /metrics must bring",
                       &S::metrics_auth, fits_path, "a file"));
  table.push_back(text("log-level", "LEVEL", "debug, info, warn or error", &S::log_level, fits_level,
                       "debug, info, warn or error"));
  table.push_back(text("audit-log", "FILE", "Where decisions about access are written: a file, stderr or off",
                       &S::audit_log, fits_path, "a file, stderr or off"));
  table.push_back(of_the_cluster("bucket", "NAME"));
  table.push_back(of_the_cluster("s3-endpoint", "URL"));
  table.push_back(of_the_cluster("prefix", "P"));
  return table;
}

}  // namespace

std::string Setting::environment_name() const {
  std::string variable = "MILLRACE_";
  for (const char byte : name) {
    variable += byte == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(byte)));
  }
  return variable;
}

std::span<const Setting> all_settings() {
  static const std::vector<Setting> table = make_table();
  return table;
}

bool is_loopback(std::string_view listen) {
  const std::string_view host = listen.substr(0, listen.rfind(':'));
  if (host == "localhost" || host == "[::1]") return true;
  // 127.0.0.0/8, as a whole dotted address: "127.evil.example" is a name like any other.
  if (!host.starts_with("127.") || std::count(host.begin(), host.end(), '.') != 3) return false;
  return std::all_of(host.begin(), host.end(), [](char byte) { return is_digit(byte) || byte == '.'; });
}

namespace {

// Who may use a server that checks no signatures.
Result<void> check_openness(const Settings& settings) {
  const bool checks = !settings.root_access_key.empty();
  const bool any = settings.any_credentials != "no";
  if (any && checks) {
    return Error{kInvalid,
                 "--allow-any-credentials contradicts MILLRACE_ROOT_ACCESS_KEY, which turns on the check of "
                 "signatures: leave out one of them"};
  }
  if (settings.any_credentials == "yes" && !settings.ephemeral) {
    return Error{
        kInvalid,
        "--allow-any-credentials lets everybody read and delete all that is in --data: give --ephemeral "
        "too, which keeps nothing, or say --allow-any-credentials with-kept-data"};
  }
  if (!checks && !any && !is_loopback(settings.listen)) {
    return Error{kInvalid,
                 fmt::format("--listen is {}, which others can reach: set MILLRACE_ROOT_ACCESS_KEY and "
                             "MILLRACE_ROOT_SECRET_KEY first, or listen on 127.0.0.1; for tests there is "
                             "--ephemeral --allow-any-credentials",
                             settings.listen)};
  }
  if (!checks && settings.allow_origin == "*") {
    return Error{
        kInvalid,
        "--allow-origin * would let every web page use a server without signatures: name the origins, "
        "or set MILLRACE_ROOT_ACCESS_KEY and MILLRACE_ROOT_SECRET_KEY"};
  }
  return {};
}

}  // namespace

Result<void> check_together(const Settings& settings) {
  if (settings.root_access_key.empty() != settings.root_secret_key.empty()) {
    return Error{kInvalid,
                 "MILLRACE_ROOT_ACCESS_KEY and MILLRACE_ROOT_SECRET_KEY go together: set both or neither"};
  }
  const bool other_keys = !settings.kms_endpoint.empty();
  if (settings.kms_access_key.empty() == other_keys || settings.kms_secret_key.empty() == other_keys) {
    return Error{
        kInvalid,
        "--kms-endpoint, MILLRACE_KMS_ACCESS_KEY and MILLRACE_KMS_SECRET_KEY go together: give all or none"};
  }
  if (settings.tls_certificate_path.empty() != settings.tls_key_path.empty()) {
    return Error{kInvalid, "--tls-cert and --tls-key go together: give both or neither"};
  }
  if (settings.tls_self_signed && !settings.tls_certificate_path.empty()) {
    return Error{kInvalid, "--tls-self-signed makes a certificate: leave out --tls-cert and --tls-key"};
  }
  if (settings.ephemeral && !settings.data.empty()) {
    return Error{kInvalid, "--ephemeral keeps nothing: leave out --data"};
  }
  if (settings.unsettled_bytes_max < settings.settle_at_bytes) {
    return Error{kInvalid, fmt::format("--unsettled-bytes-max is {}: must be at least --settle-at-bytes, {}",
                                       format_size(settings.unsettled_bytes_max),
                                       format_size(settings.settle_at_bytes))};
  }
  return check_openness(settings);
}

}  // namespace millrace::app
