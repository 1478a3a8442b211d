#include "base/conditions.h"

#include <utility>

namespace millrace {

void Conditions::begin(Condition condition) {
  const std::lock_guard lock(mutex_);
  State& state = states_[condition.name];
  if (std::exchange(state.holds, true)) return;
  state.condition = std::move(condition);
  if (told_) told_(state.condition, true);
}

void Conditions::end(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = states_.find(name);
  if (found == states_.end() || !std::exchange(found->second.holds, false)) return;
  if (told_) told_(found->second.condition, false);
}

std::vector<Condition> Conditions::holding() const {
  const std::lock_guard lock(mutex_);
  std::vector<Condition> holding;
  for (const auto& [name, state] : states_)
    if (state.holds) holding.push_back(state.condition);
  return holding;
}

std::map<std::string, bool> Conditions::seen() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, bool> seen;
  for (const auto& [name, state] : states_) seen.emplace(name, state.holds);
  return seen;
}

}  // namespace millrace
