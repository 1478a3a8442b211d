#include "base/base64.h"

#include "base/base64_kernels.h"

namespace millrace {
namespace {

const base64_kernels::Kernel& kernel() {
  static const base64_kernels::Kernel* const chosen = [] {
    for (const auto* choice : {base64_kernels::avx512_vbmi(), base64_kernels::avx2()}) {
      if (choice != nullptr) return choice;
    }
    return base64_kernels::portable();
  }();
  return *chosen;
}

std::size_t padding_of(std::string_view text) {
  if (!text.ends_with('=')) return 0;
  return text.ends_with("==") ? 2 : 1;
}

}  // namespace

std::optional<std::size_t> base64_decoded_size(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  return text.size() / 4 * 3 - padding_of(text);
}

bool base64_decode(std::string_view text, std::uint8_t* out) {
  if (text.size() % 4 != 0) return false;
  const std::size_t padding = padding_of(text);
  if (!kernel().decode(text.data(), text.size() - padding, out)) return false;
  // Bits of the last character that belong to no byte have landed in the byte behind the last one.
  return padding == 0 || out[text.size() / 4 * 3 - padding] == 0;
}

void base64_encode(ByteView bytes, char* out) {
  kernel().encode(bytes.data(), bytes.size(), out);
  const std::size_t size = base64_encoded_size(bytes.size());
  const std::size_t padding = (3 - bytes.size() % 3) % 3;
  for (std::size_t i = 1; i <= padding; ++i) out[size - i] = '=';
}

std::optional<std::string> base64_bytes(std::string_view text) {
  const Bytes source(text);  // has what may be read behind it
  const auto size = base64_decoded_size(text);
  Bytes bytes;
  bytes.resize(size.value_or(0));
  if (!size || !base64_decode(source.text(), bytes.data())) return std::nullopt;
  return std::string(bytes.text());
}

std::string base64_text(ByteView bytes) {
  constexpr std::size_t kSlack = 64;
  const std::size_t size = base64_encoded_size(bytes.size());
  std::string text(size + kSlack, '\0');
  base64_encode(bytes, text.data());
  text.resize(size);
  return text;
}

}  // namespace millrace
