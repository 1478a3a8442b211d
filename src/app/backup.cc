#include "app/backup.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "app/backup_folder.h"
#include "app/exit_code.h"
#include "app/folder_check.h"
#include "app/folder_copy.h"
#include "app/keyring_file.h"
#include "app/secret_file.h"
#include "app/server_call.h"
#include "app/size.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/random.h"
#include "cluster/chain_copy.h"
#include "store/folder_file.h"
#include "store/posix_disk.h"

namespace millrace::app {
namespace {

using enum ErrorKind;
using Json = nlohmann::ordered_json;

constexpr std::int64_t kKeepEveryNs = 20 * kNsPerS;
// To move records to segments takes a busy machine minutes: whoever does it has the lowest priority.
constexpr long kAnswerSecondsMax = 600;
constexpr std::uint64_t kBytesPerSMax = std::uint64_t{1} << 40;
constexpr std::string_view kCatalogChain = "control";
constexpr std::string_view kKeysChain = "kms";

int failed(const Error& error, int code = kFailed) {
  std::fprintf(stderr, "millrace: backup: %s\n", error.text.substr(0, error.text.find('\n')).c_str());
  return code;
}

int done(const std::string& line, const CopyCounts& counts) {
  std::printf("%s: %s\n", line.c_str(), describe(counts).c_str());
  for (const std::string& damaged : counts.damaged)
    std::fprintf(stderr, "millrace: backup: %s\n", damaged.c_str());
  return counts.damaged.empty() ? 0 : kFailed;
}

// The server's side of one backup.
class RunningServer {
 public:
  RunningServer(const ServerAddress& address, std::string credentials)
      : address_(address), credentials_(std::move(credentials)) {}

  struct Place {
    std::string data;
    std::string keyring;
  };
  Result<Place> locate() {
    MR_ASSIGN(const Json answer, ask("LocateData"));
    return Place{answer.value("Data", ""), answer.value("Keyring", "")};
  }

  struct Moment {
    std::uint64_t entry;
    std::string catalog;
    log::Manifest manifest;
  };
  Result<Moment> begin() {
    MR_ASSIGN(const Json answer, ask("BeginBackup"));
    id_ = answer.value("Backup", "");
    kept_ns_ = system_clock().monotonic_ns();
    const auto catalog = base64_bytes(answer.value("Catalog", ""));
    const auto manifest = base64_bytes(answer.value("Manifest", ""));
    if (id_.empty() || !catalog || !manifest)
      return Error{kUnavailable,
                   fmt::format("{} answers what no server of this version does", address_.endpoint)};
    MR_ASSIGN(log::Manifest decoded, log::decode_manifest(as_bytes(*manifest), 1));
    return Moment{answer.value("Entry", std::uint64_t{0}), *catalog, std::move(decoded)};
  }
  // Called now and then: the server holds what is copied while it hears of it.
  Result<void> keep() {
    const std::int64_t now_ns = system_clock().monotonic_ns();
    if (now_ns - kept_ns_ < kKeepEveryNs) return {};
    MR_TRY(ask("KeepBackup"));
    kept_ns_ = now_ns;
    return {};
  }
  Result<void> end() {
    MR_TRY(ask("EndBackup"));
    return {};
  }

 private:
  Result<Json> ask(const std::string& operation) {
    return ask_admin(address_, credentials_, operation, id_.empty() ? Json::object() : Json{{"Backup", id_}},
                     kAnswerSecondsMax);
  }

