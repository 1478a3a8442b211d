// Requests that real clients signed pass; with anything that was signed changed, they do not.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "identity/canonical_request.h"
#include "identity/request.h"

namespace millrace::identity {
namespace {

class SignedRequestTest : public testing::TestWithParam<SignedSample> {
 protected:
  const SignedSample& sample() const { return GetParam(); }
  bool has_suite_token() const {
    return std::string_view(sample().name).find("sts_header") != std::string_view::npos;
  }
  Verifier verifier(std::string_view secret = kSecretKey) const {
    const std::string token(has_suite_token() ? kSuiteToken : std::string_view());
    return Verifier({{std::string(kAccessKey), {std::string(secret), token}},
                     {std::string(kSessionAccessKey), {std::string(secret), std::string(kSessionToken)}}},
                    "us-east-1", false);
  }
  bool passes(const OwnedRequest& request, std::int64_t later_s = 0) const {
    return identity::passes(verifier_, request, sample().signed_s + later_s, sample().service);
  }
  std::string answer(const OwnedRequest& request) const {
    return identity::answer(verifier_, request, sample().signed_s, sample().service);
  }
  bool in_query() const { return sample().target.find("X-Amz-Algorithm") != std::string_view::npos; }
  bool body_is_unsigned() const {
    return std::string_view(sample().name).find("unsigned_payload") != std::string_view::npos;
  }
  // Names, lower-case, of the headers that the signature covers.
  std::set<std::string> signed_names() const {
    std::string list;
    if (in_query()) {
      const std::size_t at = sample().target.find("X-Amz-SignedHeaders=") + 20;
      list = percent_decoded(sample().target.substr(at, sample().target.find('&', at) - at));
    } else {
      for (const auto& [name, value] : sample().headers) {
        if (lower_case(name) != "authorization") continue;
        const std::size_t at = value.find("SignedHeaders=") + 14;
        list = value.substr(at, value.find_first_of(", ", at) - at);
      }
    }
    std::set<std::string> names;
    for (std::size_t at = 0; at <= list.size();) {
      const std::size_t end = std::min(list.find(';', at), list.size());
      names.insert(list.substr(at, end - at));
      at = end + 1;
    }
    return names;
  }
  // Where the 64 digits of the signature stand, in `request`.
  std::string& signature_holder(OwnedRequest& request) const {
    if (in_query()) return request.target;
    for (auto& [name, value] : request.headers) {
      if (lower_case(name) == "authorization") return value;
    }
    throw std::out_of_range("authorization");
  }

