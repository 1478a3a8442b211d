#include "cluster/control_log.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "base/little_endian.h"

namespace millrace::cluster {
namespace {

constexpr std::size_t kFirstHeaderBytes = 28;  // of version 1
constexpr std::size_t kHeaderBytes = 44;
constexpr std::uint32_t kMagic = 0x4c43'524d;  // "MRCL", little-endian
constexpr std::uint16_t kFirstVersion = 1;
constexpr std::string_view kLogFolder = "log/";
constexpr std::string_view kSnapshotFolder = "snapshot/";

// To read an entry costs a start at least as much as so many bytes of a snapshot.
constexpr std::uint64_t kEntryCostMin = std::uint64_t{16} << 10;
// However small the state is, a snapshot waits for so much.
constexpr std::uint64_t kSnapshotCostMin = std::uint64_t{4} << 20;
// At once, in one change of a folder.
constexpr std::size_t kRemovedAtOnce = 64;

// Twenty digits, so that names sort as numbers do.
std::string object_name(std::string_view prefix, std::string_view folder, std::uint64_t number) {
  return fmt::format("{}{}{:020}", prefix, folder, number);
}

std::optional<std::uint64_t> number_of(std::string_view name) {
  const std::string_view digits = name.substr(name.rfind('/') + 1);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.size() != 20 || error != std::errc{} || end != digits.data() + digits.size())
    return std::nullopt;
  return number;
}

using OnFault = std::function<Result<void>(Error)>;

Result<std::vector<std::uint64_t>> numbers_in(store::ObjectStore& store, const std::string& folder,
                                              const OnFault& fault) {
  MR_ASSIGN(const auto entries, store.list(folder));
  std::vector<std::uint64_t> numbers;
  for (const auto& entry : entries) {
    if (const auto number = number_of(entry.name))
      numbers.push_back(*number);
    else
      MR_TRY(fault({ErrorKind::kCorrupt, fmt::format("{} is not an object of the control log", entry.name)}));
  }
  return numbers;
}

Result<void> as_it_is(Error error) { return error; }

class ChainReader {
 public:
  ChainReader(store::ObjectStore& store, const std::string& prefix, const store::PartMark* expected,
              const OnFault& fault)
      : store_(store), prefix_(prefix), expected_(expected), fault_(fault) {}

  Result<Chain> run() {
    MR_ASSIGN(const auto snapshots, numbers_in(store_, prefix_ + std::string(kSnapshotFolder), fault_));
    if (!snapshots.empty()) {
      chain_.mark.from = chain_.mark.number = snapshots.back();
      chain_.older_snapshots.assign(snapshots.begin(), snapshots.end() - 1);
      MR_ASSIGN(chain_.snapshot, read(kSnapshotFolder, ControlObject::kSnapshot));
    }
    chain_.snapshot_sum = std::exchange(sum_, std::nullopt);
    look_at_sum();
    MR_ASSIGN(const auto numbers, numbers_in(store_, prefix_ + std::string(kLogFolder), fault_));
    chain_.first_entry = numbers.empty() ? chain_.mark.number + 1 : numbers.front();
    for (const std::uint64_t number : numbers) {
      if (number <= chain_.mark.from) continue;  // a removal after the snapshot was cut short
      if (number != chain_.mark.number + 1)
        MR_TRY(wrong(fmt::format("{} is missing: the control log goes on with {}",
                                 object_name(prefix_, kLogFolder, chain_.mark.number + 1), number)));
      chain_.mark.number = number;
      MR_ASSIGN(auto entry, read(kLogFolder, ControlObject::kEntry));
      if (entry) chain_.entries.push_back(std::move(*entry));
      chain_.entry_sums.push_back(std::exchange(sum_, std::nullopt).value_or(0));
      look_at_sum();
    }
    MR_TRY(compare());
    chain_.mark.sum = chain_sum(chain_.snapshot_sum, chain_.entry_sums);
    return std::move(chain_);
  }

 private:
  Result<void> wrong(std::string text) { return fault_({ErrorKind::kCorrupt, std::move(text)}); }

