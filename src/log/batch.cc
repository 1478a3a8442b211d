#include "log/batch.h"

#include <algorithm>

#include "log/run_codec.h"

namespace millrace::log {

BatchBuilder::BatchBuilder(std::size_t reserve_bytes, std::size_t runs) : batch_(std::make_unique<Batch>()) {
  batch_->bytes.reserve(reserve_bytes + runs * kRunHeaderBytes);
  batch_->runs.reserve(runs);
}

void BatchBuilder::begin_run(ShardKey shard) {
  if (open_ && batch_->runs.back().shard == shard) return;
  end_run();
  const auto begin = static_cast<std::uint32_t>(batch_->bytes.size());
  const std::size_t head = kRunHeaderBytes + (encryptor_ != nullptr ? kCipherHeadBytes : 0);
  batch_->bytes.prepare(head);  // written when the run ends
  batch_->bytes.commit(head);
  batch_->runs.push_back(
      Run{.shard = shard, .begin = begin, .end = begin, .count = 0, .encryptor = encryptor_});
  open_ = true;
}

void BatchBuilder::encrypt_with(std::shared_ptr<RunEncryptor> encryptor) {
  if (encryptor.get() == encryptor_) return;
  end_run();
  encryptor_ = encryptor.get();
  if (encryptor) batch_->encryptors.push_back(std::move(encryptor));
}

void BatchBuilder::split_run() {
  MR_ASSERT(open_);
  const ShardKey shard = batch_->runs.back().shard;
  end_run();
  begin_run(shard);
}

void BatchBuilder::end_run() {
  if (!std::exchange(open_, false)) return;
  Run& run = batch_->runs.back();
  if (run.count == 0) {
    batch_->bytes.resize(run.begin);
    batch_->runs.pop_back();
    return;
  }
  if (run.encryptor != nullptr) {
    batch_->bytes.prepare(kCipherTagBytes);
    batch_->bytes.commit(kCipherTagBytes);
  }
  run.end = static_cast<std::uint32_t>(batch_->bytes.size());
  const std::uint32_t bytes = run.end - run.begin - static_cast<std::uint32_t>(kRunHeaderBytes);
  store_run_header(batch_->bytes.data() + run.begin,
                   {run.shard, 0, 0, run.count, bytes, run.encryptor != nullptr});
}

void BatchBuilder::add(const RecordView& record) {
  std::uint8_t* value = add_with_room(record, record.value.size());
  std::copy(record.value.begin(), record.value.end(), value);
}

std::uint8_t* BatchBuilder::add_with_room(const RecordView& record, std::size_t value_bytes) {
  MR_ASSERT(open_);
  MR_ASSERT(record.key.size() <= kKeyBytesMax);
  MR_ASSERT(value_bytes <= kValueBytesMax);
  MR_ASSERT(record.attributes.size() <= kAttributesBytesMax);
  const bool has_hash_key = record.explicit_hash_key.has_value();
  const bool has_attributes = !record.attributes.empty();
  const std::size_t length = kRecordHeaderBytes + (has_hash_key ? kHashKeyBytes : 0) +
                             (has_attributes ? 4 : 0) + record.key.size() + record.attributes.size() +
                             value_bytes;
  Bytes& bytes = batch_->bytes;
  MR_ASSERT(bytes.size() + length <= kBatchBytesMax);
  std::uint8_t* next = bytes.prepare(length);
  store_at<std::uint32_t>(next, static_cast<std::uint32_t>(length));
  store_at<std::uint16_t>(next + 4, static_cast<std::uint16_t>(record.key.size()));
  store_at<std::uint16_t>(next + 6,
                          static_cast<std::uint16_t>((has_hash_key ? kRecordHasHashKey : 0) |
                                                     (has_attributes ? kRecordHasAttributes : 0) |
                                                     (record.key.data() != nullptr ? kRecordHasKey : 0)));
  next += kRecordHeaderBytes;
  if (has_hash_key)
    next = std::copy(record.explicit_hash_key->begin(), record.explicit_hash_key->end(), next);
  if (has_attributes) {
    store_at<std::uint32_t>(next, static_cast<std::uint32_t>(record.attributes.size()));
    next += 4;
  }
  next = std::copy(record.key.begin(), record.key.end(), next);
  next = std::copy(record.attributes.begin(), record.attributes.end(), next);
  bytes.commit(length);
  ++batch_->runs.back().count;
  return next;
}

std::size_t BatchBuilder::bytes() const { return batch_->bytes.size(); }

std::unique_ptr<Batch> BatchBuilder::finish() {
  end_run();
  encryptor_ = nullptr;
  return std::exchange(batch_, std::make_unique<Batch>());
}

}  // namespace millrace::log
