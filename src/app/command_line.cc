#include "app/command_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <optional>

#include "app/config_file.h"
#include "app/version.h"

namespace millrace::app {
namespace {

using enum ErrorKind;

std::optional<std::string> from_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): before the first thread
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

Result<void> store(const Setting& setting, const std::string& source, const std::string& value,
                   Settings& settings) {
  auto stored = setting.store(settings, value);
  if (!stored.ok()) return Error{kInvalid, fmt::format("{} {}", source, stored.error().text)};
  return {};
}

// A variable that looks like one of ours and is none is a typing error that would silently do nothing.
std::vector<std::string> unknown_variables() {
  std::vector<std::string> warnings;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable = *entry;
    const std::string_view name = variable.substr(0, variable.find('='));
    if (!name.starts_with("MILLRACE_") || name == "MILLRACE_CONFIG" || name == "MILLRACE_ENDPOINT") continue;
    const auto known = all_settings();
    if (std::none_of(known.begin(), known.end(),
                     [&](const Setting& setting) { return setting.environment_name() == name; })) {
      warnings.push_back(fmt::format("{} is set in the environment but is no setting", name));
    }
  }
  return warnings;
}

// Flag over environment over config file, for every setting.
Result<Serve> settle(const std::map<std::string, std::string>& flags, std::string config_path) {
  if (config_path.empty()) config_path = from_environment("MILLRACE_CONFIG").value_or("");
  std::map<std::string, ConfigValue> config;
  if (!config_path.empty()) {
    MR_ASSIGN(config, read_config_file(config_path));
  }

  Serve serve;
  for (const Setting& setting : all_settings()) {
    const auto in_config = config.find(setting.name);
    if (const auto flag = flags.find(setting.name); flag != flags.end()) {
      MR_TRY(store(setting, "--" + setting.name, flag->second, serve.settings));
    } else if (const auto value = from_environment(setting.environment_name())) {
      MR_TRY(store(setting, setting.environment_name(), *value, serve.settings));
    } else if (in_config != config.end()) {
      MR_TRY(store(setting, fmt::format("{}:{}: {}", config_path, in_config->second.line, setting.name),
                   in_config->second.text, serve.settings));
    }
    if (in_config != config.end()) config.erase(in_config);
  }
  if (!config.empty()) {
    const auto& [key, value] = *config.begin();
    return Error{kInvalid, fmt::format("{}:{}: no setting is named {}", config_path, value.line, key)};
  }
  MR_TRY(check_together(serve.settings));

  if (serve.settings.node_name.empty()) {
    std::array<char, 256> host{};
    if (gethostname(host.data(), host.size() - 1) == 0) serve.settings.node_name = host.data();
  }
  serve.warnings = unknown_variables();
  return serve;
}

// CLI11 has several lines for some errors: the first says it.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

Result<Command> parse_command_line(int count, const char* const* arguments) {
  CLI::App app{"Millrace: an event-streaming server that speaks the Amazon Kinesis Data Streams API.",
               "millrace"};
  app.set_version_flag("--version", std::string(kVersionText));
  app.get_formatter()->column_width(34);

  CLI::App* serve = app.add_subcommand("serve", "Serves streams until SIGTERM");
  serve->footer(
      "Every flag can also be set in the environment (--tail-cache-bytes is MILLRACE_TAIL_CACHE_BYTES) and "
      "in the\n"
      "config file (tail-cache-bytes = \"64MiB\"). A flag wins over the environment, the environment over "
      "the file.\n"
      "MILLRACE_ROOT_ACCESS_KEY and MILLRACE_ROOT_SECRET_KEY turn on the check of signatures.");
  std::string config_path;
  serve->add_option("--config", config_path, "TOML file with settings")->type_name("FILE");
  std::map<std::string, std::string> flags;  // those that were given
  for (const Setting& setting : all_settings()) {
    if (!setting.has_flag) continue;
    serve
        ->add_option_function<std::string>(
            "--" + setting.name,
            [&flags, name = setting.name](const std::string& value) { flags[name] = value; }, setting.help)
        ->type_name(setting.value_name);
  }

  CLI::App* log = app.add_subcommand("log", "Looks into the data folder of a server that is stopped");
  std::string folder;
  CLI::App* verify = log->add_subcommand("verify", "Reads every byte and says what is wrong, if anything is");
  verify->add_option("DIR", folder, "The server's --data")->required();
  CLI::App* dump =
      log->add_subcommand("dump", "Prints what the files hold, one line a frame, block and record");
  dump->add_option("DIR", folder, "The server's --data")->required();
  const AdminUsage admin(app);
  CLI::App* version = app.add_subcommand("version", "Prints the version");

  try {
    app.parse(count, arguments);
  } catch (const CLI::CallForHelp&) {
    const CLI::App* asked = &app;
    for (const CLI::App* command : {serve, log, verify, dump, version}) {
      if (command->parsed()) asked = command;
    }
    if (const CLI::App* of_admin = admin.parsed(); of_admin != nullptr)
      return Command{Print{of_admin->help(of_admin->get_parent() == &app ? "millrace" : "millrace admin …")}};
    const bool deep = asked == verify || asked == dump;
    return Command{Print{asked->help(asked == &app ? "" : deep ? "millrace log" : "millrace")}};
  } catch (const CLI::CallForVersion& called) {
    return Command{Print{std::string(called.what()) + "\n"}};
  } catch (const CLI::ParseError& error) {
    return Error{kInvalid, first_line(error.what())};
  }

  if (version->parsed()) return Command{Print{std::string(kVersionText) + "\n"}};
  if (verify->parsed()) return Command{InspectLog{InspectLog::What::kVerify, folder}};
  if (dump->parsed()) return Command{InspectLog{InspectLog::What::kDump, folder}};
  if (serve->parsed()) {
    MR_ASSIGN(auto settled, settle(flags, config_path));
    return Command{std::move(settled)};
  }
  if (admin.parsed() != nullptr) {
    if (auto call = admin.call(); call.has_value()) return Command{std::move(*call)};
    return Error{kInvalid,
                 "admin: user, key, policy, role or quota, and what of it? millrace admin --help tells more"};
  }
  if (log->parsed()) return Error{kInvalid, "log: verify or dump?"};
  return Error{kInvalid, "which command? serve, admin, log or version; millrace --help tells more"};
}

}  // namespace millrace::app
