// app/document_file.h: a small text, such as a policy document, that a command line names.
#pragma once

#include <string>

#include "base/result.h"

namespace millrace::app {

// The text of the file, or of stdin where `path` is "-"; at most 64 KiB. errors   kInvalid: cannot be read;
// says why
Result<std::string> read_document(const std::string& path);

}  // namespace millrace::app
