#include "app/dump_data.h"

#include <fmt/format.h>

#include <cstdio>
#include <future>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/backup_folder.h"
#include "app/exit_code.h"
#include "app/keyring_file.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/random.h"
#include "broker/broker.h"
#include "broker/catalog_change.h"
#include "broker/encryption.h"
#include "broker/hash_key.h"
#include "broker/sequence_number.h"
#include "cluster/control_log.h"
#include "keys/data_keys.h"
#include "keys/key_service.h"
#include "kinesis/shard_id.h"
#include "log/record_walk.h"
#include "net/loop_group.h"
#include "store/folder_file.h"
#include "store/object_store.h"
#include "store/posix_disk.h"

namespace millrace::app {
namespace {

using Json = nlohmann::ordered_json;

int complain(const std::string& text) {
  std::fprintf(stderr, "millrace: log dump: %s\n", text.c_str());
  return kFailed;
}

class DataDump {
 public:
  DataDump(const DumpData& command, store::Disk& disk) : command_(command), disk_(disk) {}
  ~DataDump() { loops_.stop(); }
  DataDump(const DataDump&) = delete;
  DataDump& operator=(const DataDump&) = delete;

  // Whether all could be read.
  Result<bool> run() {
    MR_ASSIGN(control_, store::open_directory_store(disk_, "control"));
    MR_ASSIGN(const auto chain, cluster::ControlLog::open(*control_, "control/"));
    MR_ASSIGN(const broker::Catalog catalog, broker::replay_catalog(chain.snapshot, chain.entries));
    MR_TRY(open_keys(catalog));
    for (const auto& [name, stream] : catalog.streams)
      for (const broker::Shard& shard : stream->shards)
        if ((!command_.stream || *command_.stream == name) &&
            (!command_.shard || *command_.shard == kinesis::shard_id(shard.index)))
          shards_[shard.key] = {name, &shard};
    if (shards_.empty() && (command_.stream || command_.shard))
      return Error{ErrorKind::kNotFound,
                   fmt::format("there is no {}{}{}", command_.shard ? "shard " + *command_.shard : "",
                               command_.shard && command_.stream ? " of " : "",
                               command_.stream ? "stream " + *command_.stream : "")};
    MR_TRY(log::walk_records(
        disk_, [this](log::ShardKey key) { return shards_.contains(key); },
        [this](const log::RunHeader& run, ByteView bytes) { return take(run, bytes); },
        [this](const std::string& line) { miss(line); }));
    return whole_;
  }

 private:
  struct Place {
    std::string stream;
    const broker::Shard* shard;
  };

  void miss(const std::string& line) {
    whole_ = false;
    complain(line);
  }

  Result<void> open_keys(const broker::Catalog& catalog) {
    const std::string keyring = keyring_path(command_.keyring, command_.folder);
    MR_ASSIGN(const auto record, store::read_folder_record(disk_));
    broker::BrokerOptions options;  // with the defaults of a folder that does not know whose it is
    if (record && !record->account.empty()) options.account_id = record->account;
    if (record && !record->region.empty()) options.region = record->region;
    if (!command_.account_id.empty()) options.account_id = command_.account_id;
    if (!command_.region.empty()) options.region = command_.region;
    auto keys = keys::KeyService::open(
        {.account = options.account_id, .region = options.region}, *control_, loops_.loop(0),
        [] { return store::start_thread_worker("keys", 0); }, system_clock(), system_random(),
        [&](bool) { return load_keyring(keyring, false); });
    // Without keys what is not encrypted can be read.
    if (keys.ok())
      key_service_ = std::move(*keys);
    else
      no_keys_ = keys.error().text;
    data_keys_ = std::make_unique<keys::DataKeys>(key_service_.get(), system_clock(), system_random());
    broker::tell_keys(options, broker::Catalog{}, catalog, *data_keys_);
    return {};
  }

  Result<void> prepare(std::uint64_t key) {
    if (key_service_ == nullptr) return Error{ErrorKind::kUnavailable, no_keys_};
    if (data_keys_->is_ready(key)) return {};
    std::promise<Result<void>> done;
    Loop& loop = loops_.loop(0);
    loop.post([&] {
      data_keys_->prepare(key, loop, [&done](Result<void> ready) { done.set_value(std::move(ready)); });
    });
    return done.get_future().get();
  }

  Result<void> take(const log::RunHeader& run, ByteView bytes) {
    if (!run.encrypted) return print(run, bytes);
    Bytes plain;
    const std::uint64_t key = log::load_cipher_head(bytes.data() + log::kRunHeaderBytes).key;
    auto decrypted = prepare(key);
    if (decrypted.ok()) decrypted = data_keys_->decrypt(bytes, plain);
    if (decrypted.ok()) decrypted = log::check_runs(plain.view());
    if (decrypted.ok()) return print(run, plain.view());
    const Place& place = shards_.at(run.shard);
    miss(fmt::format("records {} to {} of {} of {} cannot be decrypted: {}", run.first_offset,
                     run.end_offset() - 1, kinesis::shard_id(place.shard->index), place.stream,
                     decrypted.error().text));
    return {};
  }

  Result<void> print(const log::RunHeader& run, ByteView bytes) {
    const Place& place = shards_.at(run.shard);
    const std::uint8_t* at = bytes.data() + log::kRunHeaderBytes;
    for (std::uint64_t offset = run.first_offset; offset < run.end_offset(); ++offset) {
      log::RecordView record;
      at += log::load_record(at, record);
      if (offset < place.shard->kept_from) continue;
      Json line{{"Stream", place.stream},
                {"ShardId", kinesis::shard_id(place.shard->index)},
                {"SequenceNumber", to_string(broker::sequence_of(*place.shard, offset, run.arrival_ms))},
                {"ArrivalMs", run.arrival_ms}};
      if (record.key.data() != nullptr) line["PartitionKey"] = as_text(record.key);
      if (record.explicit_hash_key) line["ExplicitHashKey"] = broker::to_decimal(*record.explicit_hash_key);
      line["Data"] = base64_text(record.value);
      const std::string text = line.dump(-1, ' ', false, Json::error_handler_t::replace);
      if (std::puts(text.c_str()) < 0) return Error{ErrorKind::kUnavailable, "the output is closed"};
    }
    return {};
  }

  const DumpData& command_;
  store::Disk& disk_;
  net::LoopGroup loops_{1};
  std::unique_ptr<store::ObjectStore> control_;
  std::shared_ptr<keys::KeyService> key_service_;
  std::string no_keys_;
  std::unique_ptr<keys::DataKeys> data_keys_;
  std::map<log::ShardKey, Place> shards_;
  bool whole_ = true;
};

}  // namespace

int dump_data(const DumpData& command) {
  if (const auto one = refuse_folder_of_backups(command.folder); !one.ok()) return complain(one.error().text);
  if (const auto there = store::open_posix_disk_read_only(command.folder); !there.ok())
    return complain(there.error().text);
  const auto disk = store::open_posix_disk(command.folder);
  if (!disk.ok()) return complain(disk.error().text);
  const auto whole = DataDump(command, **disk).run();
  if (!whole.ok()) return complain(whole.error().text);
  return *whole && std::fflush(stdout) == 0 ? 0 : kFailed;
}

}  // namespace millrace::app
