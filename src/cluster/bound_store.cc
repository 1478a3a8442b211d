#include "cluster/bound_store.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "cluster/control_log.h"

namespace millrace::cluster {
namespace {

class BoundStore final : public store::ObjectStore {
 public:
  BoundStore(std::unique_ptr<store::ObjectStore> inner, store::Origin origin, store::PartMarks& marks,
             std::string parts, std::map<std::string, Chain> chains)
      : inner_(std::move(inner)),
        origin_(origin),
        marks_(marks),
        parts_(std::move(parts)),
        chains_(std::move(chains)) {}

  Result<void> put_if_absent(std::string_view name, ByteView content) override {
    auto put = inner_->put_if_absent(name, content);
    if (put.ok()) note(name, content);
    return put;
  }
  Result<void> confirm(std::string_view name, ByteView content) override {
    auto confirmed = inner_->confirm(name, content);
    if (confirmed.ok()) note(name, content);
    return confirmed;
  }
  Result<Bytes> get(std::string_view name) override { return inner_->get(name); }
  Result<Bytes> get_range(std::string_view name, std::uint64_t offset, std::uint64_t length) override {
    return inner_->get_range(name, offset, length);
  }
  Result<std::vector<Entry>> list(std::string_view prefix) override { return inner_->list(prefix); }
  Result<void> remove(std::span<const std::string> names) override { return inner_->remove(names); }
  Result<std::unique_ptr<Writer>> create(std::string_view name, std::size_t head_bytes) override {
    MR_ASSIGN(auto writer, inner_->create(name, head_bytes));
    return std::unique_ptr<Writer>(
        std::make_unique<NotingWriter>(*this, std::string(name), std::move(writer)));
  }
  store::Origin origin() const override { return origin_; }

 private:
  class NotingWriter final : public Writer {
   public:
    NotingWriter(BoundStore& store, std::string name, std::unique_ptr<Writer> inner)
        : store_(store), name_(std::move(name)), inner_(std::move(inner)) {}
    Result<void> append(ByteView piece) override { return inner_->append(piece); }
    Result<void> finish(ByteView head) override {
      auto finished = inner_->finish(head);
      if (finished.ok()) store_.note(name_, head);
      return finished;
    }

   private:
    BoundStore& store_;
    const std::string name_;
    const std::unique_ptr<Writer> inner_;
  };

  // object   its head at least
  void note(std::string_view name, ByteView object) {
    const auto known = parse_control_name(name);
    if (!known) return;
    const std::lock_guard lock(mutex_);
    Chain& chain = chains_[known->chain];
    if (known->kind == ControlObject::kEntry)
      add_entry(chain, known->number, object_sum(object));
    else
      add_snapshot(chain, known->number, object_sum(object));
    // One between was perhaps put and not told: then the sum is not known until a snapshot has replaced it.
    const bool whole = chain.mark.number - chain.mark.from == chain.entry_sums.size();
    chain.mark.sum = whole ? chain_sum(chain.snapshot_sum, chain.entry_sums) : std::string();
    marks_.note(parts_ + "/" + known->chain, chain.mark);
  }

  static void add_entry(Chain& chain, std::uint64_t number, std::uint32_t sum) {
    if (number <= chain.mark.number) return;  // noted already
    if (number != chain.mark.number + 1) chain.entry_sums.clear();
    chain.entry_sums.push_back(sum);
    chain.mark.number = number;
  }

  static void add_snapshot(Chain& chain, std::uint64_t number, std::uint32_t sum) {
    const std::uint64_t after = chain.mark.number > number ? chain.mark.number - number : 0;
    if (chain.entry_sums.size() > after)
      chain.entry_sums.erase(chain.entry_sums.begin(),
                             chain.entry_sums.end() - static_cast<std::ptrdiff_t>(after));
    chain.snapshot_sum = sum;
    chain.mark.from = number;
    chain.mark.number = std::max(chain.mark.number, number);
  }

  const std::unique_ptr<store::ObjectStore> inner_;
  const store::Origin origin_;
  store::PartMarks& marks_;
  const std::string parts_;
  std::mutex mutex_;
  std::map<std::string, Chain> chains_;
};

}  // namespace

std::unique_ptr<store::ObjectStore> bind_store(std::unique_ptr<store::ObjectStore> inner,
                                               store::Origin origin, store::PartMarks& marks,
                                               std::string parts, std::map<std::string, Chain> chains) {
  return std::make_unique<BoundStore>(std::move(inner), origin, marks, std::move(parts), std::move(chains));
}

}  // namespace millrace::cluster
