// Tags of streams: what they may be, and when they may change.

#include "kinesis/kinesis_machine.h"

namespace millrace::kinesis {
namespace {

TEST(KinesisTags, AreSetListedAndRemovedByStreamAndByResource) {
  KinesisMachine machine;
  machine.call("CreateStream", {{"StreamName", "s"}, {"ShardCount", 1}, {"Tags", {{"made", "with"}}}});
  machine.wait_active("s");
  machine.call("AddTagsToStream",
               {{"StreamName", "s"}, {"Tags", {{"a", "1"}, {"\u00fc0 _.", ""}, {"/=+-@:", "x"}}}});
  machine.call("TagResource", {{"ResourceARN", kArnOfS}, {"Tags", {{"a", "2"}}}});
  const Json tags = Json::parse(
      R"([{"Key":"/=+-@:","Value":"x"},{"Key":"a","Value":"2"},{"Key":"made","Value":"with"},{"Key":"ü0 _.","Value":""}])");
  EXPECT_EQ(machine.call("ListTagsForStream", {{"StreamName", "s"}}),
            (Json{{"Tags", tags}, {"HasMoreTags", false}}));
  EXPECT_EQ(machine.call("ListTagsForResource", {{"ResourceARN", kArnOfS}}), (Json{{"Tags", tags}}));
  EXPECT_EQ(
      machine.call("ListTagsForStream", {{"StreamName", "s"}, {"Limit", 1}, {"ExclusiveStartTagKey", "a"}}),
      (Json{{"Tags", {tags[2]}}, {"HasMoreTags", true}}));
  machine.call("RemoveTagsFromStream", {{"StreamName", "s"}, {"TagKeys", {"a", "none"}}});
  machine.call("UntagResource", {{"ResourceARN", kArnOfS}, {"TagKeys", {"made"}}});
  EXPECT_EQ(machine.call("ListTagsForStream", {{"StreamName", "s"}})["Tags"], (Json{tags[0], tags[3]}));

  machine.refuses(
      "AddTagsToStream", {{"StreamName", "s"}, {"Tags", {{"a;b", ""}}}}, "InvalidArgumentException",
      "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, _ . / "
      "= + - % @.");
  machine.refuses(
      "RemoveTagsFromStream", {{"StreamName", "s"}, {"TagKeys", {"a%"}}}, "InvalidArgumentException",
      "Failed to remove tags from stream s under account 000000000000 because some tags contained illegal "
      "characters. The allowed characters are Unicode letters, white-spaces, '_',',','/','=','+','-','@'.");
  Json many = Json::object();
  for (int i = 0; i < 49; ++i) many["t" + std::to_string(i)] = "";
  machine.refuses(
      "AddTagsToStream", {{"StreamName", "s"}, {"Tags", many}}, "InvalidArgumentException",
      "Failed to add tags to stream s under account 000000000000 because a given stream cannot have more "
      "than 10 tags associated with it.");
}

TEST(KinesisTags, KeysOfTheServicesOwnCanNeitherBeSetNorRemoved) {
  KinesisMachine machine;
  machine.create("s", 1);
  const std::string reserved =
      " stream s under account 000000000000 because tag keys that begin with aws: are reserved.";
  const Json tags = {{"aws:x", "1"}};
  const std::string arn = kArnOfS;
  for (const auto& [operation, request] :
       {std::pair<const char*, Json>{"AddTagsToStream", {{"StreamName", "s"}, {"Tags", tags}}},
        {"TagResource", {{"ResourceARN", arn}, {"Tags", tags}}},
        {"RegisterStreamConsumer", {{"StreamARN", arn}, {"ConsumerName", "c"}, {"Tags", tags}}}})
    machine.refuses(operation, request, "InvalidArgumentException", "Failed to add tags to" + reserved);
  for (const auto& [operation, request] :
       {std::pair<const char*, Json>{"RemoveTagsFromStream", {{"StreamName", "s"}, {"TagKeys", {"aws:x"}}}},
        {"UntagResource", {{"ResourceARN", arn}, {"TagKeys", {"a", "aws:x"}}}}})
    machine.refuses(operation, request, "InvalidArgumentException", "Failed to remove tags from" + reserved);
  EXPECT_EQ(machine.post("CreateStream", {{"StreamName", "t"}, {"ShardCount", 1}, {"Tags", tags}}).type(),
            "InvalidArgumentException");
  // A value, or a key that only has it inside, is the owner's.
  machine.call("TagResource", {{"ResourceARN", arn}, {"Tags", {{"aws", "aws:x"}, {"my-aws:x", ""}}}});
}

TEST(KinesisTags, OfAStreamThatIsNotThereYetOrOnItsWayOutDoNotChange) {
  KinesisMachine machine;
  machine.call("CreateStream", {{"StreamName", "s"}, {"ShardCount", 1}, {"Tags", {{"made", "with"}}}});
  const std::string arn = kArnOfS;
  const auto all_refuse = [&](const std::string& state) {
    for (const auto& [operation, request] :
         {std::pair<const char*, Json>{"AddTagsToStream", {{"StreamName", "s"}, {"Tags", {{"a", "b"}}}}},
          {"RemoveTagsFromStream", {{"StreamName", "s"}, {"TagKeys", {"made"}}}},
          {"TagResource", {{"ResourceARN", arn}, {"Tags", {{"a", "b"}}}}},
          {"UntagResource", {{"ResourceARN", arn}, {"TagKeys", {"made"}}}}})
      machine.refuses(operation, request, "ResourceInUseException",
                      "Stream s under account 000000000000 not ACTIVE, instead in state " + state);
    EXPECT_EQ(machine.call("ListTagsForStream", {{"StreamName", "s"}})["Tags"].dump(),
              R"([{"Key":"made","Value":"with"}])");
  };
  all_refuse("CREATING");
  machine.wait_active("s");
  machine.call("AddTagsToStream", {{"StreamName", "s"}, {"Tags", {{"made", "with"}}}});
  machine.call("SplitShard", {{"StreamName", "s"}, {"ShardToSplit", "0"}, {"NewStartingHashKey", "99"}});
  machine.call("AddTagsToStream", {{"StreamName", "s"}, {"Tags", {{"made", "with"}}}});  // UPDATING
  machine.call("DeleteStream", {{"StreamName", "s"}});
  all_refuse("DELETING");
}

}  // namespace
}  // namespace millrace::kinesis
