// CBOR (RFC 8949) by libcbor's stateless decoder: an item's head at a time; what is open stands here.

#include <cbor.h>

#include <limits>
#include <vector>

#include "api/document_reader.h"

namespace millrace::api {
namespace {

class Walk {
 public:
  explicit Walk(DocumentEvents& reader) : reader_(reader) {}

  bool run(ByteView body) {
    static const cbor_callbacks kEvents = all_events();
    while (!body.empty() && !whole_ && ok_) {
      const cbor_decoder_result step = cbor_stream_decode(body.data(), body.size(), &kEvents, this);
      if (step.status != CBOR_DECODER_FINISHED) return false;
      body = body.subspan(step.read);
    }
    return ok_ && whole_ && body.empty();
  }

 private:
  struct Open {
    enum class What : std::uint8_t { kMap, kList, kText, kBytes } what;
    bool indefinite;
    std::uint64_t left;   // values still to come, where it is not indefinite
    bool at_key = false;  // of a map: a key comes next
  };
  using What = Open::What;

  static Walk& of(void* context) { return *static_cast<Walk*>(context); }

  // A value of any kind stands here; false at the place of a key, and inside a text of several parts.
  bool may_begin() {
    ok_ = ok_ && (open_.empty() || (open_.back().what <= What::kList && !open_.back().at_key));
    return ok_;
  }
  void scalar(bool taken) {
    ok_ = ok_ && taken;
    value_ended();
  }
  void value_ended() {
    while (ok_) {
      if (open_.empty()) {
        whole_ = true;
        return;
      }
      Open& inner = open_.back();
      inner.at_key = inner.what == What::kMap;
      if (inner.indefinite || --inner.left > 0) return;
      ok_ = reader_.end();
      open_.pop_back();
    }
  }

  void integer(std::uint64_t value, bool negative) {
    if (!may_begin()) return;
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const auto magnitude = static_cast<std::int64_t>(value < kMax ? value : kMax);
    scalar(reader_.integer(negative ? -1 - magnitude : magnitude));
  }
  void string(const std::uint8_t* data, std::size_t size, bool is_text) {
    const What part = is_text ? What::kText : What::kBytes;
    if (!open_.empty() && open_.back().what == part) {
      text_.append(reinterpret_cast<const char*>(data), size);
      return;
    }
    text_.assign(reinterpret_cast<const char*>(data), size);
    string_ended(is_text);
  }
  void string_ended(bool is_text) {
    if (!open_.empty() && open_.back().at_key) {
      ok_ = ok_ && is_text && open_.back().what == What::kMap && reader_.key(text_);
      open_.back().at_key = false;
      return;
    }
    if (may_begin()) scalar(is_text ? reader_.text(text_) : reader_.bytes(text_));
  }
  void string_begins(bool is_text) {
    ok_ = ok_ && (open_.empty() || open_.back().what <= What::kList);
    text_.clear();
    open_.push_back({is_text ? What::kText : What::kBytes, true, 0});
  }
  void container(What what, bool indefinite, std::uint64_t size) {
    if (!may_begin()) return;
    ok_ = reader_.begin(what == What::kMap ? Value::Kind::kMap : Value::Kind::kList);
    if (!ok_) return;
    if (!indefinite && size == 0) return scalar(reader_.end());
    open_.push_back({what, indefinite, size, what == What::kMap});
  }
  void break_comes() {
    ok_ = ok_ && !open_.empty() && open_.back().indefinite;
    if (!ok_) return;
    const Open ended = open_.back();
    open_.pop_back();
    if (ended.what == What::kText || ended.what == What::kBytes)
      return string_ended(ended.what == What::kText);
    scalar((ended.what == What::kList || ended.at_key) && reader_.end());
  }

  template <typename Integer, bool kNegative>
  static void on_integer(void* context, Integer value) {
    of(context).integer(value, kNegative);
  }
  template <typename Float>
  static void on_float(void* context, Float value) {
    if (of(context).may_begin()) of(context).scalar(of(context).reader_.floating(static_cast<double>(value)));
  }
  static void on_null(void* context) {
    if (of(context).may_begin()) of(context).scalar(of(context).reader_.null());
  }

  static cbor_callbacks all_events() {
    cbor_callbacks events{};
    events.uint8 = on_integer<std::uint8_t, false>;
    events.uint16 = on_integer<std::uint16_t, false>;
    events.uint32 = on_integer<std::uint32_t, false>;
    events.uint64 = on_integer<std::uint64_t, false>;
    events.negint8 = on_integer<std::uint8_t, true>;
    events.negint16 = on_integer<std::uint16_t, true>;
    events.negint32 = on_integer<std::uint32_t, true>;
    events.negint64 = on_integer<std::uint64_t, true>;
    events.byte_string_start = [](void* context) { of(context).string_begins(false); };
    events.byte_string = [](void* context, cbor_data data, std::size_t size) {
      of(context).string(data, size, false);
    };
    events.string_start = [](void* context) { of(context).string_begins(true); };
    events.string = [](void* context, cbor_data data, std::size_t size) {
      of(context).string(data, size, true);
    };
    events.indef_array_start = [](void* context) { of(context).container(What::kList, true, 0); };
    events.array_start = [](void* context, std::size_t size) {
      of(context).container(What::kList, false, size);
    };
    events.indef_map_start = [](void* context) { of(context).container(What::kMap, true, 0); };
    events.map_start = [](void* context, std::size_t size) {
      of(context).container(What::kMap, false, size);
    };
    events.tag = [](void*, std::uint64_t) {};  // says nothing that the description does not
    events.float2 = on_float<float>;
    events.float4 = on_float<float>;
    events.float8 = on_float<double>;
    events.undefined = on_null;
    events.null = on_null;
    events.boolean = [](void* context, bool value) {
      if (of(context).may_begin()) of(context).scalar(of(context).reader_.boolean(value));
    };
    events.indef_break = [](void* context) { of(context).break_comes(); };
    return events;
  }

  DocumentEvents& reader_;
  std::vector<Open> open_;  // as deep as the reader allows
  std::string text_;
  bool ok_ = true;
  bool whole_ = false;
};

}  // namespace

bool parse_cbor(ByteView body, DocumentEvents& reader) { return Walk(reader).run(body); }

}  // namespace millrace::api
