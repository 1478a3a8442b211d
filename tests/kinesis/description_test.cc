// What every described field of every operation has in common: type errors, and constraints with their texts.

#include <fmt/format.h>

#include "kinesis/kinesis_machine.h"
#include "kinesis/operation.h"

namespace millrace::kinesis {
namespace {

constexpr const char* kNumber = "class com.amazon.coral.value.json.numbers.TruncatingBigNumber";
constexpr const char* kListFound = "Start of list found where not expected";
constexpr const char* kMapFound = "Start of structure or map found where not expected.";

using WrongValues = std::vector<std::pair<Json, std::string>>;

WrongValues scalars(std::string_view target, std::initializer_list<Json> numbers) {
  WrongValues wrong = {{Json::array(), kListFound},
                       {Json::object(), kMapFound},
                       {true, fmt::format("class java.lang.Boolean can not be converted to {}", target)}};
  for (const Json& number : numbers)
    wrong.emplace_back(number, fmt::format("{} can not be converted to {}", kNumber, target));
  return wrong;
}

WrongValues containers(const char* expected, const std::pair<Json, std::string>& other) {
  WrongValues wrong = {other};
  for (const Json& value :
       {Json("23"), Json(true), Json(23), Json(-2147483648), Json(2147483648), Json(34.56)})
    wrong.emplace_back(value, expected);
  return wrong;
}

// Values that a field of this type does not take, and the service's words for it.
WrongValues wrong_values(FieldType type) {
  switch (type) {
    case FieldType::kString:
      return scalars("an String", {23, -2147483648, 2147483648, 34.56});
    case FieldType::kInteger: {
      WrongValues wrong = scalars("an Integer", {});
      wrong.emplace_back("23", "class java.lang.String can not be converted to an Integer");
      return wrong;
    }
    case FieldType::kBoolean:
      return {{Json::array(), kListFound},
              {Json::object(), kMapFound},
              {"23a", "'23A' can not be converted to an Boolean"},
              {23, std::string(kNumber) + " can not be converted to an Boolean"}};
    case FieldType::kTimestamp: {
      WrongValues wrong = scalars("milliseconds since epoch", {});
      wrong.emplace_back("23", "class java.lang.String can not be converted to milliseconds since epoch");
      return wrong;
    }
    case FieldType::kBlob: {
      WrongValues wrong = scalars("a Blob", {23, 34.56});
      const std::string convert = " can not be converted to a Blob: ";
      wrong.emplace_back("23456", "'23456'" + convert +
                                      "Base64 encoded length is expected a multiple of 4 bytes but found: 5");
      wrong.emplace_back("=+/=", "'=+/='" + convert + "Invalid Base64 character: '='");
      wrong.emplace_back("ab-d", "'ab-d'" + convert + "Invalid Base64 character: '-'");
      wrong.emplace_back("+/+=", "'+/+='" + convert + "Invalid last non-pad Base64 character dectected");
      wrong.emplace_back("====", "'===='" + convert + "Invalid last non-pad Base64 character dectected");
      return wrong;
    }
    case FieldType::kStringList:
    case FieldType::kStructureList:
      return containers("Expected list or null", {Json::object(), kMapFound});
    case FieldType::kStringMap:
      return containers("Expected map or null", {Json::array(), kListFound});
    case FieldType::kStructure:
      return containers("Expected null", {Json::array(), kListFound});
  }
  return {};
}

// Calls visit(path, field) for a description's fields and those inside them. A path nests a value into a
// request.
struct Path {
  std::vector<std::string> names;
  Json nest(Json value) const {
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
      Json around = Json::object();
      if (*name == "0") {
        around = Json::array({std::move(value)});
      } else {
        around[*name] = std::move(value);
      }
      value = std::move(around);
    }
    return value;
  }
  Path with(std::string name) const {
    Path longer = *this;
    longer.names.push_back(std::move(name));
    return longer;
  }
};

template <typename Visit>
void for_each_field(std::span<const Field> fields, const Path& path, const Visit& visit) {
  for (const Field& field : fields) {
    const Path here = path.with(std::string(field.name));
    visit(here, field);
    if (field.type == FieldType::kStructure) for_each_field(field.children(), here, visit);
    if (field.type == FieldType::kStructureList) for_each_field(field.children(), here.with("0"), visit);
  }
}

TEST(KinesisDescription, EveryFieldRefusesOtherTypesInTheServicesWords) {
  KinesisMachine machine;
  std::size_t checked = 0;
  for (const Operation* operation : all_operations()) {
    for_each_field(operation->fields, {}, [&](const Path& path, const Field& field) {
      for (const auto& [value, message] : wrong_values(field.type)) {
        const Answer answer = machine.post(operation->name, path.nest(value));
        EXPECT_EQ(answer.status, 400);
        EXPECT_EQ(answer.json(), (Json{{"__type", "SerializationException"}, {"Message", message}}))
            << operation->name << " " << field.name << " " << value.dump();
        ++checked;
      }
      const Json inner = field.type == FieldType::kStringMap    ? Json{{"a", 23}}
                         : field.type == FieldType::kStringList ? Json::array({23})
                                                                : Json();
      if (inner.is_null()) return;
      const Answer answer = machine.post(operation->name, path.nest(inner));
      EXPECT_EQ(answer.message(), std::string(kNumber) + " can not be converted to an String")
          << operation->name;
      ++checked;
    });
  }
  EXPECT_GT(checked, 300u);
}

std::string path_text(const Path& path) {
  std::string text;
  for (const std::string& name : path.names) {
    if (!text.empty()) text += '.';
    if (name == "0") {
      text += "1.member";
    } else {
      text += static_cast<char>(name[0] - 'A' + 'a');
      text += name.substr(1);
    }
  }
  return text;
}

// Whether `answer` names this breach among its validation errors.
void expect_breach(const Answer& answer, std::string_view shown, const Path& path,
                   std::string_view constraint) {
  const std::string breach =
      fmt::format("Value {} at '{}' failed to satisfy constraint: {}", shown, path_text(path), constraint);
  EXPECT_EQ(answer.type(), "ValidationException") << answer.body.substr(0, 300);
  EXPECT_NE(answer.message().find(breach), std::string::npos) << breach.substr(0, 300) << "\n not in\n"
                                                              << answer.message().substr(0, 1'000);
}

Json of_length(FieldType type, std::int64_t length) {
  if (type == FieldType::kString) return std::string(static_cast<std::size_t>(length), 'a');
  Json list = Json::array();
  Json map = Json::object();
  for (std::int64_t i = 0; i < length; ++i) {
    list.push_back(type == FieldType::kStructureList ? Json{{"PartitionKey", "k"}, {"Data", ""}} : Json("t"));
    map["t" + std::to_string(i)] = "v";
  }
  return type == FieldType::kStringMap ? map : list;
}

TEST(KinesisDescription, EveryConstraintOfEveryFieldIsHeld) {
  KinesisMachine machine;
  std::size_t checked = 0;
  for (const Operation* operation : all_operations()) {
    for_each_field(operation->fields, {}, [&](const Path& path, const Field& field) {
      const auto post = [&](const Json& value) {
        ++checked;
        return machine.post(operation->name, path.nest(value));
      };
      const Rules& rules = field.rules;
      if (field.required || !rules.unless.empty()) {
        Path parent = path;
        parent.names.pop_back();
        ++checked;
        expect_breach(machine.post(operation->name, parent.nest(Json::object())), "null", path,
                      "Member must not be null");
      }
      if (rules.pattern != nullptr)
        expect_breach(post("+ +"), "'+ +'", path,
                      fmt::format("Member must satisfy regular expression pattern: {}", rules.pattern->text));
      if (rules.allowed != nullptr) {
        std::string set;
        for (std::size_t i = 0; i < rules.allowed_count; ++i)
          set.append(i == 0 ? "" : ", ").append(rules.allowed[i]);
        const std::string constraint = "Member must satisfy enum value set: [" + set + "]";
        if (field.type == FieldType::kStringList) {
          expect_breach(post(Json::array({rules.allowed[0], "other"})),
                        fmt::format("'[{}, other]'", rules.allowed[0]), path,
                        "Member must satisfy constraint: [" + constraint + "]");
        } else {
          expect_breach(post("other"), "'other'", path, constraint);
        }
      }
      if (field.type == FieldType::kInteger) {
        if (rules.min != kUnbounded)
          expect_breach(post(rules.min - 1), fmt::format("'{}'", rules.min - 1), path,
                        fmt::format("Member must have value greater than or equal to {}", rules.min));
        if (rules.max != kUnbounded)
          expect_breach(post(1e30), "'2147483647'", path,
                        fmt::format("Member must have value less than or equal to {}", rules.max));
        return;
      }
      if (rules.min == 1 && field.type != FieldType::kStructureList) {
        const char* empty = field.type == FieldType::kString      ? "''"
                            : field.type == FieldType::kStringMap ? "'{}'"
                                                                  : "'[]'";
        expect_breach(post(of_length(field.type, 0)), empty, path,
                      "Member must have length greater than or equal to 1");
      }
      // A NextToken of a million characters is too much to print and to gain from.
      if (rules.max != kUnbounded && rules.max != kMaxBlobBytes && rules.max < 100'000) {
        const Answer answer = post(of_length(field.type, rules.max + 1));
        EXPECT_NE(answer.message().find(
                      fmt::format("at '{}' failed to satisfy constraint: Member must have length less "
                                  "than or equal to {}",
                                  path_text(path), rules.max)),
                  std::string::npos)
            << answer.message().substr(0, 300);
      }
    });
  }
  EXPECT_GT(checked, 150u);
}

TEST(KinesisDescription, TextsComeInTheRecordedOrder) {
  KinesisMachine machine;
  machine.refuses(
      "CreateStream", {{"StreamName", ""}, {"ShardCount", 0}}, "ValidationException",
      "3 validation errors detected: Value '0' at 'shardCount' failed to satisfy constraint: Member must "
      "have value greater than or equal to 1; Value '' at 'streamName' failed to satisfy constraint: Member "
      "must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; Value '' at 'streamName' failed to "
      "satisfy constraint: Member must have length greater than or equal to 1");
  machine.refuses(
      "CreateStream", Json::object(), "ValidationException",
      "2 validation errors detected: Value null at 'shardCount' failed to satisfy constraint: Member must "
      "not be null; Value null at 'streamName' failed to satisfy constraint: Member must not be null");
  machine.refuses(
      "DeleteStream", Json::object(), "ValidationException",
      "1 validation error detected: Value null at 'streamName' failed to satisfy constraint: Member must "
      "not be null");
}

TEST(KinesisDescription, AtMostTenBreachesAreTold) {
  KinesisMachine machine;
  Json records = Json::array();
  for (int i = 0; i < 501; ++i) records.push_back({{"PartitionKey", ""}, {"Data", ""}});
  const Answer answer = machine.post("PutRecords", {{"StreamName", ""}, {"Records", records}});
  EXPECT_EQ(
      answer.message().rfind("10 validation errors detected: Value '[com.amazonaws.kinesis.v20131202.", 0),
      0u);
  EXPECT_NE(answer.message().find("at 'records.9.member.partitionKey'"), std::string::npos);
  EXPECT_EQ(answer.message().find("at 'records.10.member.partitionKey'"), std::string::npos);
}

TEST(KinesisDescription, AMillionEntriesCostNoMillionLines) {
  KinesisMachine machine;
  std::string body = R"({"StreamName":"s","Records":[)";
  for (int i = 0; i < 1'000'000; ++i) body += "{},";
  body.back() = ']';
  body += '}';
  const Answer answer = machine.post_text("PutRecords", body);
  EXPECT_EQ(answer.type(), "ValidationException");
  EXPECT_LT(answer.body.size(), 100'000u);
}

TEST(KinesisDescription, LengthsCountAsJavaDoes) {
  EXPECT_EQ(utf16_length(""), 0u);
  EXPECT_EQ(utf16_length("abc"), 3u);
  EXPECT_EQ(utf16_length("\xc3\xbc\xe2\x82\xac"), 2u);
  EXPECT_EQ(utf16_length("\xf0\x9f\x98\x80"), 2u);  // a surrogate pair

  KinesisMachine machine;
  machine.create("s", 1);
  std::string key;
  for (int i = 0; i < 128; ++i) key += "\xf0\x9f\x98\x80";  // 256 units, 512 bytes
  const auto put = [&](const std::string& partition_key) {
    return machine.post("PutRecord", {{"StreamName", "s"}, {"PartitionKey", partition_key}, {"Data", ""}});
  };
  EXPECT_EQ(put(key).status, 200);
  EXPECT_EQ(put(key + "a").type(), "ValidationException");
}

TEST(KinesisPattern, DecidesAsItsTextSays) {
  EXPECT_TRUE(kNamePattern.matches("aZ0_.-"));
  EXPECT_FALSE(kNamePattern.matches(""));
  EXPECT_FALSE(kNamePattern.matches("a\n"));
  EXPECT_TRUE(kSequencePattern.matches("0"));
  EXPECT_TRUE(kSequencePattern.matches("1" + std::string(128, '0')));
  EXPECT_FALSE(kSequencePattern.matches("1" + std::string(129, '0')));
  EXPECT_FALSE(kHashKeyPattern.matches("01"));
  EXPECT_FALSE(kHashKeyPattern.matches("-1"));
  EXPECT_TRUE(kHashKeyPattern.matches(std::string(39, '9')));
  EXPECT_FALSE(kHashKeyPattern.matches(std::string(40, '9')));
  EXPECT_TRUE(kStreamArnPattern.matches("arn:aws:kinesis:us-east-1:000000000000:stream/s"));
  EXPECT_TRUE(kStreamArnPattern.matches("arn:aws-cn:kinesis:cn-north-1:123456789012:stream/a.b"));
  EXPECT_FALSE(kStreamArnPattern.matches("arn:aws:kinesis:us-east-1:00000000000:stream/s"));
  EXPECT_FALSE(kStreamArnPattern.matches("arn:aws:sqs:us-east-1:000000000000:stream/s"));
  EXPECT_FALSE(kStreamArnPattern.matches("arn:aws:kinesis:us-east-1:000000000000:stream/"));
  EXPECT_FALSE(kStreamArnPattern.matches("arn:aws:kinesis:us-east-1:000000000000:stream/a b"));
  EXPECT_TRUE(kResourceArnPattern.matches("arn:aws:kinesis:us-east-1:000000000000:x/stream/s"));
}

}  // namespace
}  // namespace millrace::kinesis
