// app/stream_watch.h: what /metrics says of streams and of who reads them: how much went in and out, how old
// their records are, and how far each reader lags behind.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/lease_tables.h"
#include "app/reader_board.h"
#include "app/stream_totals.h"
#include "base/loop.h"
#include "base/task.h"
#include "broker/broker.h"
#include "kinesis/stream_meter.h"

namespace millrace::app {

// One moment's figures.
struct StreamFigures {
  static constexpr std::size_t kReadersMax = 200;

  struct Stream {
    std::string name;
    StreamTotal total;
    std::optional<double> oldest_age_s;  // of its oldest record that is kept; none: it has no records
    std::optional<double> newest_age_s;
  };
  struct Reader {
    std::string stream;
    std::string kind;
    std::string name;
    std::uint64_t lag_records = 0;
    double lag_s = 0;  // age of the oldest record that it has not read; 0: it has read all
  };
  std::shared_ptr<const broker::Catalog> catalog;
  std::vector<Stream> streams;         // those that are shown, by name
  std::optional<Stream> rest;          // all others together; without a name
  std::vector<Reader> readers;         // those that lag most, kReadersMax at most
  std::optional<Reader> more;          // all others: the sum of their records, the greatest of their ages
  std::uint64_t unmatched_tables = 0;  // lease tables whose stream cannot be told
};

// Belongs to `home`; what it began there keeps referring to it, so it outlives the loops' last callback.
class StreamWatch {
 public:
  // All borrowed; outlive it.
  StreamWatch(broker::Broker& broker, Loop& home, const Clock& clock);
  ~StreamWatch();
  StreamWatch(const StreamWatch&) = delete;
  StreamWatch& operator=(const StreamWatch&) = delete;

  // What brings meters up to date, by take(). Before the first request.
  void refresh_with(std::function<Task<void>()> refresh) { refresh_ = std::move(refresh); }
  // Where KCL's lease tables are. Before the first request.
  void read_leases_of(const leases::dynamodb::TableStore& tables, Loop& tables_loop) {
    tables_ = &tables;
    tables_loop_ = &tables_loop;
  }

  // On home.
  void take(std::shared_ptr<const kinesis::MeterTake> taken);
  // One at a time. Any loop; ends on home. Looks at each shard on its own loop, a few at a time.
  Task<std::shared_ptr<const StreamFigures>> figures();

 private:
  struct Look;
  struct Seeker;
  struct Round;
  Task<void> on_worker(Callback work);  // from home to home
  // These on the worker: with many streams they take their time.
  void prepare(Round& round);
  void finish(Round& round) const;
  static void seek_tables(std::vector<LeaseTable> tables, const broker::Catalog& catalog,
                          std::vector<Seeker>& seekers, StreamFigures& figures);
  void seek_board(const broker::Catalog& catalog, std::vector<Seeker>& seekers) const;
  Task<void> look_at_shards(Round& round);
  static void sum_readers(std::vector<Seeker>& seekers, StreamFigures& figures);
  void sum_streams(const std::vector<Look>& looks, std::int64_t now_ms, StreamFigures& figures) const;

  broker::Broker& broker_;
  Loop& home_;
  const Clock& clock_;
  std::function<Task<void>()> refresh_;
  const leases::dynamodb::TableStore* tables_ = nullptr;
  Loop* tables_loop_ = nullptr;
  StreamTotals totals_;             // the worker's
  ReaderBoard board_;               // the worker's
  std::unique_ptr<Worker> worker_;  // last: it goes first
};

}  // namespace millrace::app
