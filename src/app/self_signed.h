// app/self_signed.h: the certificate of --tls-self-signed.
#pragma once

#include <string>

#include "base/result.h"
#include "net/server.h"

namespace millrace::app {

// `data`/tls/certificate.pem and `data`/tls/key.pem, made where both are missing: for localhost, names below
// it, 127.0.0.1, [::1] and this host's name, and good for 820 days (what the strictest clients take is 825).
// Clients trust the certificate itself; nothing else is signed with its key. Blocks. errors   kInvalid: one
// of the two is there without the other.  kUnavailable: they cannot be made
Result<net::TlsFiles> self_signed_files(const std::string& data);

}  // namespace millrace::app
