// net/body_digest.h: the SHA-256 of a body that is still arriving, so that no loop stops for a large one.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>

#include "base/assert.h"
#include "base/bytes.h"

namespace millrace::net {

// One body. One thread.
class BodyDigest {
 public:
  BodyDigest() : context_(EVP_MD_CTX_new()) {
    MR_ASSERT(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }
  void add(ByteView bytes) { MR_ASSERT(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1); }
  // Once, after the last byte.
  std::array<std::uint8_t, 32> finish() {
    std::array<std::uint8_t, 32> digest;
    MR_ASSERT(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
    return digest;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace millrace::net
