#include "app/audit_log.h"

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>

#include <mutex>
#include <nlohmann/json.hpp>

#include "app/json_log.h"

namespace millrace::app {
namespace {

std::int64_t count_of(const identity::AuditLine& line) { return static_cast<std::int64_t>(line.count); }
const char* decision_of(const identity::AuditLine& line) { return line.allowed ? "allow" : "deny"; }

class OnStderr final : public AuditLog {
 public:
  void write(const identity::AuditLine& line) override {
    log_line(LogLevel::kInfo, "audit",
             {{"decision", decision_of(line)},
              {"principal", line.principal},
              {"access_key", line.access_key},
              {"action", line.action},
              {"resource", line.resource},
              {"reason", line.reason},
              {"peer", line.peer},
              {"count", count_of(line)},
              {"first_ms", line.first_ms},
              {"last_ms", line.last_ms}});
  }
  bool reopen() override { return true; }
};

class InFile final : public AuditLog {
 public:
  explicit InFile(std::string path) : path_(std::move(path)), sink_(open_sink(path_)) {}

  void write(const identity::AuditLine& line) override {
    nlohmann::ordered_json json = {{"ts", rfc3339_ms(line.last_ms)},
                                   {"msg", "audit"},
                                   {"decision", decision_of(line)},
                                   {"principal", line.principal},
                                   {"access_key", line.access_key},
                                   {"action", line.action},
                                   {"resource", line.resource},
                                   {"reason", line.reason},
                                   {"peer", line.peer},
                                   {"count", count_of(line)},
                                   {"first_ms", line.first_ms},
                                   {"last_ms", line.last_ms}};
    const std::string text = json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    const std::scoped_lock lock(mutex_);
    try {
      sink_->log(spdlog::details::log_msg("", spdlog::level::info, text));
      sink_->flush();
      failing_ = false;
    } catch (const spdlog::spdlog_ex& error) {
      if (!std::exchange(failing_, true))
        log_line(LogLevel::kError, "the audit log cannot be written", {{"error", error.what()}});
    }
  }

  bool reopen() override {
    try {
      auto fresh = open_sink(path_);
      const std::scoped_lock lock(mutex_);
      sink_ = std::move(fresh);
      return true;
    } catch (const spdlog::spdlog_ex&) {
      return false;
    }
  }

 private:
  static std::unique_ptr<spdlog::sinks::basic_file_sink_st> open_sink(const std::string& path) {
    auto sink = std::make_unique<spdlog::sinks::basic_file_sink_st>(path);
    sink->set_pattern("%v");
    return sink;
  }

  std::string path_;
  std::mutex mutex_;
  std::unique_ptr<spdlog::sinks::basic_file_sink_st> sink_;
  bool failing_ = false;
};

}  // namespace

Result<std::unique_ptr<AuditLog>> AuditLog::open(const std::string& where) {
  if (where == "off") return std::unique_ptr<AuditLog>();
  if (where == "stderr") return std::unique_ptr<AuditLog>(std::make_unique<OnStderr>());
  try {
    return std::unique_ptr<AuditLog>(std::make_unique<InFile>(where));
  } catch (const spdlog::spdlog_ex& error) {
    return Error{ErrorKind::kInvalid, fmt::format("--audit-log {}: {}", where, error.what())};
  }
}

}  // namespace millrace::app
