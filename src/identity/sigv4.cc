#include "identity/sigv4.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "base/byte_cache.h"
#include "identity/amz_time.h"
#include "identity/authorization.h"
#include "identity/canonical_request.h"
#include "identity/digest.h"
#include "identity/directory.h"
#include "identity/policy.h"
#include "identity/session.h"
#include "identity/signing_key.h"

namespace millrace::identity {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kTerminator = "aws4_request";
constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
constexpr std::int64_t kSkew_s = 300;
constexpr std::int64_t kLifetimeMax_s = 7 * 24 * 3600;

AuthFailure refused(const char* type, std::string message) { return {400, type, std::move(message)}; }
AuthFailure invalid(std::string message) { return refused("InvalidSignatureException", std::move(message)); }

using MaybeFailure = std::optional<AuthFailure>;

// " - 5 min", as the service words an allowance.
std::string allowance(const char* sign, std::int64_t seconds) {
  const bool whole_minutes = seconds % 60 == 0;
  return std::string(sign) + std::to_string(whole_minutes ? seconds / 60 : seconds) +
         (whole_minutes ? " min." : " sec.");
}

// `text` is the signing time as the signature has it.
MaybeFailure check_time(const Claim& claim, std::int64_t signed_s, const std::string& text,
                        std::int64_t now_s) {
  std::int64_t lifetime_s = kSkew_s;
  if (claim.lifetime.has_value()) {
    const std::string& digits = *claim.lifetime;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), lifetime_s);
    if (error != std::errc() || end != digits.data() + digits.size()) {
      return invalid("X-Amz-Expires should be a number");
    }
    if (lifetime_s < 0) return invalid("X-Amz-Expires must be non-negative");
    if (lifetime_s > kLifetimeMax_s) {
      return invalid(
          "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be "
          "less "
          "than 604800 seconds");
    }
  }
  const std::string now = format_amz_time(now_s);
  if (signed_s < now_s - lifetime_s) {
    return invalid("Signature expired: " + text + " is now earlier than " +
                   format_amz_time(now_s - lifetime_s) + " (" + now + allowance(" - ", lifetime_s) + ")");
  }
  if (signed_s > now_s + kSkew_s) {
    return invalid("Signature not yet current: " + text + " is still later than " +
                   format_amz_time(now_s + kSkew_s) + " (" + now + allowance(" + ", kSkew_s) + ")");
  }
  return std::nullopt;
}

// A list of signed headers: in the order given, each once.
struct SignedNames {
  std::string text;  // lower-case; what the views point into
  std::vector<std::string_view> ordered;
  std::vector<std::string_view> sorted;

  explicit SignedNames(std::string_view list) : text(lower_case(list)) {
    std::string_view rest = text;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(';'), rest.size());
      ordered.push_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    sorted = ordered;
    std::sort(sorted.begin(), sorted.end());
    const auto twice = std::unique(sorted.begin(), sorted.end());
    if (twice == sorted.end()) return;
    // Named twice, a header would be written twice: with long ones that could be made to fill the memory.
    // Nobody signs so; writing it once makes the signature wrong.
    sorted.erase(twice, sorted.end());
    ordered = sorted;
  }
  SignedNames(const SignedNames&) = delete;
  SignedNames& operator=(const SignedNames&) = delete;

  bool contains(std::string_view name) const {
    return std::binary_search(sorted.begin(), sorted.end(), name);
  }
};

// Those of the x-amz- headers that need no signature: the payload's hash is in the canonical request anyway,
// the token is compared with the one that is known, and the client's name is only told.
bool may_stay_unsigned(std::string_view name) {
  return name == "x-amz-content-sha256" || name == "x-amz-security-token" || name == "x-amz-user-agent";
}

MaybeFailure check_signed_headers(const SignedNames& names, const HeaderIndex& headers) {
  if (!names.contains("host") && !names.contains(":authority")) {
    return invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  }
  for (const HttpHeader* header : headers.all()) {
    const std::string name = lower_case(header->name);
    if (name.starts_with("x-amz-") && !may_stay_unsigned(name) && !names.contains(name)) {
      return invalid("'" + printable(name) + "' must be a 'SignedHeader' in the AWS Authorization.");
    }
  }
  return std::nullopt;
}

