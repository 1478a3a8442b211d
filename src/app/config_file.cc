#include "app/config_file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <toml++/toml.h>

namespace millrace::app {

using enum ErrorKind;

Result<std::map<std::string, ConfigValue>> read_config_file(const std::string& path) {
  struct stat about {};
  if (stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode))
    return Error{kInvalid, fmt::format("--config is {}: it is a folder, and must be a file", path)};
  toml::table table;
  try {
    table = toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    // Without a position the file itself could not be read.
    if (const auto line = error.source().begin.line; line != 0) {
      return Error{kInvalid, fmt::format("{}:{}: {} (a text needs quotes: listen = \"127.0.0.1:4566\")", path,
                                         line, error.description())};
    }
    return Error{kInvalid, fmt::format("--config is {}: {}", path, error.description())};
  }

  std::map<std::string, ConfigValue> values;
  for (const auto& [key, node] : table) {
    const unsigned line = node.source().begin.line;
    std::string text;
    if (const auto* string = node.as_string()) {
      text = string->get();
    } else if (const auto* integer = node.as_integer()) {
      text = std::to_string(integer->get());
    } else if (const auto* boolean = node.as_boolean()) {
      text = boolean->get() ? "true" : "false";
    } else if (!node.is_table()) {
      return Error{kInvalid,
                   fmt::format("{}:{}: {} must be a text or a whole number", path, line, key.str())};
    }
    values.emplace(key.str(), ConfigValue{std::move(text), line, node.is_table()});
  }
  return values;
}

}  // namespace millrace::app
