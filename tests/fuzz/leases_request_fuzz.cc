// Byte 0: what the rest is: a condition, an update or a projection expression; a request's body in JSON or
// CBOR; a form of the query protocol; a gzip body. Byte 1: which operation reads a body. Whatever comes is
// read without a fault; an update keeps an item that can be written and read again; a command that was read
// runs without a fault.
#include <algorithm>
#include <string>

#include "base/assert.h"
#include "base/clock.h"
#include "leases/cloudwatch/form.h"
#include "leases/cloudwatch/operations.h"
#include "leases/dynamodb/attribute_json.h"
#include "leases/dynamodb/change_codec.h"
#include "leases/dynamodb/expression.h"
#include "leases/dynamodb/operations.h"
#include "leases/gzip.h"
#include "leases/tables_text.h"

namespace millrace::leases {
namespace {

using namespace dynamodb;

Attributes attributes_of(std::string_view text) {
  Attributes attributes;
  MR_ASSERT(!read_attributes(parse_json(as_bytes(text)).root, &attributes).has_value());
  return attributes;
}

Attributes an_item() {
  static const Attributes kItem = attributes_of(
      R"({"k":{"S":"id"},"n":{"N":"-1.5e9"},"l":{"L":[{"S":"a"},{"M":{"x":{"BOOL":true}}}]},"m":{"M":{"x":{"N":"1"}}},)"
      R"("ss":{"SS":["p","q"]},"b":{"B":"AQI="},"z":{"NULL":true}})");
  return kItem;
}

Placeholders some_placeholders() {
  Placeholders placeholders;
  for (auto& [name, value] : attributes_of(
           R"({":s":{"S":"a"},":n":{"N":"1"},":l":{"L":[{"S":"z"}]},":t":{"SS":["q"]},":S":{"S":"S"}})"))
    placeholders.values.emplace(name, std::make_shared<const AttributeValue>(value));
  placeholders.names = {{"#n", "n"}, {"#l", "l"}};
  return placeholders;
}

void expect_readable(const Attributes& item) {
  api::Writer writer(api::Encoding::kJson);
  write_attributes(item, writer);
  Attributes again;
  const JsonDocument document = parse_json(writer.bytes().view());
  MR_ASSERT(document.fault == JsonFault::kNone);
  MR_ASSERT(!read_attributes(document.root, &again).has_value());
  MR_ASSERT(again == item);
}

void check_expression(std::size_t kind, std::string_view text) {
  Placeholders placeholders = some_placeholders();
  Attributes item = an_item();
  Condition condition;
  Update update;
  std::vector<Path> paths;
  switch (kind) {
    case 0:
      if (!parse_condition(text, "ConditionExpression", placeholders, &condition)) holds(condition, item);
      return;
    case 1:
      if (!parse_update(text, placeholders, &update) && !dynamodb::apply(update, item)) expect_readable(item);
      return;
    default:
      if (!parse_projection(text, placeholders, &paths)) expect_readable(project(paths, item));
      return;
  }
}

void check_dynamodb(std::size_t which, const Json& request) {
  static const std::string kAccount = "000000000000";
  static const std::string kRegion = "us-east-1";
  const Scope scope{kAccount, kRegion, system_clock(), "uuid", "localhost"};
  std::unique_ptr<Command> command;
  const auto operations = all_operations();
  if (operations[which % operations.size()].read(request, scope, &command)) return;
  Tables tables;
  MR_ASSERT(
      replay(R"({"table":{"name":"t12","key_types":{"k":"S","n":"N"},"hash":"k","status":"ACTIVE",)"
             R"("indexes":[{"name":"byN","hash":"n","range":"k","projection":"ALL","status":"ACTIVE"}]}})"
             "\n"
             R"({"put":"t12","item":{"k":{"S":"id"},"n":{"N":"1"}}})",
             tables)
          .ok());
  const std::string before = lines_of(tables);
  {
    Transaction transaction(tables);
    Bytes reply;
    if (!command->run(transaction, reply)) {
      Tables again;
      MR_ASSERT(replay(lines_of(tables), again).ok());
      MR_ASSERT(lines_of(again) == lines_of(tables));
    }
  }
  MR_ASSERT(lines_of(tables) == before);  // all was taken back
}

void check_cloudwatch(std::size_t which, const Json& request) {
  constexpr std::string_view kNames[] = {"PutMetricData", "GetMetricStatistics", "GetMetricData",
                                         "ListMetrics"};
  static cloudwatch::MetricBoard board;
  cloudwatch::Answer answer;
  constexpr std::int64_t kNowS = 1'760'000'000;
  cloudwatch::find_operation(kNames[which % std::size(kNames)])->run(request, board, kNowS, &answer);
  for (const auto protocol :
       {cloudwatch::Protocol::kQuery, cloudwatch::Protocol::kCbor, cloudwatch::Protocol::kJson})
    cloudwatch::encode(protocol, "ListMetrics", answer, "id");
}

void check(std::string_view input) {
  if (input.size() < 2) return;
  const std::size_t kind = static_cast<std::uint8_t>(input[0]) % 8;
  const std::size_t which = static_cast<std::uint8_t>(input[1]);
  input.remove_prefix(2);
  if (kind <= 2) return check_expression(kind, input);
  if (kind == 7) {
    gunzip(as_bytes(input), 100'000);
    return;
  }
  JsonDocument document;
  if (kind == 6) {
    auto form = cloudwatch::parse_form(input);
    if (form.has_value()) check_cloudwatch(which, *form);
    return;
  }
  document = kind == 4 ? parse_cbor(as_bytes(input)) : parse_json(as_bytes(input));
  if (document.fault != JsonFault::kNone || document.root.kind != Json::Kind::kMap) return;
  if (kind == 5)
    check_cloudwatch(which, document.root);
  else
    check_dynamodb(which, document.root);
}

}  // namespace
}  // namespace millrace::leases

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  millrace::leases::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
