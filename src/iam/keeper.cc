#include "iam/keeper.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace millrace::iam {
namespace {

constexpr std::string_view kSealUse = "millrace secret at rest";

}  // namespace

Keeper::Keeper(KeeperOptions options, Loop& loop, std::shared_ptr<cluster::Ledger> ledger,
               std::shared_ptr<const identity::Identities> identities,
               std::shared_ptr<const identity::Directory> directory)
    : options_(std::move(options)),
      seal_(seal_at_rest(options_.key)),
      loop_(loop),
      ledger_(std::move(ledger)),
      identities_(std::move(identities)),
      directory_(std::move(directory)),
      quotas_(identity::QuotaTable::make(*identities_.here(), nullptr)),
      bytes_(identity::memory_bytes(*identities_.here())) {
  options_.memory->take(bytes_);
  ledger_->when_held([this](std::string entry) { return apply_held(std::move(entry)); });
}

identity::Seal seal_at_rest(const identity::SealKey& key) { return {key, kSealUse}; }

Result<identity::Identities> replay_identities(const std::optional<std::string>& snapshot,
                                               const std::vector<std::string>& entries) {
  identity::Identities identities;
  if (snapshot.has_value()) {
    MR_ASSIGN(identities, identity::decode_identities(*snapshot));
  }
  for (const std::string& entry : entries) {
    MR_ASSIGN(const auto change, identity::decode_identity_change(entry));
    auto changed = identity::apply_change(identities, change);
    if (!changed.ok())
      return Error{ErrorKind::kCorrupt,
                   fmt::format("identities: an entry does not fit: {}", changed.error().text)};
    identities = std::move(*changed);
  }
  return identities;
}

Result<std::unique_ptr<Keeper>> Keeper::open(store::ObjectStore& store, Loop& loop,
                                             std::unique_ptr<Worker> worker, KeeperOptions options) {
  MR_ASSIGN(auto opened, cluster::Ledger::open(store, "identity/", loop, std::move(worker)));
  MR_ASSIGN(identity::Identities identities, replay_identities(opened.snapshot, opened.entries));
  const identity::Seal seal = seal_at_rest(options.key);
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

// The state behind a change, and what is made of it.
struct Keeper::Next {
  std::shared_ptr<const identity::Identities> identities;
  std::shared_ptr<const identity::Directory> directory;
  std::shared_ptr<const identity::QuotaTable> quotas;
  std::uint64_t bytes = 0;
};

Result<Keeper::Next> Keeper::next(const identity::IdentityChange& change,
                                  const identity::Identities& identities,
                                  const identity::Directory& directory, const identity::QuotaTable& quotas,
                                  bool bounded) const {
  MR_ASSIGN(auto changed, identity::apply_change(identities, change));
  Next next;
  next.bytes = identity::memory_bytes(changed);
  if (bounded && next.bytes > bytes_ && next.bytes > options_.memory->bytes_max())
    return Error{ErrorKind::kLimit,
                 fmt::format("users, roles and policies together may take {} bytes of memory",
                             options_.memory->bytes_max())};
  next.identities = std::make_shared<const identity::Identities>(std::move(changed));
  MR_ASSIGN(next.directory,
            identity::make_directory(*next.identities, seal_, options_.account, options_.root, &directory));
  next.quotas = identity::QuotaTable::make(*next.identities, &quotas);
  return next;
}

// In proportion to all identities there are is only what the worker does.
Task<Result<void>> Keeper::change_here(identity::IdentityChange change) {
  Task<cluster::Ledger::Turn> waiting = ledger_->turn();
  const cluster::Ledger::Turn turn = co_await std::move(waiting);
  const auto identities = identities_.here();
  const auto directory = directory_.here();
  const auto quotas = quotas_.here();
  std::optional<Result<Next>> prepared;
  auto preparing = ledger_->on_worker([&] {
    std::erase_if(replaced_, [](const auto& picture) { return picture.use_count() == 1; });
    prepared.emplace(next(change, *identities, *directory, *quotas, true));
  });
  co_await std::move(preparing);
  if (!prepared->ok()) co_return prepared->error();
  const Next made = std::move(**prepared);
  auto appended = co_await ledger_->append(encode(change));
  if (!appended.ok()) co_return appended;
  publish(made);
  if (ledger_->snapshot_due())
    ledger_->snapshot(cluster::whole_state([state = made.identities] { return encode(*state); }));
  co_return Result<void>{};
}

// What was checked before it was appended fits: nothing was changed since.
Task<void> Keeper::apply_held(std::string entry) {
  const auto change = identity::decode_identity_change(entry);
  MR_ASSERT(change.ok());
  auto made = next(*change, *identities_.here(), *directory_.here(), *quotas_.here(), false);
  MR_ASSERT(made.ok());
  publish(*made);
  co_return;
}

void Keeper::publish(const Next& next) {
  replaced_.insert(replaced_.end(), {identities_.here(), directory_.here(), quotas_.here()});
  options_.memory->change(std::exchange(bytes_, next.bytes), next.bytes);
  identities_.publish(next.identities);
  directory_.publish(next.directory);
  quotas_.publish(next.quotas);
}

}  // namespace millrace::iam
