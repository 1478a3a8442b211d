#include "keys/remote_keys.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/base64.h"

namespace millrace::keys {
namespace {

using nlohmann::json;

constexpr std::size_t kAnswerBytesMax = 64u << 10;

Result<Bytes> from_base64(const json& answer, const char* name) {
  const auto member = answer.find(name);
  if (member != answer.end() && member->is_string()) {
    const Bytes text(member->get_ref<const std::string&>());
    const auto size = base64_decoded_size(text.text());
    Bytes bytes;
    bytes.resize(size.value_or(0));
    if (size && base64_decode(text.text(), bytes.data())) return bytes;
  }
  return Error{ErrorKind::kUnavailable, fmt::format("the key service's answer has no {}", name)};
}

ErrorKind kind_of(std::string_view type) {
  struct Row {
    std::string_view type;
    ErrorKind kind;
  };
  static constexpr Row kRows[] = {
      {"NotFoundException", ErrorKind::kKeyNotFound},
      {"InvalidArnException", ErrorKind::kKeyNotFound},
      {"DisabledException", ErrorKind::kKeyDisabled},
      {"KMSInvalidStateException", ErrorKind::kKeyInvalidState},
      {"InvalidKeyUsageException", ErrorKind::kKeyInvalidState},
      {"AccessDeniedException", ErrorKind::kKeyDenied},
      {"UnrecognizedClientException", ErrorKind::kKeyDenied},
      {"InvalidSignatureException", ErrorKind::kKeyDenied},
      {"ExpiredTokenException", ErrorKind::kKeyDenied},
      {"OptInRequired", ErrorKind::kKeyOptIn},
      {"SubscriptionRequiredException", ErrorKind::kKeyOptIn},
      {"ThrottlingException", ErrorKind::kKeyThrottled},
      {"LimitExceededException", ErrorKind::kKeyThrottled},
      {"InvalidCiphertextException", ErrorKind::kCorrupt},
      {"IncorrectKeyException", ErrorKind::kCorrupt},
  };
  for (const Row& row : kRows)
    if (row.type == type) return row.kind;
  return ErrorKind::kUnavailable;
}

std::size_t take_answer(char* bytes, std::size_t, std::size_t count, void* to) {
  auto& answer = *static_cast<std::string*>(to);
  if (answer.size() + count > kAnswerBytesMax) return 0;  // ends the call
  answer.append(bytes, count);
  return count;
}

// On the worker.
class Client {
 public:
  explicit Client(RemoteKeysOptions options) : options_(std::move(options)), curl_(curl_easy_init()) {
    MR_ASSERT(curl_ != nullptr);
  }
  ~Client() { curl_easy_cleanup(curl_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Result<json> call(std::string_view operation, const json& request) {
    const std::string body = request.dump();
    std::string answer;
    const long status = exchange(fmt::format("TrentService.{}", operation), body, answer);
    if (status == 0) return Error{ErrorKind::kUnavailable, std::exchange(fault_, {})};
    json parsed = json::parse(answer, nullptr, false);
    OPENSSL_cleanse(answer.data(), answer.size());
    if (!parsed.is_object()) parsed = json::object();
    if (status == 200) return parsed;
    const auto text = [&](const char* name) {
      return parsed.contains(name) && parsed[name].is_string() ? parsed[name].get<std::string>()
                                                               : std::string();
    };
    std::string type = text("__type");
    type = type.substr(type.find('#') + 1);  // "com.amazonaws.kms#NotFoundException"
    const std::string message = text("message").empty() ? text("Message") : text("message");
    return Error{kind_of(type),
                 message.empty() ? fmt::format("the key service answers {} {}", status, type) : message};
  }

 private:
  // The HTTP status; 0, and why in fault_, where there is no answer.
  long exchange(const std::string& target, const std::string& body, std::string& answer) {
    curl_easy_reset(curl_);
    curl_slist* headers = curl_slist_append(nullptr, "Content-Type: application/x-amz-json-1.1");
    headers = curl_slist_append(headers, ("X-Amz-Target: " + target).c_str());
    if (!options_.session_token.empty())
      headers = curl_slist_append(headers, ("X-Amz-Security-Token: " + options_.session_token).c_str());
    const std::string scope = fmt::format("aws:amz:{}:kms", options_.region);
    const std::string user = fmt::format("{}:{}", options_.access_key, options_.secret_key);
    const std::string url = options_.endpoint + "/";
    curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl_, CURLOPT_AWS_SIGV4, scope.c_str());
    curl_easy_setopt(curl_, CURLOPT_USERPWD, user.c_str());
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, body.c_str());
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout_ms));
    curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &answer);
    const CURLcode done = curl_easy_perform(curl_);
    curl_slist_free_all(headers);
    if (done != CURLE_OK) {
      fault_ = fmt::format("the key service at {} cannot be asked: {}", options_.endpoint,
                           curl_easy_strerror(done));
      return 0;
    }
    long status = 0;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    return status;
  }

  const RemoteKeysOptions options_;
  CURL* curl_;
  std::string fault_;
};

