#include "identity/condition_keys.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "identity/glob.h"

namespace millrace::identity {
namespace {

constexpr std::string_view kKeys[] = {
    // Of every request.
    "aws:CurrentTime",
    "aws:EpochTime",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalTag/",
    "aws:PrincipalType",
    "aws:Referer",
    "aws:RequestTag/",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:ResourceTag/",
    "aws:SecureTransport",
    "aws:SourceIp",
    "aws:TagKeys",
    "aws:TokenIssueTime",
    "aws:UserAgent",
    "aws:ViaAWSService",
    "aws:userid",
    "aws:username",
    // Of what there is none here: they are absent, as in AWS from a caller in no organisation, by no VPC,
    // with no
    // device and through no service.
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:MultiFactorAuthAge",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:VpcSourceIp",
    // Of services.
    "cloudwatch:namespace",
    "dynamodb:Attributes",
    "dynamodb:EnclosingOperation",
    "dynamodb:LeadingKeys",
    "dynamodb:ReturnConsumedCapacity",
    "dynamodb:ReturnValues",
    "dynamodb:Select",
    "iam:PolicyARN",
    "kms:BypassPolicyLockoutSafetyCheck",
    "kms:CallerAccount",
    "kms:EncryptionAlgorithm",
    "kms:EncryptionContext:",
    "kms:EncryptionContextKeys",
    // Of grants, which do not exist here.
    "kms:GrantIsForAWSResource",
    "kms:KeyOrigin",
    "kms:KeySpec",
    "kms:KeyUsage",
    "kms:MultiRegion",
    "kms:RequestAlias",
    "kms:ViaService",
    "sts:ExternalId",
    "sts:RoleSessionName",
    "sts:TransitiveTagKeys",
};

}  // namespace

std::span<const std::string_view> known_condition_keys() { return kKeys; }

bool is_known_condition_key(std::string_view key) {
  const std::string name = folded(key);
  return std::any_of(std::begin(kKeys), std::end(kKeys), [&name](std::string_view known) {
    const bool begins = known.ends_with('/') || known.ends_with(':');
    return begins ? name.size() > known.size() && name.starts_with(folded(known)) : name == folded(known);
  });
}

}  // namespace millrace::identity