  // The object of number mark.number; nullopt where it is damaged.
  Result<std::optional<std::string>> read(std::string_view folder, ControlObject kind) {
    const std::string name = object_name(prefix_, folder, chain_.mark.number);
    MR_ASSIGN(const Bytes bytes, store_.get(name));
    auto object = unframe_control_object(kind, chain_.mark.number, bytes.view());
    if (!object.ok()) {
      damaged_ = true;
      MR_TRY(wrong(fmt::format("{}: {}", name, object.error().text)));
      return std::optional<std::string>{};
    }
    sum_ = object_sum(bytes.view());
    if (object->origin.folder != 0) chain_.folders.emplace(object->origin.folder, name);
    if (object->origin.start > chain_.newest_start) {
      chain_.newest_start = object->origin.start;
      chain_.of_newest_start = name;
    }
    return std::optional(std::move(object->content));
  }

  void look_at_sum() {
    if (expected_ != nullptr && chain_.mark.number == expected_->number &&
        chain_.mark.from == expected_->from)
      sum_at_mark_ = chain_sum(chain_.snapshot_sum, chain_.entry_sums);
  }

  Result<void> compare() {
    if (expected_ == nullptr) return {};
    const std::string part = prefix_.substr(0, prefix_.size() - 1);
    if (chain_.mark.number == 0 && expected_->number != 0)
      return wrong(fmt::format("{} is missing, and had {} entries", part, expected_->number));
    if (chain_.mark.number < expected_->number)
      return wrong(
          fmt::format("{} ends with entry {}, and {} was written: it is older than the rest of the folder",
                      part, chain_.mark.number, expected_->number));
    if (chain_.mark.from < expected_->from)
      return wrong(fmt::format("{} is missing, or {} is older than the rest of the folder",
                               object_name(prefix_, kSnapshotFolder, expected_->from), part));
    if (!damaged_ && sum_at_mark_ && !expected_->sum.empty() && *sum_at_mark_ != expected_->sum)
      return wrong(
          fmt::format("{}: up to entry {} it is not what was written: an object in it is older or of "
                      "another folder",
                      part, expected_->number));
    return {};
  }

  store::ObjectStore& store_;
  const std::string& prefix_;
  const store::PartMark* expected_;
  const OnFault& fault_;
  Chain chain_;
  std::optional<std::uint32_t> sum_;  // of the object that was read last
  std::optional<std::string> sum_at_mark_;
  bool damaged_ = false;
};

}  // namespace

std::uint32_t object_sum(ByteView object) {
  MR_ASSERT(object.size() >= kFirstHeaderBytes);
  const bool first = load<std::uint16_t>(object.data() + 4) == kFirstVersion;
  const std::size_t crc_at = (first ? kFirstHeaderBytes : kHeaderBytes) - 4;
  MR_ASSERT(object.size() >= crc_at + 4);
  return load<std::uint32_t>(object.data() + crc_at);
}

std::string chain_sum(std::optional<std::uint32_t> snapshot, const std::vector<std::uint32_t>& entries) {
  std::uint32_t sum = 0;
  const auto go_on = [&sum](std::uint32_t object) {
    std::array<std::uint8_t, sizeof object> bytes;
    store_at<std::uint32_t>(bytes.data(), object);
    sum = crc32c(bytes, sum);
  };
  if (snapshot) go_on(*snapshot);
  for (const std::uint32_t entry : entries) go_on(entry);
  return fmt::format("{:08x}", sum);
}

std::optional<ControlName> parse_control_name(std::string_view name) {
  for (const auto& [folder, kind] :
       {std::pair(kLogFolder, ControlObject::kEntry), std::pair(kSnapshotFolder, ControlObject::kSnapshot)}) {
    const std::size_t slash = name.find('/');
    if (slash == std::string_view::npos || name.substr(slash + 1, folder.size()) != folder) continue;
    if (const auto number = number_of(name))
      return ControlName{std::string(name.substr(0, slash)), kind, *number};
  }
  return std::nullopt;
}

