#include "keys/key_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/partition.h"
#include "cluster/control_log.h"
#include "keys/default_policies.h"

namespace millrace::keys {
namespace {

constexpr std::string_view kPrefix = "kms/";

using Id = std::array<std::uint8_t, 16>;

std::string uuid_text(const Id& id) {
  std::string text;
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", id[i]);
  }
  return text;
}

std::optional<Id> parse_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Id id;
  std::size_t at = 0;
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      if (text[at++] != '-') return std::nullopt;
    }
    int value = 0;
    for (int digit = 0; digit < 2; ++digit) {
      const char c = text[at++];
      const int part = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
      if (part < 0) return std::nullopt;
      value = value * 16 + part;
    }
    id[i] = static_cast<std::uint8_t>(value);
  }
  return id;
}

std::string bound_to(std::string_view id, std::size_t position) { return fmt::format("{} {}", id, position); }

}  // namespace

Result<KeyState> replay_keys(const std::optional<std::string>& snapshot,
                             const std::vector<std::string>& entries) {
  KeyState state;
  if (snapshot) {
    MR_ASSIGN(state, decode_key_state(*snapshot));
  }
  for (const std::string& entry : entries) {
    MR_ASSIGN(const KeyChange change, decode_key_change(entry));
    state = apply_change(state, change);
  }
  return state;
}

Result<std::vector<Secret>> secrets_of(const MasterKey& key, const Keyring& keyring) {
  std::vector<Secret> secrets;
  for (const Material& material : key.materials) {
    MR_ASSIGN(const Secret secret,
              keyring.unwrap(as_bytes(material.wrapped), bound_to(key.id, secrets.size())));
    secrets.push_back(secret);
  }
  return secrets;
}

KeyService::KeyService(KeyServiceOptions options, Loop& home, const Clock& clock, Random& random,
                       Keyring keyring)
    : options_(std::move(options)),
      home_(home),
      clock_(clock),
      random_(random),
      keyring_(std::move(keyring)),
      default_policy_(default_key_policy(options_.account)),
      own_policy_(own_key_policy(options_.account, options_.region)) {}

Result<std::shared_ptr<KeyService>> KeyService::open(
    KeyServiceOptions options, store::ObjectStore& store, Loop& home,
    const std::function<std::unique_ptr<Worker>()>& start_worker, const Clock& clock, Random& random,
    const std::function<Result<Keyring>(bool may_make)>& keyring) {
  MR_ASSIGN(auto first, cluster::ControlLog::open(store, std::string(kPrefix)));
  MR_ASSIGN(KeyState state, replay_keys(first.snapshot, first.entries));
  // With another keyring, what is wrapped would be lost without anyone being told.
  MR_ASSIGN(Keyring ring, keyring(state.keys.empty()));
  std::shared_ptr<KeyService> service(
      new KeyService(std::move(options), home, clock, random, std::move(ring)));
  for (const auto& [id, key] : state.keys) MR_TRY(service->learn_secrets(*key));
  if (state.aliases.find(kKinesisAlias) == state.aliases.end()) {
    MasterKey key =
        service->new_key("Default key that protects my Kinesis data when no other key is defined");
    key.aws_managed = true;
    const Alias alias{std::string(kKinesisAlias), key.id, key.created_ms, key.created_ms};
    for (const KeyChange& change : {KeyChange(key), KeyChange(alias)}) {
      MR_TRY(first.log->append(encode(change)));
      state = apply_change(state, change);
    }
    MR_TRY(service->learn_secrets(key));
  }
  service->state_ = std::make_shared<const KeyState>(std::move(state));
  service->bytes_ = memory_bytes(*service->state_);
  service->options_.memory->take(service->bytes_);
  MR_ASSIGN(auto opened, cluster::Ledger::open(store, std::string(kPrefix), home, start_worker()));
  service->ledger_ = std::move(opened.ledger);
  service->ledger_->when_held([weak = std::weak_ptr(service)](std::string entry) -> Task<void> {
    return apply_held(weak.lock(), std::move(entry));
  });
  return service;
}

std::string KeyService::key_arn(std::string_view id) const {
  return fmt::format("arn:aws:kms:{}:{}:key/{}", options_.region, options_.account, id);
}
std::string KeyService::alias_arn(std::string_view name) const {
  return fmt::format("arn:aws:kms:{}:{}:{}", options_.region, options_.account, name);
}

std::shared_ptr<const KeyState> KeyService::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::shared_ptr<const std::string> KeyService::policy_of(const MasterKey& key) const {
  if (key.aws_managed) return own_policy_;
  return key.policy != nullptr ? key.policy : default_policy_;
}

