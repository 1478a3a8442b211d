#include "app/request_gate.h"

#include <algorithm>
#include <array>
#include <utility>

#include "app/settings.h"
#include "net/names.h"
#include "net/response_head.h"

namespace millrace::app {
namespace {

// Below it a body is read whoever sent it: what it costs is little.
constexpr std::uint64_t kBodyOfAnybodyMax = 64 * 1024;

// Names by which containers reach the machine that they run on. No public name can be one of these.
constexpr std::array<std::string_view, 3> kContainerHosts = {
    "host.docker.internal", "gateway.docker.internal", "host.containers.internal"};

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return lower;
}

// "localhost" of "localhost:4566", "[::1]" of "[::1]:4566"; empty where what follows is no port.
std::string_view without_port(std::string_view host) {
  std::size_t end = host.find(':');
  if (host.starts_with('[')) end = std::min(host.find(']'), host.size() - 1) + 1;
  end = std::min(end, host.size());
  const std::string_view port = host.substr(end);
  const bool fits =
      port.empty() || (port.starts_with(':') && port.find_first_not_of("0123456789", 1) == port.npos);
  return fits ? host.substr(0, end) : std::string_view{};
}

// The authority of a target that has one, as requests to a proxy do; empty: "/path".
std::string_view authority_of(std::string_view target) {
  const std::size_t scheme = target.find("://");
  if (target.starts_with('/') || scheme == std::string_view::npos) return {};
  const std::string_view rest = target.substr(scheme + 3);
  return rest.substr(0, rest.find_first_of("/?#"));
}

struct Hosts {
  std::string_view host;  // empty: it names none
  bool agree = true;
};
// All that a request says of whom it is for: its Host, HTTP/2's :authority, and the target.
// source: RFC 9112, 3.2.2; RFC 9113, 8.3.1
Hosts hosts_of(const net::Request& head) {
  Hosts found;
  bool is_first = true;
  const auto add = [&](std::string_view host) {
    if (!std::exchange(is_first, false)) found.agree = found.agree && net::same_name(host, found.host);
    found.host = host;
  };
  for (const HttpHeader& header : head.headers)
    if (net::same_name(header.name, "host") || header.name == ":authority") add(header.value);
  // It counts, and the Host beside it does not.
  if (const std::string_view authority = authority_of(head.target); !authority.empty())
    found.host = authority;
  return found;
}

// Of an origin; empty where it has no host.
std::string_view host_of(std::string_view origin) {
  const std::size_t scheme = origin.find("://");
  return scheme == std::string_view::npos ? std::string_view{} : without_port(origin.substr(scheme + 3));
}

// `host` in lower case, without a port.
bool is_of_this_machine(std::string_view host) {
  return host.ends_with(".localhost") || is_loopback(std::string(host) + ":0");
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    std::string_view part = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    const std::size_t begin = std::min(part.find_first_not_of(' '), part.size());
    part = part.substr(begin, part.find_last_not_of(' ') + 1 - begin);
    parts.push_back(lower_case(part));
  }
  return parts;
}

bool is_origin(std::string_view text) {
  if (text == "null") return true;
  const std::size_t scheme = text.find("://");
  if (scheme == 0 || scheme == std::string_view::npos || scheme + 3 == text.size()) return false;
  return text.find_first_of("/?# \t*@", scheme + 3) == std::string_view::npos;
}

net::Admission refused(std::string_view message) {
  return {.refusal =
              std::make_unique<net::Response>(net::error_response(403, "AccessDeniedException", message))};
}

}  // namespace

bool fits_origins(const std::string& list) {
  const auto parts = split(list);
  if (parts.empty()) return false;
  return list == "*" || std::all_of(parts.begin(), parts.end(), is_origin);
}

RequestGate::RequestGate(Options options, const identity::Verifier& verifier, const Clock& clock)
    : checks_signatures_(options.checks_signatures),
      any_host_(options.any_host),
      origins_(split(options.allowed_origins)),
      any_origin_(options.allowed_origins == "*"),
      verifier_(verifier),
      clock_(clock) {}

bool RequestGate::allows_origin(std::string_view origin) const {
  const std::string lower = lower_case(origin);
  if (any_origin_ || std::find(origins_.begin(), origins_.end(), lower) != origins_.end()) return true;
  return (lower.starts_with("http://") || lower.starts_with("https://")) &&
         is_of_this_machine(host_of(lower));
}

bool RequestGate::allows_host(std::string_view host) const {
  const std::string lower = lower_case(without_port(host));
  if (is_of_this_machine(lower)) return true;
  if (std::find(kContainerHosts.begin(), kContainerHosts.end(), lower) != kContainerHosts.end()) return true;
  return std::any_of(origins_.begin(), origins_.end(),
                     [&](const std::string& origin) { return host_of(origin) == lower; });
}

net::Admission RequestGate::admit(const net::Request& head, std::uint64_t body_bytes) const {
  const Hosts hosts = hosts_of(head);
  if (!hosts.agree)
    return {.refusal =
                std::make_unique<net::Response>(net::bad_request("the request names two different hosts"))};
  if (!checks_signatures_) {
    if (!any_host_ && !hosts.host.empty() && !allows_host(hosts.host))
      return refused(
          "This server checks no signatures, so it answers only requests whose Host is this machine: "
          "localhost, 127.0.0.1 or [::1]. Start it with --allow-origin http://NAME to allow another name, "
          "or "
          "with MILLRACE_ROOT_ACCESS_KEY and MILLRACE_ROOT_SECRET_KEY to check signatures.");
    const bool foreign = std::any_of(head.headers.begin(), head.headers.end(), [&](const HttpHeader& header) {
      return !header.value.empty() && net::same_name(header.name, "origin") && !allows_origin(header.value);
    });
    if (foreign)
      return refused(
          "This server checks no signatures, so web pages of other origins than this machine may not use it. "
          "Start it with --allow-origin ORIGIN to allow one.");
  }
  if (body_bytes <= kBodyOfAnybodyMax) return {};
  const identity::SignedRequest request{head.method, head.target, head.headers, {}};
  return {.withholds_body = !verifier_.may_know(request, clock_.wall_ms()),
          .digests_body = checks_signatures_};
}

}  // namespace millrace::app
