// What is answered to requests that are not signed as they should be: types and words of the real service.
#include "identity/sigv4.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "identity/amz_time.h"
#include "identity/digest.h"
#include "identity/request.h"
#include "identity/session.h"
#include "identity/signing_key.h"
#include "sim/seeded_random.h"

namespace millrace::identity {
namespace {

constexpr std::int64_t kNow = 1'795'579'200;  // 20261125T040000Z
constexpr std::string_view kGoodScope = "AKIDEXAMPLE/20261125/us-east-1/kinesis/aws4_request";

Verifier checking() {
  return Verifier({{"AKIDEXAMPLE", {std::string(kSecretKey), ""}},
                   {"ASIAEXAMPLE", {std::string(kSecretKey), std::string(kSessionToken)}}},
                  "us-east-1", false);
}
Verifier open_to_all(bool anonymous_passes = false) { return Verifier({}, "us-east-1", anonymous_passes); }

// As a client without an SDK would: only what the cases need.
OwnedRequest with_authorization(const std::string& authorization,
                                const std::string& time = "20261125T040000Z") {
  OwnedRequest request;
  request.body = "{}";
  request.headers = {{"Host", "127.0.0.1:4566"}, {"Authorization", authorization}};
  if (!time.empty()) request.headers.emplace_back("X-Amz-Date", time);
  return request;
}
OwnedRequest with_parts(std::string_view credential, std::string_view signed_headers = "host;x-amz-date",
                        std::string_view algorithm = "AWS4-HMAC-SHA256",
                        const std::string& time = "20261125T040000Z") {
  std::string text(algorithm);
  text.append(" Credential=").append(credential).append(", SignedHeaders=").append(signed_headers);
  text.append(", Signature=").append(64, '0');
  return with_authorization(text, time);
}
OwnedRequest with_query(const std::string& query) {
  OwnedRequest request;
  request.method = "GET";
  request.target = "/?" + query;
  request.headers = {{"Host", "127.0.0.1:4566"}};
  return request;
}

// Signs as the documentation says, with the production digests: vectors by others are in
// signed_requests_test.
std::string sign(const std::string& canonical, const std::string& time, const CredentialScope& scope) {
  std::string to_sign = "AWS4-HMAC-SHA256\n" + time + "\n";
  to_sign.append(scope.date).append("/").append(scope.region).append("/").append(scope.service);
  to_sign.append("/aws4_request\n").append(hex(sha256(as_bytes(canonical))));
  return hex(hmac_sha256(derive_signing_key(kSecretKey, scope), to_sign));
}

struct Wording {
  const char* name;
  OwnedRequest request;
  std::string answer;
};

const char* const kAlgorithmMissing =
    "IncompleteSignatureException: AWS query-string parameters must include 'X-Amz-Algorithm'. AWS "
    "query-string "
    "parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. "
    "AWS "
    "query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include "
    "'X-Amz-Date'. Re-examine the query-string parameters.";

// Whether or not secrets are known: what kinesalite's tests recorded of the real service.
std::vector<Wording> incomplete_requests() {
  OwnedRequest both = with_query("X-Amz-Algorithm");
  both.headers.emplace_back("Authorization", "X");
  OwnedRequest almost_query = with_query("X-Amz-Algorith");
  almost_query.headers.emplace_back("Authorization", "X");
  OwnedRequest date_header = with_authorization("AWS4- Signature=b Credential=a", "");
  date_header.headers.emplace_back("Date", "a");
  const std::string all_missing =
      "IncompleteSignatureException: Authorization header requires 'Credential' parameter. Authorization "
      "header "
      "requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. "
      "Authorization header "
      "requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=";
  return {
      {"both", both,
       "InvalidSignatureException: Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' "
       "as HTTP "
       "header."},
      {"nothing_known", with_authorization("X", ""), all_missing + "X"},
      {"query_misspelt", almost_query, all_missing + "X"},
      {"not_ascii", with_authorization("X\xff\x01", ""), all_missing + "X??"},
      {"no_query_algorithm",
       with_query("X-Amz-Credential=a&X-Amz-Signature=b&X-Amz-SignedHeaders=c&X-Amz-Date=d"),
       "MissingAuthenticationTokenException: Missing Authentication Token"},
      {"no_signed_headers", date_header,
       "IncompleteSignatureException: Authorization header requires 'SignedHeaders' parameter. "
       "Authorization=AWS4- Signature=b Credential=a"},
      {"no_signed_headers_comma", with_authorization("AWS4- Signature=b,Credential=a"),
       "IncompleteSignatureException: Authorization header requires 'SignedHeaders' parameter. "
       "Authorization=AWS4- Signature=b,Credential=a"},
      {"no_signed_headers_comma_blank", with_authorization("AWS4- Signature=b, Credential=a"),
       "IncompleteSignatureException: Authorization header requires 'SignedHeaders' parameter. "
       "Authorization=AWS4- Signature=b, Credential=a"},
      {"no_credential", with_authorization("AWS4-HMAC-SHA256 SignedHeaders=host, Signature=b"),
       "IncompleteSignatureException: Authorization header requires 'Credential' parameter. "
       "Authorization=AWS4-HMAC-SHA256 SignedHeaders=host, Signature=b"},
      {"empty_signature", with_authorization("AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature="),
       "IncompleteSignatureException: Authorization header requires 'Signature' parameter. "
       "Authorization=AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature="},
      {"no_date", with_authorization("AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=b", ""),
       "IncompleteSignatureException: Authorization header requires existence of either a 'X-Amz-Date' or a "
       "'Date' "
       "header. Authorization=AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=b"},
      {"no_equal_sign", with_authorization("AWS4-HMAC-SHA256 Signature=b,    Credential,    SignedHeaders"),
       "IncompleteSignatureException: 'Credential' not a valid key=value pair (missing equal-sign) in "
       "Authorization "
       "header: 'AWS4-HMAC-SHA256 Signature=b,    Credential,    SignedHeaders'."},
      {"empty_query_algorithm", with_query("X-Amz-Algorithm"), kAlgorithmMissing},
      {"empty_query_algorithm_equals", with_query("X-Amz-Algorithm="), kAlgorithmMissing},
      {"no_query_signed_headers",
       with_query("X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-Signature=c&X-Amz-Date=d"),
       "IncompleteSignatureException: AWS query-string parameters must include 'X-Amz-SignedHeaders'. "
       "Re-examine the "
       "query-string parameters."},
  };
}

TEST(SigV4, IncompleteRequestsAreToldWhatTheyLack) {
  for (const Wording& each : incomplete_requests()) {
    EXPECT_EQ(answer(checking(), each.request, kNow), each.answer) << each.name;
  }
}

TEST(SigV4, IncompleteRequestsAreToldSoWhereNoSignatureIsChecked) {
  for (const Wording& each : incomplete_requests()) {
    EXPECT_EQ(answer(open_to_all(), each.request, kNow), each.answer) << each.name;
  }
}

TEST(SigV4, EveryFailureIsABadRequest) {
  for (const Wording& each : incomplete_requests()) {
    EXPECT_EQ(std::get<AuthFailure>(verify(checking(), each.request, kNow)).http_status, 400) << each.name;
  }
}

TEST(SigV4, ARequestWithoutAnySignaturePassesOnlyWhereThatIsWanted) {
  OwnedRequest request;
  request.headers = {{"Host", "127.0.0.1:4566"}};
  const std::string missing = "MissingAuthenticationTokenException: Missing Authentication Token";
  EXPECT_EQ(answer(checking(), request, kNow), missing);
  EXPECT_EQ(answer(open_to_all(false), request, kNow), missing);
  EXPECT_EQ(answer(open_to_all(true), request, kNow), "passed");
  const Verifier with_secrets({{"AKIDEXAMPLE", {std::string(kSecretKey), ""}}}, "us-east-1", true);
  EXPECT_EQ(answer(with_secrets, request, kNow), missing);
  request.headers.emplace_back("Authorization", "");
  EXPECT_EQ(answer(checking(), request, kNow), missing);
}

TEST(SigV4, AnyWholeClaimPassesWhereNoSignatureIsChecked) {
  const auto result = verify(open_to_all(), with_parts("any/20010101/mars/dynamodb/aws4_request"), kNow);
  ASSERT_TRUE(std::holds_alternative<Caller>(result));
  EXPECT_EQ(std::get<Caller>(result).access_key, "");
  EXPECT_EQ(std::get<Caller>(result).service, "dynamodb");
  EXPECT_EQ(std::get<Caller>(result).region, "mars");
  EXPECT_TRUE(passes(open_to_all(), with_parts("test"), kNow));
  EXPECT_TRUE(passes(open_to_all(), with_parts("a", "", "AWS4-HMAC-SHA256", "not a date"), kNow));
}

TEST(SigV4, ASecondAuthorizationHeaderIsRefused) {
  OwnedRequest request = with_parts(kGoodScope);
  request.headers.emplace_back("authorization", request.header("Authorization"));
  EXPECT_TRUE(
      answer(checking(), request, kNow)
          .starts_with("IncompleteSignatureException: 'AWS4-HMAC-SHA256' not a valid key=value pair"));
}

TEST(SigV4, DatesThatAreNoneAreRefused) {
  for (const std::string time :
       {"201", "2026-11-25T04:00:00Z", "20261125T040000", "20261125 040000Z", "20261325T040000Z",
        "20261131T040000Z", "20261125T240000Z", "20261125T046000Z", "20261125T040060Z", "20261125T0400000Z",
        "2026112aT040000Z", "Wed, 25 Nov 2026 04:00:00 GMT", "00001125T040000Z", "-0261125T040000Z"}) {
    EXPECT_EQ(answer(checking(), with_parts(kGoodScope, "host;x-amz-date", "AWS4-HMAC-SHA256", time), kNow),
              "IncompleteSignatureException: Date must be in ISO-8601 'basic format'. Got '" + time +
                  "'. See http://en.wikipedia.org/wiki/ISO_8601");
  }
}

TEST(SigV4, TimesOutsideTheSkewAreNamed) {
  const auto at = [](const std::string& time) {
    return answer(checking(), with_parts(kGoodScope, "host;x-amz-date", "AWS4-HMAC-SHA256", time), kNow);
  };
  EXPECT_EQ(
      at("20261125T035459Z"),
      "InvalidSignatureException: Signature expired: 20261125T035459Z is now earlier than 20261125T035500Z "
      "(20261125T040000Z - 5 min.)");
  EXPECT_EQ(at("20261125T040501Z"),
            "InvalidSignatureException: Signature not yet current: 20261125T040501Z is still later than "
            "20261125T040500Z (20261125T040000Z + 5 min.)");
  EXPECT_TRUE(at("20261125T035500Z").find("does not match the signature") != std::string::npos);
  EXPECT_TRUE(at("20261125T040500Z").find("does not match the signature") != std::string::npos);
}

TEST(SigV4, HostMustBeSigned) {
  const std::string wanted =
      "InvalidSignatureException: 'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
  for (const std::string_view names :
       {"", "x-amz-date", "x-amz-date;hos", "host2;x-amz-date", ";;;", "host:"}) {
    EXPECT_EQ(answer(checking(), with_parts(kGoodScope, names), kNow), wanted) << names;
  }
  for (const std::string_view names : {"host;x-amz-date", "HOST;X-Amz-Date", ":authority;x-amz-date"}) {
    EXPECT_NE(answer(checking(), with_parts(kGoodScope, names), kNow), wanted) << names;
  }
}

TEST(SigV4, HeadersOfAmazonsMustBeSigned) {
  OwnedRequest request = with_parts(kGoodScope);
  request.headers.emplace_back("X-Amz-Target", "Kinesis_20131202.ListStreams");
  EXPECT_EQ(answer(checking(), request, kNow),
            "InvalidSignatureException: 'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.");
  EXPECT_EQ(answer(checking(), with_parts(kGoodScope, "host"), kNow),
            "InvalidSignatureException: 'x-amz-date' must be a 'SignedHeader' in the AWS Authorization.");
}

TEST(SigV4, AlgorithmAndCredentialAreChecked) {
  EXPECT_EQ(answer(checking(), with_parts(kGoodScope, "host;x-amz-date", "AWS4-HMAC-SHA25"), kNow),
            "IncompleteSignatureException: Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA25' (only "
            "AWS4-HMAC-SHA256 for "
            "now). ");
  for (const std::string credential : {"AKIDEXAMPLE", "a/b/c/d", "a/b/c/d/", "a/b/c/d/e/f", "/////"}) {
    EXPECT_EQ(answer(checking(), with_parts(credential), kNow),
              "IncompleteSignatureException: Credential must have exactly 5 slash-delimited elements, e.g. "
              "keyid/date/region/service/term, got '" +
                  credential + "'");
  }
}

TEST(SigV4, EveryWrongPartOfTheScopeIsNamed) {
  EXPECT_EQ(answer(checking(), with_parts("AKIDEXAMPLE/b/c/d/e"), kNow),
            "InvalidSignatureException: Credential should be scoped to a valid region, not 'c'. Credential "
            "should be "
            "scoped to correct service: 'kinesis'. Credential should be scoped with a valid terminator: "
            "'aws4_request', not 'e'. Date in Credential scope does not match YYYYMMDD from ISO-8601 version "
            "of date "
            "from HTTP: 'b' != '20261125', from '20261125T040000Z'.");
  EXPECT_EQ(answer(checking(), with_parts("AKIDEXAMPLE/20261125/us-west-2/kinesis/aws4_request"), kNow),
            "InvalidSignatureException: Credential should be scoped to a valid region, not 'us-west-2'. ");
  EXPECT_EQ(answer(checking(), with_parts("AKIDEXAMPLE/20261125/us-east-1/Kinesis/aws4_request"), kNow),
            "InvalidSignatureException: Credential should be scoped to correct service: 'kinesis'. ");
  EXPECT_EQ(
      answer(checking(), with_parts("AKIDEXAMPLE/20261124/us-east-1/kinesis/aws4_request"), kNow),
      "InvalidSignatureException: Date in Credential scope does not match YYYYMMDD from ISO-8601 version of "
      "date from HTTP: '20261124' != '20261125', from '20261125T040000Z'.");
}

TEST(SigV4, AnUnknownKeyIsNotRecognised) {
  for (const std::string_view key : {"AKIDOTHER", "akidexample", "", "AKIDEXAMPLE "}) {
    if (key.ends_with(' ')) continue;  // a blank ends the parameter
    EXPECT_EQ(
        answer(checking(), with_parts(std::string(key) + "/20261125/us-east-1/kinesis/aws4_request"), kNow),
        "UnrecognizedClientException: The security token included in the request is invalid.")
        << key;
  }
}

TEST(SigV4, AWrongSignatureIsShownWhatShouldHaveBeenSigned) {
  OwnedRequest request = with_parts(kGoodScope);
  const std::string body_hash = hex(sha256(as_bytes("{}")));
  const std::string canonical =
      "POST\n/\n\nhost:127.0.0.1:4566\nx-amz-date:20261125T040000Z\n\nhost;x-amz-date\n" + body_hash;
  const std::string mismatch =
      "InvalidSignatureException: The request signature we calculated does not match the signature you "
      "provided. "
      "Check your AWS Secret Access Key and signing method. Consult the service documentation for "
      "details.\n\nThe "
      "Canonical String for this request should have been\n'" +
      canonical +
      "'\n\nThe String-to-Sign should have "
      "been\n'AWS4-HMAC-SHA256\n20261125T040000Z\n20261125/us-east-1/kinesis/"
      "aws4_request\n" +
      hex(sha256(as_bytes(canonical))) + "'\n";
  EXPECT_EQ(answer(checking(), request, kNow), mismatch);
  for (const std::string& signature : {std::string(63, '0'), std::string(65, '0'), std::string("a")}) {
    request.header("Authorization") = "AWS4-HMAC-SHA256 Credential=" + std::string(kGoodScope) +
                                      ", SignedHeaders=host;x-amz-date, Signature=" + signature;
    EXPECT_EQ(answer(checking(), request, kNow), mismatch) << signature;
  }
}

TEST(SigV4, ASignatureInCapitalsIsAnother) {
  OwnedRequest request = with_parts(kGoodScope);
  const std::string canonical =
      "POST\n/\n\nhost:127.0.0.1:4566\nx-amz-date:20261125T040000Z\n\nhost;x-amz-date\n" +
      hex(sha256(as_bytes("{}")));
  const std::string signature = sign(canonical, "20261125T040000Z", {"20261125", "us-east-1", "kinesis"});
  std::string& header = request.header("Authorization");
  header.replace(header.size() - 64, 64, signature);
  EXPECT_EQ(answer(checking(), request, kNow), "passed");
  std::string capitals = signature;
  for (char& c : capitals) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  header.replace(header.size() - 64, 64, capitals);
  EXPECT_NE(answer(checking(), request, kNow), "passed");
}

TEST(SigV4, AHeaderNamedTwiceAmongTheSignedOnesIsRefusedWithoutWritingItTwice) {
  OwnedRequest request = with_parts(kGoodScope, "host;x-amz-date;host;host");
  const std::string refused = answer(checking(), request, kNow);
  EXPECT_NE(
      refused.find(
          "'POST\n/\n\nhost:127.0.0.1:4566\nx-amz-date:20261125T040000Z\n\nhost;x-amz-date;host;host\n"),
      std::string::npos)
      << refused;

  std::string many = "host;x-amz-date";
  for (int i = 0; i < 5'000; ++i) many += ";x-big";
  request = with_parts(kGoodScope, many);
  request.headers.emplace_back("X-Big", std::string(20'000, 'b'));
  EXPECT_LT(answer(checking(), request, kNow).size(), 100'000u);
}

TEST(SigV4, MessagesArePrintable) {
  OwnedRequest request = with_parts(kGoodScope, "host;x-amz-date;x-note");
  request.headers.emplace_back("X-Note", std::string("caf\xc3\xa9\0\x1b[31m", 11));
  request.target = "/\xff?\x80=\x01";
  for (const char c : answer(checking(), request, kNow)) EXPECT_TRUE(c == '\n' || (c >= ' ' && c <= '~'));
}

// Tokens: the sample with the right one is in signed_requests_test.
TEST(SigV4, AnotherSessionTokenIsInvalidThoughItIsSigned) {
  const CredentialScope scope{"20261125", "us-east-1", "kinesis"};
  const auto answer_for = [&](const std::string& access_key, const std::string& token) {
    const std::string token_line = token.empty() ? "" : "x-amz-security-token:" + token + "\n";
    const std::string names = token.empty() ? "host;x-amz-date" : "host;x-amz-date;x-amz-security-token";
    const std::string canonical = "POST\n/\n\nhost:127.0.0.1:4566\nx-amz-date:20261125T040000Z\n" +
                                  token_line + "\n" + names + "\n" + hex(sha256(as_bytes("{}")));
    OwnedRequest request = with_parts(access_key + "/20261125/us-east-1/kinesis/aws4_request", names);
    std::string& header = request.header("Authorization");
    header.replace(header.size() - 64, 64, sign(canonical, "20261125T040000Z", scope));
    if (!token.empty()) request.headers.emplace_back("X-Amz-Security-Token", token);
    return answer(checking(), request, kNow);
  };
  const std::string invalid =
      "UnrecognizedClientException: The security token included in the request is invalid";
  EXPECT_EQ(answer_for("ASIAEXAMPLE", std::string(kSessionToken)), "passed");
  EXPECT_EQ(answer_for("ASIAEXAMPLE", std::string(kSessionToken) + "x"), invalid);
  EXPECT_EQ(answer_for("ASIAEXAMPLE", ""), invalid);
  EXPECT_EQ(answer_for("AKIDEXAMPLE", ""), "passed");
  EXPECT_EQ(answer_for("AKIDEXAMPLE", "made-up"), invalid);
}

TEST(SigV4, APreSignedQueryLivesAsLongAsItSays) {
  const auto with_expires = [](const std::string& expires, const std::string& time = "20261125T040000Z") {
    return answer(checking(),
                  with_query("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" + std::string(kGoodScope) +
                             "&X-Amz-Date=" + time + "&X-Amz-SignedHeaders=host&X-Amz-Signature=00" +
                             (expires.empty() ? "" : "&X-Amz-Expires=" + expires)),
                  kNow);
  };
  const std::string matched = "does not match the signature";
  EXPECT_NE(with_expires("604800").find(matched), std::string::npos);
  EXPECT_NE(with_expires("0").find(matched), std::string::npos);
  EXPECT_EQ(
      with_expires("900", "20261125T034459Z"),
      "InvalidSignatureException: Signature expired: 20261125T034459Z is now earlier than 20261125T034500Z "
      "(20261125T040000Z - 15 min.)");
  EXPECT_EQ(
      with_expires("10", "20261125T035949Z"),
      "InvalidSignatureException: Signature expired: 20261125T035949Z is now earlier than 20261125T035950Z "
      "(20261125T040000Z - 10 sec.)");
  EXPECT_EQ(
      with_expires("", "20261125T035459Z"),
      "InvalidSignatureException: Signature expired: 20261125T035459Z is now earlier than 20261125T035500Z "
      "(20261125T040000Z - 5 min.)");
  EXPECT_EQ(
      with_expires("604801"),
      "InvalidSignatureException: X-Amz-Expires must be less than a week (in seconds); that is, the given "
      "X-Amz-Expires must be less than 604800 seconds");
  EXPECT_EQ(with_expires("-1"), "InvalidSignatureException: X-Amz-Expires must be non-negative");
  for (const std::string expires : {"x", "1x", "1.5", "99999999999999999999", "%20"}) {
    EXPECT_EQ(with_expires(expires), "InvalidSignatureException: X-Amz-Expires should be a number")
        << expires;
  }
}

TEST(SigV4, ASessionLivesFromItsIssueToItsEndWhateverTheClockDoes) {
  sim::SeededRandom random{sim::Seed{1}};
  const Sessions sessions{SealKey{}};
  auto directory = std::make_shared<Directory>();
  directory->account = "000000000000";
  directory->serial = 1;
  const Published<Directory> published(directory);
  const Verifier verifier(published, sessions, "us-east-1");
  // No signature is right here: a session that lives gets as far as that.
  const auto refused_as = [&](std::int64_t issued_s) {
    Session session;
    session.of = Session::Of::kRoot;
    session.issued_s = issued_s;
    session.expires_s = issued_s + 3'600;
    const TemporaryCredentials credentials = sessions.issue(session, random);
    OwnedRequest request = with_parts(credentials.access_key + "/20261125/us-east-1/kinesis/aws4_request");
    request.headers.emplace_back("X-Amz-Security-Token", credentials.token);
    const std::string text = answer(verifier, request, kNow);
    return text.substr(0, text.find(':'));
  };
  constexpr std::int64_t kDayS = 86'400;
  EXPECT_EQ(refused_as(kNow - 10), "InvalidSignatureException");
  EXPECT_EQ(refused_as(kNow + 250), "InvalidSignatureException")
      << "clocks of two servers may differ a little";
  EXPECT_EQ(refused_as(kNow - 3'600), "ExpiredTokenException");
  EXPECT_EQ(refused_as(kNow + 301), "ExpiredTokenException");
  EXPECT_EQ(refused_as(kNow + 400 * kDayS), "ExpiredTokenException");
}

TEST(SigV4, ManyThreadsVerifyAtOnce) {
  const Verifier verifier = checking();
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        for (const SignedSample& sample : kSignedRequests) {
          if (sample.service != "kinesis") continue;
          if (!passes(verifier, OwnedRequest(sample), sample.signed_s)) ++wrong;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace millrace::identity
