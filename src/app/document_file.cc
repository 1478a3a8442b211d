#include "app/document_file.h"

#include <fmt/format.h>

#include <fstream>
#include <iostream>

namespace millrace::app {

Result<std::string> read_document(const std::string& path) {
  constexpr std::size_t kBytesMax = 64 * 1'024;
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) return Error{ErrorKind::kInvalid, fmt::format("{} cannot be opened", path)};
  }
  std::istream& in = path == "-" ? std::cin : file;
  std::string text(kBytesMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return Error{ErrorKind::kInvalid, fmt::format("{} cannot be read", path)};
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kBytesMax)
    return Error{ErrorKind::kInvalid, fmt::format("{} has more than {} bytes", path, kBytesMax)};
  return text;
}

}  // namespace millrace::app
