// What master keys are for.
// source: AWS KMS API reference, Encrypt, Decrypt, ReEncrypt, GenerateDataKey,
// GenerateDataKeyWithoutPlaintext, GenerateRandom; texts as LocalStack's tests recorded them

#include <openssl/crypto.h>

#include <set>

#include "identity/glob.h"
#include "kms/operation.h"

namespace millrace::kms {
namespace {

using keys::EncryptionContext;

constexpr std::string_view kAlgorithm = "SYMMETRIC_DEFAULT";
constexpr std::string_view kAlgorithms[] = {"RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1", "SM2PKE",
                                            "SYMMETRIC_DEFAULT"};
constexpr api::Rules kAlgorithmRules{.allowed = kAlgorithms, .allowed_count = std::size(kAlgorithms)};

ApiError would_have_succeeded() {
  return {"DryRunOperationException", "The request would have succeeded, but the DryRun option is set.", 412};
}
ApiError incorrect_key() {
  return {"IncorrectKeyException",
          "The key ID in the request does not identify a CMK that can perform this operation."};
}
ApiError not_for_algorithm(std::string_view algorithm) {
  return {"InvalidKeyUsageException",
          "Algorithm " + std::string(algorithm) + " is incompatible with key spec SYMMETRIC_DEFAULT."};
}
bool other_algorithm(const std::optional<std::string>& algorithm) {
  return algorithm.has_value() && *algorithm != kAlgorithm;
}

// What conditions may ask of a request with that context; names of keys have no case there, so two that
// differ in case alone could stand for one another.
Outcome say_context(const std::optional<EncryptionContext>& context, Said& said) {
  said.more.push_back({"kms:EncryptionAlgorithm", {std::string(kAlgorithm)}});
  if (!context.has_value() || context->empty()) return std::nullopt;
  std::set<std::string> folded;
  std::vector<std::string> names;
  for (const auto& [name, value] : *context) {
    if (!folded.insert(identity::folded(name)).second)
      return ApiError{"ValidationException", "EncryptionContext has keys that differ only in case."};
    names.push_back(name);
    said.more.push_back({"kms:EncryptionContext:" + name, {value}});
  }
  said.more.push_back({"kms:EncryptionContextKeys", std::move(names)});
  return std::nullopt;
}

// --- Encrypt

struct EncryptRequest {
  std::string key_id;
  Blob plaintext;
  std::optional<EncryptionContext> context;
  std::optional<std::string> algorithm;
  std::optional<bool> dry_run;
};
constexpr Field kEncryptFields[] = {
    field<EncryptRequest, &EncryptRequest::key_id>("KeyId", {.min = 1, .max = 2'048}),
    field<EncryptRequest, &EncryptRequest::plaintext>("Plaintext", {.min = 1, .max = 4'096}),
    field<EncryptRequest, &EncryptRequest::context>("EncryptionContext"),
    field<EncryptRequest, &EncryptRequest::algorithm>("EncryptionAlgorithm", kAlgorithmRules),
    field<EncryptRequest, &EncryptRequest::dry_run>("DryRun"),
};
Task<Outcome> encrypt(Call& call, EncryptRequest request) {
  Said said;
  if (Outcome wrong = say_context(request.context, said); wrong.has_value()) co_return wrong;
  Outcome refused;
  const auto key = allowed_key(call, request.key_id, refused, std::move(said));
  if (refused.has_value()) co_return refused;
  if (other_algorithm(request.algorithm)) co_return not_for_algorithm(*request.algorithm);
  const auto done = call.service.encrypt((*key)->id, as_bytes(request.plaintext.bytes),
                                         request.context.value_or(EncryptionContext{}));
  OPENSSL_cleanse(request.plaintext.bytes.data(), request.plaintext.bytes.size());
  if (!done.ok()) co_return from_house(done.error());
  if (request.dry_run.value_or(false)) co_return would_have_succeeded();
  call.reply.begin_object();
  call.reply.key("CiphertextBlob");
  call.reply.blob(done->blob.view());
  call.reply.member("KeyId", call.service.key_arn(done->key->id));
  call.reply.member("EncryptionAlgorithm", kAlgorithm);
  call.reply.end_object();
  co_return std::nullopt;
}

// --- Decrypt

struct DecryptRequest {
  Blob blob;
  std::optional<EncryptionContext> context;
  std::optional<std::string> key_id;
  std::optional<std::string> algorithm;
  std::optional<bool> dry_run;
};
constexpr Field kDecryptFields[] = {
    field<DecryptRequest, &DecryptRequest::blob>("CiphertextBlob", {.min = 1, .max = 6'144}),
    field<DecryptRequest, &DecryptRequest::context>("EncryptionContext"),
    field<DecryptRequest, &DecryptRequest::key_id>("KeyId", {.min = 1, .max = 2'048}),
    field<DecryptRequest, &DecryptRequest::algorithm>("EncryptionAlgorithm", kAlgorithmRules),
    field<DecryptRequest, &DecryptRequest::dry_run>("DryRun"),
};

// The key that `blob` names, if the caller may do `action` with it and names no other one.
Outcome check_source(Call& call, std::string_view action, const std::string& blob,
                     const std::optional<EncryptionContext>& context,
                     const std::optional<std::string>& named) {
  Said said;
  if (Outcome wrong = say_context(context, said); wrong.has_value()) return wrong;
  const auto key = call.service.key_of(as_bytes(blob));
  Outcome denied = key.ok() ? authorize_key(call, action, **key, named.value_or(""), std::move(said))
                            : authorize(call, action, "*", said);
  if (denied.has_value()) return denied;
  if (named.has_value()) {
    const auto wanted = call.service.find(*named);
    if (!wanted.ok()) return from_house(wanted.error());
    if (key.ok() && (*wanted)->id != (*key)->id) return incorrect_key();
  }
  if (!key.ok()) return from_house(key.error());
  return std::nullopt;
}

Task<Outcome> decrypt(Call& call, DecryptRequest request) {
  if (Outcome wrong = check_source(call, call.action, request.blob.bytes, request.context, request.key_id);
      wrong.has_value())
    co_return wrong;
  if (other_algorithm(request.algorithm)) co_return not_for_algorithm(*request.algorithm);
  auto done =
      call.service.decrypt(as_bytes(request.blob.bytes), request.context.value_or(EncryptionContext{}));
  if (!done.ok()) co_return from_house(done.error());
  if (request.dry_run.value_or(false)) co_return would_have_succeeded();
  call.reply.begin_object();
  call.reply.member("KeyId", call.service.key_arn(done->key->id));
  call.reply.key("Plaintext");
  call.reply.blob(done->plain.view());
  call.reply.member("EncryptionAlgorithm", kAlgorithm);
  call.reply.end_object();
  OPENSSL_cleanse(done->plain.data(), done->plain.size());
  co_return std::nullopt;
}

// --- ReEncrypt

struct ReEncryptRequest {
  Blob blob;
  std::optional<EncryptionContext> source_context;
  std::optional<std::string> source_key_id;
  std::string destination_key_id;
  std::optional<EncryptionContext> destination_context;
  std::optional<bool> dry_run;
};
constexpr Field kReEncryptFields[] = {
    field<ReEncryptRequest, &ReEncryptRequest::blob>("CiphertextBlob", {.min = 1, .max = 6'144}),
    field<ReEncryptRequest, &ReEncryptRequest::source_context>("SourceEncryptionContext"),
    field<ReEncryptRequest, &ReEncryptRequest::source_key_id>("SourceKeyId", {.min = 1, .max = 2'048}),
    field<ReEncryptRequest, &ReEncryptRequest::destination_key_id>("DestinationKeyId",
                                                                   {.min = 1, .max = 2'048}),
    field<ReEncryptRequest, &ReEncryptRequest::destination_context>("DestinationEncryptionContext"),
    field<ReEncryptRequest, &ReEncryptRequest::dry_run>("DryRun"),
};
Task<Outcome> re_encrypt(Call& call, ReEncryptRequest request) {
  if (Outcome wrong = check_source(call, "kms:ReEncryptFrom", request.blob.bytes, request.source_context,
                                   request.source_key_id);
      wrong.has_value())
    co_return wrong;
  Said said;
  if (Outcome wrong = say_context(request.destination_context, said); wrong.has_value()) co_return wrong;
  const auto target = call.service.find(request.destination_key_id);
  Outcome denied = target.ok() ? authorize_key(call, "kms:ReEncryptTo", **target, request.destination_key_id,
                                               std::move(said))
                               : authorize(call, "kms:ReEncryptTo", "*", said);
  if (denied.has_value()) co_return denied;
  if (!target.ok()) co_return from_house(target.error());
  auto plain = call.service.decrypt(as_bytes(request.blob.bytes),
                                    request.source_context.value_or(EncryptionContext{}));
  if (!plain.ok()) co_return from_house(plain.error());
  const auto done = call.service.encrypt((*target)->id, plain->plain.view(),
                                         request.destination_context.value_or(EncryptionContext{}));
  OPENSSL_cleanse(plain->plain.data(), plain->plain.size());
  if (!done.ok()) co_return from_house(done.error());
  if (request.dry_run.value_or(false)) co_return would_have_succeeded();
  call.reply.begin_object();
  call.reply.key("CiphertextBlob");
  call.reply.blob(done->blob.view());
  call.reply.member("SourceKeyId", call.service.key_arn(plain->key->id));
  call.reply.member("KeyId", call.service.key_arn(done->key->id));
  call.reply.member("SourceEncryptionAlgorithm", kAlgorithm);
  call.reply.member("DestinationEncryptionAlgorithm", kAlgorithm);
  call.reply.end_object();
  co_return std::nullopt;
}

// --- GenerateDataKey, with and without what is encrypted

constexpr std::string_view kSpecs[] = {"AES_256", "AES_128"};

struct GenerateDataKeyRequest {
  std::string key_id;
  std::optional<EncryptionContext> context;
  std::optional<std::int32_t> bytes;
  std::optional<std::string> spec;
  std::optional<bool> dry_run;
};
constexpr Field kGenerateFields[] = {
    field<GenerateDataKeyRequest, &GenerateDataKeyRequest::key_id>("KeyId", {.min = 1, .max = 2'048}),
    field<GenerateDataKeyRequest, &GenerateDataKeyRequest::context>("EncryptionContext"),
    field<GenerateDataKeyRequest, &GenerateDataKeyRequest::bytes>("NumberOfBytes", {.min = 1, .max = 1'024}),
    field<GenerateDataKeyRequest, &GenerateDataKeyRequest::spec>(
        "KeySpec", {.allowed = kSpecs, .allowed_count = std::size(kSpecs)}),
    field<GenerateDataKeyRequest, &GenerateDataKeyRequest::dry_run>("DryRun"),
};

Task<Outcome> generate(Call& call, GenerateDataKeyRequest request, bool shows) {
  Said said;
  if (Outcome wrong = say_context(request.context, said); wrong.has_value()) co_return wrong;
  Outcome refused;
  const auto key = allowed_key(call, request.key_id, refused, std::move(said));
  if (refused.has_value()) co_return refused;
  if (request.bytes.has_value() == request.spec.has_value())
    co_return ApiError{"ValidationException", "Please specify either number of bytes or key spec."};
  const std::size_t size = request.bytes.has_value()    ? static_cast<std::size_t>(*request.bytes)
                           : *request.spec == "AES_256" ? std::size_t{32}
                                                        : std::size_t{16};
  Bytes plain;
  plain.resize(size);
  call.random.fill({plain.data(), plain.size()});
  const auto done =
      call.service.encrypt((*key)->id, plain.view(), request.context.value_or(EncryptionContext{}));
  if (!done.ok()) co_return from_house(done.error());
  if (request.dry_run.value_or(false)) co_return would_have_succeeded();
  call.reply.begin_object();
  call.reply.key("CiphertextBlob");
  call.reply.blob(done->blob.view());
  if (shows) {
    call.reply.key("Plaintext");
    call.reply.blob(plain.view());
  }
  call.reply.member("KeyId", call.service.key_arn(done->key->id));
  call.reply.end_object();
  OPENSSL_cleanse(plain.data(), plain.size());
  co_return std::nullopt;
}
Task<Outcome> generate_data_key(Call& call, GenerateDataKeyRequest request) {
  return generate(call, std::move(request), true);
}
Task<Outcome> generate_without_plaintext(Call& call, GenerateDataKeyRequest request) {
  return generate(call, std::move(request), false);
}

// --- GenerateRandom

struct GenerateRandomRequest {
  std::optional<std::int32_t> bytes;
};
constexpr Field kRandomFields[] = {
    field<GenerateRandomRequest, &GenerateRandomRequest::bytes>("NumberOfBytes", {.min = 1, .max = 1'024}),
};
Task<Outcome> generate_random(Call& call, GenerateRandomRequest request) {
  if (Outcome denied = authorize(call, call.action, "*"); denied.has_value()) co_return denied;
  if (!request.bytes.has_value()) co_return ApiError{"ValidationException", "NumberOfBytes is required."};
  Bytes bytes;
  bytes.resize(static_cast<std::size_t>(*request.bytes));
  call.random.fill({bytes.data(), bytes.size()});
  call.reply.begin_object();
  call.reply.key("Plaintext");
  call.reply.blob(bytes.view());
  call.reply.end_object();
  co_return std::nullopt;
}

}  // namespace

extern const Operation kEncrypt, kDecrypt, kReEncrypt, kGenerateDataKey, kGenerateDataKeyWithoutPlaintext,
    kGenerateRandom;
const Operation kEncrypt = operation<EncryptRequest, kEncryptFields, encrypt>("Encrypt");
const Operation kDecrypt = operation<DecryptRequest, kDecryptFields, decrypt>("Decrypt");
const Operation kReEncrypt = operation<ReEncryptRequest, kReEncryptFields, re_encrypt>("ReEncrypt");
const Operation kGenerateDataKey =
    operation<GenerateDataKeyRequest, kGenerateFields, generate_data_key>("GenerateDataKey");
const Operation kGenerateDataKeyWithoutPlaintext =
    operation<GenerateDataKeyRequest, kGenerateFields, generate_without_plaintext>(
        "GenerateDataKeyWithoutPlaintext");
const Operation kGenerateRandom =
    operation<GenerateRandomRequest, kRandomFields, generate_random>("GenerateRandom");

}  // namespace millrace::kms
