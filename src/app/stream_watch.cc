#include "app/stream_watch.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "store/posix_disk.h"

namespace millrace::app {
namespace {

constexpr std::size_t kAtOnce = 128;    // shards that are looked at before others have their loop for a while
constexpr std::size_t kProbesMax = 16;  // of a lease table
constexpr std::size_t kCandidatesMax = 8;
constexpr std::uint64_t kEnd = std::numeric_limits<std::uint64_t>::max();
// A record that a candidate does not have counts as so far from the time that its sequence number says.
constexpr std::int64_t kAbsentS = 1'000'000;

const char* text_of(kinesis::ReaderKind kind) {
  switch (kind) {
    case kinesis::ReaderKind::kConsumer:
      return "consumer";
    case kinesis::ReaderKind::kAccessKey:
      return "access_key";
    case kinesis::ReaderKind::kSession:
      return "session";
  }
  return "";
}

double age_s(std::int64_t now_ms, std::int64_t then_ms) {
  return static_cast<double>(std::max<std::int64_t>(now_ms - then_ms, 0)) / 1e3;
}

// The elder of two ages, or the younger; an empty one does not count.
template <typename Better>
void take_age(std::optional<double>& age, const std::optional<double>& other, Better better) {
  if (other.has_value() && (!age.has_value() || better(*other, *age))) age = other;
}

}  // namespace

// A reader of a stream; or a lease table that may be of the stream.
struct StreamWatch::Seeker {
  const broker::Stream* stream;
  StreamFigures::Reader reader;
  std::map<std::uint32_t, std::optional<std::uint64_t>> offsets;  // by shard; nullopt: somewhere
  std::size_t table = 0;  // the same for all candidates of one table; 0: no table
  struct Probe {
    std::uint32_t shard;
    std::uint64_t offset;
    std::int64_t arrival_s;  // of that record, as the sequence number says
  };
  std::vector<Probe> probes = {};
  std::int64_t distance_s = 0;  // between what the probes say and what is there

