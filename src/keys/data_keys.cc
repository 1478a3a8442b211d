#include "keys/data_keys.h"

#include <fmt/format.h>

#include <utility>

#include "base/clock.h"
#include "log/run_codec.h"

namespace millrace::keys {

void DataKeys::add(std::uint64_t number, const WrappedKey& wrapped, const EncryptionContext& context) {
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = entries_.try_emplace(number);
  if (!is_new) return;
  at->second.wrapped = wrapped;
  at->second.context = context;
}

void DataKeys::remove(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(number);
  if (at == entries_.end()) return;
  // Who still waits for it is told when the answer comes.
  at->second.key.reset();
  at->second.holds_until_ns = 0;
  at->second.removed = true;
  if (!at->second.asked) entries_.erase(at);
}

// nullptr where it must be prepared first.
std::shared_ptr<RecordKey> DataKeys::ready_key(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(number);
  if (at == entries_.end() || clock_.monotonic_ns() >= at->second.holds_until_ns) return nullptr;
  return at->second.key;
}

bool DataKeys::is_ready(std::uint64_t key) { return ready_key(key) != nullptr; }

void DataKeys::prepare(std::uint64_t number, Loop& loop, Function<void(Result<void>)> done) {
  WrappedKey wrapped;
  EncryptionContext context;
  {
    const std::lock_guard lock(mutex_);
    const auto at = entries_.find(number);
    if (at == entries_.end() || master_ == nullptr) {
      return loop.post([number, done = std::move(done)]() mutable {
        done(Error{ErrorKind::kKeyNotFound, fmt::format("data key {} is not known here", number)});
      });
    }
    Entry& entry = at->second;
    entry.waiting.push_back({&loop, std::move(done)});
    if (std::exchange(entry.asked, true)) return;
    wrapped = entry.wrapped;
    context = entry.context;
  }
  master_->unwrap(wrapped, std::move(context), loop,
                  [this, number](Result<Secret> secret) { answered(number, std::move(secret)); });
}

void DataKeys::answered(std::uint64_t number, Result<Secret> secret) {
  std::vector<Waiter> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto at = entries_.find(number);
    MR_ASSERT(at != entries_.end() && at->second.asked);
    Entry& entry = at->second;
    entry.asked = false;
    waiting.swap(entry.waiting);
    if (entry.removed) {
      entries_.erase(at);
    } else if (secret.ok()) {
      if (!entry.key) entry.key = std::make_shared<RecordKey>(number, *secret, random_);
      entry.holds_until_ns = clock_.monotonic_ns() + master_->answer_holds_ms() * kNsPerMs;
    } else if (secret.error().kind != ErrorKind::kUnavailable) {
      entry.key.reset();  // wiped once nobody uses it
    }
  }
  for (Waiter& waiter : waiting) {
    waiter.loop->post([done = std::move(waiter.done),
                       outcome = secret.ok() ? Result<void>{} : Result<void>(secret.error())]() mutable {
      done(std::move(outcome));
    });
  }
}

Task<Result<std::shared_ptr<log::RunEncryptor>>> DataKeys::encryptor(std::uint64_t number, Loop& here) {
  std::shared_ptr<RecordKey> key = ready_key(number);
  while (key == nullptr) {
    auto prepared = co_await eventually<Result<void>>([&](auto done) {
      prepare(number, here, [done](Result<void> ready) mutable { done(std::move(ready)); });
    });
    if (!prepared.ok()) co_return std::move(prepared).error();
    key = ready_key(number);
  }
  co_return std::shared_ptr<log::RunEncryptor>(std::move(key));
}

Result<void> DataKeys::decrypt(ByteView run, Bytes& out) {
  const std::uint64_t number = log::load_cipher_head(run.data() + log::kRunHeaderBytes).key;
  std::shared_ptr<RecordKey> key;
  {
    const std::lock_guard lock(mutex_);
    const auto at = entries_.find(number);
    if (at != entries_.end()) key = at->second.key;
  }
  // It was ready a moment ago; another thread may have learned since that it may not be used.
  if (key == nullptr)
    return Error{ErrorKind::kUnavailable, fmt::format("data key {} has just been taken back", number)};
  return key->decrypt(run, out);
}

}  // namespace millrace::keys
