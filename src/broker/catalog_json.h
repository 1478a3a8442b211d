// broker/catalog_json.h: what entries of the control log and the catalog's snapshot have in common, as JSON.
// For the two files that read and write them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/state_json.h"
#include "broker/catalog.h"
#include "broker/hash_key.h"

namespace millrace::broker {

// Reading throws StateJson::exception on any surprise, for read_state.
inline log::HashKey hash_key_from(const StateJson& value) {
  const auto key = parse_hash_key(value.get_ref<const std::string&>());
  if (!key) throw StateJson::other_error::create(500, "hash key out of range", &value);
  return *key;
}

inline std::int64_t retention_hours_from(const StateJson& value) {
  const auto hours = value.get<std::int64_t>();
  if (hours != -1 && (hours < 1 || hours > kRetentionHoursMax))
    throw StateJson::other_error::create(500, "retention out of range", &value);
  return hours;
}

template <typename T>
std::optional<T> optional_from(const StateJson& object, const char* name) {
  const auto at = object.find(name);
  return at == object.end() ? std::nullopt : std::optional<T>(at->template get<T>());
}

inline StateJson to_json(const ReshardPlan& plan) {
  StateJson steps = StateJson::array();
  for (const ReshardStep& step : plan) {
    StateJson entry{{"shard", step.shard}};
    if (step.merge_with) entry["merge_with"] = *step.merge_with;
    if (step.split_at) entry["split_at"] = to_decimal(*step.split_at);
    steps.push_back(std::move(entry));
  }
  return steps;
}

inline ReshardPlan plan_from(const StateJson& steps) {
  ReshardPlan plan;
  for (const StateJson& entry : steps) {
    ReshardStep step{
        entry.at("shard").get<std::uint32_t>(), optional_from<std::uint32_t>(entry, "merge_with"), {}};
    if (entry.contains("split_at")) step.split_at = hash_key_from(entry["split_at"]);
    plan.push_back(step);
  }
  return plan;
}

// Of StreamCreated and Stream alike: what came after version 1's first release is written only where it was
// set, and absent in what older releases wrote.
template <typename Settings>
void add_settings(const Settings& settings, StateJson& entry) {
  if (settings.max_record_kib != 0) entry["max_record_kib"] = settings.max_record_kib;
  if (settings.warm_throughput_mibps != 0) entry["warm_throughput_mibps"] = settings.warm_throughput_mibps;
  if (settings.auto_distribution) entry["auto_distribution"] = true;
}

template <typename Settings>
void settings_from(const StateJson& entry, Settings& settings) {
  settings.max_record_kib = entry.value("max_record_kib", std::int64_t{0});
  settings.warm_throughput_mibps = entry.value("warm_throughput_mibps", std::int64_t{0});
  settings.auto_distribution = entry.value("auto_distribution", false);
}

inline const char* kind_text(ConsumerKind kind) {
  switch (kind) {
    case ConsumerKind::kFanOut:
      return "fan_out";
  }
  assertion_failed("a kind of consumer", __FILE__, __LINE__);
}

inline ConsumerKind kind_from(const StateJson& value) {
  if (value.get_ref<const std::string&>() == "fan_out") return ConsumerKind::kFanOut;
  throw StateJson::other_error::create(501, "unknown kind of consumer", &value);
}

inline ResourcePolicy policy_from(const StateJson& entry) {
  auto text = optional_from<std::string>(entry, "policy");
  return text ? std::make_shared<const std::string>(std::move(*text)) : nullptr;
}

inline StateJson to_json(const BillingCommitment& commitment) {
  StateJson entry{{"started_ms", commitment.started_ms}};
  if (commitment.ends_ms) entry["ends_ms"] = *commitment.ends_ms;
  return entry;
}

inline BillingCommitment commitment_from(const StateJson& entry) {
  return {entry.at("started_ms").get<std::int64_t>(), optional_from<std::int64_t>(entry, "ends_ms")};
}

// Of EncryptionSet::DataKey and StreamDataKey alike.
template <typename Key>
StateJson data_key_json(const Key& key) {
  return {{"made_ms", key.made_ms},
          {"master_key", key.master_key},
          {"wrapped", base64_text(as_bytes(key.wrapped))}};
}

}  // namespace millrace::broker
