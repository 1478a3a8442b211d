#include "app/serve.h"
#include "app/exit_code.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "api/event_log.h"
#include "api/fault.h"
#include "app/backup_door.h"
#include "app/backup_mark.h"
#include "app/disk_watch.h"
#include "app/ephemeral_folder.h"
#include "app/event_lines.h"
#include "app/fault_log.h"
#include "app/first_streams.h"
#include "app/folder_start.h"
#include "app/foreign_folder.h"
#include "app/identity.h"
#include "app/json_log.h"
#include "app/keyring_file.h"
#include "app/leases.h"
#include "app/memory.h"
#include "app/metrics_auth.h"
#include "app/metrics_page.h"
#include "app/open_files.h"
#include "app/process_stats.h"
#include "app/request_gate.h"
#include "app/router.h"
#include "app/secret_file.h"
#include "app/self_signed.h"
#include "app/signals.h"
#include "app/stream_metrics.h"
#include "app/unknown_keys.h"
#include "app/version.h"
#include "base/conditions.h"
#include "base/folder_clock.h"
#include "base/random.h"
#include "broker/broker.h"
#include "keys/key_service.h"
#include "keys/remote_keys.h"
#include "kinesis/front_door.h"
#include "kinesis/shard_id.h"
#include "kms/front_door.h"
#include "net/server.h"
#include "store/folder_keeper.h"
#include "store/object_store.h"
#include "store/posix_disk.h"
#include "store/private_file.h"

