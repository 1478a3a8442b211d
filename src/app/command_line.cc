#include "app/command_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <optional>
#include <tuple>

#include "app/config_file.h"
#include "app/document_file.h"
#include "app/suggestion.h"
#include "app/version.h"
#include "net/server.h"

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
    if (std::none_of(known.begin(), known.end(), [&](const Setting& setting) {
          return setting.environment_name() == name ||
                 (!setting.has_flag && setting.environment_name() + "_FILE" == name);
        })) {
      warnings.push_back(fmt::format("{} is set in the environment but is no setting", name));
    }
  }
  return warnings;
}

// Where a secret is that the environment does not hold itself: the file that MILLRACE_…_FILE names, as
// container platforms give secrets, or the credential of its name that systemd's LoadCredential= gives.
// Empty: nowhere. source: systemd.exec(5), "Credentials"
std::string secret_file(const Setting& setting) {
  if (setting.has_flag) return {};
  if (auto named = from_environment(setting.environment_name() + "_FILE")) return *named;
  const auto folder = from_environment("CREDENTIALS_DIRECTORY");
  if (!folder) return {};
  for (const std::string& name : {"millrace_" + setting.name, setting.name})
    if (std::string path = fmt::format("{}/{}", *folder, name); access(path.c_str(), F_OK) == 0) return path;
  return {};
}

Result<std::string> read_secret(const std::string& path) {
  MR_ASSIGN(std::string text, read_document(path));
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

// What a start would find out only once it has made a folder.
Result<void> check_startable(Serve& serve) {
  const Settings& settings = serve.settings;
  if (const auto fits = net::check_address(settings.listen); !fits.ok())
    return Error{kInvalid, "--listen: " + fits.error().text};
  if (settings.tls_certificate_path.empty()) return {};
  MR_ASSIGN(const std::int64_t days,
            net::certificate_days({settings.tls_certificate_path, settings.tls_key_path}));
  constexpr std::int64_t kSoonDays = 14;
  if (days < 0)
    serve.warnings.push_back(
        fmt::format("--tls-cert {}: the certificate has expired", settings.tls_certificate_path));
  else if (days < kSoonDays)
    serve.warnings.push_back(fmt::format("--tls-cert {}: the certificate expires in {} days",
                                         settings.tls_certificate_path, days));
  return {};
}

// "; did you mean …?" of a setting's name.
std::string or_nearest(const std::string& name) {
  std::vector<std::string> names;
  for (const Setting& setting : all_settings()) names.push_back(setting.name);
  const std::string meant = nearest(name, names);
  return meant.empty() ? "" : fmt::format("; did you mean {}?", meant);
}

// Flag over environment over config file, for every setting.
Result<Serve> settle(const std::map<std::string, std::string>& flags,
                     std::optional<std::string> config_flag) {
  if (config_flag && config_flag->empty()) return Error{kInvalid, "--config is \"\": must be a file"};
  const std::string config_path =
      config_flag ? std::move(*config_flag) : from_environment("MILLRACE_CONFIG").value_or("");
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
    } else if (const std::string file = secret_file(setting); !file.empty()) {
      MR_ASSIGN(const std::string secret, read_secret(file));
      MR_TRY(store(setting, file + ":", secret, serve.settings));
    } else if (in_config != config.end()) {
      MR_TRY(store(setting, fmt::format("{}:{}: {}", config_path, in_config->second.line, setting.name),
                   in_config->second.text, serve.settings));
    }
    if (in_config != config.end()) config.erase(in_config);
  }
  if (!config.empty()) {
    const auto& [key, value] = *config.begin();
    return Error{kInvalid, fmt::format("{}:{}: no setting is named {}{}", config_path, value.line, key,
                                       value.is_table ? ": settings stand at the top, there are no tables"
                                                      : or_nearest(key))};
  }
  MR_TRY(check_together(serve.settings));
  serve.warnings = unknown_variables();
  MR_TRY(check_startable(serve));

  if (serve.settings.node_name.empty()) {
    std::array<char, 256> host{};
    if (gethostname(host.data(), host.size() - 1) == 0) serve.settings.node_name = host.data();
  }
  return serve;
}

// The command that was asked for, as deep as it was named.
const CLI::App& deepest(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : deepest(*parsed.front());
}

// "log verify"; empty: none was named.
std::string path_of(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  if (parent == nullptr) return "";
  const std::string above = path_of(*parent);
  return above.empty() ? app.get_name() : above + " " + app.get_name();
}

std::vector<std::string> flags_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

// Of what was given and is nothing that the command knows.
Error unexpected(const CLI::App& app) {
  const CLI::App& command = deepest(app);
  const auto rest = app.remaining(true);
  const std::string word = rest.empty() ? "" : rest.front();
  const std::string flag = word.substr(0, word.find('='));
  const bool is_flag = word.starts_with("-");
  const auto commands = commands_of(command);
  const std::string meant = nearest(is_flag ? flag : word, is_flag ? flags_of(command) : commands);
  const std::string path = path_of(command);
  std::string text = is_flag            ? fmt::format("there is no flag {}", flag)
                     : commands.empty() ? fmt::format("\"{}\" is one argument too many", word)
                                        : fmt::format("there is no command {}", word);
  text += meant.empty() ? "." : fmt::format("; did you mean {}?", meant);
  if (!is_flag && !commands.empty()) text += fmt::format(" The commands are {}.", fmt::join(commands, ", "));
  return {kInvalid, fmt::format("{} `millrace{}{} --help` tells more", text, path.empty() ? "" : " ", path)};
}