std::optional<KeyAccess> KeyService::access_to(std::string_view name) const {
  const auto key = find(name);
  if (!key.ok()) return std::nullopt;
  return KeyAccess{key_arn((*key)->id), policy_of(**key), {*key, &(*key)->tags}};
}

bool KeyService::is_gone(const MasterKey& key) const {
  if (!key.deletion_ms) return false;
  const std::int64_t window_ms = key.deletion_days * kMsPerDay;
  return *key.deletion_ms - window_ms <= clock_.long_ago_ms(window_ms);
}

Task<void> KeyService::remove_gone_keys() {
  const auto self = shared_from_this();
  co_await switch_to(home_);
  const auto turn = co_await ledger_->turn();
  const auto now = state();
  for (const auto& [id, key] : now->keys) {
    if (!is_gone(*key)) continue;
    KeyChange change = KeyRemoved{id};
    auto committed = co_await commit(std::move(change));
    if (!committed.ok()) co_return;  // the next start tries again
  }
}

Result<std::shared_ptr<const MasterKey>> KeyService::find(std::string_view name) const {
  const auto now = state();
  std::string_view resource = name;
  if (name.starts_with("arn:")) {
    // arn:PARTITION:kms:REGION:ACCOUNT:RESOURCE
    std::array<std::string_view, 5> parts;
    for (std::string_view& part : parts) {
      const std::size_t colon = resource.find(':');
      if (colon == std::string_view::npos)
        return Error{ErrorKind::kKeyNotFound, fmt::format("Invalid arn {}", name)};
      part = resource.substr(0, colon);
      resource.remove_prefix(colon + 1);
    }
    if (parts[3] != options_.region)
      return Error{ErrorKind::kKeyNotFound, fmt::format("Invalid arn {}", parts[3])};
    const bool ours =
        is_partition_of(options_.region, parts[1]) && parts[2] == "kms" && parts[4] == options_.account;
    if (ours && resource.starts_with("key/"))
      resource.remove_prefix(4);
    else if (!ours || !resource.starts_with("alias/"))
      return Error{ErrorKind::kKeyNotFound, fmt::format("Key '{}' does not exist", name)};
  }
  if (resource.starts_with("alias/")) {
    const auto alias = now->aliases.find(resource);
    if (alias == now->aliases.end())
      return Error{ErrorKind::kKeyNotFound, fmt::format("Alias {} is not found.", alias_arn(resource))};
    resource = alias->second.key;
  }
  const auto key = now->keys.find(resource);
  if (key != now->keys.end() && !is_gone(*key->second)) return key->second;
  if (!parse_uuid(resource) && !resource.starts_with("mrk-"))
    return Error{ErrorKind::kKeyNotFound, fmt::format("Invalid keyId '{}'", resource)};
  return Error{ErrorKind::kKeyNotFound, fmt::format("Key '{}' does not exist", key_arn(resource))};
}

Result<void> KeyService::usable(const MasterKey& key) const {
  if (key.deletion_ms)
    return Error{ErrorKind::kKeyInvalidState, fmt::format("{} is pending deletion.", key_arn(key.id))};
  if (!key.enabled) return Error{ErrorKind::kKeyDisabled, fmt::format("{} is disabled.", key_arn(key.id))};
  return {};
}

Result<Secret> KeyService::secret(const MasterKey& key, std::size_t position) const {
  const std::lock_guard lock(mutex_);
  const auto known = secrets_.find(key.id);
  if (known == secrets_.end() || position >= known->second.size())
    return Error{ErrorKind::kCorrupt, fmt::format("key {} has no secret {}", key.id, position)};
  return known->second[position];
}

Result<KeyService::Encrypted> KeyService::encrypt(std::string_view name, ByteView plain,
                                                  const EncryptionContext& context) {
  MR_ASSIGN(const auto key, find(name));
  MR_TRY(usable(*key));
  rotate_if_due(*key);
  const std::size_t newest = key->materials.size() - 1;
  MR_ASSIGN(const Secret material, secret(*key, newest));
  const auto id = parse_uuid(key->id);
  MR_ASSERT(id.has_value());
  return Encrypted{
      key, encrypt_blob({*id, static_cast<std::uint32_t>(newest)}, material, plain, context, random_)};
}

Result<std::shared_ptr<const MasterKey>> KeyService::key_of(ByteView blob) const {
  const auto head = head_of_blob(blob);
  if (!head) return Error{ErrorKind::kCorrupt, ""};
  return find(uuid_text(head->key));
}

