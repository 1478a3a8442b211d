// app/json_log.h: the server's log: one JSON object a line on stderr.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace millrace::app {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };

// name must be none of ts, level and msg.
struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t> value;
};

// Lines below `level` are dropped from now on. Any thread.
void set_log_level(std::string_view level);

// Whether lines of this level are written. Any thread.
bool logs(LogLevel level);

// Writes {"ts":"2026-01-31T23:59:59.123Z","level":…,"msg":…, fields in order} at once, as one write. Text
// that is no UTF-8 gets replacement characters. Any thread; blocks when stderr does.
void log_line(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

// "2026-01-31T23:59:59.123Z"
std::string rfc3339_ms(std::int64_t wall_ms);

}  // namespace millrace::app
