#include "app/folder_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "app/keyring_file.h"
#include "app/secret_file.h"
#include "broker/catalog_change.h"
#include "cluster/control_log.h"
#include "iam/keeper.h"
#include "keys/key_service.h"
#include "leases/dynamodb/change_codec.h"
#include "log/journal_file.h"
#include "log/manifest_store.h"
#include "store/object_store.h"

namespace millrace::app {
namespace {

constexpr std::string_view kCatalogChain = "control";
constexpr std::string_view kIdentityChain = "identity";
constexpr std::string_view kKeysChain = "kms";
constexpr std::string_view kTablesChain = "leases";

class FolderCheck {
 public:
  FolderCheck(store::Disk& disk, const std::string& keyring, Random& random, CheckDepth depth,
              const OnFault& fault, const store::FolderRecord* record)
      : disk_(disk),
        keyring_(keyring),
        random_(random),
        depth_(depth),
        fault_(fault),
        given_(record),
        control_(store::view_directory_store(disk, kControlFolder)) {}

  Result<FolderState> run() {
    MR_TRY(read_record());
    MR_ASSIGN(const auto catalog, read_chain(kCatalogChain));
    MR_ASSIGN(const auto identities, read_chain(kIdentityChain));
    MR_ASSIGN(const auto keys, read_chain(kKeysChain));
    MR_TRY(check_tables());
    MR_TRY(check_catalog(catalog));
    MR_TRY(check_secrets());
    MR_TRY(check_identities(identities));
    MR_TRY(check_keys(keys));
    MR_TRY(check_manifest());
    return std::move(state_);
  }

 private:
  Result<void> wrong(std::string text) { return fault_({ErrorKind::kCorrupt, std::move(text)}); }
  std::string control(std::string_view path) const {
    return disk_.describe(fmt::format("{}/{}", kControlFolder, path));
  }
  // What was noted of a part; nullptr: nothing is known.
  const store::PartMark* noted(const std::string& part) const {
    const auto found = state_.record.parts.find(part);
    return found == state_.record.parts.end() ? nullptr : &found->second;
  }

  Result<void> read_record() {
    if (given_ != nullptr) {
      state_.record = *given_;
      state_.has_record = true;
      return {};
    }
    auto record = store::read_folder_record(disk_);
    if (!record.ok()) {
      if (record.error().kind != ErrorKind::kCorrupt) return std::move(record).error();
      MR_TRY(fault_(std::move(record).error()));
      return {};
    }
    state_.has_record = record->has_value();
    if (state_.has_record) {
      state_.record = std::move(**record);
      return {};
    }
    is_first_ = true;
    while (state_.record.origin.folder == 0) state_.record.origin.folder = random_.next_u64();
    return {};
  }

  // Of something that says whose it is, at `where`.
  Result<void> check_origin(const store::Origin& origin, const std::string& where) {
    if (origin.folder == 0) return {};
    state_.folders.insert(origin.folder);
    state_.newest_start = std::max(state_.newest_start, origin.start);
    if (is_first_) {
      return std::exchange(missing_told_, true)
                 ? Result<void>{}
                 : wrong(fmt::format("{} is missing: {} is of the folder {:016x}, which had one",
                                     disk_.describe(store::kFolderFile), where, origin.folder));
    }
    if (!state_.has_record) return {};  // it is damaged, as was said
    if (origin.folder != state_.record.origin.folder)
      return wrong(fmt::format("{} is of another folder, {:016x}: this one is {:016x}", where, origin.folder,
                               state_.record.origin.folder));
    if (origin.start > state_.record.origin.start)
      return wrong(
          fmt::format("{} is older than the rest of the folder: it counts {} starts, and {} was written in "
                      "start {}",
                      disk_.describe(store::kFolderFile), state_.record.origin.start, where, origin.start));
    return {};
  }

  // The chain, as far as it is whole; nullopt where its state cannot be told.
  Result<std::optional<cluster::Chain>> read_chain(std::string_view name) {
    bool whole = true;
    const auto chain_fault = [&](Error error) -> Result<void> {
      whole = false;
      if (error.kind == ErrorKind::kCorrupt) error.text = control(error.text);
      return fault_(std::move(error));
    };
    MR_ASSIGN(auto chain,
              cluster::read_chain(*control_, std::string(name) + "/",
                                  noted(fmt::format("{}/{}", kControlFolder, name)), chain_fault));
    for (const auto& [folder, object] : chain.folders)
      if (folder != state_.record.origin.folder) MR_TRY(check_origin({folder, 0}, control(object)));
    if (chain.folders.count(state_.record.origin.folder) != 0)
      MR_TRY(check_origin({state_.record.origin.folder, chain.newest_start}, control(chain.of_newest_start)));
    state_.newest_start = std::max(state_.newest_start, chain.newest_start);
    cluster::Chain& kept = state_.chains[std::string(name)];
    kept.mark = chain.mark;
    kept.snapshot_sum = chain.snapshot_sum;
    kept.entry_sums = chain.entry_sums;
    if (!whole) return std::optional<cluster::Chain>{};
    return std::optional(std::move(chain));
  }