Result<KeyService::Decrypted> KeyService::decrypt(ByteView blob, const EncryptionContext& context) {
  MR_ASSIGN(const auto key, key_of(blob));
  MR_TRY(usable(*key));
  MR_ASSIGN(const Secret material, secret(*key, head_of_blob(blob)->material));
  auto plain = decrypt_blob(blob, material, context);
  if (!plain) return Error{ErrorKind::kCorrupt, ""};
  return Decrypted{key, std::move(*plain)};
}

MasterKey KeyService::new_key(std::string description) {
  Id id;
  random_.fill(id);
  id[6] = static_cast<std::uint8_t>((id[6] & 0x0f) | 0x40);  // a UUID of version 4: random
  id[8] = static_cast<std::uint8_t>((id[8] & 0x3f) | 0x80);
  MasterKey key;
  key.id = uuid_text(id);
  key.description = std::move(description);
  key.created_ms = clock_.wall_ms();
  key.materials.push_back(new_material(key.id, 0));
  return key;
}

Material KeyService::new_material(const std::string& id, std::size_t position) {
  Secret secret;
  random_.fill(secret.room());
  return {std::string(keyring_.wrap(secret, bound_to(id, position), random_).text()), clock_.wall_ms()};
}

Result<void> KeyService::learn_secrets(const MasterKey& key) {
  const std::lock_guard lock(mutex_);
  std::vector<Secret>& known = secrets_[key.id];
  while (known.size() < key.materials.size()) {
    auto secret =
        keyring_.unwrap(as_bytes(key.materials[known.size()].wrapped), bound_to(key.id, known.size()));
    if (!secret.ok())
      return Error{secret.error().kind, fmt::format("master key {}: {}", key.id, secret.error().text)};
    known.push_back(*secret);
  }
  return {};
}

// In a turn.
Task<Result<void>> KeyService::commit(KeyChange change) {
  const auto self = shared_from_this();
  const std::uint64_t bytes = memory_bytes(apply_change(*state(), change));
  if (bytes > bytes_ && bytes > options_.memory->bytes_max())
    co_return Error{ErrorKind::kLimit, fmt::format("all keys and aliases may take {} bytes of memory",
                                                   options_.memory->bytes_max())};
  auto stored = co_await ledger_->append(encode(change));
  if (!stored.ok()) co_return stored;
  apply(change);
  if (ledger_->snapshot_due())
    ledger_->snapshot(cluster::whole_state([now = state()] { return encode(*now); }));
  co_return Result<void>{};
}

void KeyService::apply(const KeyChange& change) {
  if (const auto* key = std::get_if<MasterKey>(&change)) {
    auto learned = learn_secrets(*key);
    MR_ASSERT(learned.ok());  // wrapped a moment ago
  }
  const std::lock_guard lock(mutex_);
  state_ = std::make_shared<const KeyState>(apply_change(*state_, change));
  const std::uint64_t bytes = memory_bytes(*state_);
  options_.memory->change(std::exchange(bytes_, bytes), bytes);
  if (const auto* removed = std::get_if<KeyRemoved>(&change)) secrets_.erase(removed->id);
}

Task<void> KeyService::apply_held(std::shared_ptr<KeyService> self, std::string entry) {
  const auto change = decode_key_change(entry);
  MR_ASSERT(change.ok());
  if (self != nullptr) self->apply(*change);
  co_return;
}

Task<Result<std::shared_ptr<const MasterKey>>> KeyService::create_key(
    std::string description, std::map<std::string, std::string> tags,
    std::shared_ptr<const std::string> policy) {
  const auto self = shared_from_this();
  co_await switch_to(home_);
  const auto turn = co_await ledger_->turn();
  MasterKey key = new_key(std::move(description));
  key.tags = std::move(tags);
  key.policy = std::move(policy);
  auto made = std::make_shared<const MasterKey>(key);
  KeyChange change = std::move(key);
  auto committed = co_await commit(std::move(change));
  if (!committed.ok()) co_return std::move(committed).error();
  co_return made;
}

Task<Result<std::shared_ptr<const MasterKey>>> KeyService::edit_key(std::string name, Edit edit) {
  Edit checked = [this, edit = std::move(edit)](MasterKey& key) -> Result<void> {
    if (key.aws_managed)
      return Error{ErrorKind::kKeyDenied,
                   fmt::format("{} is managed by AWS: it cannot be changed", key_arn(key.id))};
    return edit(key);
  };
  return edit_here(std::move(name), std::move(checked));
}

Task<Result<std::shared_ptr<const MasterKey>>> KeyService::rotate_key(std::string name) {
  Edit rotate = [this](MasterKey& key) -> Result<void> {
    MR_TRY(usable(key));
    key.materials.push_back(new_material(key.id, key.materials.size()));
    return {};
  };
  return edit_here(std::move(name), std::move(rotate));
}