namespace {

std::size_t header_bytes_of(const store::Origin& origin) {
  return origin.folder == 0 ? kFirstHeaderBytes : kHeaderBytes;
}

// content_crc   of the content by itself
Bytes head_of(ControlObject kind, std::uint64_t number, std::uint64_t content_bytes,
              std::uint32_t content_crc, const store::Origin& origin) {
  const bool first = origin.folder == 0;
  const std::size_t header_bytes = header_bytes_of(origin);
  const std::size_t crc_at = header_bytes - 4;
  Bytes bytes;
  bytes.resize(header_bytes);
  std::uint8_t* at = bytes.data();
  store_at<std::uint32_t>(at, kMagic);
  store_at<std::uint16_t>(at + 4, first ? kFirstVersion : kControlVersion);
  store_at<std::uint16_t>(at + 6, static_cast<std::uint16_t>(kind));
  store_at<std::uint64_t>(at + 8, number);
  store_at<std::uint64_t>(at + 16, content_bytes);
  if (!first) {
    store_at<std::uint64_t>(at + 24, origin.folder);
    store_at<std::uint64_t>(at + 32, origin.start);
  }
  store_at<std::uint32_t>(at + crc_at,
                          crc32c_joined(crc32c(bytes.view().first(crc_at)), content_crc, content_bytes));
  return bytes;
}

}  // namespace

Bytes frame_control_object(ControlObject kind, std::uint64_t number, std::string_view content,
                           const store::Origin& origin) {
  Bytes bytes = head_of(kind, number, content.size(), crc32c(as_bytes(content)), origin);
  bytes.append(content);
  return bytes;
}

Result<ControlContent> unframe_control_object(ControlObject kind, std::uint64_t number, ByteView bytes) {
  const auto corrupt = [](std::string why) { return Error{ErrorKind::kCorrupt, std::move(why)}; };
  if (bytes.size() < kFirstHeaderBytes)
    return corrupt(fmt::format("{} bytes, shorter than a header of {}", bytes.size(), kFirstHeaderBytes));
  const std::uint8_t* at = bytes.data();
  if (load<std::uint32_t>(at) != kMagic) return corrupt("wrong magic at offset 0");
  const auto version = load<std::uint16_t>(at + 4);
  if (version != kFirstVersion && version != kControlVersion)
    return corrupt(fmt::format("version {} at offset 4; this program reads {} and {}", version, kFirstVersion,
                               kControlVersion));
  const std::size_t header_bytes = version == kFirstVersion ? kFirstHeaderBytes : kHeaderBytes;
  if (bytes.size() < header_bytes)
    return corrupt(fmt::format("{} bytes, shorter than a header of {}", bytes.size(), header_bytes));
  const std::uint64_t length = load<std::uint64_t>(at + 16);
  if (length != bytes.size() - header_bytes)
    return corrupt(fmt::format("content of {} bytes, the header at offset 16 says {}",
                               bytes.size() - header_bytes, length));
  const ByteView content = bytes.subspan(header_bytes);
  const std::size_t crc_at = header_bytes - 4;
  if (crc32c(content, crc32c(bytes.first(crc_at))) != load<std::uint32_t>(at + crc_at))
    return corrupt(fmt::format("wrong CRC32C over offsets 0 to {}", bytes.size()));
  if (load<std::uint16_t>(at + 6) != static_cast<std::uint16_t>(kind) ||
      load<std::uint64_t>(at + 8) != number)
    return corrupt("kind or number differ from the object's name");
  ControlContent object{std::string(as_text(content)), {}};
  if (version != kFirstVersion) object.origin = {load<std::uint64_t>(at + 24), load<std::uint64_t>(at + 32)};
  return object;
}

Result<Chain> read_chain(store::ObjectStore& store, const std::string& prefix,
                         const store::PartMark* expected, const OnFault& fault) {
  return ChainReader(store, prefix, expected, fault).run();
}

