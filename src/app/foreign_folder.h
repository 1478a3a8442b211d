// app/foreign_folder.h: keeps a server from settling down in a folder that is somebody else's.
#pragma once

#include <string>

#include "base/result.h"

namespace millrace::app {

// Whether a server may take `folder` as its data folder: it is one, or it is new or empty, but for what may
// be put there before the first start: keyring, tls, and what file systems have (lost+found, names that begin
// with a dot). Changes nothing. errors   kConflict: the text says what is there
Result<void> refuse_foreign_folder(const std::string& folder);

}  // namespace millrace::app
