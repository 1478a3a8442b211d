#include "base/md5.h"

#include "base/assert.h"
#include "base/md5_kernels.h"

namespace millrace {

void md5_each(std::span<const ByteView> keys, std::span<Md5Digest> digests) {
  static const md5_kernels::Kernel kernel = [] {
    for (const auto choice : {md5_kernels::avx512(), md5_kernels::avx2()}) {
      if (choice != nullptr) return choice;
    }
    return md5_kernels::one_by_one();
  }();
  MR_ASSERT(keys.size() == digests.size());
  kernel(keys, digests);
}

Md5Digest md5(ByteView key) {
  Md5Digest digest;
  md5_kernels::one_by_one()({&key, 1}, {&digest, 1});
  return digest;
}

}  // namespace millrace
