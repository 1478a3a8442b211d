#include "leases/dynamodb/table_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "api/fault.h"
#include "base/clock.h"
#include "leases/dynamodb/change_codec.h"

namespace millrace::leases::dynamodb {
namespace {

// Of one entry; then the others wait for the next.
constexpr std::size_t kGroupChangesMax = 4'096;
constexpr std::size_t kGroupBytesMax = std::size_t{4} << 20;
// How long commands are run one behind the other before the loop's other work has its turn.
constexpr std::int64_t kRunNs = 1'000'000;
constexpr std::int64_t kTransitionRetryMs = 1'000;

// Of the items that are put.
std::size_t bytes_of(const std::vector<Change>& changes, std::size_t from) {
  std::size_t bytes = 0;
  for (std::size_t i = from; i < changes.size(); ++i)
    if (const auto* put = std::get_if<ItemPut>(&changes[i]); put != nullptr) bytes += item_bytes(*put->item);
  return bytes;
}

Outcome not_done(const Error& error) {
  // Of an entry that is perhaps written no client may think that it is not; both are retried.
  return internal_error(api::text_for_client(error));
}

// Whether a table or an index is anything but ACTIVE.
bool is_passing(const Tables& tables) {
  const auto passes = [](const auto& entry) {
    const TableInfo& info = entry.second->info();
    return info.status != Status::kActive ||
           std::any_of(info.indexes.begin(), info.indexes.end(),
                       [](const IndexInfo& index) { return index.status != Status::kActive; });
  };
  return std::any_of(tables.by_name().begin(), tables.by_name().end(), passes);
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

// Items whose time is over go; some are looked at each time that it runs.
class Expire : public Command {
 public:
  explicit Expire(std::int64_t now_ms) : now_s_(now_ms / 1'000) {}

  // Whether there are more to look at.
  bool goes_on() const { return goes_on_; }

  Outcome run(Transaction& transaction, Bytes&) override {
    std::vector<Change> expired;
    goes_on_ = false;
    std::size_t looked_at = 0;
    const auto& tables = transaction.tables().by_name();
    for (auto at = tables.lower_bound(table_); at != tables.end() && !goes_on_; ++at) {
      if (at->first != table_) behind_.reset();
      table_ = at->first;
      look_at(*at->second, looked_at, expired);
    }
    for (Change& change : expired) transaction.make(std::move(change));
    return std::nullopt;
  }

 private:
  static constexpr std::size_t kAtOnceMax = 1'000;
  static constexpr std::int64_t kOldestS = std::int64_t{5} * 365 * 86'400;  // the service leaves older ones

  void look_at(const Table& table, std::size_t& looked_at, std::vector<Change>& expired) {
    const TableInfo& info = table.info();
    if (info.expiry_attribute.empty()) return;
    auto at = behind_.has_value() ? table.rows().upper_bound(*behind_) : table.rows().begin();
    for (; at != table.rows().end(); ++at) {
      if (looked_at++ == kAtOnceMax) {
        goes_on_ = true;
        return;
      }
      behind_ = at->first;
      const Attributes& item = *at->second;
      if (!is_over(item, info.expiry_attribute)) continue;
      Attributes deleted;
      for (const std::string& part : {info.key.hash, info.key.range})
        if (!part.empty()) deleted.emplace(part, item.at(part));
      expired.push_back(ItemDeleted{table_, std::move(deleted)});
    }
  }

  bool is_over(const Attributes& item, const std::string& attribute) const {
    const auto found = item.find(attribute);
    if (found == item.end() || !found->second.is(AttributeType::kNumber)) return false;
    const std::string& text = found->second.text();
    std::int64_t expires_s = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), expires_s);
    return error == std::errc{} && expires_s < now_s_ && expires_s > now_s_ - kOldestS;
  }

  const std::int64_t now_s_;
  std::string table_;             // where it goes on, …
  std::optional<RowKey> behind_;  // … behind this row of it
  bool goes_on_ = false;
};

}  // namespace

Result<std::shared_ptr<TableStore>> TableStore::open(cluster::Ledger::Opened opened, Loop& loop,
                                                     const Clock& clock, TableStoreOptions options) {
  std::shared_ptr<TableStore> store(new TableStore(std::move(opened.ledger), loop, clock, options));
  if (opened.snapshot.has_value()) {
    MR_TRY(replay(*opened.snapshot, store->tables_));
  }
  for (const std::string& entry : opened.entries) {
    MR_TRY(replay(entry, store->tables_));
  }
  store->count_memory();
  store->ledger_->when_held(
      [weak = std::weak_ptr(store)](std::string entry) { return apply_held(weak.lock(), std::move(entry)); });
  return store;
}

void TableStore::start() {
  if (is_passing(tables_)) spawn(end_transitions());
  expire_later();
}

Outcome TableStore::evaluate(Command& command, Transaction& transaction, Bytes& reply) {
  const std::size_t before = transaction.changes().size();
  const std::uint64_t bytes_before = tables_.memory_bytes();
  reply.clear();
  Outcome outcome = command.guard ? command.guard(tables_) : std::nullopt;
  if (outcome.has_value()) return outcome;
  outcome = command.run(transaction, reply);
  const std::uint64_t bytes = tables_.memory_bytes();
  if (!outcome.has_value() && bytes > bytes_before && bytes > options_.memory->bytes_max())
    outcome = of_service("RequestLimitExceeded",
                         fmt::format("All tables of this server together may take {} bytes of memory",
                                     options_.memory->bytes_max()));
  if (outcome.has_value()) transaction.roll_back(before);
  return outcome;
}

void TableStore::count_memory() {
  const auto picture = picture_.lock();
  const std::uint64_t bytes = tables_.memory_bytes() + (picture != nullptr ? picture->bytes() : 0);
  options_.memory->change(std::exchange(counted_bytes_, bytes), bytes);
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
    std::size_t bytes = 0;
    const std::int64_t end_ns = clock_.monotonic_ns() + kRunNs;
    do {
      Waiting next = std::move(waiting_.front());
      waiting_.pop_front();
      const std::size_t before = transaction.changes().size();
      Outcome outcome = evaluate(*next.command, transaction, *next.reply);
      bytes += bytes_of(transaction.changes(), before);
      if (transaction.changes().empty())
        next.done(std::move(outcome));  // it saw what is durable
      else
        group.emplace_back(std::move(next), std::move(outcome));
    } while (!waiting_.empty() && transaction.changes().size() < kGroupChangesMax && bytes < kGroupBytesMax &&
             clock_.monotonic_ns() < end_ns);
    if (group.empty()) {
      if (!waiting_.empty()) co_await sleep_for(loop_, 0);
      continue;
    }
    const std::vector<Change>& changes = transaction.changes();
    auto appending = ledger_->append([&changes] { return encode(changes); });
    auto written = co_await std::move(appending);
    if (written.ok())
      ledger_->aside([replaced = transaction.keep()] {});
    else
      transaction.roll_back(0);
    for (auto& [command, outcome] : group)
      command.done(written.ok() ? std::move(outcome) : not_done(written.error()));
    if (written.ok()) snapshot_if_due();
    count_memory();
  }
  working_ = false;
}

