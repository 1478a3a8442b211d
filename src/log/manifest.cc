#include "log/manifest.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crc32c.h"
#include "base/little_endian.h"

namespace millrace::log {

namespace {

constexpr std::uint32_t kManifestMagic = 0x464d524d;  // "MRMF"
constexpr std::size_t kManifestHeadBytes = 48;
constexpr std::size_t kOriginBytes = 16;
constexpr std::size_t kLoopBytes = 56;
constexpr std::size_t kFileBytes = 16;
constexpr std::size_t kSegmentBytes = 24;
constexpr std::size_t kFloorBytes = 16;
constexpr std::size_t kLostBytes = 16;
constexpr std::size_t kClockBytes = 8;
constexpr std::size_t kSkipBytes = 16;
constexpr std::size_t kCrcBytes = 4;
constexpr std::uint32_t kLoopsMax = 256;

class Writer {
 public:
  explicit Writer(Bytes& out) : out_(out) {}
  template <typename T>
  void put(std::type_identity_t<T> value) {
    out_.append(&value, sizeof value);
  }

 private:
  Bytes& out_;
};

// Reads numbers; the caller has checked that they are there.
class ManifestReader {
 public:
  explicit ManifestReader(ByteView bytes) : bytes_(bytes) {}
  std::size_t left() const { return bytes_.size(); }
  template <typename T>
  T get() {
    MR_ASSERT(bytes_.size() >= sizeof(T));
    const T value = load<T>(bytes_.data());
    bytes_ = bytes_.subspan(sizeof(T));
    return value;
  }

