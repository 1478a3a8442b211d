#include "net/http1_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>

#include "base/assert.h"
#include "net/names.h"

namespace millrace::net {
namespace {

namespace http = boost::beast::http;
using Text = boost::beast::string_view;
using ErrorCode = boost::beast::error_code;

constexpr std::size_t kLastChunkBytesMin = 5;  // "0" and two line ends

std::string_view view(Text text) { return {text.data(), text.size()}; }

// Every line ends in CRLF and none begins with a blank: Beast would take a bare LF, and would unfold.
bool has_plain_lines(std::string_view head) {
  for (std::size_t at = head.find('\n'); at != std::string_view::npos; at = head.find('\n', at + 1)) {
    if (at == 0 || head[at - 1] != '\r') return false;
    if (at + 1 < head.size() && (head[at + 1] == ' ' || head[at + 1] == '\t')) return false;
  }
  return true;
}

// Whether `rest`, which begins with the line before a chunk, has that line whole (the last one: with all
// trailers).
bool has_chunk_line(std::string_view rest) {
  if (rest.starts_with("\r\n")) rest.remove_prefix(2);  // behind the chunk before
  const std::size_t zeros = std::min(rest.find_first_not_of('0'), rest.size());
  constexpr std::string_view kHexDigits = "0123456789abcdefABCDEF";
  const bool is_last =
      zeros > 0 && (zeros == rest.size() || kHexDigits.find(rest[zeros]) == std::string_view::npos);
  return rest.find(is_last ? "\r\n\r\n" : "\r\n") != std::string_view::npos;
}

}  // namespace

// Beast's parser calls it for each part of the message; nothing is copied but chunks.
class ChunkedBody::Parser final : public http::basic_parser<true> {
 public:
  Request* request = nullptr;  // head fields go there
  Bytes* body = nullptr;       // chunks go there
  Http1Head found;
  int hosts = 0;
  const char* line_begin = nullptr;  // where the line before the next chunk begins, in what is being parsed
  std::size_t line_bytes_max = 0;

 private:
  void on_request_impl(http::verb, Text method, Text target, int version, ErrorCode&) override {
    found.http11 = version == 11;
    if (request == nullptr) return;
    request->method = view(method);
    request->target = view(target);
  }

  void on_field_impl(http::field field, Text name, Text value, ErrorCode& error) override {
    if (request == nullptr) return;  // second pass, or a trailer: dropped
    switch (field) {
      case http::field::host:
        ++hosts;
        break;
      case http::field::transfer_encoding:
        // Other codings, or chunked not last, leave the body's end open to opinion.
        if (!same_name(view(value), "chunked") || !found.http11) error = http::error::bad_transfer_encoding;
        break;
      case http::field::expect:
        (same_name(view(value), "100-continue") ? found.expects_continue : found.expects_other) = true;
        break;
      default:
        break;
    }
    request->headers.push_back({view(name), view(value)});
  }

  std::size_t on_chunk_body_impl(std::uint64_t, Text bytes, ErrorCode&) override {
    body->append(bytes.data(), bytes.size());
    line_begin = bytes.data() + bytes.size();
    return bytes.size();
  }

  std::size_t on_body_impl(Text bytes, ErrorCode&) override { return bytes.size(); }
  void on_response_impl(int, Text, int, ErrorCode&) override {}
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
  void on_chunk_header_impl(std::uint64_t bytes, Text extensions, ErrorCode& error) override {
    const char* const line_end = extensions.data() + extensions.size() + 2;
    const auto line_bytes = static_cast<std::size_t>(line_end - line_begin);
    if (bytes != 0 && line_bytes > line_bytes_max) error = http::error::header_limit;
  }
  void on_finish_impl(ErrorCode&) override {}
};

std::optional<Http1Head> parse_http1_head(Request& request) {
  const std::string_view text = request.head.text();
  if (!has_plain_lines(text)) return std::nullopt;
  ChunkedBody::Parser parser;
  parser.header_limit(std::numeric_limits<std::uint32_t>::max());  // the caller bounds it
  parser.body_limit(boost::none);                                  // likewise
  parser.request = &request;
  request.headers.reserve(16);
  ErrorCode error;
  const std::size_t used = parser.put(boost::asio::buffer(text.data(), text.size()), error);
  if (error || used != text.size() || !parser.is_header_done()) return std::nullopt;
  Http1Head head = parser.found;
  if (parser.hosts > 1 || (head.http11 && parser.hosts == 0)) return std::nullopt;
  head.keep_alive = parser.keep_alive();
  head.chunked = parser.chunked();
  if (const auto length = parser.content_length()) head.content_length = *length;
  if (!head.http11) head.expects_continue = false;
  return head;
}

std::size_t find_head_end(std::string_view text, std::size_t from) {
  const std::size_t at = text.find("\r\n\r\n", from < 3 ? 0 : from - 3);
  return at == std::string_view::npos ? at : at + 4;
}

ChunkedBody::ChunkedBody(std::string_view head, std::size_t body_bytes_max, std::size_t line_bytes_max)
    : parser_(std::make_unique<Parser>()), line_bytes_max_(line_bytes_max) {
  parser_->header_limit(std::numeric_limits<std::uint32_t>::max());
  parser_->body_limit(body_bytes_max);
  parser_->line_bytes_max = line_bytes_max;
  ErrorCode error;
  parser_->put(boost::asio::buffer(head.data(), head.size()), error);
  MR_ASSERT(!error);  // parse_http1_head() has accepted it
  MR_ASSERT(parser_->chunked());
  parser_->eager(true);
}

ChunkedBody::~ChunkedBody() = default;

ChunkedBody::State ChunkedBody::feed(ByteView bytes, Bytes& body, std::size_t& used) {
  used = 0;
  const std::string_view text = as_text(bytes);
  // Beast asserts that it does not come to the last chunk again with less.
  if (text.size() < kLastChunkBytesMin && text.starts_with("0\r\n")) return State::kMore;
  parser_->body = &body;
  parser_->line_begin = text.data();
  ErrorCode error;
  used = parser_->put(boost::asio::buffer(text.data(), text.size()), error);
  if (error == http::error::body_limit) return State::kTooLarge;
  if (error == http::error::header_limit) return State::kLineTooLong;
  if (error && error != http::error::need_more) return State::kBad;
  // Beast lets a quoted extension run on into the next line, if that has come.
  // source: RFC 9112, 7.1.1: quoted text holds no line ends
  if (error == http::error::need_more && has_chunk_line(text.substr(used))) return State::kBad;
  const char* const line_end = text.data() + (parser_->is_done() ? used : text.size());
  const bool too_long = (parser_->is_done() || used < text.size()) &&
                        static_cast<std::size_t>(line_end - parser_->line_begin) > line_bytes_max_;
  if (too_long) return State::kLineTooLong;
  return parser_->is_done() ? State::kDone : State::kMore;
}

}  // namespace millrace::net
