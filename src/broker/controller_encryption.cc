// The controller's commands that encrypt streams, and the change of their data keys.
#include <fmt/format.h>

#include "broker/controller.h"
#include "broker/encryption.h"

namespace millrace::broker {
namespace {

// by_owner   who wants another key; else it is the server, who renews the data key
EncryptionSet encryption_set(const Stream& stream, std::string key_id, keys::MadeKey made,
                             std::int64_t now_ms, bool by_owner) {
  return {stream.id, std::move(key_id),
          EncryptionSet::DataKey{now_ms, std::move(made.wrapped.master_key), std::move(made.wrapped.blob)},
          by_owner, by_owner ? std::optional(now_ms) : std::nullopt};
}

}  // namespace

Task<Result<keys::MadeKey>> Controller::make_data_key(std::shared_ptr<const Stream> stream,
                                                      std::string key_id) {
  if (options_.master_keys == nullptr)
    co_return Error{ErrorKind::kUnavailable, "this server has no key service: streams cannot be encrypted"};
  auto made = co_await eventually<Result<keys::MadeKey>>([&](auto done) {
    options_.master_keys->generate(key_id, encryption_context(options_, *stream), loop_,
                                   [done](Result<keys::MadeKey> answer) mutable { done(std::move(answer)); });
  });
  co_return made;
}

Task<Result<void>> Controller::start_encryption(std::string name, std::string key_id,
                                                Broker::KeyCheck may_use) {
  const auto self = shared_from_this();
  const auto before = active_stream(name);
  if (!before.ok()) co_return before.error();
  // Another key service may take its time: other commands go on meanwhile.
  auto made = co_await make_data_key(*before, key_id);
  if (!made.ok()) co_return std::move(made).error();
  if (auto allowed = may_use(made->wrapped.master_key); !allowed.ok()) co_return allowed;
  co_await Turn::wait(*this);
  const Turn turn(*this);
  const auto found = active_stream(name);
  if (!found.ok()) co_return found.error();
  if (auto often = check_day(**found, Counted::kEncryptionStart); !often.ok()) co_return often;
  const std::uint64_t id = (*found)->id;
  CatalogChange change =
      encryption_set(**found, std::move(key_id), std::move(*made), environment_.clock.wall_ms(), true);
  auto committed = co_await commit(std::move(change));
  if (committed.ok()) advance_later(id, options_.transition_ms);
  co_return committed;
}

Task<Result<void>> Controller::stop_encryption(std::string name) {
  const auto self = shared_from_this();
  co_await Turn::wait(*this);
  const Turn turn(*this);
  const auto found = active_stream(name);
  if (!found.ok()) co_return found.error();
  if (auto often = check_day(**found, Counted::kEncryptionStop); !often.ok()) co_return often;
  const std::uint64_t id = (*found)->id;
  CatalogChange change = EncryptionSet{id, {}, std::nullopt, true, environment_.clock.wall_ms()};
  auto committed = co_await commit(std::move(change));
  if (committed.ok()) advance_later(id, options_.transition_ms);
  co_return committed;
}

Task<void> Controller::renew_data_keys() {
  if (options_.master_keys == nullptr) co_return;
  const std::int64_t now_ms = environment_.clock.wall_ms();
  const auto catalog = catalog_;
  for (const auto& [name, stream] : catalog->streams) {
    if (stream->key_id.empty() || stream->status != StreamStatus::kActive ||
        now_ms - stream->data_keys.back().made_ms < options_.data_key_ms)
      continue;
    auto made = co_await make_data_key(stream, stream->key_id);
    if (!made.ok()) continue;  // its owner may have disabled it; the next round asks again
    co_await Turn::wait(*this);
    const Turn turn(*this);
    const auto now = catalog_->find(name);
    const bool same = now != nullptr && now->id == stream->id && now->key_id == stream->key_id &&
                      now->data_keys.size() == stream->data_keys.size() && !closed_;
    if (!same) continue;
    CatalogChange change = encryption_set(*now, now->key_id, std::move(*made), now_ms, false);
    auto committed = co_await commit(std::move(change));
    if (!committed.ok()) co_return;
  }
}

Task<void> Controller::drop_data_keys() {
  const auto old = old_data_keys_;
  for (const auto& [id, keys] : old) {
    co_await Turn::wait(*this);
    const Turn turn(*this);
    const auto stream = by_id(id);
    if (closed_) co_return;
    if (stream == nullptr) old_data_keys_.erase(id);
    if (stream == nullptr || stream->status != StreamStatus::kActive) continue;
    auto dropping = drop_data_keys_of(stream);
    co_await std::move(dropping);
  }
}

// In a turn.
Task<void> Controller::drop_data_keys_of(std::shared_ptr<const Stream> stream) {
  OldDataKeys& old = old_data_keys_.at(stream->id);
  std::vector<std::vector<std::pair<std::uint32_t, Result<log::Extent>>>> found(board_.loops());
  co_await board_.on_each_loop([&](std::size_t loop) {
    for (const Shard& shard : stream->shards)
      if (log::loop_of(shard.key, board_.loops()) == loop)
        found[loop].emplace_back(shard.index, log_.extent(shard.key));
  });
  DataKeysDropped dropped{stream->id, old.before, {}};
  const bool is_first = old.ends.empty();
  for (const auto& extents : found)
    for (const auto& [index, extent] : extents) {
      if (!extent.ok()) co_return;
      if (is_first) old.ends.emplace(index, extent->end_offset);
      // A shard that came later has no record by an old key.
      const auto end = old.ends.find(index);
      if (end == old.ends.end()) continue;
      if (extent->first_offset < end->second) {
        if (!is_first) co_return;
        continue;
      }
      dropped.kept_from.emplace(index, end->second);
    }
  if (is_first && dropped.kept_from.size() < old.ends.size()) co_return;
  CatalogChange change = std::move(dropped);
  auto committed = co_await commit(std::move(change));
  if (committed.ok()) old_data_keys_.erase(stream->id);
}

}  // namespace millrace::broker
