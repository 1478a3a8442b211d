// app/request_gate.h: which requests are answered at all, by their heads: what web pages may ask, and whose
// bodies are read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "identity/sigv4.h"
#include "net/gate.h"

namespace millrace::app {

class RequestGate final : public net::Gate {
 public:
  struct Options {
    bool checks_signatures = false;
    bool any_host = false;        // without signatures, too: --allow-any-credentials
    std::string allowed_origins;  // as --allow-origin has them; fits_origins() of it holds
  };
  // verifier, clock   borrowed; outlive it
  RequestGate(Options options, const identity::Verifier& verifier, const Clock& clock);

  // A server without signatures takes requests only for a host, and from an origin, of this machine or of the
  // list: else every web page that its user visits could use it, if need be with a name of its own that leads
  // here. A large body is read only where its caller may turn out to be known.
  net::Admission admit(const net::Request& head, std::uint64_t body_bytes) const override;
  bool allows_origin(std::string_view origin) const override;

 private:
  bool allows_host(std::string_view host) const;

  const bool checks_signatures_;
  const bool any_host_;
  std::vector<std::string> origins_;  // lower-cased
  bool any_origin_ = false;
  const identity::Verifier& verifier_;
  const Clock& clock_;
};

// Whether `list` is origins with commas between them: "https://app.example.com,http://10.0.0.5:3000", where
// "null" is one, too, or "*" alone.
bool fits_origins(const std::string& list);

}  // namespace millrace::app