  Verifier verifier_ = verifier();
};

TEST_P(SignedRequestTest, Passes) {
  EXPECT_EQ(answer(OwnedRequest(sample())), "passed");
  const auto result = verify(verifier_, OwnedRequest(sample()), sample().signed_s, sample().service);
  const Caller& caller = std::get<Caller>(result);
  EXPECT_EQ(caller.service, sample().service);
  EXPECT_EQ(caller.region, "us-east-1");
  EXPECT_TRUE(caller.access_key == kAccessKey || caller.access_key == kSessionAccessKey);
}

TEST_P(SignedRequestTest, FailsWithAnotherSecret) {
  EXPECT_FALSE(identity::passes(verifier(std::string(kSecretKey) + "x"), OwnedRequest(sample()),
                                sample().signed_s, sample().service));
}

TEST_P(SignedRequestTest, FailsWithAnyDigitOfTheSignatureChanged) {
  OwnedRequest request(sample());
  std::string& holder = signature_holder(request);
  const std::size_t start = holder.find("Signature=") + 10;
  for (std::size_t i = start; i < start + 64; ++i) {
    const char right = holder[i];
    holder[i] = right == '0' ? '1' : '0';
    EXPECT_FALSE(passes(request)) << i - start;
    holder[i] = right;
  }
  EXPECT_TRUE(passes(request));
  holder.erase(start + 63, 1);
  EXPECT_FALSE(passes(request)) << "one digit short";
}

TEST_P(SignedRequestTest, FailsWithAnotherMethodPathQueryOrBody) {
  OwnedRequest request(sample());
  request.method = request.method == "GET" ? "POST" : "GET";
  EXPECT_FALSE(passes(request));

  request = OwnedRequest(sample());
  const std::size_t path_end = std::min(request.target.find('?'), request.target.size());
  request.target.insert(path_end, "x");
  EXPECT_FALSE(passes(request));

  request = OwnedRequest(sample());
  request.target += request.target.find('?') == std::string::npos ? "?x=1" : "&x=1";
  EXPECT_FALSE(passes(request));

  request = OwnedRequest(sample());
  request.body += ' ';
  EXPECT_EQ(passes(request), body_is_unsigned());
  if (!sample().body.empty()) {
    request = OwnedRequest(sample());
    request.body[request.body.size() / 2] ^= 1;
    EXPECT_EQ(passes(request), body_is_unsigned());
  }
}

TEST_P(SignedRequestTest, FailsWithEachParameterOfTheQueryChangedOrDropped) {
  const std::string_view query = query_of(sample().target);
  const std::string path(sample().target.substr(0, sample().target.size() - query.size()));
  for (std::size_t at = 0; at < query.size();) {
    const std::size_t end = std::min(query.find('&', at), query.size());
    const std::string before(query.substr(0, at));
    const std::string parameter(query.substr(at, end - at));
    const std::string after(query.substr(end));
    OwnedRequest request(sample());
    request.target = path + before + parameter + "1" + after;
    EXPECT_FALSE(passes(request)) << request.target;
    request.target = path + before + after.substr(after.empty() ? 0 : 1);
    EXPECT_FALSE(passes(request)) << request.target;
    request.target = path + before + parameter + "&" + parameter + after;
    EXPECT_FALSE(passes(request)) << request.target;
    at = end + 1;
  }
}

TEST_P(SignedRequestTest, FailsWithEachSignedHeaderChangedDroppedOrDoubled) {
  const std::set<std::string> names = signed_names();
  for (std::size_t i = 0; i < sample().headers.size(); ++i) {
    if (!names.contains(lower_case(sample().headers[i].first))) continue;
    OwnedRequest request(sample());
    request.headers[i].second += "x";
    EXPECT_FALSE(passes(request)) << request.headers[i].first;
    request = OwnedRequest(sample());
    request.headers.push_back(request.headers[i]);
    EXPECT_FALSE(passes(request)) << request.headers[i].first;
    request = OwnedRequest(sample());
    request.headers.erase(request.headers.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(passes(request)) << sample().headers[i].first;
  }
}

TEST_P(SignedRequestTest, FailsWithAHeaderOfAmazonsAddedAndPassesWithAnother) {
  OwnedRequest request(sample());
  request.headers.emplace_back("X-Amz-Added", "1");
  EXPECT_FALSE(passes(request));
  request.headers.back() = {"X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793"};
  request.headers.emplace_back("X-Forwarded-For", "127.0.0.1");
  EXPECT_TRUE(passes(request));
}

TEST_P(SignedRequestTest, PassesWithNamesInAnyCaseAndBlanksAroundValues) {
  OwnedRequest request(sample());
  for (auto& [name, value] : request.headers) {
    for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (lower_case(name) != "authorization") value = " \t" + value + "  ";
  }
  for (auto& [name, value] : request.headers) {
    // net hands out trimmed values, and the time is read from those.
    if (lower_case(name) == "x-amz-date" || lower_case(name) == "date" ||
        lower_case(name) == "x-amz-security-token" || lower_case(name) == "x-amz-content-sha256") {
      value = value.substr(2, value.size() - 4);
    }
  }
  EXPECT_TRUE(passes(request)) << answer(request);
}

TEST_P(SignedRequestTest, HostAndAuthorityStandForEachOtherOnlyAsTheClientSigned) {
  OwnedRequest request(sample());
  for (auto& [name, value] : request.headers) {
    if (lower_case(name) == "host") {
      name = ":authority";
    } else if (name == ":authority") {
      name = "host";
    }
  }
  EXPECT_TRUE(passes(request)) << answer(request);
}

TEST_P(SignedRequestTest, FailsOutsideItsTime) {
  const OwnedRequest request(sample());
  std::int64_t lifetime = 300;
  const std::size_t expires = sample().target.find("X-Amz-Expires=");
  if (expires != std::string_view::npos)
    lifetime = std::stoll(std::string(sample().target.substr(expires + 14)));
  EXPECT_TRUE(passes(request, lifetime));
  EXPECT_FALSE(passes(request, lifetime + 1));
  EXPECT_TRUE(passes(request, -300));
  EXPECT_FALSE(passes(request, -301));
  EXPECT_FALSE(passes(request, 366 * 86'400));
  EXPECT_FALSE(passes(request, -sample().signed_s));
}

TEST_P(SignedRequestTest, FailsForAnotherServiceOrRegion) {
  EXPECT_FALSE(identity::passes(verifier_, OwnedRequest(sample()), sample().signed_s, "dynamodb"));
  const Verifier elsewhere({{std::string(kAccessKey), {std::string(kSecretKey), ""}}}, "eu-west-1", false);
  EXPECT_FALSE(identity::passes(elsewhere, OwnedRequest(sample()), sample().signed_s, sample().service));
}

TEST_P(SignedRequestTest, PassesUncheckedWhereThereAreNoSecrets) {
  const Verifier open({}, "eu-west-1", false);
  OwnedRequest request(sample());
  request.body += "changed";
  const auto result = verify(open, request, 0, "dynamodb");
  ASSERT_TRUE(std::holds_alternative<Caller>(result));
  EXPECT_EQ(std::get<Caller>(result).access_key, "");
  EXPECT_EQ(std::get<Caller>(result).service, sample().service);
}

INSTANTIATE_TEST_SUITE_P(By, SignedRequestTest, testing::ValuesIn(kSignedRequests),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace millrace::identity