  // Whoever has come to the end of a shard goes on with the first record of its children.
  void go_on_with_children() {
    const auto reads = [this](std::optional<std::uint32_t> shard) {
      return shard.has_value() && offsets.contains(*shard);
    };
    for (const broker::Shard& shard : stream->shards)
      if (!offsets.contains(shard.index) && (reads(shard.parent) || reads(shard.adjacent_parent)))
        offsets.emplace(shard.index, 0);
  }
};

// One shard, and what is asked of it.
struct StreamWatch::Look {
  const broker::Stream* stream;
  const broker::Shard* shard;
  Loop* loop;
  struct Question {
    Seeker* seeker;
    std::uint64_t offset;
    const Seeker::Probe* probe = nullptr;
    std::optional<std::int64_t> arrival_ms = {};
  };
  std::vector<Question> questions = {};
  log::ShardAges ages = {};
};

// One making of figures.
struct StreamWatch::Round {
  std::shared_ptr<StreamFigures> figures = std::make_shared<StreamFigures>();
  std::vector<LeaseTable> tables = {};
  std::vector<Seeker> seekers = {};
  std::vector<Look> looks = {};
};

StreamWatch::StreamWatch(broker::Broker& broker, Loop& home, const Clock& clock)
    : broker_(broker), home_(home), clock_(clock), worker_(store::start_thread_worker("watch", 0)) {}

StreamWatch::~StreamWatch() = default;

void StreamWatch::take(std::shared_ptr<const kinesis::MeterTake> taken) {
  worker_->run([this, taken = std::move(taken)] {
    for (const kinesis::MeterReading& reading : taken->readings) totals_.add(reading);
    const std::int64_t now_ns = clock_.monotonic_ns();
    for (const kinesis::ReaderPosition& position : taken->positions) board_.note(position, now_ns);
  });
}

Task<std::shared_ptr<const StreamFigures>> StreamWatch::figures() {
  Round round;
  if (tables_ != nullptr) {
    Task<std::vector<LeaseTable>> reading = read_lease_tables(*tables_, *tables_loop_);
    round.tables = co_await std::move(reading);
  }
  co_await switch_to(home_);
  if (refresh_) {
    Task<void> refreshing = refresh_();
    co_await std::move(refreshing);
  }
  round.figures->catalog = broker_.catalog();
  Task<void> preparing = on_worker([this, &round] { prepare(round); });
  co_await std::move(preparing);
  Task<void> looking = look_at_shards(round);
  co_await std::move(looking);
  Task<void> finishing = on_worker([this, &round] { finish(round); });
  co_await std::move(finishing);
  co_return std::move(round.figures);
}

Task<void> StreamWatch::on_worker(Callback work) {
  co_await eventually<bool>([&](auto done) {
    worker_->run([this, work = std::move(work), done]() mutable {
      work();
      home_.post([done]() mutable { done(true); });
    });
  });
}

void StreamWatch::prepare(Round& round) {
  const broker::Catalog& catalog = *round.figures->catalog;
  totals_.follow(catalog, clock_.monotonic_ns());
  board_.follow(catalog, clock_.monotonic_ns());
  seek_board(catalog, round.seekers);
  seek_tables(std::move(round.tables), catalog, round.seekers, *round.figures);
  std::map<const broker::Stream*, std::size_t> first_look;
  for (const auto& [name, stream] : catalog.streams) {
    first_look.emplace(stream.get(), round.looks.size());
    for (const broker::Shard& shard : stream->shards)
      round.looks.push_back({.stream = stream.get(), .shard = &shard, .loop = &broker_.loop_of(shard)});
  }
  const auto look_at = [&](const Seeker& seeker, std::uint32_t index) {
    const broker::Shard* shard = seeker.stream->find(index);
    return shard == nullptr ? nullptr
                            : &round.looks[first_look.at(seeker.stream) +
                                           static_cast<std::size_t>(shard - seeker.stream->shards.data())];
  };
  for (Seeker& seeker : round.seekers) {
    seeker.go_on_with_children();
    for (const auto& [index, offset] : seeker.offsets)
      if (Look* look = look_at(seeker, index); look != nullptr && offset.has_value())
        look->questions.push_back({.seeker = &seeker, .offset = *offset});
    for (const Seeker::Probe& probe : seeker.probes)
      if (Look* look = look_at(seeker, probe.shard); look != nullptr)
        look->questions.push_back({.seeker = &seeker, .offset = probe.offset, .probe = &probe});
  }
  // A loop's shards one after the other.
  std::stable_sort(round.looks.begin(), round.looks.end(),
                   [](const Look& a, const Look& b) { return a.loop->index() < b.loop->index(); });
}

void StreamWatch::finish(Round& round) const {
  const std::int64_t now_ms = broker_.clock().wall_ms();
  for (const Look& look : round.looks) {
    const log::Extent& extent = look.ages.extent;
    for (const Look::Question& question : look.questions) {
      Seeker& seeker = *question.seeker;
      if (question.probe != nullptr) {
        seeker.distance_s += question.arrival_ms.has_value()
                                 ? std::abs(*question.arrival_ms / 1'000 - question.probe->arrival_s)
                                 : kAbsentS;
        continue;
      }
      const std::uint64_t offset = std::clamp(question.offset, extent.first_offset, extent.end_offset);
      seeker.reader.lag_records += extent.end_offset - offset;
      if (offset < extent.end_offset && question.arrival_ms.has_value())
        seeker.reader.lag_s = std::max(seeker.reader.lag_s, age_s(now_ms, *question.arrival_ms));
    }
  }
  sum_streams(round.looks, now_ms, *round.figures);
  sum_readers(round.seekers, *round.figures);
}

void StreamWatch::seek_board(const broker::Catalog& catalog, std::vector<Seeker>& seekers) const {
  std::map<std::uint64_t, const broker::Stream*> streams;
  for (const auto& [name, stream] : catalog.streams) streams.emplace(stream->id, stream.get());
  for (const auto& [name, reader] : board_.readers()) {
    const broker::Stream* stream = streams.at(name.stream_id);  // follow() left no others
    Seeker& seeker = seekers.emplace_back(
        Seeker{.stream = stream,
               .reader = {.stream = stream->name, .kind = text_of(name.kind), .name = name.reader},
               .offsets = {}});
    for (const auto& [shard, offset] : reader.offsets) seeker.offsets.emplace(shard, offset);
  }
}

void StreamWatch::seek_tables(std::vector<LeaseTable> tables, const broker::Catalog& catalog,
                              std::vector<Seeker>& seekers, StreamFigures& figures) {
  for (std::size_t i = 0; i < tables.size(); ++i) {
    std::vector<const broker::Stream*> candidates = streams_of(tables[i], catalog);
    if (candidates.empty() || candidates.size() > kCandidatesMax) {
      ++figures.unmatched_tables;
      continue;
    }
    for (const broker::Stream* stream : candidates) {
      Seeker& seeker = seekers.emplace_back(
          Seeker{.stream = stream,
                 .reader = {.stream = stream->name, .kind = "application", .name = tables[i].application},
                 .offsets = {},
                 .table = i + 1});
      for (const Lease& lease : tables[i].leases) {
        std::optional<std::uint64_t>& offset = seeker.offsets[lease.shard];
        if (lease.at == Lease::At::kOldest) offset = 0;
        if (lease.at == Lease::At::kEnd) offset = kEnd;
        if (lease.at != Lease::At::kRecord) continue;
        offset = lease.sequence.ordinal;  // the record's offset + 1
        if (candidates.size() > 1 && seeker.probes.size() < kProbesMax && lease.sequence.ordinal > 0)
          seeker.probes.push_back({lease.shard, lease.sequence.ordinal - 1, lease.sequence.time_s});
      }
    }
  }
}

Task<void> StreamWatch::look_at_shards(Round& round) {
  const log::Log& log = broker_.log();
  std::size_t here = 0;
  for (Look& look : round.looks) {
    if (!look.loop->is_current()) {
      here = 0;
      co_await switch_to(*look.loop);
    } else if (++here % kAtOnce == 0) {
      co_await sleep_for(*look.loop, 0);
    }
    auto ages = log.ages(look.shard->key);
    if (!ages.ok()) continue;  // it is gone by now
    look.ages = *ages;
    for (Look::Question& question : look.questions)
      question.arrival_ms = log.arrival_near(look.shard->key, question.offset);
  }
  co_await switch_to(home_);
}

void StreamWatch::sum_streams(const std::vector<Look>& looks, std::int64_t now_ms,
                              StreamFigures& figures) const {
  std::map<const broker::Stream*, StreamFigures::Stream> ages;
  for (const auto& [name, stream] : figures.catalog->streams) ages[stream.get()].name = name;
  for (const Look& look : looks) {
    StreamFigures::Stream& of = ages.at(look.stream);
    if (look.ages.oldest_arrival_ms.has_value())
      take_age(of.oldest_age_s, age_s(now_ms, *look.ages.oldest_arrival_ms), std::greater<>());
    if (look.ages.newest_arrival_ms.has_value())
      take_age(of.newest_age_s, age_s(now_ms, *look.ages.newest_arrival_ms), std::less<>());
  }
  StreamFigures::Stream rest;
  for (const auto& [name, stream] : figures.catalog->streams) {
    StreamFigures::Stream& of = ages.at(stream.get());
    if (const StreamTotal* total = totals_.shown(stream->id); total != nullptr) {
      of.total = *total;
      figures.streams.push_back(std::move(of));
    } else {
      take_age(rest.oldest_age_s, of.oldest_age_s, std::greater<>());
      take_age(rest.newest_age_s, of.newest_age_s, std::less<>());
    }
  }
  rest.total = totals_.rest();
  if (figures.streams.size() < figures.catalog->streams.size() || rest.total.in_records > 0 ||
      rest.total.out_records > 0)
    figures.rest = std::move(rest);
}

void StreamWatch::sum_readers(std::vector<Seeker>& seekers, StreamFigures& figures) {
  for (auto at = seekers.begin(); at != seekers.end();) {
    const auto end = at->table == 0 ? at + 1 : std::find_if(at, seekers.end(), [&](const Seeker& other) {
      return other.table != at->table;
    });
    const auto nearest = std::min_element(
        at, end, [](const Seeker& a, const Seeker& b) { return a.distance_s < b.distance_s; });
    const auto as_near =
        std::count_if(at, end, [&](const Seeker& other) { return other.distance_s == nearest->distance_s; });
    if (as_near > 1)
      ++figures.unmatched_tables;
    else
      figures.readers.push_back(std::move(nearest->reader));
    at = end;
  }
  std::stable_sort(figures.readers.begin(), figures.readers.end(),
                   [](const auto& a, const auto& b) { return a.lag_s > b.lag_s; });
  if (figures.readers.size() <= StreamFigures::kReadersMax) return;
  figures.more = StreamFigures::Reader{};
  for (std::size_t i = StreamFigures::kReadersMax; i < figures.readers.size(); ++i) {
    figures.more->lag_records += figures.readers[i].lag_records;
    figures.more->lag_s = std::max(figures.more->lag_s, figures.readers[i].lag_s);
  }
  figures.readers.resize(StreamFigures::kReadersMax);
}

}  // namespace millrace::app
