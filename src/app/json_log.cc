#include "app/json_log.h"

#include <fmt/chrono.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/clock.h"

namespace millrace::app {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

const char* to_text(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

// Lives until the process ends: threads may still log while it does.
spdlog::logger& logger() {
  static auto* const instance = [] {
    auto made =
        std::make_unique<spdlog::logger>("millrace", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::info);
    made->flush_on(spdlog::level::debug);
    return made.release();
  }();
  return *instance;
}

}  // namespace

std::string rfc3339_ms(std::int64_t wall_ms) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(wall_ms / 1'000)),
                     wall_ms % 1'000);
}

void set_log_level(std::string_view level) {
  logger().set_level(level == "warn"    ? spdlog::level::warn
                     : level == "error" ? spdlog::level::err
                     : level == "debug" ? spdlog::level::debug
                                        : spdlog::level::info);
}

bool logs(LogLevel level) { return logger().should_log(to_spdlog(level)); }

void log_line(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (!logs(level)) return;
  nlohmann::ordered_json line;
  line["ts"] = rfc3339_ms(system_clock().wall_ms());
  line["level"] = to_text(level);
  line["msg"] = message;
  for (const LogField& field : fields) {
    std::visit([&](const auto& value) { line[std::string(field.name)] = value; }, field.value);
  }
  using nlohmann::ordered_json;
  logger().log(to_spdlog(level), line.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

}  // namespace millrace::app