MaybeFailure check_scope(const Credential& credential, const std::string& region,
                         std::span<const std::string_view> services, const std::string& time) {
  std::string wrong;
  if (credential.region != region) {
    wrong += "Credential should be scoped to a valid region, not '" + printable(credential.region) + "'. ";
  }
  if (std::find(services.begin(), services.end(), credential.service) == services.end()) {
    wrong.append("Credential should be scoped to correct service: '");
    if (!services.empty()) wrong.append(services.front());
    wrong.append("'. ");
  }
  if (credential.terminator != kTerminator) {
    wrong += "Credential should be scoped with a valid terminator: 'aws4_request', not '" +
             printable(credential.terminator) + "'. ";
  }
  const std::string date = time.substr(0, 8);
  if (credential.date != date) {
    wrong += "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" +
             printable(credential.date) + "' != '" + date + "', from '" + time + "'.";
  }
  if (wrong.empty()) return std::nullopt;
  return invalid(std::move(wrong));
}

std::string canonical_request(const SignedRequest& request, const Claim& claim, const SignedNames& names,
                              const HeaderIndex& headers) {
  std::string out;
  out.reserve(1024);
  out.append(request.method).append("\n");
  out.append(canonical_path(request.target)).append("\n");
  out.append(canonical_query(query_of(request.target), claim.in_query ? "X-Amz-Signature" : "")).append("\n");
  append_canonical_headers(headers, names.ordered, &out);
  out.append("\n").append(names.text).append("\n");
  if (claim.payload_hash == kUnsignedPayload) return out.append(kUnsignedPayload);
  return out.append(hex(request.body_sha256 != nullptr ? *request.body_sha256 : sha256(request.body)));
}

std::string plain_key(std::string_view id) {
  constexpr std::size_t kKeyBytesMax = 128;
  const bool fits = id.size() <= kKeyBytesMax && std::all_of(id.begin(), id.end(), [](char byte) {
                      return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                             (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '_' || byte == '.';
                    });
  return fits ? std::string(id) : std::string();
}

AuthFailure mismatch(const std::string& canonical, const std::string& to_sign) {
  return invalid(
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
      "Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String "
      "for "
      "this request should have been\n'" +
      printable(canonical) + "'\n\nThe String-to-Sign should have been\n'" + printable(to_sign) + "'\n");
}

}  // namespace

std::string claimed_key(std::string_view target, std::span<const HttpHeader> headers) {
  const auto read = read_claim(target, HeaderIndex(headers));
  const auto* const claim = std::get_if<Claim>(&read);
  if (claim == nullptr) return {};
  const auto credential = split_credential(claim->credential);
  return credential.has_value() ? plain_key(credential->access_key) : std::string();
}

AuthFailure incomplete_signature(std::string message) {
  return refused("IncompleteSignatureException", std::move(message));
}

// What a request's access key and token stand for.
struct Verifier::Key {
  std::string_view secret_key;
  std::string_view session_token;  // that must come with it
  std::shared_ptr<const Principal> principal;
  KeyUse* use = nullptr;  // of the directory; nullptr: nobody wants to know
};

// Sessions that were opened, so that not each request opens its token anew.
struct Verifier::ThisThread {
  struct Opened {
    std::uint64_t directory;  // that the principal is of
    std::string secret_key;
    std::string token;
    std::int64_t expires_s;
    Session session;
    std::shared_ptr<const Principal> principal;
  };
  explicit ThisThread(const std::shared_ptr<MemoryShare>& memory) : sessions(memory) {}

  ByteCache<std::string, Opened, Directory::Hash> sessions;  // by token
};

