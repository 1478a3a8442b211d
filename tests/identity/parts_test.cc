// The parts of a signature: paths, queries, headers, times, digests, keys.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "identity/amz_time.h"
#include "identity/authorization.h"
#include "identity/canonical_request.h"
#include "identity/digest.h"
#include "identity/signing_key.h"

namespace millrace::identity {
namespace {

struct TextPair {
  const char* in;
  const char* out;
};

TEST(CanonicalPath, ResolvesDotsFoldsSlashesAndEncodesOnce) {
  const TextPair cases[] = {{"/", "/"},
                            {"", "/"},
                            {"//", "/"},
                            {"/.", "/"},
                            {"/..", "/"},
                            {"/./", "/"},
                            {"/../", "/"},
                            {"/a", "/a"},
                            {"/a/", "/a/"},
                            {"/a//b", "/a/b"},
                            {"//a", "/a"},
                            {"/a/.", "/a"},
                            {"/a/./", "/a/"},
                            {"/a/..", "/"},
                            {"/a/../", "/"},
                            {"/a/../b", "/b"},
                            {"/a/b/../../c", "/c"},
                            {"/../../a", "/a"},
                            {"/...", "/..."},
                            {"/a..b/.c", "/a..b/.c"},
                            {"/?a=/../b", "/"},
                            {"/a?b?c", "/a"},
                            {"?x", "/"},
                            {"/-._~", "/-._~"},
                            {"/a b", "/a%20b"},
                            {"/a%20b", "/a%2520b"},
                            {"/%2e%2e/a", "/%252e%252e/a"},
                            {"/a+b", "/a%2Bb"},
                            {"/a:b@c", "/a%3Ab%40c"},
                            {"/\xe2\x82\xac", "/%E2%82%AC"},
                            {"/\xff", "/%FF"},
                            {"http://host:80/a//b", "/a/b"},
                            {"https://host", "/"},
                            {"http://host?x=http://y/z", "/"},
                            {"/x://y/z", "/x%3A/y/z"},
                            {"*", "/%2A"},
                            {"a/b", "/a/b"}};
  for (const auto& [in, out] : cases) EXPECT_EQ(canonical_path(in), out) << in;
}

TEST(CanonicalQuery, DecodesEncodesAndSorts) {
  const TextPair cases[] = {{"", ""},
                            {"a", "a="},
                            {"a=", "a="},
                            {"a=1", "a=1"},
                            {"b=2&a=1", "a=1&b=2"},
                            {"a=2&a=1", "a=1&a=2"},
                            {"a=1&A=2", "A=2&a=1"},
                            {"a=1&a", "a=&a=1"},
                            {"&&a=1&&", "a=1"},
                            {"=v", "=v"},
                            {"a=b=c", "a=b%3Dc"},
                            {"a=%2f", "a=%2F"},
                            {"a=%41%7e", "a=A~"},
                            {"a=+b", "a=%20b"},
                            {"a=%2B", "a=%2B"},
                            {"a=%", "a=%25"},
                            {"a=%4", "a=%254"},
                            {"a=%zz", "a=%25zz"},
                            {"a=100%25", "a=100%25"},
                            {"\xc3\xbc=\xe2\x82\xac", "%C3%BC=%E2%82%AC"},
                            {"%61=1", "a=1"},
                            {"a=%00", "a=%00"},
                            {"a=b;c", "a=b%3Bc"},
                            {"a-b=1&a.b=2&aZ=3&a%20b=4", "a%20b=4&a-b=1&a.b=2&aZ=3"},
                            {"p=?x", "p=%3Fx"},
                            {"@#$%^&+=/,?><`\";:\\|][{} &",
                             "%20=%2F%2C%3F%3E%3C%60%22%3B%3A%5C%7C%5D%5B%7B%7D%20&%40%23%24%25%5E="}};
  for (const auto& [in, out] : cases) EXPECT_EQ(canonical_query(in, ""), out) << in;
}

TEST(CanonicalQuery, LeavesOutTheFirstOfOneName) {
  EXPECT_EQ(canonical_query("b=1&S=x&a=2", "S"), "a=2&b=1");
  EXPECT_EQ(canonical_query("S=x&S=y", "S"), "S=y");
  EXPECT_EQ(canonical_query("%53=x&a=1", "S"), "a=1");
  EXPECT_EQ(canonical_query("s=x", "S"), "s=x");
}

std::string canonical_headers(const std::vector<HttpHeader>& headers,
                              const std::vector<std::string_view>& names) {
  std::string out;
  append_canonical_headers(HeaderIndex(headers), names, &out);
  return out;
}

TEST(CanonicalHeaders, TrimFoldAndJoin) {
  const std::vector<HttpHeader> headers = {
      {"Host", "h"}, {"X-A", "  a   b  "}, {"x-b", "\t1\t 2\t"}, {"X-B", "3"},
      {"x-B", "1"},  {"X-Empty", ""},      {"X-Blank", "  \t "}, {"X-Quoted", "\"a   b\""}};
  EXPECT_EQ(canonical_headers(headers, {"host"}), "host:h\n");
  EXPECT_EQ(canonical_headers(headers, {"x-a"}), "x-a:a b\n");
  EXPECT_EQ(canonical_headers(headers, {"x-b"}), "x-b:1 2,3,1\n");
  EXPECT_EQ(canonical_headers(headers, {"x-empty"}), "x-empty:\n");
  EXPECT_EQ(canonical_headers(headers, {"x-blank"}), "x-blank:\n");
  EXPECT_EQ(canonical_headers(headers, {"x-quoted"}), "x-quoted:\"a b\"\n");
  EXPECT_EQ(canonical_headers(headers, {"x-missing"}), "");
  EXPECT_EQ(canonical_headers(headers, {"x-a", "host"}), "x-a:a b\nhost:h\n");
}

TEST(HeaderIndex, FindsHostByAuthorityAndBack) {
  const std::vector<HttpHeader> http2 = {{":authority", "a"}, {":path", "/"}};
  EXPECT_EQ(canonical_headers(http2, {"host"}), "host:a\n");
  EXPECT_EQ(canonical_headers(http2, {":authority"}), ":authority:a\n");
  const std::vector<HttpHeader> http1 = {{"HOST", "h"}};
  EXPECT_EQ(canonical_headers(http1, {":authority"}), ":authority:h\n");
  const std::vector<HttpHeader> both = {{"host", "h"}, {":authority", "a"}};
  EXPECT_EQ(canonical_headers(both, {"host", ":authority"}), "host:h\n:authority:a\n");
}

TEST(HeaderIndex, TellsNamesApartThatBeginAlike) {
  const std::vector<HttpHeader> headers = {{"X-Amz-Date2", "2"}, {"X-Amz-Dat", "0"}, {"X-Amz-Date", "1"}};
  EXPECT_EQ(HeaderIndex(headers).joined("x-amz-date"), "1");
  EXPECT_EQ(HeaderIndex(headers).joined("x-amz-date3"), "");
}

TEST(SplitCredential, WantsFiveParts) {
  const auto parts = split_credential("k/20150830/us-east-1/kinesis/aws4_request");
  ASSERT_TRUE(parts.has_value());
  EXPECT_EQ(parts->access_key, "k");
  EXPECT_EQ(parts->date, "20150830");
  EXPECT_EQ(parts->region, "us-east-1");
  EXPECT_EQ(parts->service, "kinesis");
  EXPECT_EQ(parts->terminator, "aws4_request");
  EXPECT_TRUE(split_credential("a/b/c/d/e///").has_value());
  EXPECT_TRUE(split_credential("//c//e").has_value());
  for (const char* wrong : {"", "/", "a", "a/b/c/d", "a/b/c/d/", "a/b/c/d/e/f", "a//b/c/d/e"}) {
    EXPECT_FALSE(split_credential(wrong).has_value()) << wrong;
  }
}

TEST(AmzTime, ReadsAndWritesTheBasicFormat) {
  const std::pair<const char*, std::int64_t> cases[] = {{"19700101T000000Z", 0},
                                                        {"20150830T123600Z", 1'440'938'160},
                                                        {"20000229T235959Z", 951'868'799},
                                                        {"20261125T040000Z", 1'795'579'200},
                                                        {"99991231T235959Z", 253'402'300'799}};
  for (const auto& [text, seconds] : cases) {
    EXPECT_EQ(parse_amz_time(text), seconds) << text;
    EXPECT_EQ(format_amz_time(seconds), text);
  }
  for (const char* wrong : {"", "20150830", "20150229T000000Z", "19691231T235959Z", "20150830t123600Z",
                            "20150830T123600z", "2015083 T123600Z", "20150830T12360 Z", "20150830T1236-1Z"}) {
    EXPECT_EQ(parse_amz_time(wrong), std::nullopt) << wrong;
  }
}

TEST(AmzTime, ReadsHttpDates) {
  EXPECT_EQ(parse_http_date("Sun, 30 Aug 2015 12:36:00 GMT"), 1'440'938'160);
  EXPECT_EQ(parse_http_date("20150830T123600Z"), 1'440'938'160);
  for (const char* wrong :
       {"", "Sun, 30 Aug 2015 12:36:00", "Sun, 30 aug 2015 12:36:00 GMT", "Sun, 30 Aug 2015 12:36:00 CET",
        "Sunday, 30-Aug-15 12:36:00 GMT", "Sun Aug 30 12:36:00 2015", "Sun, 31 Feb 2015 12:36:00 GMT",
        "Sun, 30 Aug 2015 25:36:00 GMT", "Sun, 30xAug 2015 12:36:00 GMT"}) {
    EXPECT_EQ(parse_http_date(wrong), std::nullopt) << wrong;
  }
}

TEST(Digest, Sha256AsPublished) {
  EXPECT_EQ(hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256(as_bytes("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, HmacAsInRfc4231) {
  const std::vector<std::uint8_t> first_key(20, 0x0b);
  EXPECT_EQ(hex(hmac_sha256(first_key, "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmac_sha256(as_bytes("Jefe"), "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  const std::vector<std::uint8_t> long_key(131, 0xaa);
  EXPECT_EQ(hex(hmac_sha256(long_key, "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(hex(hmac_sha256({}, "")), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Digest, ComparesWholeTexts) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
  EXPECT_FALSE(equal_in_constant_time("", "a"));
}

TEST(SigningKey, AsInTheDocumentationsExample) {
  EXPECT_EQ(
      hex(derive_signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", {"20150830", "us-east-1", "iam"})),
      "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
}

TEST(SigningKeys, GiveTheKeyOfTheirScopeHoweverManyThereAre) {
  SigningKeys keys;
  for (int round = 0; round < 3; ++round) {
    for (int day = 0; day < 100; ++day) {
      const std::string date = std::to_string(20150830 + day);
      for (const std::string_view service : {"kinesis", "dynamodb"}) {
        for (const std::string_view region : {"us-east-1", "eu-west-1"}) {
          const CredentialScope scope{date, region, service};
          ASSERT_EQ(keys.get("a", "secret-a", scope), derive_signing_key("secret-a", scope));
          ASSERT_EQ(keys.get("b", "secret-b", scope), derive_signing_key("secret-b", scope));
        }
      }
    }
  }
}

TEST(Printable, LeavesLinesAndAsciiOnly) {
  EXPECT_EQ(printable("a\nb~ c"), "a\nb~ c");
  EXPECT_EQ(printable("\x01\x7f\x80\xff\t\r"), "??????");
}

}  // namespace
}  // namespace millrace::identity
