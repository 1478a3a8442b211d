// source: comments of @aws-sdk/client-kinesis, UpdateAccountSettings; API reference,
// MinimumThroughputBillingCommitmentInput

#include <algorithm>

#include "kinesis/account_settings.h"
#include "kinesis/operation.h"
#include "kinesis/stream_settings.h"

namespace millrace::kinesis::update_account_settings {
namespace {

constexpr std::string_view kStatuses[] = {"ENABLED", "DISABLED"};

struct CommitmentInput {
  std::string status;
  static std::span<const Field> fields() {
    static constexpr Field kCommitmentFields[] = {field<CommitmentInput, &CommitmentInput::status>(
        "Status", {.allowed = kStatuses, .allowed_count = std::size(kStatuses)})};
    return kCommitmentFields;
  }
};

struct UpdateAccountSettingsRequest : OnAccount {
  CommitmentInput commitment;
};

constexpr Field kFields[] = {
    field<UpdateAccountSettingsRequest, &UpdateAccountSettingsRequest::commitment>(
        "MinimumThroughputBillingCommitment"),
};

// The commitment that the request makes of the one there is.
std::optional<broker::BillingCommitment> changed(const broker::Catalog& catalog, bool enable,
                                                 std::int64_t now_ms) {
  const bool committed = is_committed(catalog, now_ms);
  if (!enable && !committed) return catalog.commitment;
  if (enable && !committed) return broker::BillingCommitment{now_ms, std::nullopt};
  broker::BillingCommitment commitment = *catalog.commitment;
  // Enabling takes back an end that is still to come.
  commitment.ends_ms = std::nullopt;
  if (!enable) commitment.ends_ms = std::max(now_ms, commitment.started_ms + kCommitmentMsMin);
  return commitment;
}

Task<Outcome> run(Call& call, UpdateAccountSettingsRequest request) {
  const std::int64_t now_ms = call.clock.wall_ms();
  const auto catalog = call.broker.catalog();
  const auto commitment = changed(*catalog, request.commitment.status == "ENABLED", now_ms);
  if (commitment.has_value() && commitment != catalog->commitment) {
    Task<Result<void>> setting = call.broker.set_commitment(*commitment);
    auto set = co_await std::move(setting);
    if (!set.ok()) co_return from_house(set.error());
  }
  write_account_settings(commitment, now_ms, call.reply);
  co_return std::nullopt;
}

}  // namespace

extern const Operation kUpdateAccountSettings;
const Operation kUpdateAccountSettings =
    operation<UpdateAccountSettingsRequest, kFields, run>("UpdateAccountSettings");

}  // namespace millrace::kinesis::update_account_settings