namespace millrace::app {
namespace {

constexpr std::int64_t kDrainMsMax = 10'000;

std::size_t loop_count(const Settings& settings) {
  if (settings.loops != 0) return settings.loops;
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 256);
}

// Far above what one machine's streams bring, far below what its disk takes: a flush of the journal meets
// little.
constexpr std::uint64_t kBackgroundBytesPerS = 32u << 20;

log::LogOptions log_options(const Settings& settings) {
  log::LogOptions options;
  options.journal_file_bytes = settings.journal_file_bytes;
  options.unsettled_bytes_max = settings.unsettled_bytes_max;
  options.settle_at_bytes = settings.settle_at_bytes;
  options.settle_after_ms = static_cast<std::int64_t>(settings.settle_after_ms);
  options.tail_cache_bytes = settings.tail_cache_bytes;
  options.block_cache_bytes = settings.block_cache_bytes;
  options.background_bytes_per_s = kBackgroundBytesPerS;
  options.scrub_ms = static_cast<std::int64_t>(settings.scrub_days) * 24 * 3'600'000;
  return options;
}

void log_damaged(const broker::DamagedRecords& damaged) {
  const std::string shard = damaged.stream.empty() ? "" : kinesis::shard_id(damaged.shard);
  log_line(LogLevel::kError, "records are damaged on disk and cannot be read",
           {{"stream", damaged.stream},
            {"shard", shard},
            {"first_sequence_number", damaged.first_sequence},
            {"last_sequence_number", damaged.last_sequence},
            {"file", damaged.file},
            {"offset", static_cast<std::int64_t>(damaged.position)},
            {"error", damaged.what}});
}

broker::BrokerOptions broker_options(const Settings& settings) {
  broker::BrokerOptions options;
  options.account_id = settings.account_id;
  options.region = settings.region;
  options.transition_ms = static_cast<std::int64_t>(settings.transition_ms);
  options.shards_per_account_max = settings.shards_max;
  options.consumers_per_stream_max = settings.consumers_max;
  options.aws_limits = settings.aws_limits;
  options.damaged = log_damaged;
  return options;
}

kinesis::FrontDoorOptions front_door_options(const Settings& settings) {
  kinesis::FrontDoorOptions options;
  options.max_record_bytes = static_cast<std::int64_t>(settings.max_record_bytes);
  // A record in base64, a third larger, and all that stands around it.
  options.request_bytes_max = std::max(
      options.request_bytes_max, static_cast<std::size_t>(settings.max_record_bytes * 4 / 3 + (1u << 20)));
  return options;
}

// Connections leave room for the server's own files: journals, segments that are read, and the folders that
// changes are written to.
std::uint64_t connections_within(std::uint64_t wanted, std::uint64_t open_files_max) {
  if (open_files_max == 0) return wanted;
  const std::uint64_t reserve = std::max(std::min<std::uint64_t>(256, open_files_max / 2),
                                         std::min<std::uint64_t>(open_files_max / 5, 8'192));
  return std::clamp<std::uint64_t>(open_files_max - reserve, 1, wanted);
}

net::ServerLimits server_limits(const Settings& settings) {
  net::ServerLimits limits;
  limits.body_bytes_max = front_door_options(settings).request_bytes_max;
  limits.connections_max = connections_within(settings.connections_max, read_open_files_max());
  limits.buffered_bytes_max = settings.buffered_bytes_max;
  return limits;
}

std::int64_t key_answer_ms(const Settings& settings) {
  constexpr std::int64_t kOwnMs = 1'000;
  constexpr std::int64_t kRemoteMs = 60'000;
  if (settings.key_answer_ms != 0) return static_cast<std::int64_t>(settings.key_answer_ms);
  return settings.kms_endpoint.empty() ? kOwnMs : kRemoteMs;
}

void tell_condition(const Condition& condition, bool begins) {
  if (begins)
    log_line(LogLevel::kError, condition.reason,
             {{"condition", condition.name}, {"error", condition.detail}});
  else
    log_line(LogLevel::kInfo, "over: " + condition.reason, {{"condition", condition.name}});
}

// The parts of a running server, in the order in which they stand on each other: what stands on something
// goes first.
class House {
 public:
  explicit House(const Settings& settings)
      : settings_(settings),
        memory_(settings.memory_bytes_max, loop_count(settings)),
        loops_(loop_count(settings)) {
    api::tell_events_to(&event_lines_);
  }
  ~House();
  House(const House&) = delete;
  House& operator=(const House&) = delete;

  // errors   kInvalid: bad usage.  Others: why it cannot start, for the log
  Result<void> open();
  // Lets requests under way end and closes the log in order.
  Result<void> close();
  // Loads anew what may change while it runs: certificate and key, and the audit log's file.
  void reload();

  const net::Server& server() const { return *server_; }
  std::size_t loops() const { return loops_.size(); }

 private:
  Result<void> open_folder();
  log::LogEnvironment log_environment();
  Result<void> open_keys();
  Result<void> open_broker();
  Result<void> open_front_door();
  Result<void> open_leases();
  Result<void> listen();

  const Settings& settings_;
  EventLines event_lines_;
  Conditions conditions_{tell_condition};
  const Memory memory_;
  std::unique_ptr<store::Disk> disk_;
  std::unique_ptr<store::FolderKeeper> folder_;
  std::unique_ptr<store::ObjectStore> control_;
  FolderClock clock_{system_clock()};
  net::LoopGroup loops_;
  std::shared_ptr<DiskWatch> disk_watch_;
  std::unique_ptr<log::StoppedLog> stopped_log_;  // read and not yet started
  std::shared_ptr<keys::KeyService> key_service_;
  std::unique_ptr<keys::MasterKeys> remote_keys_;  // where streams' keys are in another service
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<Identity> identity_;
  std::unique_ptr<kinesis::FrontDoor> front_door_;
  std::unique_ptr<kms::FrontDoor> kms_door_;
  std::unique_ptr<BackupDoor> backup_door_;
  net::Handler admin_;
  net::Handler aws_;
  std::unique_ptr<StreamWatch> stream_watch_;  // goes after the loop of tables, which may be at work for it
  std::unique_ptr<Leases> leases_;
  std::unique_ptr<StreamMetrics> stream_metrics_;
  MetricsAuth metrics_auth_{settings_.metrics_auth};
  std::unique_ptr<MetricsPage> metrics_page_;
  std::unique_ptr<RequestGate> gate_;
  net::Handler metrics_;
  std::unique_ptr<Router> router_;
  net::TlsFiles tls_;  // empty: clear text alone
  std::unique_ptr<net::Server> server_;
};

House::~House() {
  // First nobody asks any more, then nothing runs any more; only then may go what the loops ran in.
  server_.reset();
  metrics_page_.reset();
  loops_.stop();
  api::tell_events_to(nullptr);
}

Result<void> House::open() {
  MR_TRY(open_folder());
  MR_TRY(open_keys());
  MR_ASSIGN(identity_, Identity::open({settings_, *disk_, *control_, *folder_, loops_, memory_}));
  MR_TRY(open_broker());
  MR_TRY(open_front_door());
  MR_TRY(open_leases());
  loops_.loop(0).post([this] {
    warn_of_unknown_keys(*identity_->identities(), *broker_->catalog(), *key_service_->state());
  });
  if (!settings_.streams.empty()) {
    MR_ASSIGN(const auto streams, parse_first_streams(settings_.streams));
    MR_TRY(make_first_streams(streams, *broker_, loops_.loop(0)));
  }
  // From here on a part that is put back by hand is missed.
  MR_TRY(folder_->flush());
  return listen();
}

// Reads and checks all parts of the folder, and only then changes it.
Result<void> House::open_folder() {
  MR_TRY(refuse_foreign_folder(settings_.data));
  MR_ASSIGN(disk_, store::open_posix_disk(settings_.data));
  MR_TRY(refuse_backup(*disk_));
  const std::string keyring = keyring_path(settings_.keyring, settings_.data);
  MR_ASSIGN(FolderStart start, start_folder({.keyring = keyring,
                                             .account = settings_.account_id,
                                             .region = settings_.region,
                                             .random = system_random(),
                                             .conditions = &conditions_,
                                             .keeper_worker = store::start_thread_worker("folder", 0)},
                                            log_environment(), log_options(settings_)));
  folder_ = std::move(start.keeper);
  control_ = std::move(start.control);
  stopped_log_ = std::move(start.log);
  store::name_holder(*disk_);
  for (const std::string& line : start.given_up) log_line(LogLevel::kWarn, line);
  return {};
}

log::LogEnvironment House::log_environment() {
  log::LogEnvironment environment{.disk = *disk_,
                                  .clock = clock_,
                                  .random = system_random(),
                                  .loops = {},
                                  .start_worker = store::start_thread_worker,
                                  .warn = [](const std::string& line) { log_line(LogLevel::kWarn, line); },
                                  .wait_until = {}};
  environment.slow_commit = [this](std::int64_t took_ms) { event_lines_.slow_commit(took_ms); };
  if (folder_ != nullptr) {
    environment.origin = folder_->origin();
    environment.marks = folder_.get();
  }
  for (std::size_t index = 0; index < loops_.size(); ++index)
    environment.loops.push_back(&loops_.loop(index));
  return environment;
}

Result<void> House::open_keys() {
  const std::string keyring = keyring_path(settings_.keyring, settings_.data);
  MR_ASSIGN(key_service_,
            keys::KeyService::open(
                {.account = settings_.account_id,
                 .region = settings_.region,
                 .answer_holds_ms = key_answer_ms(settings_),
                 .memory = memory_.keys},
                *control_, loops_.loop(0), [] { return store::start_thread_worker("keys", 0); }, clock_,
                system_random(), [&](bool may_make) { return load_keyring(keyring, may_make); }));
  if (!settings_.kms_endpoint.empty())
    remote_keys_ = keys::make_remote_keys({.endpoint = settings_.kms_endpoint,
                                           .region = settings_.region,
                                           .access_key = settings_.kms_access_key,
                                           .secret_key = settings_.kms_secret_key,
                                           .answer_holds_ms = key_answer_ms(settings_)},
                                          store::start_thread_worker("kms", 0));
  return {};
}

Result<void> House::open_broker() {
  broker::BrokerOptions options = broker_options(settings_);
  options.memory = memory_.streams;
  options.master_keys = remote_keys_ != nullptr ? remote_keys_.get() : key_service_.get();
  MR_ASSIGN(broker_, broker::Broker::open(log_environment(), log_options(settings_), *control_,
                                          std::move(options), std::move(stopped_log_)));
  loops_.loop(0).post([keys = key_service_] { spawn(keys->remove_gone_keys()); });
  return {};
}

Result<void> House::open_front_door() {
  kinesis::FrontDoorOptions options = front_door_options(settings_);
  MR_ASSIGN(const Bytes token_key, load_or_make_secret(*disk_, kTokensSecret, system_random(), *folder_));
  static_assert(sizeof options.token_key == kSecretFileBytes);
  std::copy(token_key.view().begin(), token_key.view().end(), options.token_key.begin());
  if (remote_keys_ == nullptr) {
    MR_ASSIGN(const auto own_key, key_service_->find(keys::kKinesisAlias));
    options.own_key = key_service_->key_arn(own_key->id);
  }
  options.quotas = &identity_->quotas();
  front_door_ = std::make_unique<kinesis::FrontDoor>(*broker_, identity_->verifier(), identity_->authorizer(),
                                                     system_clock(), system_random(), options);
  kms_door_ = std::make_unique<kms::FrontDoor>(*key_service_, identity_->verifier(), identity_->authorizer(),
                                               system_clock(), system_random());
  backup_door_ = std::make_unique<BackupDoor>(BackupDoor::Ground{.broker = *broker_,
                                                                 .verifier = identity_->verifier(),
                                                                 .authorizer = identity_->authorizer(),
                                                                 .clock = system_clock(),
                                                                 .random = system_random(),
                                                                 .home = loops_.loop(0),
                                                                 .data = disk_->describe(""),
                                                                 .keyring = settings_.keyring});
  admin_ = [this](std::unique_ptr<net::Request> request, net::Responder responder) {
    if (BackupDoor::takes(*request))
      backup_door_->handle(std::move(request), std::move(responder));
    else
      identity_->admin()(std::move(request), std::move(responder));
  };
  aws_ = [this](std::unique_ptr<net::Request> request, net::Responder responder) {
    if (kms::FrontDoor::takes(*request))
      kms_door_->handle(std::move(request), std::move(responder));
    else
      front_door_->handle(std::move(request), std::move(responder));
  };
  return {};
}

Result<void> House::open_leases() {
  MR_ASSIGN(leases_, Leases::open({settings_, *control_, loops_, identity_->verifier(),
                                   identity_->authorizer(), memory_, clock_}));
  identity_->report_on(leases_->tables_loop());  // where it is asked whether a table's items may be had
  stream_watch_ = std::make_unique<StreamWatch>(*broker_, loops_.loop(0), system_clock());
  stream_watch_->read_leases_of(leases_->tables(), leases_->tables_loop());
  stream_metrics_ = std::make_unique<StreamMetrics>(*broker_, *front_door_, leases_->cloudwatch_door(),
                                                    *stream_watch_, loops_.loop(0), system_clock());
  return {};
}

Result<void> House::listen() {
  const net::ServerLimits limits = server_limits(settings_);
  metrics_page_ =
      std::make_unique<MetricsPage>(MetricsPage::Ground{.broker = *broker_,
                                                        .front_door = *front_door_,
                                                        .watch = *stream_watch_,
                                                        .quotas = identity_->quotas(),
                                                        .conditions = conditions_,
                                                        .memory = memory_,
                                                        .disk = *disk_},
                                    MetricsPageOptions{.node = settings_.node_name,
                                                       .zone = settings_.zone,
                                                       .connections_max = limits.connections_max,
                                                       .names_owners = settings_.metrics_owners == "yes"});
  gate_ = std::make_unique<RequestGate>(
      RequestGate::Options{.checks_signatures = !settings_.root_access_key.empty(),
                           .any_host = settings_.any_credentials != "no",
                           .allowed_origins = settings_.allow_origin},
      identity_->verifier(), system_clock());
  MR_TRY(metrics_auth_.reload());
  metrics_ = [this](std::unique_ptr<net::Request> request, net::Responder responder) {
    if (!metrics_auth_.passes(*request)) return std::move(responder).respond(metrics_refusal());
    metrics_page_->handle(std::move(request), std::move(responder));
  };
  router_ = std::make_unique<Router>(Routes{.aws = aws_,
                                            .dynamodb = leases_->dynamodb(),
                                            .cloudwatch = leases_->cloudwatch(),
                                            .metrics = metrics_,
                                            .sts = identity_->sts(),
                                            .admin = admin_,
                                            .conditions = conditions_},
                                     *gate_, system_random());
  if (limits.connections_max < settings_.connections_max)
    log_line(LogLevel::kWarn, "fewer connections than --connections-max: the limit of open files is too low",
             {{"connections_max", static_cast<std::int64_t>(limits.connections_max)},
              {"open_files_max", static_cast<std::int64_t>(read_open_files_max())}});
  tls_ = {settings_.tls_certificate_path, settings_.tls_key_path};
  if (settings_.tls_self_signed) {
    MR_ASSIGN(tls_, self_signed_files(settings_.data));
  }
  MR_ASSIGN(server_, net::Server::start(
                         loops_, settings_.listen, limits, tls_.certificate_path.empty() ? nullptr : &tls_,
                         [this](std::unique_ptr<net::Request> request, net::Responder responder) {
                           router_->handle(std::move(request), std::move(responder));
                         },
                         gate_.get(), &event_lines_));
  metrics_page_->serves(*server_);
  disk_watch_ = std::make_shared<DiskWatch>(*disk_, conditions_, loops_.loop(0));
  disk_watch_->start();
  return {};
}

Result<void> House::close() {
  router_->leave();
  front_door_->leave();
  server_->drain(kDrainMsMax);
  identity_->close();
  leases_->close();
  MR_TRY(broker_->close());
  // In order: what all parts reach is exactly what is there.
  return folder_->flush();
}

void House::reload() {
  if (AuditLog* log = identity_->audit_log(); log != nullptr && !log->reopen())
    log_line(LogLevel::kError, "SIGHUP: the audit log's file cannot be opened",
             {{"file", settings_.audit_log}});
  if (const auto loaded = metrics_auth_.reload(); !loaded.ok())
    log_line(LogLevel::kError, "SIGHUP: the token of /metrics stays as it was",
             {{"error", loaded.error().text}});
  if (tls_.certificate_path.empty()) return log_line(LogLevel::kInfo, "SIGHUP: nothing to load again");
  if (const auto loaded = server_->reload_tls(tls_); loaded.ok())
    log_line(LogLevel::kInfo, "SIGHUP: certificate and key loaded again",
             {{"certificate", tls_.certificate_path}});
  else
    log_line(LogLevel::kError, "SIGHUP: certificate and key stay as they were",
             {{"error", loaded.error().text}});
}

void greet(const Settings& settings, const std::string& address) {
  const bool has_tls = settings.tls_self_signed || !settings.tls_certificate_path.empty();
  const std::string scheme = has_tls ? "https" : "http";
  const std::string endpoint = fmt::format("{}://{}", scheme, address);
  // Without root keys an unsigned request passes: then the line works on a machine without AWS credentials,
  // too.
  const std::string credentials =
      settings.root_access_key.empty() ? fmt::format("--no-sign-request --region {} ", settings.region) : "";
  fmt::print("Millrace {} serves {} from {}\n", kVersion, settings.region, settings.data);
  fmt::print("  endpoint  {}\n", endpoint);
  fmt::print(
      "  try       aws {}--endpoint-url {} kinesis create-stream --stream-name clicks --shard-count 1\n",
      credentials, endpoint);
  std::fflush(stdout);
}

void wait_for_stop(House& house) {
  while (next_signal() == Signal::kReload) house.reload();
}

int run(const Settings& settings) try {
  api::log_faults_with(log_fault);
  House house(settings);
  const std::int64_t begin_ns = system_clock().monotonic_ns();
  if (const auto opened = house.open(); !opened.ok()) {
    log_line(LogLevel::kError, "cannot start", {{"error", opened.error().text}, {"data", settings.data}});
    return opened.error().kind == ErrorKind::kInvalid ? kBadUsage : kFailed;
  }
  const std::string address = house.server().address();
  if (!settings.port_file.empty()) {
    const std::string port = address.substr(address.rfind(':') + 1) + "\n";
    if (const auto told = store::replace_public_file(settings.port_file, as_bytes(port)); !told.ok()) {
      log_line(LogLevel::kError, "cannot start", {{"error", "--port-file: " + told.error().text}});
      return kFailed;
    }
  }
  log_line(LogLevel::kInfo, "serving",
           {{"address", address},
            {"data", settings.data},
            {"region", settings.region},
            {"node", settings.node_name},
            {"zone", settings.zone},
            {"version", kVersion},
            {"loops", static_cast<std::int64_t>(house.loops())},
            {"connections_max", static_cast<std::int64_t>(server_limits(settings).connections_max)},
            {"signatures", settings.root_access_key.empty() ? "not checked" : "checked"},
            {"start_ms", (system_clock().monotonic_ns() - begin_ns) / 1'000'000}});
  greet(settings, address);

  wait_for_stop(house);
  let_signals_kill();
  log_line(LogLevel::kInfo, "draining", {{"ms_max", kDrainMsMax}});
  if (const auto closed = house.close(); !closed.ok()) {
    log_line(LogLevel::kError, "did not stop in order", {{"error", closed.error().text}});
    return kFailed;
  }
  return 0;
} catch (const std::system_error& error) {  // the standard library says so when a thread cannot be started
  log_line(
      LogLevel::kError, "cannot start",
      {{"error", fmt::format("the system gives no more threads or memory: {}: raise the limits of this user "
                             "(ulimit -u, ulimit -v)",
                             error.what())}});
  return kFailed;
}

int run_ephemeral(Settings settings) {
  const auto folder = EphemeralFolder::make();
  if (!folder.ok()) {
    log_line(LogLevel::kError, "cannot start", {{"error", folder.error().text}});
    return kFailed;
  }
  settings.data = folder->path();
  return run(settings);
}

}  // namespace

int serve(const Serve& command) {
  hold_signals();
  umask(S_IRWXG | S_IRWXO);  // what it writes is its own user's alone: records, keys
  set_log_level(command.settings.log_level);
  for (const std::string& warning : command.warnings) log_line(LogLevel::kWarn, warning);
  const std::uint64_t open_files = raise_open_files_limit();
  log_line(LogLevel::kInfo, "starting",
           {{"data", command.settings.data}, {"open_files_max", static_cast<std::int64_t>(open_files)}});
  if (const auto enough = check_open_files(command.settings, loop_count(command.settings), open_files);
      !enough.ok()) {
    log_line(LogLevel::kError, "cannot start",
             {{"error", enough.error().text}, {"data", command.settings.data}});
    return kFailed;
  }
  if (command.settings.any_credentials != "no")
    log_line(LogLevel::kWarn,
             "--allow-any-credentials: whoever reaches this address can read, write and delete everything",
             {{"listen", command.settings.listen}});
  const int code = command.settings.ephemeral ? run_ephemeral(command.settings) : run(command.settings);
  if (code == 0) log_line(LogLevel::kInfo, "stopped");
  return code;
}

}  // namespace millrace::app
