#include "keys/key_state.h"

#include "base/base64.h"
#include "base/bytes.h"
#include "base/state_json.h"

namespace millrace::keys {
namespace {

StateJson to_json(const MasterKey& key) {
  StateJson entry{{"id", key.id},
                  {"description", key.description},
                  {"created_ms", key.created_ms},
                  {"enabled", key.enabled},
                  {"aws_managed", key.aws_managed},
                  {"rotates", key.rotates},
                  {"rotation_days", key.rotation_days},
                  {"tags", key.tags}};
  if (key.deletion_ms) {
    entry["deletion_ms"] = *key.deletion_ms;
    entry["deletion_days"] = key.deletion_days;
  }
  if (key.policy != nullptr) entry["policy"] = *key.policy;
  StateJson materials = StateJson::array();
  for (const Material& material : key.materials)
    materials.push_back(
        {{"wrapped", base64_text(as_bytes(material.wrapped))}, {"made_ms", material.made_ms}});
  entry["materials"] = std::move(materials);
  return entry;
}

MasterKey key_from(const StateJson& entry) {
  MasterKey key;
  key.id = entry.at("id").get<std::string>();
  key.description = entry.at("description").get<std::string>();
  key.created_ms = entry.at("created_ms").get<std::int64_t>();
  key.enabled = entry.at("enabled").get<bool>();
  key.aws_managed = entry.at("aws_managed").get<bool>();
  key.rotates = entry.at("rotates").get<bool>();
  key.rotation_days = entry.at("rotation_days").get<std::int64_t>();
  key.tags = entry.at("tags").get<std::map<std::string, std::string>>();
  if (entry.contains("deletion_ms")) key.deletion_ms = entry["deletion_ms"].get<std::int64_t>();
  if (entry.contains("deletion_days")) key.deletion_days = entry["deletion_days"].get<std::int64_t>();
  if (entry.contains("policy"))
    key.policy = std::make_shared<const std::string>(entry["policy"].get<std::string>());
  for (const StateJson& material : entry.at("materials"))
    key.materials.push_back(
        {bytes_from_base64(material.at("wrapped")), material.at("made_ms").get<std::int64_t>()});
  if (key.materials.empty()) throw StateJson::other_error::create(501, "a key without a secret", &entry);
  return key;
}

StateJson to_json(const Alias& alias) {
  return {{"name", alias.name},
          {"key", alias.key},
          {"created_ms", alias.created_ms},
          {"updated_ms", alias.updated_ms}};
}

Alias alias_from(const StateJson& entry) {
  return {entry.at("name").get<std::string>(), entry.at("key").get<std::string>(),
          entry.at("created_ms").get<std::int64_t>(), entry.at("updated_ms").get<std::int64_t>()};
}

StateJson entry_of(const MasterKey& key) { return {{"key", to_json(key)}}; }
StateJson entry_of(const KeyRemoved& removed) { return {{"key_removed", removed.id}}; }
StateJson entry_of(const Alias& alias) { return {{"alias", to_json(alias)}}; }
StateJson entry_of(const AliasRemoved& removed) { return {{"alias_removed", removed.name}}; }

KeyChange change_from(const StateJson& entry) {
  if (entry.contains("key")) return key_from(entry["key"]);
  if (entry.contains("key_removed")) return KeyRemoved{entry["key_removed"].get<std::string>()};
  if (entry.contains("alias")) return alias_from(entry["alias"]);
  return AliasRemoved{entry.at("alias_removed").get<std::string>()};
}

void apply(KeyState& state, const MasterKey& key) {
  state.keys.insert_or_assign(key.id, std::make_shared<const MasterKey>(key));
}
void apply(KeyState& state, const KeyRemoved& removed) {
  state.keys.erase(removed.id);
  std::erase_if(state.aliases, [&](const auto& entry) { return entry.second.key == removed.id; });
}
void apply(KeyState& state, const Alias& alias) { state.aliases.insert_or_assign(alias.name, alias); }
void apply(KeyState& state, const AliasRemoved& removed) { state.aliases.erase(removed.name); }

KeyState state_from(const StateJson& entry) {
  KeyState state;
  for (const StateJson& key : entry.at("keys")) apply(state, key_from(key));
  for (const StateJson& alias : entry.at("aliases")) apply(state, alias_from(alias));
  return state;
}

}  // namespace

std::uint64_t memory_bytes(const KeyState& state) {
  constexpr std::uint64_t kTextBytes = 96;       // of a short text with its place in a table
  constexpr std::uint64_t kUnwrappedBytes = 64;  // of a material
  std::uint64_t bytes = 0;
  for (const auto& [id, key] : state.keys) {
    bytes += sizeof(MasterKey) + 4 * kTextBytes + key->description.capacity();
    for (const auto& [name, value] : key->tags) bytes += 2 * kTextBytes + name.size() + value.size();
    if (key->policy != nullptr) bytes += key->policy->capacity();
    for (const Material& material : key->materials)
      bytes += sizeof(Material) + kUnwrappedBytes + material.wrapped.capacity();
  }
  for (const auto& [name, alias] : state.aliases) bytes += sizeof(Alias) + kTextBytes + 2 * name.size();
  return bytes;
}

KeyState apply_change(const KeyState& state, const KeyChange& change) {
  KeyState changed = state;
  std::visit([&](const auto& kind) { apply(changed, kind); }, change);
  return changed;
}

std::string encode(const KeyChange& change) {
  return std::visit([](const auto& kind) { return entry_of(kind).dump(); }, change);
}

std::string encode(const KeyState& state) {
  StateJson keys = StateJson::array();
  StateJson aliases = StateJson::array();
  for (const auto& [id, key] : state.keys) keys.push_back(to_json(*key));
  for (const auto& [name, alias] : state.aliases) aliases.push_back(to_json(alias));
  return StateJson{{"keys", std::move(keys)}, {"aliases", std::move(aliases)}}.dump();
}

Result<KeyChange> decode_key_change(std::string_view text) {
  return read_state(text, "master keys", change_from);
}

Result<KeyState> decode_key_state(std::string_view text) {
  return read_state(text, "master keys", state_from);
}

}  // namespace millrace::keys
