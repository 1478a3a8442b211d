#include "iam/keeper.h"

#include <fmt/format.h>

#include <utility>

namespace millrace::iam {
namespace {

constexpr std::uint64_t kEntriesBetweenSnapshots = 256;
constexpr std::string_view kSealUse = "millrace secret at rest";

}  // namespace

Keeper::Keeper(KeeperOptions options, Loop& loop, std::shared_ptr<cluster::Ledger> ledger,
               std::shared_ptr<const identity::Identities> identities,
               std::shared_ptr<const identity::Directory> directory)
    : options_(std::move(options)),
      seal_(options_.key, kSealUse),
      loop_(loop),
      ledger_(std::move(ledger)),
      identities_(std::move(identities)),
      directory_(std::move(directory)),
      quotas_(identity::QuotaTable::make(*identities_.here(), nullptr)) {}

Result<std::unique_ptr<Keeper>> Keeper::open(store::ObjectStore& store, Loop& loop,
                                             std::unique_ptr<Worker> worker, KeeperOptions options) {
  MR_ASSIGN(auto opened, cluster::Ledger::open(store, "identity/", loop, std::move(worker)));
  identity::Identities identities;
  if (opened.snapshot.has_value()) {
    MR_ASSIGN(identities, identity::decode_identities(*opened.snapshot));
  }
  for (const std::string& entry : opened.entries) {
    MR_ASSIGN(const auto change, identity::decode_identity_change(entry));
    auto changed = identity::apply_change(identities, change);
    if (!changed.ok())
      return Error{ErrorKind::kCorrupt,
                   fmt::format("identities: an entry does not fit: {}", changed.error().text)};
    identities = std::move(*changed);
  }
  const identity::Seal seal(options.key, kSealUse);
  MR_ASSIGN(auto directory, identity::make_directory(identities, seal, options.account, options.root));
  return std::unique_ptr<Keeper>(
      new Keeper(std::move(options), loop, std::move(opened.ledger),
                 std::make_shared<const identity::Identities>(std::move(identities)), std::move(directory)));
}

Task<Result<void>> Keeper::change(identity::IdentityChange change, Loop& home) {
  co_await switch_to(loop_);
  Task<Result<void>> changing = change_here(std::move(change));
  auto outcome = co_await std::move(changing);
  co_await switch_to(home);
  co_return outcome;
}

Task<Result<void>> Keeper::change_here(identity::IdentityChange change) {
  Task<cluster::Ledger::Turn> waiting = ledger_->turn();
  const cluster::Ledger::Turn turn = co_await std::move(waiting);
  auto changed = identity::apply_change(*identities_.here(), change);
  if (!changed.ok()) co_return changed.error();
  auto directory = identity::make_directory(*changed, seal_, options_.account, options_.root);
  if (!directory.ok()) co_return directory.error();
  auto appended = co_await ledger_->append(encode(change));
  if (!appended.ok()) co_return appended;
  auto state = std::make_shared<const identity::Identities>(std::move(*changed));
  identities_.publish(state);
  directory_.publish(std::move(*directory));
  quotas_.publish(identity::QuotaTable::make(*state, quotas_.here().get()));
  if (ledger_->since_snapshot() >= kEntriesBetweenSnapshots) {
    // Where it fails, the entries stay, and the next change tries again.
    auto shortened = co_await ledger_->snapshot(encode(*state));
    (void)shortened;
  }
  co_return Result<void>{};
}

}  // namespace millrace::iam
