// TLS 1.2 and 1.3 on the port that speaks clear text too, with and without ALPN.
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "served.h"

namespace millrace::net {
namespace {

// A self-signed certificate for "localhost", made anew for each test.
class Certificate {
 public:
  explicit Certificate(const std::string& common_name = "localhost") {
    char folder[] = "/tmp/millrace-tls-XXXXXX";
    folder_ = ::mkdtemp(folder);
    files.certificate_path = folder_ / "cert.pem";
    files.key_path = folder_ / "key.pem";
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=" +
        common_name + " -keyout " + files.key_path + " -out " + files.certificate_path + " 2>/dev/null";
    MR_ASSERT(std::system(command.c_str()) == 0);
  }
  ~Certificate() { std::filesystem::remove_all(folder_); }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  TlsFiles files;

 private:
  std::filesystem::path folder_;
};

class TlsClient {
 public:
  TlsClient(std::uint16_t port, std::string_view alpn, int version_max = TLS1_3_VERSION) : connection_(port) {
    context_ = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(context_, version_max);
    ssl_ = SSL_new(context_);
    if (!alpn.empty()) {
      SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(alpn.data()),
                          static_cast<unsigned>(alpn.size()));
    }
    SSL_set_fd(ssl_, connection_.socket());
    connected_ = SSL_connect(ssl_) == 1;
  }
  ~TlsClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  bool connected() const { return connected_; }
  std::string version() const { return SSL_get_version(ssl_); }
  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned bytes = 0;
    SSL_get0_alpn_selected(ssl_, &name, &bytes);
    return {reinterpret_cast<const char*>(name), bytes};
  }
  std::string common_name() const {
    X509* const certificate = SSL_get1_peer_certificate(ssl_);
    char text[64] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text, sizeof(text));
    X509_free(certificate);
    return text;
  }
  void send(std::string_view bytes) { SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())); }
  // Reads until `text` has come, or the end.
  std::string read_until(std::string_view text) {
    std::string all;
    char bytes[16'384];
    while (all.find(text) == std::string::npos) {
      const int got = SSL_read(ssl_, bytes, sizeof(bytes));
      if (got <= 0) break;
      all.append(bytes, static_cast<std::size_t>(got));
    }
    return all;
  }

 private:
  RawClient connection_;
  SSL_CTX* context_;
  SSL* ssl_;
  bool connected_;
};

TEST(Tls, ServesHttp1WithAlpnWithoutItAndBesideClearText) {
  const Certificate certificate;
  Served served(echo, {}, &certificate.files);
  for (const std::string_view alpn : {std::string_view(""), std::string_view("\x08http/1.1")}) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      TlsClient client(served.port(), alpn, version);
      ASSERT_TRUE(client.connected());
      EXPECT_EQ(client.protocol(), alpn.empty() ? "" : "http/1.1");
      for (int i = 0; i < 3; ++i) {
        client.send(post("/tls", "hello"));
        EXPECT_NE(client.read_until("POST /tls hello").find("POST /tls hello"), std::string::npos);
      }
    }
  }
  RawClient clear(served.port());
  clear.send(kGet);
  EXPECT_EQ(clear.response()->status, 200);
}

TEST(Tls, SpeaksHttp2ByAlpnAndByPreface) {
  const Certificate certificate;
  Served served(echo, {}, &certificate.files);
  for (const std::string_view alpn : {std::string_view("\x02h2\x08http/1.1"), std::string_view("")}) {
    TlsClient client(served.port(), alpn);
    ASSERT_TRUE(client.connected());
    EXPECT_EQ(client.protocol(), alpn.empty() ? "" : "h2");
    client.send(std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + std::string(3, '\0') + '\x04' +
                std::string(5, '\0'));
    const std::string answer = client.read_until("\x04");
    ASSERT_GE(answer.size(), 9u);
    EXPECT_EQ(answer[3], '\x04');  // SETTINGS
  }
}

TEST(Tls, LargeBodiesGoBothWaysIntact) {
  const Certificate certificate;
  Served served(echo, {}, &certificate.files);
  TlsClient client(served.port(), "\x08http/1.1");
  std::string body(5 * 1024 * 1024, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 2'654'435'761u >> 13);
  body += "the-end";
  client.send(post("/x", body));
  const std::string answer = client.read_until("the-end");
  EXPECT_TRUE(answer.ends_with("POST /x " + body));
}

TEST(Tls, RefusesOldVersionsAndClientsWithoutAServersCertificate) {
  const Certificate certificate;
  Served served(echo, {}, &certificate.files);
  TlsClient old(served.port(), "", TLS1_1_VERSION);
  EXPECT_FALSE(old.connected());
  Served clear_only(echo);
  TlsClient refused(clear_only.port(), "");
  EXPECT_FALSE(refused.connected());
}

TEST(Tls, AHandshakeThatStopsIsClosed) {
  ServerLimits limits;
  limits.header_ms_max = 100;
  const Certificate certificate;
  Served served(echo, limits, &certificate.files);
  RawClient client(served.port());
  client.send("\x16\x03\x01");
  EXPECT_TRUE(client.closed_by_peer());
  RawClient garbage(served.port());
  garbage.send("\x16garbage that is no handshake at all");
  EXPECT_TRUE(garbage.closed_by_peer());
}

TEST(Tls, UnusableFilesAreNamed) {
  const Certificate one;
  const Certificate other;
  LoopGroup loops(1);
  const TlsFiles missing{"/nowhere/cert.pem", one.files.key_path};
  const TlsFiles mismatch{one.files.certificate_path, other.files.key_path};
  for (const auto& files : {missing, mismatch}) {
    const auto started = Server::start(loops, "127.0.0.1:0", {}, &files, echo);
    ASSERT_FALSE(started.ok());
    EXPECT_EQ(started.error().kind, ErrorKind::kInvalid);
  }
  EXPECT_NE(Server::start(loops, "127.0.0.1:0", {}, &missing, echo).error().text.find("/nowhere/cert.pem"),
            std::string::npos);
}

TEST(Tls, ReloadGivesNewConnectionsTheNewCertificateAndKeepsTheOldOnesGoing) {
  const Certificate first("first");
  const Certificate second("second");
  Served served(echo, {}, &first.files);
  TlsClient before(served.port(), "");
  ASSERT_TRUE(before.connected());
  EXPECT_EQ(before.common_name(), "first");
  ASSERT_TRUE(served.server().reload_tls(second.files).ok());
  EXPECT_FALSE(served.server().reload_tls({"/nowhere", "/nowhere"}).ok());
  TlsClient after(served.port(), "");
  ASSERT_TRUE(after.connected());
  EXPECT_EQ(after.common_name(), "second");
  before.send(kGet);
  EXPECT_NE(before.read_until("GET /x").find("200 OK"), std::string::npos);
}

TEST(Tls, ReloadOfAClearTextServerIsRefused) {
  Served served(echo);
  const auto reloaded = served.server().reload_tls({"a", "b"});
  ASSERT_FALSE(reloaded.ok());
  EXPECT_EQ(reloaded.error().kind, ErrorKind::kInvalid);
}

}  // namespace
}  // namespace millrace::net
