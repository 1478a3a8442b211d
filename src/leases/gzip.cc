#include "leases/gzip.h"

#include <zlib.h>

#include <algorithm>

namespace millrace::leases {

std::optional<Bytes> gunzip(ByteView compressed, std::size_t bytes_max) {
  constexpr int kGzipOnly = 16;
  constexpr std::size_t kPiece = 64 * 1'024;
  z_stream stream{};
  if (inflateInit2(&stream, kGzipOnly + MAX_WBITS) != Z_OK) return std::nullopt;
  stream.next_in = const_cast<Bytef*>(compressed.data());  // zlib only reads it
  stream.avail_in = static_cast<uInt>(compressed.size());
  Bytes inflated;
  int status = Z_OK;
  while (status == Z_OK && inflated.size() < bytes_max) {
    const std::size_t room = std::min(kPiece, bytes_max - inflated.size());
    stream.next_out = inflated.prepare(room);
    stream.avail_out = static_cast<uInt>(room);
    status = inflate(&stream, Z_NO_FLUSH);
    inflated.commit(room - stream.avail_out);
    if (status == Z_OK && stream.avail_out == room) break;  // it wants input that is not there
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END) return std::nullopt;
  return inflated;
}

}  // namespace millrace::leases
