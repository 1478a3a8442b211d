#include "leases/dynamodb/table_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "leases/dynamodb/change_codec.h"

namespace millrace::leases::dynamodb {
namespace {

constexpr std::size_t kGroupChangesMax = 4'096;          // then the others wait for the next entry
constexpr std::uint64_t kEntriesBetweenSnapshots = 256;  // or sooner:
constexpr std::uint64_t kSnapshotBytesMin = std::uint64_t{4}
                                            << 20;  // of entries, and twice the last snapshot

Outcome not_done(const Error& error) {
  // Of an entry that is perhaps written no client may think that it is not; both are retried.
  return internal_error(fmt::format("The tables could not be written: {}", error.text));
}

// Tables and indexes that pass through a status reach its end.
class MoveOn : public Command {
 public:
  Outcome run(Transaction& transaction, Bytes&) override {
    std::vector<TableInfo> moved;
    std::vector<std::string> dropped;
    for (const auto& [name, table] : transaction.tables().by_name()) {
      if (table->info().status == Status::kDeleting) {
        dropped.push_back(name);
        continue;
      }
      TableInfo info = table->info();
      bool changed = std::exchange(info.status, Status::kActive) != Status::kActive;
      std::erase_if(info.indexes, [&](const IndexInfo& index) {
        changed |= index.status == Status::kDeleting;
        return index.status == Status::kDeleting;
      });
      for (IndexInfo& index : info.indexes)
        changed |= std::exchange(index.status, Status::kActive) != Status::kActive;
      if (changed) moved.push_back(std::move(info));
    }
    for (TableInfo& info : moved) transaction.make(TableSet{std::move(info)});
    for (std::string& name : dropped) transaction.make(TableDropped{std::move(name)});
    return std::nullopt;
  }

 private:
};

// Items whose time is over go, some at a time.
class Expire : public Command {
 public:
  explicit Expire(std::int64_t now_ms) : now_s_(now_ms / 1'000) {}
  Outcome run(Transaction& transaction, Bytes&) override {
    std::vector<Change> expired;
    for (const auto& [name, table] : transaction.tables().by_name()) {
      const TableInfo& info = table->info();
      if (info.expiry_attribute.empty()) continue;
      for (const auto& [key, item] : table->rows()) {
        if (expired.size() == kAtOnceMax) break;
        if (!is_over(*item, info.expiry_attribute)) continue;
        Attributes deleted;
        for (const std::string& part : {info.key.hash, info.key.range})
          if (!part.empty()) deleted.emplace(part, item->at(part));
        expired.push_back(ItemDeleted{name, std::move(deleted)});
      }
    }
    for (Change& change : expired) transaction.make(std::move(change));
    return std::nullopt;
  }

 private:
  static constexpr std::size_t kAtOnceMax = 1'000;
  static constexpr std::int64_t kOldestS = std::int64_t{5} * 365 * 86'400;  // the service leaves older ones

  bool is_over(const Attributes& item, const std::string& attribute) const {
    const auto found = item.find(attribute);
    if (found == item.end() || !found->second.is(AttributeType::kNumber)) return false;
    const std::string& text = found->second.text();
    std::int64_t expires_s = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), expires_s);
    return error == std::errc{} && expires_s < now_s_ && expires_s > now_s_ - kOldestS;
  }

  std::int64_t now_s_;
};

}  // namespace

Result<std::shared_ptr<TableStore>> TableStore::open(cluster::Ledger::Opened opened, Loop& loop,
                                                     const Clock& clock, TableStoreOptions options) {
  std::shared_ptr<TableStore> store(new TableStore(std::move(opened.ledger), loop, clock, options));
  if (opened.snapshot.has_value()) {
    MR_TRY(replay(*opened.snapshot, store->tables_));
    store->snapshot_bytes_ = opened.snapshot->size();
  }
  for (const std::string& entry : opened.entries) {
    MR_TRY(replay(entry, store->tables_));
    store->entry_bytes_ += entry.size();
  }
  return store;
}

void TableStore::start() {
  schedule_transitions();
  expire_later();
}

