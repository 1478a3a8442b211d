// kms/front_door.h: the key service's API over HTTP: JSON 1.1, X-Amz-Target TrentService.…
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "identity/authorizer.h"
#include "identity/sigv4.h"
#include "keys/key_service.h"
#include "net/http.h"

namespace millrace::api {
class RandomPool;
}

namespace millrace::kms {

class FrontDoor {
 public:
  // All borrowed; outlive it, and it outlives every request that it was given.
  FrontDoor(keys::KeyService& service, const identity::Verifier& verifier,
            const identity::Authorizer& authorizer, const Clock& clock, Random& random);
  ~FrontDoor();
  FrontDoor(const FrontDoor&) = delete;

  // Whether a request is for this door, by its X-Amz-Target.
  static bool takes(const net::Request& request);
  // thread   the connection's loop (request->loop); many at once
  void handle(std::unique_ptr<net::Request> request, net::Responder responder);

 private:
  friend class RequestCourse;
  api::RandomPool& pool_of(const Loop& loop);
  static constexpr std::size_t kLoopsMax = 256;

  keys::KeyService& service_;
  const identity::Verifier& verifier_;
  const identity::Authorizer& authorizer_;
  const Clock& clock_;
  Random& random_;
  std::array<std::atomic<api::RandomPool*>, kLoopsMax> pools_{};  // made by its loop when it is first used
};

}  // namespace millrace::kms
