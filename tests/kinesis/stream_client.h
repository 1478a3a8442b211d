// kinesis/stream_client.h: who reads a streamed answer, as fast as the test lets him.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/loop.h"
#include "net/event_stream.h"
#include "net/http.h"

namespace millrace::kinesis {

// All on its loop, but for what a test looks at while nothing runs.
class StreamClient final : public net::BodyStream {
 public:
  struct Message {
    std::string type;      // ":event-type", ":exception-type" or ":error-code"
    std::string kind;      // ":message-type"
    std::string encoding;  // ":content-type"
    nlohmann::json content;
  };

  explicit StreamClient(Loop& loop) : loop_(loop) {}

  void write(SharedBytes chunk) override {
    if (gone_) return;
    if (!taking_) queued_bytes_ += chunk->size();
    most_queued = std::max(most_queued, queued_bytes_);
    chunks.push_back(std::move(chunk));
  }
  std::size_t queued_bytes() const override { return queued_bytes_; }
  void when_below(std::size_t bytes, Callback callback) override {
    if (gone_) return;
    below_.emplace_back(bytes, std::move(callback));
    tell();
  }
  void when_closed(Callback callback) override { closed_ = std::move(callback); }
  void end() override { ended = !gone_; }

  // The client's side.
  void stop_taking() { taking_ = false; }
  void take_all() {
    taking_ = true;
    queued_bytes_ = 0;
    tell();
  }
  void go_away() {
    gone_ = true;
    below_.clear();
    if (closed_) loop_.post(std::move(closed_));
  }

  std::vector<Message> messages() const {
    std::vector<Message> all;
    for (const SharedBytes& chunk : chunks) {
      ByteView rest = chunk->view();
      while (!rest.empty()) {
        auto event = net::read_event(rest);
        if (!event.ok() || !event->has_value()) {
          all.push_back({"broken", "", "", {}});
          break;
        }
        const std::string kind((*event)->text(":message-type"));
        const std::string encoding((*event)->text(":content-type"));
        std::string payload(as_text((*event)->payload));
        const bool cbor = encoding.find("cbor") != std::string::npos;
        const std::string_view type = kind == "error"       ? ":error-code"
                                      : kind == "exception" ? ":exception-type"
                                                            : ":event-type";
        nlohmann::json content =
            cbor ? read_cbor(std::move(payload)) : nlohmann::json::parse(payload, nullptr, false);
        if (kind == "error") content = {{"message", (*event)->text(":error-message")}};
        all.push_back({std::string((*event)->text(type)), kind, encoding, std::move(content)});
        rest = rest.subspan((*event)->bytes);
      }
    }
    return all;
  }
  // Of all events so far.
  std::vector<nlohmann::json> records() const {
    std::vector<nlohmann::json> all;
    for (const Message& message : messages())
      if (message.content.contains("Records"))
        for (const auto& record : message.content["Records"]) all.push_back(record);
    return all;
  }
  nlohmann::json last() const { return messages().back().content; }

  std::vector<SharedBytes> chunks;
  std::size_t most_queued = 0;
  bool ended = false;  // in order

 private:
  // Times are tagged as such, which nlohmann's reader does not pass over.
  static nlohmann::json read_cbor(std::string bytes) {
    constexpr std::string_view kTagged = "Timestamp\xc1";
    for (auto at = bytes.find(kTagged); at != std::string::npos; at = bytes.find(kTagged, at))
      bytes.erase(at + kTagged.size() - 1, 1);
    return nlohmann::json::from_cbor(bytes, true, false);
  }

  void tell() {
    std::erase_if(below_, [this](auto& waiting) {
      if (queued_bytes_ > waiting.first) return false;
      loop_.post(std::move(waiting.second));
      return true;
    });
  }

  Loop& loop_;
  std::size_t queued_bytes_ = 0;
  bool taking_ = true;
  bool gone_ = false;
  std::vector<std::pair<std::size_t, Callback>> below_;
  Callback closed_;
};

}  // namespace millrace::kinesis