  const ServerAddress& address_;
  std::string credentials_;
  std::string id_;
  std::int64_t kept_ns_ = 0;
};

// What the folder had when the backup began must be in it: a part that was removed or replaced under the
// server would be missing in the backup, too.
Result<void> check_reaches(const store::FolderRecord& made, const store::FolderRecord& had,
                           const std::string& data) {
  for (const auto& [part, noted] : had.parts) {
    const bool is_chain = part.starts_with(fmt::format("{}/", kControlFolder));
    const bool is_secret = part.starts_with(fmt::format("{}/", kSecretsFolder));
    if (!is_chain && !is_secret) continue;
    const auto there = made.parts.find(part);
    if (there == made.parts.end() || there->second.number < noted.number ||
        (is_secret && there->second.sum != noted.sum))
      return Error{kCorrupt, fmt::format("{}/{} is missing, damaged, older or of another folder: `millrace "
                                         "verify` of the stopped server tells more",
                                         data, part)};
  }
  return {};
}

// What was put together belongs together: as the parts of a folder that is started.
Result<void> bind(store::Disk& made, const store::FolderRecord& had, const std::string& data) {
  MR_ASSIGN(auto record, record_of_parts(made, keyring_path("", made.describe("")), system_random()));
  record.account = had.account;
  record.region = had.region;
  MR_TRY(check_reaches(record, had, data));
  MR_ASSIGN(const auto file, store::FolderFile::open(made, record));
  return {};
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  if (const auto at = text.find(what); at != std::string::npos) text.replace(at, what.size(), with);
  return text;
}

void say_left_alone(const BackupFolder& backups) {
  for (const std::string& path : backups.left_alone())
    std::fprintf(stderr,
                 "millrace: backup: %s has not the mark of a backup of this data folder: it is left alone\n",
                 path.c_str());
}

Result<void> copy_parts(FolderCopy& copy, const RunningServer::Moment& moment,
                        const std::vector<std::string>& chains) {
  if (moment.entry > 0)
    MR_TRY(
        cluster::begin_chain(copy.control(), std::string(kCatalogChain) + "/", moment.entry, moment.catalog));
  if (std::find(chains.begin(), chains.end(), kKeysChain) != chains.end())
    MR_TRY(copy.copy_chain(std::string(kKeysChain)));
  return copy.copy_files();
}

Result<store::FolderRecord> record_of_running(const std::string& path, store::Disk& data) {
  MR_ASSIGN(auto record, store::read_folder_record(data));
  if (record) return std::move(*record);
  return Error{kCorrupt,
               fmt::format("{}/{} is missing, and a server that runs has one", path, store::kFolderFile)};
}

Result<int> back_up(const BackupCall& call, std::uint64_t bytes_per_s, const std::string& credentials) {
  RunningServer server(call.server, credentials);
  MR_ASSIGN(const auto place, server.locate());
  MR_TRY(check_outside_data(call.folder, place.data));
  auto data = store::open_posix_disk_read_only(place.data);
  if (!data.ok())
    return Error{kUnavailable,
                 fmt::format("{}: backup runs on the server's machine, as its user", data.error().text)};
  MR_ASSIGN(const store::FolderRecord had, record_of_running(place.data, **data));
  MR_ASSIGN(const auto backups, BackupFolder::open(call.folder, had.origin.folder));
  say_left_alone(*backups);
  const std::string before = backups->complete().empty() ? "" : backups->path_of(backups->complete().back());
  MR_ASSIGN(store::Disk* const made, backups->begin());
  const std::string part = made->describe("");
  MR_ASSIGN(const auto copy, FolderCopy::begin(**data, *made, bytes_per_s));
  // Leases first, so that no checkpoint is ahead of the records; keys last, so that none is missing that a
  // stream's data key is wrapped by.
  MR_ASSIGN(const auto chains, copy->chains());
  for (const std::string& chain : chains)
    if (chain != kCatalogChain && chain != kKeysChain) MR_TRY(copy->copy_chain(chain));
  MR_ASSIGN(const auto moment, server.begin());
  MR_TRY(copy_parts(*copy, moment, chains));
  const auto link = [&](const log::SegmentEntry& segment) { return backups->link_segment(segment); };
  MR_TRY(copy->copy_log(moment.manifest, link, [&] { return server.keep(); }));
  MR_TRY(server.end());
  MR_TRY(bind(*made, had, place.data));
  MR_TRY(backups->commit());
  const std::uint64_t number = backups->number();
  // An older backup may have what is damaged now.
  if (copy->counts().damaged.empty()) MR_TRY(backups->remove_older(call.keep));
  for (const std::string& line : copy->counts().renewed)
    std::fprintf(stderr, "millrace: backup: %s. The new backup has the segment from the server instead\n",
                 replaced(line, part, before).c_str());
  if (!place.keyring.empty())
    std::printf("the keyring %s is not in it: keep a copy of it elsewhere\n", place.keyring.c_str());
  return done(fmt::format("{} of {}", backups->path_of(number), place.data), copy->counts());
}

}  // namespace

int run_backup(const BackupCall& call) {
  copy_politely();
  const auto bytes_per_s = parse_size(call.bytes_per_s);
  if (!bytes_per_s.ok() || *bytes_per_s > kBytesPerSMax)
    return failed({kInvalid, fmt::format("--bytes-per-s is \"{}\": must be 0 to {} (bytes, or with KiB, MiB, "
                                         "GiB, TiB)",
                                         call.bytes_per_s, format_size(kBytesPerSMax))},
                  kBadUsage);
  const auto credentials = credentials_of_environment();
  if (!credentials.ok()) return failed(credentials.error(), kBadUsage);
  const auto code = back_up(call, *bytes_per_s, *credentials);
  return code.ok() ? *code : failed(code.error());
}

}  // namespace millrace::app
