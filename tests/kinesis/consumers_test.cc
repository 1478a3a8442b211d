// Consumers with enhanced fan-out: registered, described, listed, deregistered; they outlive a restart, and
// die with their stream.

#include <set>

#include "kinesis/kinesis_machine.h"
#include "kinesis/pattern.h"

namespace millrace::kinesis {
namespace {

Json register_consumer(KinesisMachine& machine, const std::string& name, Json more = Json::object()) {
  more["StreamARN"] = kArnOfS;
  more["ConsumerName"] = name;
  return machine.call("RegisterStreamConsumer", more)["Consumer"];
}

Json describe_consumer(KinesisMachine& machine, const Json& arn) {
  return machine.call("DescribeStreamConsumer", {{"ConsumerARN", arn}})["ConsumerDescription"];
}

void settle(KinesisMachine& machine) { machine.world.run_for(1'000'000'000); }

TEST(KinesisConsumers, AConsumerIsCreatedDescribedListedAndGone) {
  KinesisMachine machine;
  machine.create("s", 1);
  const Json made = register_consumer(machine, "billing");
  EXPECT_EQ(made["ConsumerStatus"], "CREATING");
  EXPECT_EQ(made["ConsumerName"], "billing");
  const std::string arn = made["ConsumerARN"];
  EXPECT_EQ(arn, kArnOfS + "/consumer/billing:" +
                     std::to_string(static_cast<std::int64_t>(made["ConsumerCreationTimestamp"])));
  machine.refuses("RegisterStreamConsumer", {{"StreamARN", kArnOfS}, {"ConsumerName", "billing"}},
                  "ResourceInUseException",
                  "Consumer billing under stream s and account 000000000000 already exists.");
  settle(machine);
  Json description = describe_consumer(machine, arn);
  EXPECT_EQ(description["ConsumerStatus"], "ACTIVE");
  EXPECT_EQ(description["StreamARN"], kArnOfS);
  EXPECT_EQ(machine.call("DescribeStreamConsumer",
                         {{"StreamARN", kArnOfS}, {"ConsumerName", "billing"}})["ConsumerDescription"],
            description);
  description.erase("StreamARN");
  const Json listed = machine.call("ListStreamConsumers", {{"StreamARN", kArnOfS}});
  EXPECT_EQ(listed, (Json{{"Consumers", Json::array({description})}}));
  const auto count = [&] {
    return machine.call("DescribeStreamSummary",
                        {{"StreamName", "s"}})["StreamDescriptionSummary"]["ConsumerCount"];
  };
  EXPECT_EQ(count(), 1);

  EXPECT_EQ(machine.post("DeregisterStreamConsumer", {{"ConsumerARN", arn}}).body, "");
  EXPECT_EQ(describe_consumer(machine, arn)["ConsumerStatus"], "DELETING");
  settle(machine);
  machine.refuses("DescribeStreamConsumer", {{"ConsumerARN", arn}}, "ResourceNotFoundException",
                  "Consumer " + arn + ", account 000000000000 not found.");
  EXPECT_EQ(count(), 0);
}

TEST(KinesisConsumers, HaveTagsOfTheirOwn) {
  KinesisMachine machine;
  machine.create("s", 1);
  machine.call("TagResource", {{"ResourceARN", kArnOfS}, {"Tags", {{"of", "stream"}}}});
  const std::string arn = register_consumer(machine, "c", {{"Tags", {{"team", "web"}}}})["ConsumerARN"];
  const std::string other = register_consumer(machine, "d")["ConsumerARN"];
  const auto tags = [&](const std::string& of) {
    return machine.call("ListTagsForResource", {{"ResourceARN", of}})["Tags"].dump();
  };
  EXPECT_EQ(tags(arn), R"([{"Key":"team","Value":"web"}])");  // while it is CREATING, too
  for (const auto& [operation, request] :
       {std::pair<const char*, Json>{"TagResource", {{"ResourceARN", arn}, {"Tags", {{"team", "data"}}}}},
        {"UntagResource", {{"ResourceARN", arn}, {"TagKeys", {"team"}}}}})
    EXPECT_EQ(machine.post(operation, request).type(), "ResourceInUseException");
  settle(machine);
  machine.call("TagResource", {{"ResourceARN", arn}, {"Tags", {{"team", "data"}, {"env", ""}}}});
  EXPECT_EQ(tags(arn), R"([{"Key":"env","Value":""},{"Key":"team","Value":"data"}])");
  machine.call("UntagResource", {{"ResourceARN", arn}, {"TagKeys", {"team", "nothing"}}});
  EXPECT_EQ(tags(arn), R"([{"Key":"env","Value":""}])");
  EXPECT_EQ(tags(other), "[]");
  EXPECT_EQ(tags(kArnOfS), R"([{"Key":"of","Value":"stream"}])");
  EXPECT_EQ(machine.call("ListTagsForStream", {{"StreamName", "s"}})["Tags"].size(), 1u);
  Json most = Json::object();
  for (int i = 0; i < 50; ++i) most["t" + std::to_string(i)] = "x";
  EXPECT_EQ(machine.post("TagResource", {{"ResourceARN", arn}, {"Tags", most}}).type(),
            "InvalidArgumentException");  // 51 with `env`
  machine.call("TagResource", {{"ResourceARN", other}, {"Tags", most}});
  EXPECT_EQ(machine.post("TagResource", {{"ResourceARN", arn}, {"Tags", {{"a", "b#"}}}}).type(),
            "InvalidArgumentException");
  for (const std::string& none : {kArnOfS + "/consumer/e:1", kArnOfS + "/consumer/c:1"})
    for (const auto& [operation, more] : {std::pair<const char*, Json>{"ListTagsForResource", Json::object()},
                                          {"TagResource", {{"Tags", {{"a", "b"}}}}},
                                          {"UntagResource", {{"TagKeys", {"a"}}}}}) {
      Json request = more;
      request["ResourceARN"] = none;
      machine.refuses(operation, request, "ResourceNotFoundException",
                      "Consumer " + none + ", account 000000000000 not found.");
    }
  // They go with it.
  settle(machine);
  machine.call("DeregisterStreamConsumer", {{"ConsumerARN", arn}});
  settle(machine);
  EXPECT_EQ(tags(register_consumer(machine, "c")["ConsumerARN"]), "[]");
}

TEST(KinesisConsumers, ANameThatIsUsedAgainHasAnotherArn) {
  KinesisMachine machine;
  machine.create("s", 1);
  std::set<std::string> arns;
  for (int i = 0; i < 3; ++i) {
    const std::string arn = register_consumer(machine, "c")["ConsumerARN"];
    EXPECT_TRUE(arns.insert(arn).second) << arn;
    machine.world.run_for(250'000'000);
    machine.call("DeregisterStreamConsumer", {{"StreamARN", kArnOfS}, {"ConsumerName", "c"}});
    machine.world.run_for(250'000'000);
  }
}

TEST(KinesisConsumers, WhatNamesAConsumerMustNotContradictItself) {
  KinesisMachine machine;
  machine.create("s", 1);
  const std::string arn = register_consumer(machine, "c")["ConsumerARN"];
  for (const char* operation : {"DescribeStreamConsumer", "DeregisterStreamConsumer"}) {
    for (const Json& request : {Json::object(), Json{{"StreamARN", kArnOfS}}, Json{{"ConsumerName", "c"}},
                                Json{{"ConsumerARN", arn}, {"ConsumerName", "d"}},
                                Json{{"ConsumerARN", arn}, {"StreamARN", kArnOfS + "t"}}})
      EXPECT_EQ(machine.post(operation, request).type(), "InvalidArgumentException") << request.dump();
    for (const Json& request :
         {Json{{"ConsumerARN", arn + "0"}}, Json{{"StreamARN", kArnOfS}, {"ConsumerName", "d"}},
          Json{{"StreamARN", kArnOfS + "t"}, {"ConsumerName", "c"}},
          Json{{"ConsumerARN", "arn:aws:kinesis:us-east-1:123456789012:stream/s/consumer/c:1"}},
          Json{{"ConsumerARN", "arn:aws:kinesis:eu-west-1" + arn.substr(25)}},
          Json{{"ConsumerARN", kArnOfS + "/consumer/c:99999999999999999999999"}}})
      EXPECT_EQ(machine.post(operation, request).type(), "ResourceNotFoundException") << request.dump();
  }
  machine.call("DescribeStreamConsumer",
               {{"ConsumerARN", arn}, {"ConsumerName", "c"}, {"StreamARN", kArnOfS}});
}

TEST(KinesisConsumers, AtMostTwentyAStream) {
  KinesisMachine machine;
  machine.create("s", 1);
  for (int i = 0; i < 20; ++i) register_consumer(machine, "c" + std::to_string(i));
  const Json more = {{"StreamARN", kArnOfS}, {"ConsumerName", "more"}};
  EXPECT_EQ(machine.post("RegisterStreamConsumer", more).type(), "LimitExceededException");
  machine.call("DeregisterStreamConsumer", {{"StreamARN", kArnOfS}, {"ConsumerName", "c7"}});
  settle(machine);
  machine.call("RegisterStreamConsumer", more);
}

TEST(KinesisConsumers, UnderTheServicesLimitsFiveAreCreatedAtOnce) {
  broker::BrokerOptions options;
  options.aws_limits = true;
  KinesisMachine machine({}, options);
  machine.create("s", 1);
  for (int i = 0; i < 5; ++i) register_consumer(machine, "c" + std::to_string(i));
  const Json more = {{"StreamARN", kArnOfS}, {"ConsumerName", "more"}};
  EXPECT_EQ(machine.post("RegisterStreamConsumer", more).type(), "LimitExceededException");
  settle(machine);
  machine.call("RegisterStreamConsumer", more);
}

TEST(KinesisConsumers, ListsComeInPagesOfOneStream) {
  KinesisMachine machine;
  machine.create("s", 1);
  for (const char* name : {"c", "a", "b"}) register_consumer(machine, name);
  const auto names = [](const Json& page) {
    std::string all;
    for (const Json& consumer : page["Consumers"]) all += consumer["ConsumerName"].get<std::string>();
    return all;
  };
  Json page = machine.call("ListStreamConsumers", {{"StreamARN", kArnOfS}, {"MaxResults", 2}});
  EXPECT_EQ(names(page), "ab");
  const Json token = page["NextToken"];
  page = machine.call("ListStreamConsumers", {{"StreamARN", kArnOfS}, {"NextToken", token}});
  EXPECT_EQ(names(page), "c");
  EXPECT_FALSE(page.contains("NextToken"));

  const Json created = machine.call(
      "DescribeStreamSummary", {{"StreamName", "s"}})["StreamDescriptionSummary"]["StreamCreationTimestamp"];
  EXPECT_EQ(names(machine.call("ListStreamConsumers",
                               {{"StreamARN", kArnOfS}, {"StreamCreationTimestamp", created}})),
            "abc");
  machine.refuses("ListStreamConsumers",
                  {{"StreamARN", kArnOfS}, {"StreamCreationTimestamp", created.get<double>() - 10}},
                  "ResourceNotFoundException", "Stream s under account 000000000000 not found.");
  machine.refuses("ListStreamConsumers",
                  {{"StreamARN", kArnOfS}, {"NextToken", token}, {"StreamCreationTimestamp", created}},
                  "InvalidArgumentException",
                  "NextToken and StreamCreationTimestamp cannot be provided together.");
  EXPECT_EQ(machine.post("ListStreamConsumers", {{"StreamARN", kArnOfS}, {"NextToken", "nonsense"}}).type(),
            "InvalidArgumentException");
  machine.world.shift_wall_clock(300'001);
  EXPECT_EQ(machine.post("ListStreamConsumers", {{"StreamARN", kArnOfS}, {"NextToken", token}}).type(),
            "ExpiredNextTokenException");
}

TEST(KinesisConsumers, AStreamWithConsumersIsDeletedByForceOnlyAndTakesThemAlong) {
  KinesisMachine machine;
  machine.create("s", 1);
  const std::string arn = register_consumer(machine, "c")["ConsumerARN"];
  machine.refuses("DeleteStream", {{"StreamName", "s"}}, "ResourceInUseException",
                  "DeleteStream can't delete 000000000000:s because there are consumers associated with this "
                  "data stream. "
                  "To delete s anyway, set the EnforceConsumerDeletion parameter to true to force the "
                  "deletion of all the "
                  "consumers that are associated with it.");
  machine.call("DeleteStream", {{"StreamName", "s"}, {"EnforceConsumerDeletion", true}});
  machine.refuses("RegisterStreamConsumer", {{"StreamARN", kArnOfS}, {"ConsumerName", "d"}},
                  "ResourceInUseException",
                  "Stream s under account 000000000000 not ACTIVE, instead in state DELETING");
  settle(machine);
  machine.create("s", 1);
  EXPECT_EQ(machine.call("ListStreamConsumers", {{"StreamARN", kArnOfS}})["Consumers"], Json::array());
  EXPECT_EQ(machine.post("DescribeStreamConsumer", {{"ConsumerARN", arn}}).type(),
            "ResourceNotFoundException");
}

TEST(KinesisConsumers, NamesMayBeTheWordsOfAnArn) {
  KinesisMachine machine;
  machine.create("stream", 1);
  const std::string stream = "arn:aws:kinesis:us-east-1:000000000000:stream/stream";
  const std::string arn =
      machine.call("RegisterStreamConsumer",
                   {{"StreamARN", stream}, {"ConsumerName", "consumer"}})["Consumer"]["ConsumerARN"];
  EXPECT_EQ(describe_consumer(machine, arn)["StreamARN"], stream);
  EXPECT_EQ(describe_consumer(machine, arn)["ConsumerName"], "consumer");
}

TEST(KinesisPattern, ConsumerArns) {
  EXPECT_TRUE(kConsumerArnPattern.matches(kArnOfS + "/consumer/c.d-e_f:1731291806"));
  for (const char* rest : {"", "/consumer/c", "/consumer/c:", "/consumer/:1", "/consumer/c:1a", "/c:1",
                           "/consumer/c d:1", "//consumer/c:1"})
    EXPECT_FALSE(kConsumerArnPattern.matches(kArnOfS + rest)) << rest;
}

}  // namespace
}  // namespace millrace::kinesis
