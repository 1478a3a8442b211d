// leases/gzip.h: bodies that clients have compressed (SDKs do, of large PutMetricData requests).
#pragma once

#include <cstddef>
#include <optional>

#include "base/bytes.h"

namespace millrace::leases {

// nullopt: not gzip, cut short, or more than `bytes_max` when inflated. Any thread.
std::optional<Bytes> gunzip(ByteView compressed, std::size_t bytes_max);

}  // namespace millrace::leases