// "--data --loops 4" lacks a value; it does not name a folder "--loops".
void refuse_flags_as_values(CLI::App& app) {
  for (CLI::Option* option : app.get_options())
    if (option->get_expected_max() > 0)
      option->check(
          [](const std::string& value) {
            return value.starts_with("--") ? fmt::format("has no value: {} is a flag", value) : std::string();
          },
          "");
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    refuse_flags_as_values(*command);
}

// CLI11 has several lines for some errors: the first says it.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

Result<Command> parse_command_line(int count, const char* const* arguments) {
  CLI::App app{"Millrace: an event-streaming server that speaks the Amazon Kinesis Data Streams API.",
               "millrace"};
  app.set_version_flag("--version", version_text());
  app.get_formatter()->column_width(34);

  CLI::App* serve = app.add_subcommand("serve", "Serves streams until SIGTERM");
  serve->footer(
      "Every flag can also be set in the environment (--tail-cache-bytes is MILLRACE_TAIL_CACHE_BYTES) and "
      "in the\n"
      "config file (tail-cache-bytes = \"64MiB\"). A flag wins over the environment, the environment over "
      "the file.\n"
      "MILLRACE_ROOT_ACCESS_KEY and MILLRACE_ROOT_SECRET_KEY turn on the check of signatures.");
  std::optional<std::string> config_path;
  serve->add_option("--config", config_path, "TOML file with settings")->type_name("FILE");
  std::map<std::string, std::string> flags;  // those that were given
  for (const Setting& setting : all_settings()) {
    if (!setting.has_flag) continue;
    CLI::Option* option = serve->add_option_function<std::string>(
        "--" + setting.name,
        [&flags, &setting](const std::string& value) {
          flags[setting.name] = value.empty() && !setting.bare.empty() ? setting.bare : value;
        },
        setting.help);
    option->type_name(setting.value_name);
    if (!setting.bare.empty()) option->expected(0, 1);
  }

  CLI::App* log = app.add_subcommand("log", "Looks into the data folder of a server that is stopped");
  std::string folder;
  Verify whole;
  const auto add_verify = [&](CLI::App& to, const std::string& help) {
    CLI::App* added = to.add_subcommand("verify", help);
    added->add_option("DIR", whole.folder, "The --data of a server that is stopped, or a copy of it")
        ->required();
    added->add_option("--keyring", whole.keyring, "The server's --keyring [keyring in DIR]")
        ->type_name("FILE");
    return added;
  };
  CLI::App* verify = add_verify(app, "Reads a whole data folder and lists all that is wrong with it");
  Accept acceptance;
  CLI::App* accept =
      app.add_subcommand("accept", "Goes on without what a data folder lacks, because you say so");
  accept->add_option("DIR", acceptance.folder, "The --data of a server that is stopped")->required();
  accept->add_option("--keyring", acceptance.keyring, "The server's --keyring [keyring in DIR]")
      ->type_name("FILE");
  accept->add_flag("--give-up", acceptance.give_up,
                   "Does it. Without this flag it only says what would be given up");
  CLI::App* log_verify = add_verify(*log, "The older name of millrace verify");
  CLI::App* dump =
      log->add_subcommand("dump", "Prints what the files hold, one line a frame, block and record");
  dump->add_option("DIR", folder, "The server's --data")->required();
  DumpData dump_data;
  bool with_data = false;
  dump->add_flag("--data", with_data, "Prints records as lines of JSON, which millrace put takes again");
  dump->add_option("--stream", dump_data.stream, "With --data: only of this stream")->type_name("NAME");
  dump->add_option("--shard", dump_data.shard, "With --data: only of this shard")->type_name("SHARD_ID");
  dump->add_option("--keyring", dump_data.keyring, "With --data: as the server's")->type_name("FILE");
  dump->add_option("--account-id", dump_data.account_id, "With --data: as the server's [the folder's]")
      ->type_name("DIGITS");
  dump->add_option("--region", dump_data.region, "With --data: as the server's [the folder's]")
      ->type_name("REGION");
  SkipBlock skip_block;
  CLI::App* skip =
      log->add_subcommand("skip", "Gives up a damaged block of records: readers go on behind it");
  skip->add_option("DIR", skip_block.folder, "The server's --data")->required();
  skip->add_option("FILE", skip_block.file, "The segment, as the error line names it")->required();
  skip->add_option("OFFSET", skip_block.position, "Of the block, as the error line has it")->required();
  const AdminUsage admin(app);
  BackupCall backup_call;
  CLI::App* backup = app.add_subcommand("backup", "Backs up the data folder of a server that runs");
  backup->add_option("DIR", backup_call.folder, "Folder of backups; made where missing")->required();
  backup->add_option("--keep", backup_call.keep, "How many backups stay in DIR [7]")
      ->check(CLI::Range(1, 100'000));
  backup->add_option("--bytes-per-s", backup_call.bytes_per_s, "Copies at most so much; 0: no limit [8MiB]")
      ->type_name("SIZE");
  add_server_options(*backup, backup_call.server);
  backup->footer(
      "Run it on the server's machine, as the server's user. The requests are signed as those of admin.");
  RestoreCall restore_call;
  CLI::App* restore = app.add_subcommand("restore", "Makes a data folder of a backup");
  restore->add_option("DIR", restore_call.folder, "Folder of backups")->required();
  restore->add_option("--data", restore_call.data, "The data folder to make: new, or empty")->required();
  restore->add_option("--backup", restore_call.number, "Number of the backup [the newest]")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{999'999'999}));
  restore->add_option("--keyring", restore_call.keyring, "The server's --keyring [keyring in the backup]")
      ->type_name("FILE");
  restore->add_flag("--with-losses", restore_call.with_losses,
                    "Restores also a backup with damaged or missing parts, without them");
  PutLines put_lines;
  CLI::App* put = app.add_subcommand("put", "Puts records, a JSON object per line of standard input");
  put->add_option("--stream", put_lines.stream, "The stream")->required()->type_name("NAME");
  add_server_options(*put, put_lines.server);
  put->footer(
      "Each line has PartitionKey, Data in base64 and perhaps ExplicitHashKey, as log dump --data prints "
      "them.");
  HealthCall health_call;
  CLI::App* health = app.add_subcommand("health", "Says whether a server is ready: exit code 0, or 1");
  add_server_options(*health, health_call.server);
  CLI::App* version = app.add_subcommand("version", "Prints the version");

  refuse_flags_as_values(app);

  try {
    app.parse(count, arguments);
  } catch (const CLI::CallForHelp&) {
    const CLI::App* asked = &app;
    for (const CLI::App* command :
         {serve, log, verify, accept, log_verify, dump, skip, backup, restore, put, health, version}) {
      if (command->parsed()) asked = command;
    }
    if (const CLI::App* of_admin = admin.parsed(); of_admin != nullptr)
      return Command{Print{of_admin->help(of_admin->get_parent() == &app ? "millrace" : "millrace admin …")}};
    const bool deep = asked == log_verify || asked == dump || asked == skip;
    return Command{Print{asked->help(asked == &app ? "" : deep ? "millrace log" : "millrace")}};
  } catch (const CLI::CallForVersion& called) {
    return Command{Print{std::string(called.what())}};
  } catch (const CLI::ExtrasError&) {
    return unexpected(app);
  } catch (const CLI::ParseError& error) {
    return Error{kInvalid, first_line(error.what())};
  }

  const std::array<std::tuple<const CLI::App*, std::string_view, const std::string*>, 8> folders{
      {{verify, "DIR", &whole.folder},
       {log_verify, "DIR", &whole.folder},
       {accept, "DIR", &acceptance.folder},
       {dump, "DIR", &folder},
       {skip, "DIR", &skip_block.folder},
       {backup, "DIR", &backup_call.folder},
       {restore, "DIR", &restore_call.folder},
       {restore, "--data", &restore_call.data}}};
  for (const auto& [command, name, value] : folders)
    if (command->parsed() && value->empty())
      return Error{kInvalid, fmt::format("{} is \"\": must be a folder", name)};
  if (version->parsed()) return Command{Print{version_text()}};
  if (verify->parsed() || log_verify->parsed()) return Command{std::move(whole)};
  if (accept->parsed()) return Command{std::move(acceptance)};
  if (dump->parsed() && with_data) {
    dump_data.folder = folder;
    return Command{std::move(dump_data)};
  }
  if (dump->parsed() && (dump_data.stream || dump_data.shard))
    return Error{kInvalid, "log dump: --stream and --shard go with --data, which prints records"};
  if (dump->parsed()) return Command{InspectLog{folder}};
  if (skip->parsed()) return Command{std::move(skip_block)};
  if (serve->parsed()) {
    MR_ASSIGN(auto settled, settle(flags, config_path));
    return Command{std::move(settled)};
  }
  if (admin.parsed() != nullptr) {
    if (auto call = admin.call(); call.has_value()) return Command{std::move(*call)};
    return Error{kInvalid,
                 "admin: user, key, policy, role or quota, and what of it? millrace admin --help tells more"};
  }
  if (health->parsed()) return Command{std::move(health_call)};
  if (put->parsed()) return Command{std::move(put_lines)};
  if (backup->parsed()) return Command{std::move(backup_call)};
  if (restore->parsed()) return Command{std::move(restore_call)};
  if (log->parsed()) return Error{kInvalid, "log: verify, dump or skip?"};
  return Error{
      kInvalid,
      "which command? serve, verify, accept, put, health, backup, restore, admin, log or version; millrace "
      "--help tells more"};
}

}  // namespace millrace::app
