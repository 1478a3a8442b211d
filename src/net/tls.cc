#include "net/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace millrace::net {
namespace {

constexpr std::size_t kRecordBytesMax = 16 * 1024;

// Why OpenSSL did not take a file, for people.
std::string last_error(std::string_view file_is) {
  const unsigned long error = ERR_peek_error();  // the first is the cause
  const char* reason = ERR_SYSTEM_ERROR(error)
                           ? std::strerror(ERR_GET_REASON(error))  // NOLINT(concurrency-mt-unsafe)
                           : ERR_reason_error_string(error);
  ERR_clear_error();
  std::string text = reason == nullptr ? "OpenSSL does not say why" : reason;
  if (ERR_SYSTEM_ERROR(error)) return text;
  return fmt::format("it is no {} in PEM ({})", file_is, text);
}

// A server has nobody to ask for a passphrase.
int refuse_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return 0;
}

// Ours in our order. A client that offers neither is served all the same, by its first bytes.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_bytes, const unsigned char* offered,
                    unsigned int offered_bytes, void*) {
  static constexpr unsigned char kOurs[] = "\x02h2\x08http/1.1";
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, out_bytes, kOurs, sizeof(kOurs) - 1, offered, offered_bytes);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

Result<TlsContext> load_tls(const TlsFiles& files) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  MR_ASSERT(context != nullptr);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  static constexpr unsigned char kSessionContext[] = "millrace";
  SSL_CTX_set_session_id_context(context.get(), kSessionContext, sizeof(kSessionContext) - 1);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate_path.c_str()) != 1) {
    return Error{ErrorKind::kInvalid,
                 fmt::format("--tls-cert {}: {}", files.certificate_path, last_error("certificate"))};
  }
  bool asked = false;
  SSL_CTX_set_default_passwd_cb(context.get(), refuse_passphrase);
  SSL_CTX_set_default_passwd_cb_userdata(context.get(), &asked);
  const bool loaded =
      SSL_CTX_use_PrivateKey_file(context.get(), files.key_path.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(context.get(), nullptr);
  SSL_CTX_set_default_passwd_cb(context.get(), nullptr);
  if (asked) {
    ERR_clear_error();
    return Error{ErrorKind::kInvalid,
                 fmt::format("--tls-key {}: the key is encrypted: a server cannot ask for its passphrase; "
                             "`openssl pkey -in FILE -out NEW` writes it without one",
                             files.key_path)};
  }
  const bool mismatch = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH ||
                        ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_TYPE_MISMATCH;
  if (mismatch || (loaded && SSL_CTX_check_private_key(context.get()) != 1)) {
    ERR_clear_error();
    return Error{ErrorKind::kInvalid,
                 fmt::format("--tls-key {} does not belong to the first certificate in --tls-cert {}: the "
                             "server's own certificate comes first, then those that signed it",
                             files.key_path, files.certificate_path)};
  }
  if (!loaded)
    return Error{ErrorKind::kInvalid,
                 fmt::format("--tls-key {}: {}", files.key_path, last_error("private key"))};
  return context;
}

Result<std::int64_t> certificate_days(const TlsFiles& files) {
  MR_ASSIGN(const TlsContext context, load_tls(files));
  int days = 0;
  int seconds = 0;
  const X509* certificate = SSL_CTX_get0_certificate(context.get());
  if (certificate == nullptr ||
      ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate)) != 1)
    return Error{ErrorKind::kInvalid, fmt::format("--tls-cert {}: it does not say until when it is valid",
                                                  files.certificate_path)};
  return seconds < 0 && days == 0 ? -1 : days;
}

TlsChannel::TlsChannel(const TlsContext& context, int socket) : ssl_(SSL_new(context.get())) {
  MR_ASSERT(ssl_ != nullptr);
  SSL_set_fd(ssl_, socket);
  SSL_set_accept_state(ssl_);
}

TlsChannel::~TlsChannel() { SSL_free(ssl_); }

IoResult TlsChannel::failed(int returned) const {
  switch (SSL_get_error(ssl_, returned)) {
    case SSL_ERROR_WANT_READ:
      return {IoResult::Kind::kWantsRead};
    case SSL_ERROR_WANT_WRITE:
      return {IoResult::Kind::kWantsWrite};
    case SSL_ERROR_ZERO_RETURN:
      return {IoResult::Kind::kEnd};
    default:
      return {IoResult::Kind::kBroken};
  }
}

IoResult TlsChannel::handshake() {
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_);
  if (done == 1) return {IoResult::Kind::kDone};
  const IoResult result = failed(done);
  if (result.kind == IoResult::Kind::kBroken || result.kind == IoResult::Kind::kEnd) {
    const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
    fault_ = reason != nullptr ? reason : "the client closed the connection";
    ERR_clear_error();
  }
  return result;
}

std::string_view TlsChannel::protocol() const {
  const unsigned char* name = nullptr;
  unsigned int bytes = 0;
  SSL_get0_alpn_selected(ssl_, &name, &bytes);
  return as_text({name, bytes});
}

IoResult TlsChannel::read(std::span<std::uint8_t> space) {
  ERR_clear_error();
  std::size_t bytes = 0;
  const int done = SSL_read_ex(ssl_, space.data(), space.size(), &bytes);
  return done == 1 ? IoResult{IoResult::Kind::kDone, bytes} : failed(done);
}

IoResult TlsChannel::write(std::span<const iovec> pieces) {
  ERR_clear_error();
  const void* data = pieces.front().iov_base;
  std::size_t size = pieces.front().iov_len;
  // A head and the begin of its body share a record.
  std::uint8_t record[kRecordBytesMax];
  if (size < kRecordBytesMax && pieces.size() > 1) {
    size = 0;
    for (const iovec& piece : pieces) {
      const std::size_t n = std::min(piece.iov_len, kRecordBytesMax - size);
      std::memcpy(record + size, piece.iov_base, n);
      size += n;
    }
    data = record;
  }
  std::size_t bytes = 0;
  const int done = SSL_write_ex(ssl_, data, size, &bytes);
  return done == 1 ? IoResult{IoResult::Kind::kDone, bytes} : failed(done);
}

void TlsChannel::shut_down() {
  ERR_clear_error();
  if (SSL_is_init_finished(ssl_)) SSL_shutdown(ssl_);
  ERR_clear_error();
}

}  // namespace millrace::net
