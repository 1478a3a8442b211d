// base/conditions.h: what is wrong with this process at the moment, for the people who run it. A part reports
// where it notices; /readyz, /metrics and the log show it.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

struct Condition {
  std::string name;    // "data_folder": a label of /metrics, the same each time
  std::string reason;  // one sentence for anybody: no paths, no names of streams or users
  std::string detail;  // for the log alone
};

// Any thread.
class Conditions {
 public:
  // Called once when a condition begins and once when it ends, on the thread that reports it.
  using Told = std::function<void(const Condition& condition, bool begins)>;
  explicit Conditions(Told told = {}) : told_(std::move(told)) {}

  // Does nothing when a condition of that name holds already.
  void begin(Condition condition);
  // Does nothing when it does not hold.
  void end(std::string_view name);

  // Those that hold, by name.
  std::vector<Condition> holding() const;
  // All that ever began, and whether each holds now.
  std::map<std::string, bool> seen() const;

 private:
  struct State {
    Condition condition;
    bool holds = false;
  };
  const Told told_;
  mutable std::mutex mutex_;
  std::map<std::string, State, std::less<>> states_;
};

}  // namespace millrace