Result<Secret> secret_in(const json& answer) {
  MR_ASSIGN(Bytes plain, from_base64(answer, "Plaintext"));
  if (plain.size() != kSecretBytes)
    return Error{ErrorKind::kCorrupt, fmt::format("the key service gives a key of {} bytes", plain.size())};
  const Secret secret(plain.view());
  OPENSSL_cleanse(plain.data(), plain.size());
  return secret;
}

Result<MadeKey> generate_by(Client& client, const std::string& key, const EncryptionContext& context) {
  MR_ASSIGN(const json answer,
            client.call("GenerateDataKey",
                        json{{"KeyId", key}, {"KeySpec", "AES_256"}, {"EncryptionContext", context}}));
  MR_ASSIGN(const Secret secret, secret_in(answer));
  MR_ASSIGN(const Bytes blob, from_base64(answer, "CiphertextBlob"));
  return MadeKey{secret, {answer.value("KeyId", key), std::string(blob.text())}};
}

Result<Secret> unwrap_by(Client& client, const WrappedKey& wrapped, const EncryptionContext& context) {
  MR_ASSIGN(const json answer,
            client.call("Decrypt", json{{"CiphertextBlob", base64_text(as_bytes(wrapped.blob))},
                                        {"KeyId", wrapped.master_key},
                                        {"EncryptionContext", context}}));
  return secret_in(answer);
}

class RemoteKeys final : public MasterKeys {
 public:
  RemoteKeys(const RemoteKeysOptions& options, std::unique_ptr<Worker> worker)
      : holds_ms_(options.answer_holds_ms), client_(options), worker_(std::move(worker)) {}

  void generate(std::string key, EncryptionContext context, Loop& loop,
                Function<void(Result<MadeKey>)> done) override {
    worker_->run(
        [this, key = std::move(key), context = std::move(context), &loop, done = std::move(done)]() mutable {
          answer(loop, std::move(done), generate_by(client_, key, context));
        });
  }
  void unwrap(const WrappedKey& wrapped, EncryptionContext context, Loop& loop,
              Function<void(Result<Secret>)> done) override {
    worker_->run([this, wrapped, context = std::move(context), &loop, done = std::move(done)]() mutable {
      answer(loop, std::move(done), unwrap_by(client_, wrapped, context));
    });
  }
  std::optional<KeyAccess> access_to(std::string_view) const override { return std::nullopt; }
  std::int64_t answer_holds_ms() const override { return holds_ms_; }

 private:
  template <typename T>
  static void answer(Loop& loop, Function<void(Result<T>)> done, Result<T> outcome) {
    loop.post([done = std::move(done), kept = std::make_unique<Result<T>>(std::move(outcome))]() mutable {
      done(std::move(*kept));
    });
  }

  const std::int64_t holds_ms_;
  Client client_;
  // Last member: its destructor ends the work that uses the others.
  std::unique_ptr<Worker> worker_;
};

}  // namespace

std::unique_ptr<MasterKeys> make_remote_keys(RemoteKeysOptions options, std::unique_ptr<Worker> worker) {
  return std::make_unique<RemoteKeys>(options, std::move(worker));
}

}  // namespace millrace::keys
