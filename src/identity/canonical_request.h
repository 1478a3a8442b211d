// identity/canonical_request.h: a request in the one form that both sides sign.
// source: AWS General Reference, "Create a signed AWS API request", step "Create a canonical request"; what
// it leaves open, by the published test suite and by what the SDKs sign.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/http_header.h"

namespace millrace::identity {

// Path of a request target as sent ("/a//b/../c%20d?x", "http://host/a"): "." and ".." resolved, slashes
// folded, every byte but A-Z a-z 0-9 - . _ ~ / percent-encoded, the client's own '%' too. At least "/".
std::string canonical_path(std::string_view target);

// The part of `target` behind the first '?', or empty.
std::string_view query_of(std::string_view target);

// name=value&… with names and values decoded ('+' is a blank; a '%' that begins no escape stands for itself),
// encoded again and sorted. The first parameter named `without`, if any, is left out.
std::string canonical_query(std::string_view query, std::string_view without);

// Text with percent escapes and '+' undone, as canonical_query does it.
std::string percent_decoded(std::string_view text);

// Headers by name in any case, found in O(log n). Borrows the headers.
class HeaderIndex {
 public:
  explicit HeaderIndex(std::span<const HttpHeader> headers);

  // Those named `name` (lower-case), in the order sent. "host" finds ":authority" where there is no host, and
  // the other way round.
  std::span<const HttpHeader* const> find(std::string_view name) const;
  // Values of all of them, with a comma between; empty when there is none.
  std::string joined(std::string_view name) const;
  // Sorted by name, without case.
  std::span<const HttpHeader* const> all() const { return sorted_; }

 private:
  std::span<const HttpHeader* const> find_exactly(std::string_view name) const;

  std::vector<const HttpHeader*> sorted_;
};

// Appends "name:value\n" for each of `names` (lower-case, in this order) that was sent: values trimmed, runs
// of white space made one blank, values of one name joined by commas.
void append_canonical_headers(const HeaderIndex& headers, std::span<const std::string_view> names,
                              std::string* out);

std::string lower_case(std::string_view text);

}  // namespace millrace::identity
