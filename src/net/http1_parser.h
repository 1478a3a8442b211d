// net/http1_parser.h: HTTP/1 heads and chunked bodies, by Boost.Beast's parser, with the shapes refused that
// request smuggling is made of.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "net/http.h"

namespace millrace::net {

struct Http1Head {
  bool http11 = true;  // else HTTP/1.0
  bool keep_alive = true;
  bool chunked = false;
  std::optional<std::uint64_t> content_length;
  bool expects_continue = false;
  bool expects_other = false;  // an expectation that nobody can meet: 417
};

// Parses request.head, a whole head with its blank line, and fills method, target and headers with views of
// it. nullopt: malformed, or of a kind that two readers could take for different messages (both
// Content-Length and Transfer-Encoding, differing lengths, folded lines, no or several Host).
std::optional<Http1Head> parse_http1_head(Request& request);

// Where the head ends, behind its blank line; npos while it has not arrived. `from`: how far an earlier call
// looked.
std::size_t find_head_end(std::string_view text, std::size_t from);

// De-chunks one body. What it makes of one does not depend on where its bytes are cut.
class ChunkedBody {
 public:
  enum class State {
    kMore,
    kDone,
    kBad,
    kTooLarge,
    kLineTooLong,  // a chunk's extensions, or the trailers
  };

  // `head` as it was given to parse_http1_head().   line_bytes_max   of what stands before a chunk, and of
  // the last line with all trailers
  ChunkedBody(std::string_view head, std::size_t body_bytes_max, std::size_t line_bytes_max);
  ~ChunkedBody();

  // Appends to `body` what `bytes` hold of it. `used`: what is done with; the rest must come again with more
  // behind.
  State feed(ByteView bytes, Bytes& body, std::size_t& used);

  class Parser;

 private:
  std::unique_ptr<Parser> parser_;
  std::size_t line_bytes_max_;
};

}  // namespace millrace::net