namespace {

std::shared_ptr<const Published<Directory>> fixed_directory(const std::map<std::string, Secret>& secrets) {
  auto directory = std::make_shared<Directory>();
  directory->account = "000000000000";
  directory->checks_signatures = !secrets.empty();
  for (const auto& [access_key, secret] : secrets)
    directory->keys.emplace(access_key, AccessKey{secret.secret_key, secret.session_token,
                                                  root_principal(directory->account, access_key)});
  return std::make_shared<const Published<Directory>>(std::move(directory));
}

// Beside what it is in itself: its texts, in token, session and principal, and its own policy once compiled.
std::size_t held_bytes(std::string_view token, const Session& session) {
  constexpr std::size_t kPrincipalBytes = 1'024;
  // As the worst of texts; a typical one takes a tenth of that.
  constexpr std::size_t kCompiledBytesPerByte = 64;
  std::size_t bytes = 2 * token.size() + kPrincipalBytes;
  for (const std::string& document : session.documents)
    bytes += document.size() * (1 + kCompiledBytesPerByte);
  for (const std::string& name : session.policies) bytes += 2 * (sizeof(NamedPolicy) + name.size());
  return bytes;
}

AuthFailure unknown_key() {
  return refused("UnrecognizedClientException", "The security token included in the request is invalid.");
}

// A token from the future was issued by a clock that was ahead: it must not live until that time.
bool lives(const Session& session, std::int64_t now_s) {
  return now_s < session.expires_s && now_s >= session.issued_s - kSkew_s;
}

}  // namespace

Verifier::Verifier(std::map<std::string, Secret> secrets, std::string region, bool anonymous_passes)
    : own_(fixed_directory(secrets)),
      directory_(*own_),
      region_(std::move(region)),
      anonymous_passes_(anonymous_passes),
      signing_keys_(std::make_shared<SigningKeys>()) {}

Verifier::Verifier(const Published<Directory>& directory, const Sessions& sessions, std::string region,
                   std::shared_ptr<MemoryShare> memory)
    : directory_(directory),
      sessions_(&sessions),
      region_(std::move(region)),
      anonymous_passes_(true),
      signing_keys_(std::make_shared<SigningKeys>()),
      memory_(std::move(memory)),
      threads_(std::make_unique<PerThread<ThisThread>>()) {}

Verifier::~Verifier() = default;

std::variant<Verifier::Key, AuthFailure> Verifier::find_key(const Directory& directory,
                                                            std::string_view access_key,
                                                            const std::string& token,
                                                            std::int64_t now_s) const {
  if (const auto key = directory.keys.find(access_key); key != directory.keys.end())
    return Key{key->second.secret_key, key->second.session_token, key->second.principal,
               key->second.use.get()};
  if (sessions_ == nullptr || token.empty()) return unknown_key();
  auto& opened = threads_->here(memory_).sessions;
  ThisThread::Opened* found = opened.find(token);
  if (found == nullptr) {
    auto fresh = sessions_->open(token);
    if (!fresh.has_value()) return unknown_key();
    const std::size_t bytes = held_bytes(token, fresh->session);
    const std::int64_t expires_s = fresh->session.expires_s;
    found = &opened.put(token,
                        ThisThread::Opened{0, std::move(fresh->secret_key), token, expires_s,
                                           std::move(fresh->session), nullptr},
                        bytes);
  }
  ThisThread::Opened& session = *found;
  if (session.session.access_key != access_key) return unknown_key();
  if (session.directory != directory.serial) {
    session.principal = principal_of(session.session, directory);
    session.directory = directory.serial;
  }
  if (session.principal == nullptr) return unknown_key();
  if (!lives(session.session, now_s))
    return refused("ExpiredTokenException", "The security token included in the request is expired");
  return Key{session.secret_key, session.token, session.principal};
}

