// examples/demo/behaviour.h: people on a shop's pages: sessions of page views, clicks, searches and
// purchases. The model is described in docs/demo.md, and the same seed gives the same events.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dice.h"

namespace millrace::demo {

// Borrowed until the model's next call.
struct BehaviourEvent {
  std::string_view user;  // the partition key: "u-48213"
  std::string_view json;  // one object, without the time
};

class Behaviour {
 public:
  explicit Behaviour(std::uint64_t seed);

  // The next event of one of the sessions under way.
  BehaviourEvent next();

 private:
  enum class Kind : std::uint8_t { kPageView, kClick, kSearch, kPurchase };
  struct Session {
    std::uint64_t user;
    std::uint64_t id;
    std::uint64_t page;
    Kind last;
    const char* device;
    bool begun;
  };

  Session begin_session();
  // page_before   0: the session begins here
  void write(const Session& session, std::uint64_t page_before);

  Dice dice_;
  Zipf users_;
  Zipf pages_;
  Zipf words_;
  std::vector<Session> sessions_;
  std::string user_;
  std::string json_;
};

}  // namespace millrace::demo
