#include "identity/session.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/base64.h"

namespace millrace::identity {
namespace {

using Json = nlohmann::json;

}  // namespace

std::string new_id(std::string_view prefix, std::size_t more, Random& random) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::array<std::uint8_t, 32> bytes;
  MR_ASSERT(more <= bytes.size());
  random.fill(bytes);
  std::string id(prefix);
  for (std::size_t i = 0; i < more; ++i) id += kDigits[bytes[i] % kDigits.size()];
  return id;
}

std::string new_secret(Random& random) {
  std::array<std::uint8_t, 30> bytes;
  random.fill(bytes);
  return base64_text(bytes);
}

Sessions::Sessions(const SealKey& key)
    : seal_(key, "millrace session token"), secrets_(derive_key(key, "millrace session secret")) {}

std::string Sessions::secret_of(std::string_view access_key) const {
  const SealKey whole = derive_key(secrets_, access_key);
  return base64_text(ByteView(whole).first(30));
}

TemporaryCredentials Sessions::issue(Session session, Random& random) const {
  session.access_key = new_id("ASIA", 16, random);
  const Json json = {{"of", static_cast<int>(session.of)},
                     {"holder", session.holder_id},
                     {"name", session.name},
                     {"documents", session.documents},
                     {"policies", session.policies},
                     {"limited", session.limited},
                     {"issued", session.issued_s},
                     {"expires", session.expires_s},
                     {"key", session.access_key},
                     {"tags", session.tags},
                     {"transitive", session.transitive_tags}};
  return {session.access_key, secret_of(session.access_key), seal_.seal(json.dump(), random)};
}

std::optional<Sessions::Opened> Sessions::open(std::string_view token) const {
  const auto text = seal_.open(token);
  if (!text.has_value()) return std::nullopt;
  const Json json = Json::parse(*text, nullptr, false);
  MR_ASSERT(json.is_object());  // it was sealed here
  Session session;
  session.of = static_cast<Session::Of>(json.at("of").get<int>());
  session.holder_id = json.at("holder").get<std::string>();
  session.name = json.at("name").get<std::string>();
  session.documents = json.at("documents").get<std::vector<std::string>>();
  session.policies = json.at("policies").get<std::vector<std::string>>();
  session.limited = json.at("limited").get<bool>();
  session.issued_s = json.at("issued").get<std::int64_t>();
  session.expires_s = json.at("expires").get<std::int64_t>();
  session.access_key = json.at("key").get<std::string>();
  // Tokens of earlier versions have neither.
  session.tags = json.value("tags", session.tags);
  session.transitive_tags = json.value("transitive", session.transitive_tags);
  std::string secret = secret_of(session.access_key);
  return Opened{std::move(session), std::move(secret)};
}

std::shared_ptr<const Principal> principal_of(const Session& session, const Directory& directory) {
  auto principal = std::make_shared<Principal>();
  if (session.of == Session::Of::kRoot) {
    *principal = *root_principal(directory.account, "");
  } else if (session.of == Session::Of::kUser) {
    const auto user = directory.users.find(session.holder_id);
    if (user == directory.users.end()) return nullptr;
    *principal = *user->second;
  } else {
    const auto found = directory.roles.find(session.holder_id);
    if (found == directory.roles.end()) return nullptr;
    const RoleEntry& role = found->second;
    principal->kind = Principal::Kind::kSession;
    principal->account = directory.account;
    principal->arn =
        fmt::format("arn:aws:sts::{}:assumed-role/{}/{}", directory.account, role.name, session.name);
    principal->id = role.id + ":" + session.name;
    principal->name = role.name;
    principal->role_arn = role.arn;
    principal->policies = role.policies;
    principal->tags = session.tags;
    principal->transitive_tags = session.transitive_tags;
  }
  for (const std::string& document : session.documents) {
    auto policy = parse_policy(document, PolicyKind::kIdentity, kSessionPolicyBytesMax);
    if (!policy.ok()) return nullptr;
    principal->session_policies.push_back({"session policy", std::move(*policy)});
  }
  for (const std::string& name : session.policies)
    if (const auto policy = directory.policies.find(name); policy != directory.policies.end())
      principal->session_policies.push_back({"policy/" + name, policy->second});
  // A session all of whose policies are gone is still a limited one: a policy that allows nothing stands in.
  if (session.limited && principal->session_policies.empty())
    principal->session_policies.push_back(
        {"none", std::make_shared<const Policy>("", std::vector<Statement>())});
  principal->access_key = session.access_key;
  principal->temporary = true;
  principal->session = std::make_shared<const Session>(session);
  principal->directory = directory.serial;
  principal->token_issued_s = session.issued_s;
  principal->serial = next_serial();
  return principal;
}

}  // namespace millrace::identity