bool Verifier::may_know(const SignedRequest& head, std::int64_t now_ms) const {
  const std::shared_ptr<const Directory>& directory = directory_.here();
  const auto read = read_claim(head.target, HeaderIndex(head.headers));
  if (std::holds_alternative<AuthFailure>(read)) return false;
  if (!directory->checks_signatures) return anonymous_passes_ || std::holds_alternative<Claim>(read);
  const auto* const claim = std::get_if<Claim>(&read);
  if (claim == nullptr) return false;
  const auto credential = split_credential(claim->credential);
  if (!credential.has_value()) return false;
  const auto key = find_key(*directory, credential->access_key, claim->security_token, now_ms / 1'000);
  return std::holds_alternative<Key>(key);
}

std::shared_ptr<const Principal> Verifier::still(std::shared_ptr<const Principal> principal,
                                                 std::int64_t now_ms) const {
  if (principal->kind == Principal::Kind::kUnchecked) return principal;
  const std::shared_ptr<const Directory>& directory = directory_.here();
  if (principal->session == nullptr) {
    const auto key = directory->keys.find(principal->access_key);
    return key == directory->keys.end() ? nullptr : key->second.principal;
  }
  if (!lives(*principal->session, now_ms / 1'000)) return nullptr;
  return principal->directory == directory->serial ? principal
                                                   : principal_of(*principal->session, *directory);
}

std::variant<Caller, AuthFailure> Verifier::verify(const SignedRequest& request,
                                                   std::span<const std::string_view> services,
                                                   std::int64_t now_ms) const {
  const std::shared_ptr<const Directory>& directory = directory_.here();
  const HeaderIndex headers(request.headers);
  const auto read = read_claim(request.target, headers);
  if (const auto* failure = std::get_if<AuthFailure>(&read)) return *failure;
  if (std::holds_alternative<Anonymous>(read)) {
    if (!directory->checks_signatures && anonymous_passes_) return Caller{"", "", "", unchecked_principal()};
    return refused("MissingAuthenticationTokenException", "Missing Authentication Token");
  }
  const Claim& claim = std::get<Claim>(read);
  const auto credential = split_credential(claim.credential);
  if (!directory->checks_signatures) {
    if (!credential.has_value()) return Caller{"", "", "", unchecked_principal()};
    return Caller{"", std::string(credential->service), std::string(credential->region),
                  unchecked_principal(), plain_key(credential->access_key)};
  }

  // From here on in the order in which the service was seen to answer.
  const auto signed_s = claim.time_is_http_date ? parse_http_date(claim.time) : parse_amz_time(claim.time);
  if (!signed_s.has_value()) {
    return incomplete_signature("Date must be in ISO-8601 'basic format'. Got '" + printable(claim.time) +
                                "'. See http://en.wikipedia.org/wiki/ISO_8601");
  }
  const std::string time = format_amz_time(*signed_s);
  if (auto failure = check_time(claim, *signed_s, time, now_ms / 1000)) return *std::move(failure);
  const SignedNames names(claim.signed_headers);
  if (auto failure = check_signed_headers(names, headers)) return *std::move(failure);
  if (claim.algorithm != kAlgorithm) {
    return incomplete_signature("Unsupported AWS 'algorithm': '" + printable(claim.algorithm) +
                                "' (only AWS4-HMAC-SHA256 for now). ");
  }
  if (!credential.has_value()) {
    return incomplete_signature(
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got "
        "'" +
        printable(claim.credential) + "'");
  }
  if (auto failure = check_scope(*credential, region_, services, time)) return *std::move(failure);
  const auto found = find_key(*directory, credential->access_key, claim.security_token, now_ms / 1'000);
  if (const auto* failure = std::get_if<AuthFailure>(&found)) return *failure;
  const Key& own = *std::get_if<Key>(&found);

  const CredentialScope scope{credential->date, credential->region, credential->service};
  const Sha256 key = signing_keys_->get(credential->access_key, own.secret_key, scope);
  const std::string canonical = canonical_request(request, claim, names, headers);
  std::string to_sign;
  to_sign.append(kAlgorithm).append("\n").append(time).append("\n");
  to_sign.append(scope.date).append("/").append(scope.region).append("/").append(scope.service).append("/");
  to_sign.append(kTerminator).append("\n").append(hex(sha256(as_bytes(canonical))));
  if (!equal_in_constant_time(hex(hmac_sha256(key, to_sign)), claim.signature))
    return mismatch(canonical, to_sign);
  if (!equal_in_constant_time(own.session_token, claim.security_token)) {
    return refused("UnrecognizedClientException", "The security token included in the request is invalid");
  }
  if (own.use != nullptr) own.use->note(now_ms);
  return Caller{std::string(credential->access_key), std::string(credential->service),
                std::string(credential->region), own.principal};
}

}  // namespace millrace::identity
