// source: comments of @aws-sdk/client-kinesis, DescribeAccountSettings

#include "kinesis/account_settings.h"
#include "kinesis/operation.h"

namespace millrace::kinesis::describe_account_settings {
namespace {

struct DescribeAccountSettingsRequest : OnAccount {};
constexpr std::span<const Field> kFields{};

Task<Outcome> run(Call& call, DescribeAccountSettingsRequest) {
  write_account_settings(call.broker.catalog()->commitment, call.clock.wall_ms(), call.reply);
  co_return std::nullopt;
}

}  // namespace

extern const Operation kDescribeAccountSettings;
const Operation kDescribeAccountSettings =
    operation<DescribeAccountSettingsRequest, kFields, run>("DescribeAccountSettings");

}  // namespace millrace::kinesis::describe_account_settings
