// base/md5_kernels.h: the ways to hash many keys, for md5.cc to choose from and for tests to compare.
#pragma once

#include <span>

#include "base/md5.h"

namespace millrace::md5_kernels {

// As md5_each(); null where this build or this machine cannot run it.
using Kernel = void (*)(std::span<const ByteView> keys, std::span<Md5Digest> digests);

Kernel one_by_one();
Kernel avx2();    // 8 lanes
Kernel avx512();  // 16 lanes

}  // namespace millrace::md5_kernels