Outcome TableStore::evaluate(Command& command, Transaction& transaction, Bytes& reply) {
  const std::size_t before = transaction.changes().size();
  reply.clear();
  Outcome outcome = command.run(transaction, reply);
  const bool grows = transaction.changes().size() > before;
  if (!outcome.has_value() && grows && tables_.memory_bytes() > options_.memory_bytes_max) {
    const auto adds = [](const Change& change) { return std::holds_alternative<ItemPut>(change); };
    if (std::any_of(transaction.changes().begin() + static_cast<std::ptrdiff_t>(before),
                    transaction.changes().end(), adds))
      outcome = of_service("RequestLimitExceeded",
                           fmt::format("All tables of this server together may take {} bytes of memory",
                                       options_.memory_bytes_max));
  }
  if (outcome.has_value()) transaction.roll_back(before);
  return outcome;
}

Task<Outcome> TableStore::run(Command& command, Bytes& reply) {
  if (closed_) co_return internal_error("The server is shutting down");
  auto outcome = co_await eventually<Outcome>([&](auto done) {
    waiting_.push_back({&command, &reply, std::move(done)});
    if (!std::exchange(working_, true)) spawn(work());
  });
  co_return outcome;
}

// One at a time. Between two entries memory is what is durable.
Task<void> TableStore::work() {
  const auto self = shared_from_this();
  while (!waiting_.empty()) {
    Transaction transaction(tables_);
    std::vector<std::pair<Waiting, Outcome>> group;
    while (!waiting_.empty() && transaction.changes().size() < kGroupChangesMax) {
      Waiting next = std::move(waiting_.front());
      waiting_.pop_front();
      Outcome outcome = evaluate(*next.command, transaction, *next.reply);
      if (transaction.changes().empty())
        next.done(std::move(outcome));  // it saw what is durable
      else
        group.emplace_back(std::move(next), std::move(outcome));
    }
    if (group.empty()) continue;
    std::string entry = encode(transaction.changes());
    entry_bytes_ += entry.size();
    auto written = co_await ledger_->append(std::move(entry));
    if (written.ok())
      transaction.keep();
    else
      transaction.roll_back(0);
    for (auto& [command, outcome] : group)
      command.done(written.ok() ? std::move(outcome) : not_done(written.error()));
    schedule_transitions();
    if (written.ok()) co_await snapshot_if_due();
  }
  working_ = false;
}

Task<void> TableStore::snapshot_if_due() {
  if (ledger_->since_snapshot() < kEntriesBetweenSnapshots &&
      entry_bytes_ < std::max(kSnapshotBytesMin, 2 * snapshot_bytes_))
    co_return;
  std::string state = encode(tables_);
  const std::uint64_t bytes = state.size();
  auto done = co_await ledger_->snapshot(std::move(state));
  entry_bytes_ = 0;  // after a failure too: it is tried again after as many
  if (done.ok()) snapshot_bytes_ = bytes;
}

void TableStore::schedule_transitions() {
  const auto passes = [](const auto& entry) {
    const TableInfo& info = entry.second->info();
    return info.status != Status::kActive ||
           std::any_of(info.indexes.begin(), info.indexes.end(),
                       [](const IndexInfo& index) { return index.status != Status::kActive; });
  };
  if (transition_scheduled_ || closed_ ||
      std::none_of(tables_.by_name().begin(), tables_.by_name().end(), passes))
    return;
  transition_scheduled_ = true;
  move_on_later();
}

void TableStore::move_on_later() {
  loop_.post_after(options_.transition_ms * kNsPerMs, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->closed_) return;
    self->transition_scheduled_ = false;
    spawn(self->run_own(std::make_unique<MoveOn>()));
  });
}

void TableStore::expire_later() {
  loop_.post_after(options_.expiry_every_ms * kNsPerMs, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->closed_) return;
    spawn(self->run_own(std::make_unique<Expire>(self->clock_.wall_ms())));
    self->expire_later();
  });
}

Task<void> TableStore::run_own(std::unique_ptr<Command> command) {
  const auto self = shared_from_this();
  Bytes nothing;
  co_await run(*command, nothing);
  schedule_transitions();  // once more, should it have failed
}

Task<void> TableStore::close() {
  const auto self = shared_from_this();
  class Nothing : public Command {
    Outcome run(Transaction&, Bytes&) override { return std::nullopt; }
  };
  Nothing last;
  Bytes nothing;
  co_await run(last, nothing);
  closed_ = true;
}

}  // namespace millrace::leases::dynamodb
