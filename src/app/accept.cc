#include "app/accept.h"

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "app/backup_folder.h"
#include "app/exit_code.h"
#include "app/folder_check.h"
#include "app/keyring_file.h"
#include "app/secret_file.h"
#include "broker/broker.h"
#include "log/inspect.h"
#include "log/journal_file.h"
#include "log/manifest_store.h"
#include "store/posix_disk.h"

namespace millrace::app {
namespace {

class Acceptance {
 public:
  Acceptance(store::Disk& disk, const Accept& command)
      : disk_(disk), keyring_(keyring_path(command.keyring, command.folder)) {}

  // errors   kCorrupt: something cannot be given up
  Result<store::FolderRecord> run() {
    const OnFault pass = [](Error error) -> Result<void> {
      if (error.kind == ErrorKind::kCorrupt) return {};
      return error;
    };
    MR_ASSIGN(FolderState state, check_folder(disk_, keyring_, system_random(), CheckDepth::kStart, pass));
    MR_ASSIGN(const auto newest, log::read_newest_manifest(disk_));
    MR_ASSIGN(const auto found, log::inspect(disk_, log::Inspect::kVerify, [](const std::string&) {}));
    if (!state.has_record && !state.folders.empty()) {
      MR_ASSIGN(state.record, record_of_parts(disk_, keyring_, system_random()));
      give_up(state.record, "FOLDER: it was missing or damaged; what the parts had to reach is not known");
    }
    amend_chains(state);
    amend_log(state.record, newest.mark, found.journals);
    MR_TRY(amend_secrets(state.record));
    MR_TRY(check_rest(state.record));
    return std::move(state.record);
  }

 private:
  static void give_up(store::FolderRecord& record, const std::string& what) {
    record.given_up.push_back(what);
  }

  static void amend_chains(FolderState& state) {
    for (const auto& [name, chain] : state.chains) {
      const store::PartMark& mark = chain.mark;
      const std::string part = fmt::format("{}/{}", kControlFolder, name);
      const auto known = state.record.parts.find(part);
      if (known == state.record.parts.end()) continue;
      const store::PartMark noted = known->second;
      if (mark.number < noted.number)
        give_up(state.record, fmt::format("{}: entries {} to {}", part, mark.number + 1, noted.number));
      else if (mark.from < noted.from)
        give_up(state.record, fmt::format("{}: the snapshot of entry {}", part, noted.from));
      else if (mark.number == noted.number && mark.from == noted.from && mark.sum != noted.sum &&
               !noted.sum.empty())
        give_up(state.record, fmt::format("{}: entries up to {}, which are not those that were written", part,
                                          noted.number));
      else
        continue;
      known->second = mark;
    }
  }

  static void amend_log(store::FolderRecord& record, const store::PartMark& manifest,
                        const std::vector<log::JournalGroups>& journals) {
    const auto known = record.parts.find(std::string(log::kManifestPart));
    if (known != record.parts.end() && manifest.number < known->second.number) {
      give_up(record, fmt::format("{}: manifests {} to {}, and records that only they name", known->first,
                                  manifest.number + 1, known->second.number));
      known->second = manifest;
    }
    for (std::uint32_t loop = 0; loop < journals.size(); ++loop) {
      const auto journal = record.parts.find(log::journal_folder(loop));
      if (journal == record.parts.end()) continue;
      store::PartMark& mark = journal->second;
      const log::JournalGroups& groups = journals[loop];
      const std::string sum = groups.sum_of(mark.number);
      if (mark.number > groups.newest)
        give_up(record, fmt::format("{}: groups {} to {} of records", journal->first, groups.newest + 1,
                                    mark.number));
      else if (!mark.sum.empty() && !sum.empty() && mark.sum != sum)
        give_up(record, fmt::format("{}: the records that were in group {} and others near it",
                                    journal->first, mark.number));
      else
        continue;
      mark = {groups.newest, 0, groups.sum_of(groups.newest)};
    }
  }

  Result<void> amend_secrets(store::FolderRecord& record) {
    for (const std::string_view name : {kIdentitiesSecret, kTokensSecret}) {
      const auto known = record.parts.find(secret_part(name));
      if (known == record.parts.end()) continue;
      const auto secret = load_secret(disk_, name);
      if (secret.ok() && secret_mark(secret->view()) == known->second) continue;
      if (!secret.ok() && secret.error().kind != ErrorKind::kNotFound) return secret.error();
      give_up(record, fmt::format("{}: the secret that it was, and all that needs it", known->first));
      if (secret.ok())
        known->second = secret_mark(secret->view());
      else
        record.parts.erase(known);
    }
    return {};
  }

  // Without what is given up, all must be right.
  Result<void> check_rest(const store::FolderRecord& record) {
    const OnFault refuse = [](Error error) -> Result<void> { return error; };
    MR_ASSIGN(const FolderState state,
              check_folder(disk_, keyring_, system_random(), CheckDepth::kAll, refuse, &record));
    const log::KnownShards known{broker::shards_of(state.catalog), state.catalog.next_shard_key};
    std::string first;
    MR_ASSIGN(const auto found,
              log::inspect(
                  disk_, log::Inspect::kVerify,
                  [&](const std::string& line) { first = first.empty() ? line : first; }, &known));
    if (found.problems != 0) return Error{ErrorKind::kCorrupt, first};
    return {};
  }

  store::Disk& disk_;
  const std::string keyring_;
};

Result<void> accept_folder(const Accept& command) {
  MR_TRY(refuse_folder_of_backups(command.folder));
  MR_TRY(store::check_not_in_use(command.folder));
  MR_ASSIGN(auto disk, store::open_posix_disk_read_only(command.folder));
  if (command.give_up) {
    MR_ASSIGN(disk, store::open_posix_disk(command.folder));
  }
  auto record = Acceptance(*disk, command).run();
  if (!record.ok()) return Error{record.error().kind, "this cannot be given up: " + record.error().text};
  if (record->given_up.empty()) {
    std::printf("The parts belong together: there is nothing to give up.\n");
    return {};
  }
  for (std::string& line : record->given_up) {
    std::printf("%s\n", line.c_str());
    line.insert(0, "given up by millrace accept: ");
  }
  if (!command.give_up) {
    std::printf("Nothing was changed. To go on without these: millrace accept %s --give-up\n",
                command.folder.c_str());
    return {};
  }
  MR_ASSIGN(const auto file, store::FolderFile::open(*disk, *record));
  std::printf("Given up. The next start goes on without these, and its log says so.\n");
  return {};
}

}  // namespace

int accept(const Accept& command) {
  auto accepted = accept_folder(command);
  if (accepted.ok()) return 0;
  std::fprintf(stderr, "millrace: %s\n", accepted.error().text.c_str());
  return kFailed;
}

}  // namespace millrace::app