 private:
  ByteView bytes_;
};

Error corrupt(std::string text) { return {ErrorKind::kCorrupt, std::move(text)}; }

Result<LoopManifest> read_loop(ManifestReader& reader) {
  if (reader.left() < kLoopBytes) return corrupt("it ends within its list of loops");
  LoopManifest loop;
  loop.last_arrival_ms = reader.get<std::int64_t>();
  loop.next_file = reader.get<std::uint64_t>();
  loop.position.file = reader.get<std::uint64_t>();
  loop.position.generation = reader.get<std::uint64_t>();
  loop.position.offset = reader.get<std::uint64_t>();
  loop.position.sequence = reader.get<std::uint64_t>();
  const auto files = reader.get<std::uint64_t>();
  if (files > reader.left() / kFileBytes) return corrupt("it ends within its list of journal files");
  for (std::uint64_t i = 0; i < files; ++i) {
    const auto number = reader.get<std::uint64_t>();
    const auto bytes = reader.get<std::uint64_t>();
    if (!loop.files.empty() && number <= loop.files.back().number)
      return corrupt("its journal files are not in order");
    loop.files.push_back({number, bytes});
  }
  return loop;
}

// The caller has checked that the bytes are there.
Result<void> read_clock(ManifestReader& reader, std::uint32_t skips, ClockMark& clock) {
  clock.shown_ms = reader.get<std::int64_t>();
  for (std::uint32_t i = 0; i < skips; ++i) {
    const auto from_ms = reader.get<std::int64_t>();
    const auto skipped_ms = reader.get<std::int64_t>();
    const bool rises = clock.skips.empty() ||
                       (from_ms > clock.skips.back().from_ms && skipped_ms >= clock.skips.back().skipped_ms);
    if (from_ms < 0 || skipped_ms < 0 || skipped_ms > from_ms || !rises)
      return corrupt("its clock's skips do not rise");
    clock.skips.push_back({from_ms, skipped_ms});
  }
  return {};
}

}  // namespace

void add_segment(Manifest& manifest, const SegmentEntry& entry) {
  const auto at =
      std::lower_bound(manifest.segments.begin(), manifest.segments.end(), entry,
                       [](const SegmentEntry& a, const SegmentEntry& b) { return a.number < b.number; });
  manifest.segments.insert(at, entry);
  manifest.next_segment = std::max(manifest.next_segment, entry.number + 1);
}

Bytes encode_manifest(const Manifest& manifest, std::uint64_t number) {
  std::uint32_t lost = 0;
  for (const auto& [segment, positions] : manifest.lost) lost += static_cast<std::uint32_t>(positions.size());
  Bytes out;
  Writer writer(out);
  writer.put<std::uint32_t>(kManifestMagic);
  const bool first = manifest.origin.folder == 0 && lost == 0;
  writer.put<std::uint16_t>(lost != 0 ? kManifestVersionWithLost
                            : first   ? kFirstManifestVersion
                                      : kManifestVersion);
  const bool has_clock = manifest.clock != ClockMark{};
  writer.put<std::uint16_t>(static_cast<std::uint16_t>(has_clock ? manifest.clock.skips.size() + 1 : 0));
  writer.put<std::uint64_t>(number);
  writer.put<std::uint64_t>(manifest.next_segment);
  writer.put<std::uint32_t>(static_cast<std::uint32_t>(manifest.loops.size()));
  writer.put<std::uint32_t>(lost);
  writer.put<std::uint64_t>(manifest.segments.size());
  writer.put<std::uint64_t>(manifest.floors.size());
  if (!first) {
    writer.put<std::uint64_t>(manifest.origin.folder);
    writer.put<std::uint64_t>(manifest.origin.start);
  }
  for (const LoopManifest& loop : manifest.loops) {
    writer.put<std::int64_t>(loop.last_arrival_ms);
    writer.put<std::uint64_t>(loop.next_file);
    writer.put<std::uint64_t>(loop.position.file);
    writer.put<std::uint64_t>(loop.position.generation);
    writer.put<std::uint64_t>(loop.position.offset);
    writer.put<std::uint64_t>(loop.position.sequence);
    writer.put<std::uint64_t>(loop.files.size());
    for (const JournalFileEntry& file : loop.files) {
      writer.put<std::uint64_t>(file.number);
      writer.put<std::uint64_t>(file.bytes);
    }
  }
  for (const SegmentEntry& segment : manifest.segments) {
    writer.put<std::uint64_t>(segment.number);
    writer.put<std::uint64_t>(segment.bytes);
    writer.put<std::uint32_t>(segment.footer_crc);
    writer.put<std::uint32_t>(0);
  }
  for (const auto& [shard, floor] : manifest.floors) {
    writer.put<std::uint64_t>(to_number(shard));
    writer.put<std::uint64_t>(floor);
  }
  for (const auto& [segment, positions] : manifest.lost) {
    for (const std::uint64_t position : positions) {
      writer.put<std::uint64_t>(segment);
      writer.put<std::uint64_t>(position);
    }
  }
  if (has_clock) {
    writer.put<std::int64_t>(manifest.clock.shown_ms);
    for (const ClockSkip& skip : manifest.clock.skips) {
      writer.put<std::int64_t>(skip.from_ms);
      writer.put<std::int64_t>(skip.skipped_ms);
    }
  }
  writer.put<std::uint32_t>(crc32c(out.view()));
  return out;
}

Result<Manifest> decode_manifest(ByteView bytes, std::uint64_t number) {
  if (bytes.size() < kManifestHeadBytes + kCrcBytes)
    return corrupt(fmt::format("it has only {} bytes", bytes.size()));
  const ByteView body = bytes.first(bytes.size() - kCrcBytes);
  if (load<std::uint32_t>(bytes.data()) != kManifestMagic) return corrupt("it does not begin with MRMF");
  if (crc32c(body) != load<std::uint32_t>(body.data() + body.size()))
    return corrupt(fmt::format("its CRC32C, at byte {}, is not that of its bytes", body.size()));
  ManifestReader reader(body.subspan(4));
  const auto version = reader.get<std::uint16_t>();
  if (version < kFirstManifestVersion || version > kManifestVersionWithLost)
    return corrupt(fmt::format("it has version {}; this program reads {} to {}", version,
                               kFirstManifestVersion, kManifestVersionWithLost));
  const auto clock = reader.get<std::uint16_t>();
  const std::size_t clock_bytes = clock == 0 ? 0 : kClockBytes + (clock - std::size_t{1}) * kSkipBytes;
  if (reader.get<std::uint64_t>() != number) return corrupt("it carries another number than its name");
  Manifest manifest;
  manifest.next_segment = reader.get<std::uint64_t>();
  const auto loops = reader.get<std::uint32_t>();
  const auto lost = reader.get<std::uint32_t>();
  const auto segments = reader.get<std::uint64_t>();
  const auto floors = reader.get<std::uint64_t>();
  if (version != kFirstManifestVersion) {
    if (reader.left() < kOriginBytes) return corrupt("it ends before its list of loops");
    manifest.origin.folder = reader.get<std::uint64_t>();
    manifest.origin.start = reader.get<std::uint64_t>();
    if (manifest.origin.folder == 0 && version == kManifestVersion) return corrupt("it names no folder");
  }
  if (loops == 0 || loops > kLoopsMax) return corrupt(fmt::format("it counts {} loops", loops));
  for (std::uint32_t i = 0; i < loops; ++i) {
    MR_ASSIGN(auto loop, read_loop(reader));
    manifest.loops.push_back(std::move(loop));
  }
  if (segments > reader.left() / kSegmentBytes || floors > reader.left() / kFloorBytes ||
      reader.left() != segments * kSegmentBytes + floors * kFloorBytes + lost * kLostBytes + clock_bytes ||
      (lost == 0) == (version == kManifestVersionWithLost))
    return corrupt("its lists do not fill it");
  for (std::uint64_t i = 0; i < segments; ++i) {
    SegmentEntry entry{};
    entry.number = reader.get<std::uint64_t>();
    entry.bytes = reader.get<std::uint64_t>();
    entry.footer_crc = reader.get<std::uint32_t>();
    reader.get<std::uint32_t>();
    if (!manifest.segments.empty() && entry.number <= manifest.segments.back().number)
      return corrupt("its segments are not in order");
    manifest.segments.push_back(entry);
  }
  for (std::uint64_t i = 0; i < floors; ++i) {
    const ShardKey shard{reader.get<std::uint64_t>()};
    manifest.floors[shard] = reader.get<std::uint64_t>();
  }
  for (std::uint32_t i = 0; i < lost; ++i) {
    const auto segment = reader.get<std::uint64_t>();
    manifest.lost[segment].push_back(reader.get<std::uint64_t>());
  }
  if (clock != 0) MR_TRY(read_clock(reader, clock - 1u, manifest.clock));
  return manifest;
}

}  // namespace millrace::log
