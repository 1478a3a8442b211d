#include "cluster/chain_copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/control_log.h"

namespace millrace::cluster {
namespace {

constexpr int kAttempts = 20;

struct ChainObject {
  std::string name;  // below "control"
  Bytes content;
};

// Of the objects in `folder`, which ends in '/', rising; what is no object of a chain is passed over.
Result<std::vector<std::uint64_t>> numbers_of(store::Disk& disk, std::string_view folder) {
  auto names = disk.list(fmt::format("control/{}", folder.substr(0, folder.size() - 1)));
  if (!names.ok() && names.error().kind == ErrorKind::kNotFound) return std::vector<std::uint64_t>{};
  if (!names.ok()) return std::move(names).error();
  std::vector<std::uint64_t> numbers;
  for (const std::string& name : *names)
    if (const auto object = parse_control_name(fmt::format("{}{}", folder, name)))
      numbers.push_back(object->number);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Result<ChainObject> read_object(store::Disk& disk, const std::string& folder, ControlObject kind,
                                std::uint64_t number) {
  ChainObject object{fmt::format("{}{:020}", folder, number), {}};
  const std::string path = "control/" + object.name;
  MR_ASSIGN(const auto file, disk.open(path, store::Disk::Mode::kRead));
  MR_ASSIGN(const std::uint64_t size, file->size());
  object.content.resize(static_cast<std::size_t>(size));
  MR_ASSIGN(const std::size_t read, file->read_at(0, {object.content.data(), object.content.size()}));
  object.content.resize(read);
  const auto content = unframe_control_object(kind, number, object.content.view());
  if (!content.ok())
    return Error{ErrorKind::kCorrupt, fmt::format("{}: {}", disk.describe(path), content.error().text)};
  return object;
}

// nullopt: a snapshot has replaced some of it meanwhile.
Result<std::optional<std::vector<ChainObject>>> read_chain(store::Disk& disk, const std::string& prefix) {
  std::vector<ChainObject> objects;
  MR_ASSIGN(const auto snapshots, numbers_of(disk, prefix + "snapshot/"));
  MR_ASSIGN(const auto entries, numbers_of(disk, prefix + "log/"));
  std::uint64_t last = 0;
  const auto take = [&](const std::string& folder, ControlObject kind, std::uint64_t number) -> Result<bool> {
    auto object = read_object(disk, prefix + folder, kind, number);
    if (!object.ok() && object.error().kind == ErrorKind::kNotFound) return false;
    if (!object.ok()) return std::move(object).error();
    objects.push_back(std::move(*object));
    last = number;
    return true;
  };
  if (!snapshots.empty()) {
    MR_ASSIGN(const bool there, take("snapshot/", ControlObject::kSnapshot, snapshots.back()));
    if (!there) return std::optional<std::vector<ChainObject>>{};
  }
  for (const std::uint64_t number : entries) {
    if (number <= last) continue;
    if (number != last + 1) return std::optional<std::vector<ChainObject>>{};
    MR_ASSIGN(const bool there, take("log/", ControlObject::kEntry, number));
    if (!there) return std::optional<std::vector<ChainObject>>{};
  }
  return std::optional(std::move(objects));
}

Result<void> put_and_read_back(store::ObjectStore& to, const std::string& name, ByteView content) {
  MR_TRY(to.put_if_absent(name, content));
  MR_ASSIGN(const Bytes written, to.get(name));
  if (as_text(written.view()) == as_text(content)) return {};
  return Error{ErrorKind::kCorrupt, fmt::format("{} reads back as other bytes than were written", name)};
}

}  // namespace

Result<void> copy_chain(store::Disk& from, const std::string& prefix, store::ObjectStore& to) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    MR_ASSIGN(const auto objects, read_chain(from, prefix));
    if (!objects) continue;
    for (const ChainObject& object : *objects)
      MR_TRY(put_and_read_back(to, object.name, object.content.view()));
    return {};
  }
  return Error{ErrorKind::kCorrupt,
               fmt::format("{}: an entry of the chain is missing", from.describe("control/" + prefix))};
}

Result<void> begin_chain(store::ObjectStore& to, const std::string& prefix, std::uint64_t entry,
                         std::string_view state) {
  const Bytes object = frame_control_object(ControlObject::kSnapshot, entry, state);
  return put_and_read_back(to, fmt::format("{}snapshot/{:020}", prefix, entry), object.view());
}

}  // namespace millrace::cluster
