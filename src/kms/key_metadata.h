// kms/key_metadata.h: a master key as the API shows it.
#pragma once

#include "kms/operation.h"

namespace millrace::kms {

// {"AWSAccountId":"…","KeyId":"…",…}, as a whole.
void write_metadata(Call& call, const MasterKey& key);
// "Enabled", "Disabled" or "PendingDeletion"
std::string_view state_text(const MasterKey& key);

struct Tag {
  std::string key;
  std::string value;
  static std::span<const Field> fields() {
    static constexpr Field kTagFields[] = {
        field<Tag, &Tag::key>("TagKey", {.min = 1, .max = 128}),
        field<Tag, &Tag::value>("TagValue", {.min = 0, .max = 256}),
    };
    return kTagFields;
  }
};
// Adds them to what is there. errors   TagException, LimitExceededException
Outcome add_tags(const std::vector<Tag>& tags, std::map<std::string, std::string>& to);

}  // namespace millrace::kms
