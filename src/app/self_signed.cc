#include "app/self_signed.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

#include "base/bytes.h"
#include "base/random.h"
#include "store/private_file.h"

namespace millrace::app {
namespace {

constexpr long kDays = 820;

struct Free {
  void operator()(BIO* it) const { BIO_free(it); }
  void operator()(X509* it) const { X509_free(it); }
  void operator()(EVP_PKEY* it) const { EVP_PKEY_free(it); }
  void operator()(X509_EXTENSION* it) const { X509_EXTENSION_free(it); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

bool add_extension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool fill(X509* certificate, EVP_PKEY* key) {
  const std::string host = host_name();
  std::string names = "DNS:localhost,DNS:*.localhost,IP:127.0.0.1,IP:::1";
  // One that is no name for a certificate would spoil the list.
  if (!host.empty() &&
      host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") ==
          std::string::npos)
    names += ",DNS:" + host;
  // A client that trusted one before must not take this for the same.
  const bool numbered =
      ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), system_random().next_u64() >> 1) == 1;
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>("Millrace, self-signed");
  return numbered && X509_set_version(certificate, X509_VERSION_3) == 1 &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), -3'600) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(certificate), kDays * 24 * 3'600) != nullptr &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
         add_extension(certificate, NID_subject_alt_name, names) &&
         add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE") &&
         add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
         X509_sign(certificate, key, EVP_sha256()) != 0;
}

std::string text_of(BIO* bio) {
  char* begin = nullptr;
  const long size = BIO_get_mem_data(bio, &begin);
  return size > 0 ? std::string(begin, static_cast<std::size_t>(size)) : std::string();
}

Result<void> make(const net::TlsFiles& files) {
  const Owned<EVP_PKEY> key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const Owned<X509> certificate(X509_new());
  const Owned<BIO> key_text(BIO_new(BIO_s_mem()));
  const Owned<BIO> certificate_text(BIO_new(BIO_s_mem()));
  const bool made =
      key != nullptr && certificate != nullptr && fill(certificate.get(), key.get()) &&
      PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1 &&
      PEM_write_bio_X509(certificate_text.get(), certificate.get()) == 1;
  if (!made) return Error{ErrorKind::kUnavailable, "--tls-self-signed: OpenSSL cannot make a certificate"};
  MR_TRY(store::make_private_file(files.key_path, as_bytes(text_of(key_text.get()))));
  return store::replace_public_file(files.certificate_path, as_bytes(text_of(certificate_text.get())));
}

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

}  // namespace

Result<net::TlsFiles> self_signed_files(const std::string& data) {
  const std::string folder = data + "/tls";
  net::TlsFiles files{folder + "/certificate.pem", folder + "/key.pem"};
  const bool has_certificate = exists(files.certificate_path);
  const bool has_key = exists(files.key_path);
  if (has_certificate != has_key)
    return Error{ErrorKind::kInvalid,
                 fmt::format("--tls-self-signed: {} is missing, and {} is there: put it back, or remove the "
                             "other one too and both are made anew",
                             has_key ? files.certificate_path : files.key_path,
                             has_key ? files.key_path : files.certificate_path)};
  if (has_certificate) return files;
  if (mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST)
    return Error{ErrorKind::kUnavailable, fmt::format("--tls-self-signed: {} cannot be made: {}", folder,
                                                      std::generic_category().message(errno))};
  MR_TRY(make(files));
  return files;
}

}  // namespace millrace::app