// Between two commands: while an entry is in doubt no other is written, and each that tried was taken back.
Task<void> TableStore::apply_held(std::shared_ptr<TableStore> self, std::string entry) {
  if (self == nullptr) co_return;
  auto applied = replay(entry, self->tables_);
  MR_ASSERT(applied.ok());
  self->count_memory();
}

// Beside the commands that follow, since what it reads stays as it is now.
void TableStore::snapshot_if_due() {
  if (closed_ || !ledger_->snapshot_due()) return;
  auto picture = std::make_shared<Picture>(tables_);
  picture_ = picture;
  ledger_->snapshot(std::move(picture));
}

Task<void> TableStore::end_transitions() {
  const auto self = shared_from_this();
  Task<void> ending = run_own(std::make_unique<MoveOn>());
  co_await std::move(ending);
  if (closed_ || !is_passing(tables_)) co_return;
  loop_.post_after(kTransitionRetryMs * kNsPerMs, [weak = weak_from_this()] {
    const auto store = weak.lock();
    if (store && !store->closed_) spawn(store->end_transitions());
  });
}

void TableStore::expire_later() {
  loop_.post_after(options_.expiry_every_ms * kNsPerMs, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && !self->closed_) spawn(self->expire());
  });
}

Task<void> TableStore::expire() {
  const auto self = shared_from_this();
  const auto now_ms = clock_.believed_ms();
  if (!now_ms) {
    expire_later();
    co_return;
  }
  Expire expire(*now_ms);
  Bytes nothing;
  Outcome outcome;
  do {
    auto running = run(expire, nothing);
    outcome = co_await std::move(running);
  } while (!outcome.has_value() && expire.goes_on());
  expire_later();
}

Task<void> TableStore::run_own(std::unique_ptr<Command> command) {
  const auto self = shared_from_this();
  Bytes nothing;
  co_await run(*command, nothing);
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
  co_await ledger_->end_snapshot();
}

}  // namespace millrace::leases::dynamodb
