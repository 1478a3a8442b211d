// kinesis/signed_client.h: a front door that checks signatures, and who calls it: root, and users with
// policies.
#pragma once

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/published.h"
#include "identity/digest.h"
#include "identity/directory.h"
#include "identity/session.h"
#include "identity/signing_key.h"
#include "kinesis/kinesis_machine.h"

namespace millrace::kinesis {

inline const std::string kAccount = "000000000000";
inline const std::string kStreamArn = "arn:aws:kinesis:us-east-1:" + kAccount + ":stream/s";

// Of policy documents.
inline std::string user_arn(const std::string& name) { return "arn:aws:iam::" + kAccount + ":user/" + name; }
inline std::string one_statement(const std::string& effect, const std::string& action,
                                 const std::string& resource, const std::string& user = {}) {
  Json statement = {{"Effect", effect}, {"Action", action}, {"Resource", resource}};
  if (!user.empty()) statement["Principal"] = {{"AWS", user_arn(user)}};
  return Json{{"Version", "2012-10-17"}, {"Statement", Json::array({statement})}}.dump();
}

// How a request is signed.
struct Signature {
  std::string access_key = "root";
  std::string secret = "secret of root";
  std::int64_t shifted_s = 0;  // from now
};
inline Signature by(const std::string& user) { return {user, "secret of " + user}; }

// The access key of each user is his name.
class Callers {
 public:
  // users   names, with the policy document of each; empty: none
  explicit Callers(const std::map<std::string, std::string>& users)
      : directory_(std::make_unique<Published<identity::Directory>>(directory_of(users))) {}

  // From now on it is these.
  void change_users(const std::map<std::string, std::string>& users) {
    directory_->publish(directory_of(users));
  }

  std::unique_ptr<const identity::Verifier> verifier() const {
    return std::make_unique<identity::Verifier>(*directory_, sessions_, "us-east-1");
  }

 private:
  static std::shared_ptr<const identity::Directory> directory_of(
      const std::map<std::string, std::string>& users) {
    auto directory = std::make_shared<identity::Directory>();
    directory->account = kAccount;
    directory->keys["root"] = {"secret of root", "", identity::root_principal(kAccount, "root")};
    for (const auto& [name, document] : users) {
      auto principal = std::make_shared<identity::Principal>();
      principal->kind = identity::Principal::Kind::kUser;
      principal->account = kAccount;
      principal->arn = user_arn(name);
      principal->id = "AIDA" + name;
      principal->name = name;
      principal->access_key = name;
      principal->serial = identity::next_serial();
      if (!document.empty())
        principal->policies.push_back(
            {"policy/own",
             identity::parse_policy(document, identity::PolicyKind::kIdentity, 10'240).value()});
      directory->keys[name] = {"secret of " + name, "", std::move(principal)};
    }
    directory->serial = identity::next_serial();
    return directory;
  }

  identity::Sessions sessions_{identity::SealKey{}};
  std::unique_ptr<Published<identity::Directory>> directory_;
};

class SignedMachine : private Callers, public KinesisMachine {
 public:
  explicit SignedMachine(const std::map<std::string, std::string>& users, FrontDoorOptions options = {})
      : Callers(users), KinesisMachine(options, {}, verifier()) {}
  using Callers::change_users;

  Answer post_as(const Signature& signature, const std::string& operation, const Json& request) {
    const std::string body = request.dump();
    const auto seconds = static_cast<std::time_t>(world.clock().wall_ms() / 1'000 + signature.shifted_s);
    const std::string time = fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(seconds));
    const std::string day = time.substr(0, 8);
    const std::string target = "Kinesis_20131202." + operation;
    const std::string canonical = fmt::format(
        "POST\n/\n\nhost:localhost\nx-amz-date:{}\nx-amz-target:{}\n\nhost;x-amz-date;x-amz-target\n{}", time,
        target, identity::hex(identity::sha256(as_bytes(body))));
    const std::string to_sign = fmt::format("AWS4-HMAC-SHA256\n{}\n{}/us-east-1/kinesis/aws4_request\n{}",
                                            time, day, identity::hex(identity::sha256(as_bytes(canonical))));
    const auto key = identity::derive_signing_key(signature.secret, {day, "us-east-1", "kinesis"});
    return exchange(
        "POST",
        {{"Host", "localhost"},
         {"Content-Type", "application/x-amz-json-1.1"},
         {"X-Amz-Target", target},
         {"X-Amz-Date", time},
         {"Authorization",
          fmt::format("AWS4-HMAC-SHA256 Credential={}/{}/us-east-1/kinesis/aws4_request, "
                      "SignedHeaders=host;x-amz-date;x-amz-target, Signature={}",
                      signature.access_key, day, identity::hex(identity::hmac_sha256(key, to_sign)))}},
        body);
  }
  Answer post_unsigned(const std::string& operation, const Json& request) {
    return exchange(
        "POST",
        {{"Content-Type", "application/x-amz-json-1.1"}, {"X-Amz-Target", "Kinesis_20131202." + operation}},
        request.dump());
  }
  // One of root's, that must go well.
  Json call_as_root(const std::string& operation, const Json& request) {
    const Answer answer = post_as({}, operation, request);
    EXPECT_EQ(answer.status, 200) << operation << ": " << answer.body;
    return answer.body.empty() ? Json::object() : answer.json();
  }
  void put_policy(const std::string& arn, const std::string& policy) {
    call_as_root("PutResourcePolicy", {{"ResourceARN", arn}, {"Policy", policy}});
  }
  // A stream s of one shard, with an ACTIVE consumer c, whose ARN it gives.
  std::string create_stream_and_consumer() {
    call_as_root("CreateStream", {{"StreamName", "s"}, {"ShardCount", 1}});
    wait_active("s");
    const Json made =
        call_as_root("RegisterStreamConsumer", {{"StreamARN", kStreamArn}, {"ConsumerName", "c"}});
    world.run_for(1'000'000'000);
    return made["Consumer"]["ConsumerARN"];
  }
};

}  // namespace millrace::kinesis