  Result<void> check_catalog(const std::optional<cluster::Chain>& chain) {
    if (!chain) return {};
    auto catalog = broker::replay_catalog(chain->snapshot, chain->entries);
    if (!catalog.ok()) return wrong(fmt::format("{}: {}", control(kCatalogChain), catalog.error().text));
    state_.catalog = std::move(*catalog);
    state_.has_catalog = true;
    return {};
  }

  // Read alone: tables can be large.
  Result<void> check_tables() {
    MR_ASSIGN(const auto chain, read_chain(kTablesChain));
    if (!chain || depth_ == CheckDepth::kStart) return {};
    leases::dynamodb::Tables tables;
    const auto take = [&](std::string_view lines) -> Result<void> {
      auto replayed = leases::dynamodb::replay(lines, tables);
      return replayed.ok() ? replayed
                           : wrong(fmt::format("{}: {}", control(kTablesChain), replayed.error().text));
    };
    if (chain->snapshot) MR_TRY(take(*chain->snapshot));
    for (const std::string& entry : chain->entries) MR_TRY(take(entry));
    return {};
  }

  Result<void> check_secrets() {
    for (const auto& [part, mark] : state_.record.parts) {
      const std::string folder = std::string(kSecretsFolder) + "/";
      if (!part.starts_with(folder)) continue;
      const auto secret = load_secret(disk_, part.substr(folder.size()));
      if (!secret.ok() && secret.error().kind == ErrorKind::kNotFound)
        MR_TRY(wrong(fmt::format("{} is missing", disk_.describe(part))));
      else if (!secret.ok())
        MR_TRY(fault_(secret.error()));
      else if (secret_mark(secret->view()) != mark)
        MR_TRY(wrong(fmt::format(
            "{} is not the secret that this folder had: it is damaged, older or of another folder",
            disk_.describe(part))));
    }
    return {};
  }

  Result<void> check_identities(const std::optional<cluster::Chain>& chain) {
    if (!chain) return {};
    const auto identities = iam::replay_identities(chain->snapshot, chain->entries);
    if (!identities.ok())
      return wrong(fmt::format("{}: {}", control(kIdentityChain), identities.error().text));
    const bool has_keys = std::any_of(identities->users.begin(), identities->users.end(),
                                      [](const auto& user) { return !user.second.keys.empty(); });
    if (!has_keys) return {};
    const std::string part = secret_part(kIdentitiesSecret);
    const auto secret = load_secret(disk_, kIdentitiesSecret);
    // What is wrong with a secret of which something is known was said.
    if (!secret.ok())
      return noted(part) != nullptr ? Result<void>{}
                                    : wrong(fmt::format("{}: {}", disk_.describe(part),
                                                        "it is "
                                                        "missing, and users have secret keys under it"));
    identity::SealKey key;
    std::copy(secret->view().begin(), secret->view().end(), key.begin());
    const identity::Seal seal = iam::seal_at_rest(key);
    for (const auto& [name, user] : identities->users)
      for (const auto& [id, access] : user.keys)
        if (!seal.open(access.sealed_secret))
          MR_TRY(wrong(fmt::format("{}: the secret of access key {}, of user {}, does not open with {}",
                                   control(kIdentityChain), id, name, disk_.describe(part))));
    return {};
  }

  Result<void> check_keys(const std::optional<cluster::Chain>& chain) {
    if (!chain) return {};
    const auto keys = keys::replay_keys(chain->snapshot, chain->entries);
    if (!keys.ok()) return wrong(fmt::format("{}: {}", control(kKeysChain), keys.error().text));
    if (keys->keys.empty()) return {};
    const auto keyring = load_keyring(keyring_, false);
    if (!keyring.ok()) return fault_(keyring.error());
    for (const auto& [id, key] : keys->keys)
      if (const auto secrets = keys::secrets_of(*key, *keyring); !secrets.ok())
        MR_TRY(wrong(fmt::format("{}: master key {} does not open with {}: {}", control(kKeysChain), id,
                                 keyring_, secrets.error().text)));
    return {};
  }

