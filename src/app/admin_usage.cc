#include <CLI/CLI.hpp>
#include <utility>
#include <vector>

#include "app/admin.h"
#include "app/size.h"

namespace millrace::app {

struct AdminUsage::State {
  CLI::App* admin = nullptr;
  AdminCall call;
  std::string user, role;  // of the commands that take either
  std::vector<CLI::App*> groups;
  struct Command {
    CLI::App* app;
    std::string operation;
    bool takes_holder = false;
    bool prints_document = false;
  };
  std::vector<Command> commands;

  CLI::App* group(const char* name, const char* help) {
    groups.push_back(admin->add_subcommand(name, help));
    return groups.back();
  }
  CLI::App* command(CLI::App* group, const char* name, const char* operation, const char* help) {
    commands.push_back({group->add_subcommand(name, help), operation});
    return commands.back().app;
  }
  CLI::Option* text(CLI::App* command, const char* option, const char* field, const char* help) {
    return command->add_option_function<std::string>(
        option, [this, field = std::string(field)](const std::string& value) { call.fields[field] = value; },
        help);
  }
  CLI::Option* file(CLI::App* command, const char* option, const char* field, const char* help) {
    return command->add_option_function<std::string>(
        option, [this, field = std::string(field)](const std::string& value) { call.files[field] = value; },
        help);
  }
  void holder(CLI::App* command, bool required) {
    commands.back().takes_holder = true;
    CLI::Option* of_user = command->add_option("--user", user, "Of this user")->type_name("NAME");
    CLI::Option* of_role = command->add_option("--role", role, "Of this role")->type_name("NAME");
    of_user->excludes(of_role);
    if (required) command->require_option(1);
  }
  void add_users();
  void add_keys();
  void add_policies();
  void add_roles();
  void add_quotas();
};

void AdminUsage::State::add_users() {
  CLI::App* users = group("user", "Users of the server's own");
  text(command(users, "add", "AddUser", "Makes a user, who may do nothing yet"), "NAME", "User", "The user")
      ->required();
  text(command(users, "remove", "RemoveUser", "Removes a user, its keys and its inline policies"), "NAME",
       "User", "The user")
      ->required();
  command(users, "list", "ListUsers", "Lists them");
}

void AdminUsage::State::add_keys() {
  CLI::App* keys = group("key", "Access keys of users");
  text(command(keys, "create", "CreateKey", "Makes a key and shows its secret, this once"), "USER", "User",
       "Whose")
      ->required();
  text(command(keys, "list", "ListKeys", "Lists them, without secrets"), "USER", "User", "Of this user only");
  for (const auto& [name, operation, help] :
       {std::tuple("enable", "EnableKey", "Lets a key be used again"),
        std::tuple("disable", "DisableKey", "Refuses what is signed with a key, from now on"),
        std::tuple("delete", "DeleteKey", "Deletes a key for good")})
    text(command(keys, name, operation, help), "ACCESS_KEY", "AccessKeyId", "The key's id")->required();
}

void AdminUsage::State::add_policies() {
  CLI::App* policies =
      group("policy", "Policies, to be attached to users and roles, or inline in one of them");
  CLI::App* put =
      command(policies, "put", "PutPolicy", "Stores a policy document, also in place of an older one");
  text(put, "NAME", "Policy", "The policy")->required();
  file(put, "FILE", "Document", "The document, JSON; - reads stdin")->required();
  CLI::App* get = command(policies, "get", "GetPolicy", "Prints a policy's document");
  commands.back().prints_document = true;
  text(get, "NAME", "Policy", "The policy")->required();
  holder(get, false);
  command(policies, "list", "ListPolicies", "Lists them, and what they are attached to");
  text(command(policies, "delete", "DeletePolicy", "Deletes a policy that is attached to nothing"), "NAME",
       "Policy", "The policy")
      ->required();
  for (const auto& [name, operation, help] :
       {std::tuple("attach", "AttachPolicy", "Lets a user or role do what a policy allows"),
        std::tuple("detach", "DetachPolicy", "Takes that back"),
        std::tuple("delete-inline", "DeleteInlinePolicy", "Deletes a policy inside of a user or role")}) {
    CLI::App* made = command(policies, name, operation, help);
    text(made, "NAME", "Policy", "The policy")->required();
    holder(made, false);
  }
  CLI::App* put_inline =
      command(policies, "put-inline", "PutInlinePolicy", "Stores a policy inside of a user or role");
  text(put_inline, "NAME", "Policy", "The policy")->required();
  file(put_inline, "FILE", "Document", "The document, JSON; - reads stdin")->required();
  holder(put_inline, false);
}

void AdminUsage::State::add_roles() {
  CLI::App* roles = group("role", "Roles, to be assumed by AssumeRole");
  const auto sessions = [this](CLI::App* made) {
    made->add_option_function<std::uint32_t>(
            "--session-seconds",
            [this](std::uint32_t seconds) { call.numbers["SessionSecondsMax"] = seconds; },
            "Longest session, 3600 to 43200")
        ->type_name("N");
  };
  CLI::App* create = command(roles, "create", "CreateRole", "Makes a role");
  text(create, "NAME", "Role", "The role")->required();
  file(create, "--trust", "Trust", "Who may assume it: a trust policy, JSON")->required()->type_name("FILE");
  sessions(create);
  CLI::App* change =
      command(roles, "change", "ChangeRole", "Changes who may assume a role, and for how long");
  text(change, "NAME", "Role", "The role")->required();
  file(change, "--trust", "Trust", "The new trust policy, JSON")->type_name("FILE");
  sessions(change);
  text(command(roles, "get", "GetRole", "Shows a role"), "NAME", "Role", "The role")->required();
  command(roles, "list", "ListRoles", "Lists them");
  text(command(roles, "remove", "RemoveRole", "Removes a role; its sessions end at once"), "NAME", "Role",
       "The role")
      ->required();
}

void AdminUsage::State::add_quotas() {
  CLI::App* quotas = group("quota", "How much users, roles and streams may take a second");
  const auto owner = [this](CLI::App* made) {
    CLI::Option_group* whose = made->add_option_group("Whose");
    for (const auto& [option, kind, help] :
         {std::tuple("--user", "user/", "Of this user"),
          std::tuple("--role", "role/", "Of this role's sessions"),
          std::tuple("--stream", "stream/", "Of this stream, whoever calls")})
      whose
          ->add_option_function<std::string>(
              option,
              [this, kind = std::string(kind)](const auto& name) { call.fields["Owner"] = kind + name; },
              help)
          ->type_name("NAME");
    whose->add_flag_callback(
        "--default", [this] { call.fields["Owner"] = "default"; },
        "Of each user and role without a quota of its own");
    whose->require_option(1);
  };
  const auto figure = [this](CLI::App* made, const char* option, const char* field, const char* help,
                             bool size) {
    made->add_option_function<std::string>(
            option,
            [this, field = std::string(field), option = std::string(option), size](const std::string& text) {
              const auto parsed = size ? parse_size(text) : parse_number(text);
              if (!parsed.ok()) throw CLI::ValidationError(option, parsed.error().text);
              call.numbers[field] = *parsed;
            },
            help)
        ->type_name(size ? "SIZE" : "N");
  };
  CLI::App* set = command(quotas, "set", "PutQuota", "Sets a quota, in place of an older one as a whole");
  owner(set);
  figure(set, "--records-in", "RecordsInPerSecond", "Records put, a second", false);
  figure(set, "--bytes-in", "BytesInPerSecond", "Bytes of keys and data put, a second", true);
  figure(set, "--bytes-out", "BytesOutPerSecond", "Bytes of keys and data read, a second", true);
  figure(set, "--requests", "RequestsPerSecond", "Requests, a second", false);
  owner(command(quotas, "remove", "RemoveQuota", "Removes a quota"));
  command(quotas, "list", "ListQuotas", "Lists them");
}

void add_server_options(CLI::App& command, ServerAddress& server) {
  command.add_option("--endpoint", server.endpoint, "The server [http://127.0.0.1:4566]")
      ->type_name("URL")
      ->envname("MILLRACE_ENDPOINT");
  command.add_option("--region", server.region, "The server's region [us-east-1]")
      ->type_name("REGION")
      ->envname("MILLRACE_REGION");
  command.add_option("--ca", server.certificates, "PEM file of an authority to trust")->type_name("FILE");
}

AdminUsage::AdminUsage(CLI::App& app) : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.admin = app.add_subcommand("admin", "Users, keys, policies, roles and quotas of a server that runs");
  state.admin->footer(
      "The request is signed with MILLRACE_ROOT_ACCESS_KEY and MILLRACE_ROOT_SECRET_KEY, or with "
      "AWS_ACCESS_KEY_ID "
      "and\nAWS_SECRET_ACCESS_KEY of somebody whom policies allow the iam: and millrace: actions.");
  add_server_options(*state.admin, state.call.server);
  state.add_users();
  state.add_keys();
  state.add_policies();
  state.add_roles();
  state.add_quotas();
}

AdminUsage::~AdminUsage() = default;

const CLI::App* AdminUsage::parsed() const {
  for (const State::Command& command : state_->commands)
    if (command.app->parsed()) return command.app;
  for (const CLI::App* group : state_->groups)
    if (group->parsed()) return group;
  return state_->admin->parsed() ? state_->admin : nullptr;
}

std::optional<AdminCall> AdminUsage::call() const {
  for (const State::Command& command : state_->commands) {
    if (!command.app->parsed()) continue;
    AdminCall call = state_->call;
    call.operation = command.operation;
    call.prints_document = command.prints_document;
    if (!state_->user.empty()) call.fields["User"] = state_->user;
    if (!state_->role.empty()) call.fields["Role"] = state_->role;
    return call;
  }
  return std::nullopt;
}

}  // namespace millrace::app
