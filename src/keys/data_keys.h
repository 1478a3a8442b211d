// keys/data_keys.h: the data keys of all streams: unwrapped when needed, and asked for again from time to
// time, so that a master key that may no longer be used is noticed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/task.h"
#include "keys/master_keys.h"
#include "keys/record_key.h"
#include "log/run_cipher.h"

namespace millrace::keys {

// Any thread.
class DataKeys final : public log::RunDecryptor {
 public:
  // All borrowed; outlive it and what it asked for. master   nullptr: no key can be unwrapped
  DataKeys(MasterKeys* master, const Clock& clock, Random& random)
      : master_(master), clock_(clock), random_(random) {}

  // Tells of a key that exists, once or again. context   of its wrapping
  void add(std::uint64_t number, const WrappedKey& wrapped, const EncryptionContext& context);
  // Its records are gone: what is kept of it is wiped.
  void remove(std::uint64_t number);

  // For writing. `here` is the loop that asks. errors   as prepare()
  Task<Result<std::shared_ptr<log::RunEncryptor>>> encryptor(std::uint64_t number, Loop& here);

  bool is_ready(std::uint64_t key) override;
  void prepare(std::uint64_t key, Loop& loop, Function<void(Result<void>)> done) override;
  Result<void> decrypt(ByteView run, Bytes& out) override;

 private:
  struct Waiter {
    Loop* loop;
    Function<void(Result<void>)> done;
  };
  struct Entry {
    WrappedKey wrapped;
    EncryptionContext context;
    std::shared_ptr<RecordKey> key;  // none until it was unwrapped, and when it may not be used
    std::int64_t holds_until_ns = 0;
    bool asked = false;
    bool removed = false;  // and goes when the answer comes
    std::vector<Waiter> waiting;
  };
  std::shared_ptr<RecordKey> ready_key(std::uint64_t number);
  void answered(std::uint64_t number, Result<Secret> secret);

  MasterKeys* master_;
  const Clock& clock_;
  Random& random_;
  std::mutex mutex_;
  std::map<std::uint64_t, Entry> entries_;
};

}  // namespace millrace::keys