Result<ControlLog::Opened> ControlLog::open(store::ObjectStore& store, std::string prefix) {
  Opened opened;
  opened.log.reset(new ControlLog(store, std::move(prefix)));
  ControlLog& log = *opened.log;
  MR_ASSIGN(Chain chain, read_chain(store, log.prefix_, nullptr, as_it_is));
  log.snapshot_ = chain.mark.from;
  log.last_ = chain.mark.number;
  log.snapshots_ = std::move(chain.older_snapshots);
  log.snapshot_bytes_ = chain.snapshot ? chain.snapshot->size() : 0;
  log.first_entry_ = chain.first_entry;
  for (const std::string& entry : chain.entries) log.count(entry.size());
  opened.snapshot = std::move(chain.snapshot);
  opened.entries = std::move(chain.entries);
  return opened;
}

Result<void> ControlLog::append(std::string_view entry) {
  const std::uint64_t number = last_ + 1;
  Bytes object = frame_control_object(ControlObject::kEntry, number, entry, store_->origin());
  if (auto put = store_->put_if_absent(object_name(prefix_, kLogFolder, number), object.view()); !put.ok()) {
    if (put.error().kind != ErrorKind::kUnavailable) {
      doubtful_ = std::move(object);
      doubtful_bytes_ = entry.size();
    }
    return put;
  }
  last_ = number;
  count(entry.size());
  return {};
}

Result<void> ControlLog::confirm() {
  MR_ASSERT(!doubtful_.empty());
  MR_TRY(store_->confirm(object_name(prefix_, kLogFolder, last_ + 1), doubtful_.view()));
  ++last_;
  count(doubtful_bytes_);
  doubtful_ = Bytes();
  return {};
}

void ControlLog::count(std::size_t entry_bytes) {
  cost_ += std::max<std::uint64_t>(entry_bytes, kEntryCostMin);
}

bool ControlLog::snapshot_due() const { return cost_ >= std::max(kSnapshotCostMin, 2 * snapshot_bytes_); }

Result<std::unique_ptr<ControlLog::Snapshot>> ControlLog::begin_snapshot() {
  MR_ASSIGN(auto object,
            store_->create(object_name(prefix_, kSnapshotFolder, last_), header_bytes_of(store_->origin())));
  return std::unique_ptr<Snapshot>(new Snapshot(std::move(object), last_, cost_));
}

Result<void> ControlLog::Snapshot::append(std::string_view piece) {
  MR_TRY(object_->append(as_bytes(piece)));
  crc_ = crc32c(as_bytes(piece), crc_);
  bytes_ += piece.size();
  return {};
}

Result<void> ControlLog::end_snapshot(Snapshot& snapshot) {
  const Bytes head =
      head_of(ControlObject::kSnapshot, snapshot.number_, snapshot.bytes_, snapshot.crc_, store_->origin());
  MR_TRY(snapshot.object_->finish(head.view()));
  if (snapshot_ != 0) snapshots_.push_back(snapshot_);
  snapshot_ = snapshot.number_;
  snapshot_bytes_ = snapshot.bytes_;
  cost_ -= std::min(cost_, snapshot.cost_);
  return {};
}

Result<bool> ControlLog::remove_replaced() {
  std::vector<std::string> names;
  std::uint64_t next = first_entry_;
  for (; next <= snapshot_ && names.size() < kRemovedAtOnce; ++next)
    names.push_back(object_name(prefix_, kLogFolder, next));
  if (names.empty())
    for (const std::uint64_t number : snapshots_)
      names.push_back(object_name(prefix_, kSnapshotFolder, number));
  if (names.empty()) return false;
  MR_TRY(store_->remove(names));
  if (next == first_entry_) snapshots_.clear();
  first_entry_ = next;
  return true;
}

Result<void> ControlLog::snapshot(std::string_view state) {
  if (last_ == snapshot_) return {};
  MR_ASSIGN(const auto snapshot, begin_snapshot());
  MR_TRY(snapshot->append(state));
  MR_TRY(end_snapshot(*snapshot));
  for (;;) {
    MR_ASSIGN(const bool more, remove_replaced());
    if (!more) return {};
  }
}

}  // namespace millrace::cluster
