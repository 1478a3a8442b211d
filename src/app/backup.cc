#include "app/backup.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>

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
#include "app/server_call.h"
#include "app/size.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/random.h"
#include "cluster/chain_copy.h"
#include "log/segment_copy.h"
#include "store/folder_file.h"
#include "store/folder_tree.h"
#include "store/posix_disk.h"

namespace millrace::app {
namespace {

using enum ErrorKind;
using Json = nlohmann::ordered_json;

constexpr std::int64_t kKeepEveryNs = 20 * kNsPerS;
// To move records to segments takes a busy machine minutes: whoever does it has the lowest priority.
constexpr long kAnswerSecondsMax = 600;
constexpr std::string_view kCatalogChain = "control";
constexpr std::string_view kKeysChain = "kms";

// What it writes is its own user's alone; and it yields to the server.
void be_polite() {
  umask(S_IRWXG | S_IRWXO);
  setpriority(PRIO_PROCESS, 0, 19);
}

int failed(std::string_view command, const Error& error, int code = kFailed) {
  std::fprintf(stderr, "millrace: %s: %s\n", std::string(command).c_str(),
               error.text.substr(0, error.text.find('\n')).c_str());
  return code;
}

int done(std::string_view command, const std::string& line, const CopyCounts& counts) {
  std::printf("%s: %llu segments, %llu of them copied with %llu bytes, all read back\n", line.c_str(),
              static_cast<unsigned long long>(counts.segments),
              static_cast<unsigned long long>(counts.copied_segments),
              static_cast<unsigned long long>(counts.copied_bytes));
  for (const std::string& damaged : counts.damaged)
    std::fprintf(stderr, "millrace: %s: %s\n", std::string(command).c_str(), damaged.c_str());
  return counts.damaged.empty() ? 0 : kFailed;
}

Result<void> put_mark(store::Disk& disk) {
  constexpr std::string_view kText = "Not to be served: millrace restore makes a data folder of a backup.\n";
  MR_ASSIGN(const auto file, disk.open(kBackupMark, store::Disk::Mode::kCreate));
  const ByteView piece = as_bytes(kText);
  MR_TRY(file->write_at(0, {&piece, 1}));
  MR_TRY(file->sync());
  return disk.sync_folder("");
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

// Another data folder's backups, in the same place, would go with `keep`.
Result<void> check_origin(store::Disk& data, const BackupFolder& backups) {
  if (backups.complete().empty()) return {};
  const std::string secret = "keys/tokens";
  const auto read = [&](store::Disk& disk) -> Result<std::string> {
    MR_ASSIGN(const auto file, disk.open(secret, store::Disk::Mode::kRead));
    std::string bytes(64, '\0');
    MR_ASSIGN(const std::size_t got,
              file->read_at(0, {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()}));
    return bytes.substr(0, got);
  };
  const std::string before = backups.path_of(backups.complete().back());
  MR_ASSIGN(const auto backup, store::open_posix_disk_read_only(before));
  MR_ASSIGN(const std::string theirs, read(*backup));
  MR_ASSIGN(const std::string ours, read(data));
  if (ours == theirs) return {};
  return Error{kInvalid,
               fmt::format("{} is a backup of another data folder than {}", before, data.describe(""))};
}

// What was put together belongs together: as the parts of a folder that is started.
Result<void> bind(store::Disk& made) {
  MR_ASSIGN(const auto record, record_of_parts(made, keyring_path("", made.describe("")), system_random()));
  MR_ASSIGN(const auto file, store::FolderFile::open(made, record));
  return {};
}

Result<int> back_up(const BackupCall& call, std::uint64_t bytes_per_s, const std::string& credentials) {
  RunningServer server(call.server, credentials);
  MR_ASSIGN(const auto place, server.locate());
  MR_ASSIGN(const auto backups, BackupFolder::open(call.folder));
  auto data = store::open_posix_disk_read_only(place.data);
  if (!data.ok())
    return Error{kUnavailable,
                 fmt::format("{}: backup runs on the server's machine, as its user", data.error().text)};
  MR_TRY(check_origin(**data, *backups));
  MR_ASSIGN(store::Disk* const made, backups->begin());
  MR_TRY(put_mark(*made));
  MR_ASSIGN(const auto copy, FolderCopy::begin(**data, *made, bytes_per_s));
  // Leases first, so that no checkpoint is ahead of the records; keys last, so that none is missing that a
  // stream's data key is wrapped by.
  MR_ASSIGN(const auto chains, copy->chains());
  for (const std::string& chain : chains)
    if (chain != kCatalogChain && chain != kKeysChain) MR_TRY(copy->copy_chain(chain));
  MR_ASSIGN(const auto moment, server.begin());
  if (moment.entry > 0)
    MR_TRY(cluster::begin_chain(copy->control(), std::string(kCatalogChain) + "/", moment.entry,
                                moment.catalog));
  if (std::find(chains.begin(), chains.end(), kKeysChain) != chains.end())
    MR_TRY(copy->copy_chain(std::string(kKeysChain)));
  MR_TRY(copy->copy_files());
  const auto link = [&](const log::SegmentEntry& segment) { return backups->link_segment(segment); };
  MR_TRY(copy->copy_log(moment.manifest, link, [&] { return server.keep(); }));
  MR_TRY(server.end());
  MR_TRY(bind(*made));
  MR_TRY(backups->commit());
  const std::uint64_t number = backups->number();
  // An older backup may have what is damaged now.
  if (copy->counts().damaged.empty()) MR_TRY(backups->remove_older(call.keep));
  if (!place.keyring.empty())
    std::printf("the keyring %s is not in it: keep a copy of it elsewhere\n", place.keyring.c_str());
  return done("backup", fmt::format("{} of {}", backups->path_of(number), place.data), copy->counts());
}

Result<int> restore(const RestoreCall& call) {
  MR_ASSIGN(const std::string path, find_backup(call.folder, call.number));
  MR_ASSIGN(const auto backup, store::open_posix_disk_read_only(path));
  MR_ASSIGN(const log::Manifest manifest, log::read_manifest(*backup));
  MR_ASSIGN(const bool is_free, store::is_new_or_empty(call.data));
  if (!is_free) return Error{kInvalid, fmt::format("{} is not empty: name a folder that is new", call.data)};
  MR_ASSIGN(const auto data, store::open_posix_disk(call.data));
  MR_TRY(put_mark(*data));
  MR_ASSIGN(const auto copy, FolderCopy::begin(*backup, *data, 0));
  MR_ASSIGN(const auto chains, copy->chains());
  for (const std::string& chain : chains) MR_TRY(copy->copy_chain(chain));
  MR_TRY(copy->copy_files());
  MR_TRY(copy->copy_log(
      manifest, [](const log::SegmentEntry&) { return false; }, [] { return Result<void>{}; }));
  MR_TRY(bind(*data));
  for (const std::string_view folder : {"log/segments", "log", "keys", ""}) MR_TRY(data->sync_folder(folder));
  MR_TRY(data->remove(kBackupMark));
  MR_TRY(data->sync_folder(""));
  return done("restore", fmt::format("{} from {}", call.data, path), copy->counts());
}

}  // namespace

int run_backup(const BackupCall& call) {
  be_polite();
  const auto bytes_per_s = parse_size(call.bytes_per_s);
  if (!bytes_per_s.ok()) return failed("backup", bytes_per_s.error(), kBadUsage);
  const auto credentials = credentials_of_environment();
  if (!credentials.ok()) return failed("backup", credentials.error(), kBadUsage);
  const auto code = back_up(call, *bytes_per_s, *credentials);
  return code.ok() ? *code : failed("backup", code.error());
}

int run_restore(const RestoreCall& call) {
  be_polite();
  const auto code = restore(call);
  return code.ok() ? *code : failed("restore", code.error());
}

}  // namespace millrace::app