Task<Result<std::shared_ptr<const MasterKey>>> KeyService::edit_here(std::string name, Edit edit) {
  const auto self = shared_from_this();
  co_await switch_to(home_);
  const auto turn = co_await ledger_->turn();
  const auto found = find(name);
  if (!found.ok()) co_return found.error();
  MasterKey key = **found;
  if (auto edited = edit(key); !edited.ok()) co_return std::move(edited).error();
  auto made = std::make_shared<const MasterKey>(key);
  KeyChange change = std::move(key);
  auto committed = co_await commit(std::move(change));
  if (!committed.ok()) co_return std::move(committed).error();
  co_return made;
}

// A new secret every rotation_days, made when the key is next used: nobody sees when, but that it was before.
void KeyService::rotate_if_due(const MasterKey& key) {
  const bool due = (key.rotates || key.aws_managed) &&
                   clock_.wall_ms() - key.materials.back().made_ms >= key.rotation_days * kMsPerDay;
  if (!due) return;
  home_.post([self = shared_from_this(), id = key.id] {
    Edit rotate = [self](MasterKey& now) -> Result<void> {
      if (self->clock_.wall_ms() - now.materials.back().made_ms < now.rotation_days * kMsPerDay)
        return Error{ErrorKind::kConflict, "another has done it"};
      now.materials.push_back(self->new_material(now.id, now.materials.size()));
      return {};
    };
    spawn(self->edit_here(id, std::move(rotate)), [](const Result<std::shared_ptr<const MasterKey>>&) {});
  });
}

Task<Result<void>> KeyService::set_alias(std::string name, std::string key_name, bool exists) {
  const auto self = shared_from_this();
  co_await switch_to(home_);
  const auto turn = co_await ledger_->turn();
  const auto now = state();
  const auto before = now->aliases.find(name);
  if (exists && before == now->aliases.end())
    co_return Error{ErrorKind::kKeyNotFound, fmt::format("Alias {} is not found.", alias_arn(name))};
  if (!exists && before != now->aliases.end())
    co_return Error{ErrorKind::kConflict,
                    fmt::format("An alias with the name {} already exists", alias_arn(name))};
  const auto key = find(key_name);
  if (!key.ok()) co_return key.error();
  if ((*key)->deletion_ms)
    co_return Error{ErrorKind::kKeyInvalidState, fmt::format("{} is pending deletion.", key_arn((*key)->id))};
  const std::int64_t now_ms = clock_.wall_ms();
  KeyChange change = Alias{name, (*key)->id, exists ? before->second.created_ms : now_ms, now_ms};
  auto committed = co_await commit(std::move(change));
  co_return committed;
}

Task<Result<void>> KeyService::remove_alias(std::string name) {
  const auto self = shared_from_this();
  co_await switch_to(home_);
  const auto turn = co_await ledger_->turn();
  const auto now = state();
  if (now->aliases.find(name) == now->aliases.end())
    co_return Error{ErrorKind::kKeyNotFound, fmt::format("Alias {} is not found.", alias_arn(name))};
  KeyChange change = AliasRemoved{std::move(name)};
  auto committed = co_await commit(std::move(change));
  co_return committed;
}

void KeyService::generate(std::string key, EncryptionContext context, Loop& loop,
                          Function<void(Result<MadeKey>)> done) {
  Secret secret;
  random_.fill(secret.room());
  auto encrypted = encrypt(key, secret.view(), context);
  auto answer = std::make_unique<Result<MadeKey>>(
      encrypted.ok() ? Result<MadeKey>(MadeKey{
                           secret, {key_arn(encrypted->key->id), std::string(encrypted->blob.text())}})
                     : Result<MadeKey>(std::move(encrypted).error()));
  loop.post([answer = std::move(answer), done = std::move(done)]() mutable { done(std::move(*answer)); });
}

void KeyService::unwrap(const WrappedKey& wrapped, EncryptionContext context, Loop& loop,
                        Function<void(Result<Secret>)> done) {
  auto decrypted = decrypt(as_bytes(wrapped.blob), context);
  Result<Secret> answer = [&]() -> Result<Secret> {
    if (decrypted.ok() && decrypted->plain.size() == kSecretBytes) return Secret(decrypted->plain.view());
    if (!decrypted.ok() && decrypted.error().kind != ErrorKind::kCorrupt) return std::move(decrypted).error();
    return Error{ErrorKind::kCorrupt, fmt::format("a data key wrapped by {} is damaged, or of another stream",
                                                  wrapped.master_key)};
  }();
  auto shared = std::make_unique<Result<Secret>>(std::move(answer));
  loop.post([shared = std::move(shared), done = std::move(done)]() mutable { done(std::move(*shared)); });
}

}  // namespace millrace::keys