  Result<void> check_manifest() {
    const auto newest = log::read_newest_manifest(disk_);
    if (!newest.ok())
      return newest.error().kind == ErrorKind::kCorrupt ? fault_(newest.error()) : newest.error();
    const std::string part(log::kManifestPart);
    const store::PartMark* const known = noted(part);
    const std::uint64_t number = newest->mark.number;
    if (number == 0) {
      if (known != nullptr)
        return wrong(fmt::format("{} is missing: there is no manifest, and number {} was written",
                                 disk_.describe(part), known->number));
      if (state_.has_catalog && state_.catalog.next_shard_key > 1)
        return wrong(fmt::format("{} is missing: there is no manifest, and the catalog has made {} shards",
                                 disk_.describe(part), state_.catalog.next_shard_key - 1));
      return {};
    }
    const std::string where = disk_.describe(fmt::format("{}/{}", part, log::manifest_name(number)));
    if (known != nullptr && number < known->number)
      return wrong(fmt::format(
          "{} is the newest manifest, and {} was written: it is missing, or log/ is older than the "
          "rest of the folder",
          where, log::manifest_name(known->number)));
    MR_TRY(check_origin(newest->manifest.origin, where));
    if (known != nullptr && number == known->number && newest->mark.sum != known->sum)
      return wrong(fmt::format("{} is not the manifest that was written: it is of another folder", where));
    return {};
  }

  store::Disk& disk_;
  const std::string& keyring_;
  Random& random_;
  const CheckDepth depth_;
  const OnFault& fault_;
  const store::FolderRecord* const given_;
  const std::unique_ptr<store::ObjectStore> control_;
  FolderState state_;
  bool is_first_ = false;  // there is no FOLDER
  bool missing_told_ = false;
};

}  // namespace

Result<FolderState> check_folder(store::Disk& disk, const std::string& keyring, Random& random,
                                 CheckDepth depth, const OnFault& fault, const store::FolderRecord* record) {
  return FolderCheck(disk, keyring, random, depth, fault, record).run();
}

Result<store::FolderRecord> record_of_parts(store::Disk& disk, const std::string& keyring, Random& random) {
  const OnFault pass = [](Error error) -> Result<void> {
    if (error.kind == ErrorKind::kCorrupt) return {};
    return error;
  };
  MR_ASSIGN(const FolderState state, check_folder(disk, keyring, random, CheckDepth::kStart, pass));
  if (state.folders.size() > 1) return Error{ErrorKind::kCorrupt, "its parts are of several folders"};
  store::FolderRecord record;
  record.origin = {state.folders.empty() ? random.next_u64() | 1 : *state.folders.begin(),
                   state.newest_start};
  for (const auto& [name, chain] : state.chains)
    if (chain.mark.number != 0) record.parts[fmt::format("{}/{}", kControlFolder, name)] = chain.mark;
  MR_ASSIGN(const auto newest, log::read_newest_manifest(disk));
  if (newest.mark.number != 0) record.parts[std::string(log::kManifestPart)] = newest.mark;
  for (const std::string_view name : {kIdentitiesSecret, kTokensSecret})
    if (const auto secret = load_secret(disk, name); secret.ok())
      record.parts[secret_part(name)] = secret_mark(secret->view());
  return record;
}

Result<void> check_journal_ends(const store::Disk& disk, const store::FolderRecord& record,
                                const std::vector<log::JournalGroups>& journals, const OnFault& fault) {
  for (std::uint32_t loop = 0; loop < journals.size(); ++loop) {
    const auto known = record.parts.find(log::journal_folder(loop));
    if (known == record.parts.end()) continue;
    const std::string where = disk.describe(known->first);
    const store::PartMark& mark = known->second;
    if (mark.number > journals[loop].newest) {
      MR_TRY(fault(
          {ErrorKind::kCorrupt,
           fmt::format("{} ends with group {}, and {} was written: it is older than the rest of the folder",
                       where, journals[loop].newest, mark.number)}));
      continue;
    }
    // One that is in segments by now is not compared.
    const std::string sum = journals[loop].sum_of(mark.number);
    if (!mark.sum.empty() && !sum.empty() && mark.sum != sum)
      MR_TRY(fault(
          {ErrorKind::kCorrupt,
           fmt::format("{} has another group {} than was written: it is of a copy of the folder that went on "
                       "by itself",
                       where, mark.number)}));
  }
  return {};
}

Error refusal(Error fault) {
  if (fault.kind != ErrorKind::kCorrupt) return fault;
  fault.text +=
      ". Nothing was changed. Put the right part back, or restore the whole folder from one backup; "
      "`millrace verify` lists "
      "all that is wrong, and `millrace accept` what going on without a part gives up";
  return fault;
}

}  // namespace millrace::app
