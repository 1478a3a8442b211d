// app/config_file.h: the TOML file of --config.
#pragma once

#include <map>
#include <string>

#include "base/result.h"

namespace millrace::app {

struct ConfigValue {
  std::string text;  // of a string as it is; of a whole number and a boolean as TOML writes them
  unsigned line;
  bool is_table = false;  // no setting is one
};

// The keys of the file, which has no tables. errors   kInvalid: cannot be read, is no TOML, or a value is of
// a type that no setting has; one line that names file and line
Result<std::map<std::string, ConfigValue>> read_config_file(const std::string& path);

}  // namespace millrace::app
