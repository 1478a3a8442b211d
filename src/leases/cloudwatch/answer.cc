#include "leases/cloudwatch/answer.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "api/writer.h"

namespace millrace::leases::cloudwatch {
namespace {

constexpr std::string_view kXmlSpace = "http://monitoring.amazonaws.com/doc/2010-08-01/";

std::string escaped(std::string_view text) {
  std::string xml;
  for (const char c : text) {
    switch (c) {
      case '&':
        xml += "&amp;";
        break;
      case '<':
        xml += "&lt;";
        break;
      case '>':
        xml += "&gt;";
        break;
      case '"':
        xml += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20) xml += c;  // XML has no way to say the others
    }
  }
  return xml;
}

std::string iso_time(double seconds) {
  const auto whole = static_cast<std::time_t>(seconds);
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(whole));
}

void write_xml(const Answer& answer, std::string& xml) {
  switch (answer.kind) {
    case Answer::Kind::kText:
      xml += escaped(answer.text);
      break;
    case Answer::Kind::kNumber:
      xml += fmt::format("{}", answer.number);
      break;
    case Answer::Kind::kTimestamp:
      xml += iso_time(answer.number);
      break;
    case Answer::Kind::kList:
    case Answer::Kind::kMap:
      for (std::size_t i = 0; i < answer.items.size(); ++i) {
        const std::string_view name =
            answer.kind == Answer::Kind::kList ? "member" : std::string_view(answer.names[i]);
        xml += fmt::format("<{}>", name);
        write_xml(answer.items[i], xml);
        xml += fmt::format("</{}>", name);
      }
      break;
  }
}

void write_tree(const Answer& answer, api::Writer& writer) {
  constexpr char kCborEpochTime = '\xc1';
  switch (answer.kind) {
    case Answer::Kind::kText:
      writer.text(answer.text);
      break;
    case Answer::Kind::kTimestamp:
      if (writer.encoding() == api::Encoding::kCbor) writer.bytes().push_back(kCborEpochTime);
      [[fallthrough]];
    case Answer::Kind::kNumber:
      writer.decimal(answer.number);
      break;
    case Answer::Kind::kList:
      writer.begin_list();
      for (const Answer& item : answer.items) write_tree(item, writer);
      writer.end_list();
      break;
    case Answer::Kind::kMap:
      writer.begin_object();
      for (std::size_t i = 0; i < answer.items.size(); ++i) {
        writer.key(answer.names[i]);
        write_tree(answer.items[i], writer);
      }
      writer.end_object();
      break;
  }
}

Bytes tree_bytes(Protocol protocol, const Answer& answer) {
  api::Writer writer(protocol == Protocol::kCbor ? api::Encoding::kCbor : api::Encoding::kJson);
  write_tree(answer, writer);
  return std::move(writer.bytes());
}

}  // namespace

std::string_view content_type(Protocol protocol) {
  switch (protocol) {
    case Protocol::kQuery:
      return "text/xml";
    case Protocol::kCbor:
      return "application/cbor";
    case Protocol::kJson:
      return "application/x-amz-json-1.0";
  }
  return "";
}

Bytes encode(Protocol protocol, std::string_view operation, const Answer& answer,
             std::string_view request_id) {
  if (protocol != Protocol::kQuery) return tree_bytes(protocol, answer);
  std::string xml = fmt::format("<{}Response xmlns=\"{}\">", operation, kXmlSpace);
  if (operation != "PutMetricData") {
    xml += fmt::format("<{}Result>", operation);
    write_xml(answer, xml);
    xml += fmt::format("</{}Result>", operation);
  }
  xml += fmt::format("<ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></{}Response>",
                     request_id, operation);
  return Bytes(xml);
}

Bytes encode(Protocol protocol, const Failure& failure, std::string_view request_id) {
  if (protocol == Protocol::kQuery)
    return Bytes(fmt::format(
        "<ErrorResponse xmlns=\"{}\"><Error><Type>{}</Type><Code>{}</Code><Message>{}</Message></Error>"
        "<RequestId>{}</RequestId></ErrorResponse>",
        kXmlSpace, failure.http_status < 500 ? "Sender" : "Receiver", failure.code, escaped(failure.message),
        request_id));
  Answer error;
  error.add("__type", Answer::of("com.amazonaws.cloudwatch#" + failure.shape));
  error.add("message", Answer::of(failure.message));
  return tree_bytes(protocol, error);
}

}  // namespace millrace::leases::cloudwatch
