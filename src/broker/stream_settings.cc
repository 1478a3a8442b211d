#include "broker/stream_settings.h"

#include <algorithm>

namespace millrace::broker {

std::vector<std::string> change_metrics(const std::vector<std::string>& before,
                                        const std::vector<std::string>& enabled,
                                        const std::vector<std::string>& disabled) {
  const auto holds = [](const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::vector<std::string> after;
  for (const std::string_view name : kShardMetrics)
    if ((holds(before, name) || holds(enabled, name)) && !holds(disabled, name)) after.emplace_back(name);
  return after;
}

}  // namespace millrace::broker
