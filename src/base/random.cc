#include "base/random.h"

#include <sys/random.h>

#include "base/assert.h"

namespace millrace {
namespace {

class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (std::size_t done = 0; done < out.size();) {
      const ssize_t got = getrandom(out.data() + done, out.size() - done, 0);
      MR_ASSERT(got > 0);
      done += static_cast<std::size_t>(got);
    }
  }
};

}  // namespace

Random& system_random() {
  static SystemRandom random;
  return random;
}

}  // namespace millrace
