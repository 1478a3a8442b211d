// Which ARNs name a stream or a consumer of this server.

#include "kinesis/kinesis_machine.h"

namespace millrace::kinesis {
namespace {

TEST(KinesisStreams, AnArnNamesOneOnlyInAPartitionThatThereIs) {
  KinesisMachine machine;
  machine.create("s", 1);
  const std::string behind = ":kinesis:us-east-1:000000000000:stream/s";
  const auto type = [&](const std::string& arn) {
    return machine.post("DescribeStreamSummary", {{"StreamARN", arn}}).type();
  };
  EXPECT_EQ(type("arn:aws" + behind), "");
  EXPECT_EQ(type("arn:awsX" + behind), "InvalidArgumentException");
  EXPECT_EQ(type("arn:aws-" + behind), "InvalidArgumentException");
  for (const char* other : {"aws-cn", "aws-us-gov", "aws-eusc"})  // none of them has us-east-1
    EXPECT_EQ(type(std::string("arn:") + other + behind), "ResourceNotFoundException");
  EXPECT_EQ(type("arn:aws:x" + behind), "InvalidArgumentException");
  const std::string consumer =
      machine.call("RegisterStreamConsumer",
                   {{"StreamARN", "arn:aws" + behind}, {"ConsumerName", "c"}})["Consumer"]["ConsumerARN"];
  machine.call("DescribeStreamConsumer", {{"ConsumerARN", consumer}});
  EXPECT_EQ(machine
                .post("DescribeStreamConsumer",
                      {{"ConsumerARN", "arn:awsX" + consumer.substr(std::string("arn:aws").size())}})
                .type(),
            "ResourceNotFoundException");
}

TEST(KinesisStreams, ARegionOfAnotherPartitionIsNamedByItToo) {
  broker::BrokerOptions options;
  options.region = "cn-north-1";
  KinesisMachine machine({}, options);
  machine.create("s", 1);
  const std::string behind = ":kinesis:cn-north-1:000000000000:stream/s";
  for (const char* partition : {"aws", "aws-cn"})
    machine.call("DescribeStreamSummary", {{"StreamARN", "arn:" + std::string(partition) + behind}});
  EXPECT_EQ(machine.post("DescribeStreamSummary", {{"StreamARN", "arn:aws-us-gov" + behind}}).type(),
            "ResourceNotFoundException");
}

}  // namespace
}  // namespace millrace::kinesis
