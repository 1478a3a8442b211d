// The controller's commands about consumers, and about what consumers and streams alike have: tags, policies.
#include <fmt/format.h>

#include "base/clock.h"
#include "broker/controller.h"

namespace millrace::broker {
namespace {

const Consumer* consumer_by_id(const Stream& stream, std::uint64_t id) {
  for (const auto& [name, consumer] : stream.consumers)
    if (consumer.id == id) return &consumer;
  return nullptr;
}

}  // namespace

Task<Result<void>> Controller::register_consumer(RegisterConsumer request) {
  co_await Turn::wait(*this);
  const Turn turn(*this);
  const auto stream = catalog_->find(request.stream);
  if (stream == nullptr) co_return Error{ErrorKind::kNotFound, fmt::format("no stream {}", request.stream)};
  if (stream->status != StreamStatus::kActive && stream->status != StreamStatus::kUpdating)
    co_return Error{ErrorKind::kConflict, fmt::format("stream {} is not ACTIVE", request.stream)};
  if (stream->find_consumer(request.name) == nullptr &&
      stream->consumers.size() >= options_.consumers_per_stream_max)
    co_return Error{ErrorKind::kLimit, fmt::format("stream {} has {} consumers, which is the limit",
                                                   request.stream, stream->consumers.size())};
  const std::uint64_t id = stream->id;
  const std::uint64_t consumer = catalog_->next_consumer_id;
  CatalogChange registered = ConsumerRegistered{.id = id,
                                                .name = std::move(request.name),
                                                .kind = ConsumerKind::kFanOut,
                                                .now_ms = environment_.clock.wall_ms(),
                                                .tags = std::move(request.tags)};
  auto committed = co_await commit(std::move(registered));
  if (committed.ok()) advance_consumer_later(id, consumer, options_.transition_ms);
  co_return committed;
}

Task<Result<void>> Controller::deregister_consumer(std::string name, std::uint64_t id) {
  co_await Turn::wait(*this);
  const Turn turn(*this);
  const auto stream = catalog_->find(name);
  const Consumer* consumer = stream == nullptr ? nullptr : consumer_by_id(*stream, id);
  if (consumer == nullptr)
    co_return Error{ErrorKind::kNotFound, fmt::format("no consumer of id {} of stream {}", id, name)};
  if (consumer->status == ConsumerStatus::kDeleting) co_return Result<void>{};
  CatalogChange deleting = ConsumerDeleting{stream->id, id};
  auto committed = co_await commit(std::move(deleting));
  if (committed.ok()) advance_consumer_later(stream->id, id, options_.transition_ms);
  co_return committed;
}

Task<Result<void>> Controller::change_tags(std::string name, std::optional<std::uint64_t> consumer_id,
                                           std::map<std::string, std::string> set,
                                           std::vector<std::string> removed) {
  co_await Turn::wait(*this);
  const Turn turn(*this);
  const auto stream = catalog_->find(name);
  if (stream == nullptr || (consumer_id && consumer_by_id(*stream, *consumer_id) == nullptr))
    co_return Error{ErrorKind::kNotFound, fmt::format("no stream {}, or no such consumer of it", name)};
  CatalogChange tags = TagsChanged{stream->id, consumer_id, std::move(set), std::move(removed)};
  auto committed = co_await commit(std::move(tags));
  co_return committed;
}

Task<Result<void>> Controller::set_policy(std::string name, std::optional<std::uint64_t> consumer_id,
                                          std::optional<std::string> policy) {
  co_await Turn::wait(*this);
  const Turn turn(*this);
  const auto stream = catalog_->find(name);
  const Consumer* consumer =
      stream == nullptr || !consumer_id ? nullptr : consumer_by_id(*stream, *consumer_id);
  if (stream == nullptr || (consumer_id && consumer == nullptr))
    co_return Error{ErrorKind::kNotFound, fmt::format("no stream {}, or no such consumer of it", name)};
  const bool active = consumer != nullptr ? consumer->status == ConsumerStatus::kActive
                                          : stream->status == StreamStatus::kActive;
  if (!active) co_return Error{ErrorKind::kConflict, "it is not ACTIVE"};
  if (!policy && (consumer != nullptr ? consumer->policy : stream->policy) == nullptr)
    co_return Error{ErrorKind::kNotFound, "it has no policy"};
  CatalogChange set = PolicySet{stream->id, consumer_id, std::move(policy)};
  auto committed = co_await commit(std::move(set));
  co_return committed;
}

void Controller::advance_consumer_later(std::uint64_t stream, std::uint64_t consumer, std::int64_t delay_ms) {
  const auto owner = by_id(stream);
  const Consumer* now = owner == nullptr ? nullptr : consumer_by_id(*owner, consumer);
  if (now == nullptr) return;
  loop_.post_after(delay_ms * kNsPerMs, [weak = weak_from_this(), stream, consumer, from = now->status] {
    if (const auto self = weak.lock(); self && !self->closed_)
      spawn(self->advance_consumer(stream, consumer, from));
  });
}

Task<void> Controller::advance_consumer(std::uint64_t stream_id, std::uint64_t id, ConsumerStatus from) {
  co_await Turn::wait(*this);
  const Turn turn(*this);
  const auto stream = by_id(stream_id);
  const Consumer* consumer = stream == nullptr ? nullptr : consumer_by_id(*stream, id);
  if (consumer == nullptr || consumer->status != from || closed_) co_return;
  Result<void> moved;
  CatalogChange change;
  switch (consumer->status) {
    case ConsumerStatus::kActive:
      break;
    case ConsumerStatus::kCreating:
      change = ConsumerActivated{stream_id, id};
      moved = co_await commit(std::move(change));
      break;
    case ConsumerStatus::kDeleting:
      change = ConsumerDeleted{stream_id, id};
      moved = co_await commit(std::move(change));
      break;
  }
  if (moved.ok()) co_return;
  environment_.warn(fmt::format("consumer {} of stream {} stays as it is for now: {}", consumer->name,
                                stream->name, moved.error().text));
  advance_consumer_later(stream_id, id, kRetryMs);
}

}  // namespace millrace::broker
