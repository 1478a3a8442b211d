#include "keys/default_policies.h"

#include <fmt/format.h>

namespace millrace::keys {

std::shared_ptr<const std::string> default_key_policy(std::string_view account) {
  return std::make_shared<const std::string>(fmt::format(
      R"({{"Version":"2012-10-17","Id":"key-default-1","Statement":[{{"Sid":"Enable IAM User Permissions",)"
      R"("Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{}:root"}},"Action":"kms:*","Resource":"*"}}]}})",
      account));
}

std::shared_ptr<const std::string> own_key_policy(std::string_view account, std::string_view region) {
  return std::make_shared<const std::string>(fmt::format(
      R"({{"Version":"2012-10-17","Id":"auto-kinesis-1","Statement":[{{"Sid":"Allow access through Kinesis )"
      R"(for all principals in the account that are authorized to use Kinesis","Effect":"Allow",)"
      R"("Principal":{{"AWS":"*"}},"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*",)"
      R"("kms:GenerateDataKey*","kms:DescribeKey"],"Resource":"*","Condition":{{"StringEquals":)"
      R"({{"kms:CallerAccount":"{0}","kms:ViaService":"kinesis.{1}.amazonaws.com"}}}}}},)"
      R"({{"Sid":"Allow direct access to key metadata to the account","Effect":"Allow","Principal":)"
      R"({{"AWS":"arn:aws:iam::{0}:root"}},"Action":["kms:Describe*","kms:Get*","kms:List*"],)"
      R"("Resource":"*"}}]}})",
      account, region));
}

}  // namespace millrace::keys
