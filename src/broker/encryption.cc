#include "broker/encryption.h"

#include <fmt/format.h>

namespace millrace::broker {

keys::EncryptionContext encryption_context(const BrokerOptions& options, const Stream& stream) {
  return {{"aws:kinesis:arn",
           fmt::format("arn:aws:kinesis:{}:{}:stream/{}", options.region, options.account_id, stream.name)}};
}

void tell_keys(const BrokerOptions& options, const Catalog& older, const Catalog& newer,
               keys::DataKeys& keys) {
  for (const auto& [name, stream] : newer.streams) {
    if (stream->data_keys.empty() || older.find(name) == stream) continue;
    const keys::EncryptionContext context = encryption_context(options, *stream);
    for (const StreamDataKey& key : stream->data_keys)
      keys.add(key.number, {key.master_key, key.wrapped}, context);
  }
  for (const auto& [name, stream] : older.streams) {
    const auto now = newer.find(name);
    if (now == stream) continue;
    const bool is_left = now != nullptr && now->id == stream->id;
    for (const StreamDataKey& key : stream->data_keys)
      if (!is_left || now->data_keys.empty() || key.number < now->data_keys.front().number)
        keys.remove(key.number);
  }
}

}  // namespace millrace::broker
