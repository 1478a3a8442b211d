// api/event_log.h: what front doors tell the people who run the server: who changed what, and who was
// refused.
#pragma once

#include <string_view>

#include "identity/sigv4.h"
#include "net/http.h"

namespace millrace::api {

// Everything in these is borrowed for the call.
struct Refused {
  const net::Request& request;
  const identity::Caller* caller;  // nullptr: the request was refused before anybody knew who sent it
  std::string_view operation;      // "PutRecord"; empty: none that is known
  std::string_view code;           // "ResourceNotFoundException"
  std::string_view message;
  int status;  // 400 to 599
};
struct Changed {
  const net::Request& request;
  const identity::Caller& caller;
  std::string_view operation;
  std::string_view resource;  // its ARN, or its name
};
struct CutOff {  // a consumer's event stream that the server ended with an error
  std::string_view stream;
  std::string_view consumer;
  std::string_view shard;
  std::string_view code;
  std::string_view message;
};

// Called on any thread, many at once; does not block for long.
class EventLog {
 public:
  virtual ~EventLog() = default;
  virtual void refused(const Refused& event) = 0;
  virtual void changed(const Changed& event) = 0;
  virtual void cut_off(const CutOff& event) = 0;
};

// From now on events go to `log`, which is borrowed and outlives all front doors; until then, and with
// nullptr, they are dropped. Any thread.
void tell_events_to(EventLog* log);

void tell(const Refused& event);
// Operations that only look or only carry data are not told of.
void tell(const Changed& event);
void tell(const CutOff& event);

}  // namespace millrace::api
