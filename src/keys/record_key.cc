#include "keys/record_key.h"

#include <fmt/format.h>

#include <algorithm>

#include "log/run_codec.h"

namespace millrace::keys {
namespace {

using log::CipherHead;
using log::kCipherHeadBytes;
using log::kCipherTagBytes;
using log::kRunHeaderBytes;
static_assert(kCipherTagBytes == kTagBytes);

constexpr std::string_view kRecordsPurpose = "millrace records 1";
constexpr std::uint64_t kRunsMax = std::uint64_t{1} << 32;
constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 40;
constexpr std::size_t kTextBegin = kRunHeaderBytes + kCipherHeadBytes;

Nonce nonce_of(std::uint64_t counter) {
  Nonce nonce{};
  store_at<std::uint64_t>(nonce.data() + kNonceBytes - sizeof counter, counter);
  return nonce;
}

}  // namespace

struct RecordKey::Lane {
  SessionId session{};
  std::uint64_t counter = 0;
  std::uint64_t bytes = 0;
  std::unique_ptr<AesGcm> cipher;
};

struct RecordKey::Session {
  Session(const SessionId& the_id, const Secret& key)
      : id(the_id), cipher(key, AesGcm::Direction::kDecrypt) {}
  const SessionId id;
  std::mutex mutex;
  AesGcm cipher;
};

RecordKey::RecordKey(std::uint64_t number, const Secret& secret, Random& random)
    : number_(number), secret_(secret), random_(random) {}
RecordKey::~RecordKey() = default;

void RecordKey::encrypt(std::size_t lane_index, std::span<std::uint8_t> run) {
  MR_ASSERT(lane_index < kLanesMax);
  MR_ASSERT(run.size() > kTextBegin + kCipherTagBytes);
  std::unique_ptr<Lane>& lane = lanes_[lane_index];
  if (!lane || lane->counter == kRunsMax || lane->bytes > kBytesMax) {
    lane = std::make_unique<Lane>();
    random_.fill(lane->session);
    lane->cipher = std::make_unique<AesGcm>(derive(secret_, kRecordsPurpose, lane->session),
                                            AesGcm::Direction::kEncrypt);
  }
  const CipherHead head{number_, lane->session, lane->counter++};
  lane->bytes += run.size();
  log::store_cipher_head(run.data() + kRunHeaderBytes, head);
  const auto text = run.subspan(kTextBegin, run.size() - kTextBegin - kCipherTagBytes);
  lane->cipher->encrypt(nonce_of(head.counter), run.first(kTextBegin), text, text.data(),
                        text.data() + text.size());
}

std::shared_ptr<RecordKey::Session> RecordKey::session(const SessionId& id) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(sessions_.begin(), sessions_.end(),
                                  [&](const auto& session) { return session->id == id; });
  if (found != sessions_.end()) {
    sessions_.splice(sessions_.begin(), sessions_, found);
    return sessions_.front();
  }
  sessions_.push_front(std::make_shared<Session>(id, derive(secret_, kRecordsPurpose, id)));
  if (sessions_.size() > kSessionsKept) sessions_.pop_back();
  return sessions_.front();
}

Result<void> RecordKey::decrypt(ByteView run, Bytes& out) {
  MR_ASSERT(run.size() > kTextBegin + kCipherTagBytes);
  const CipherHead head = log::load_cipher_head(run.data() + kRunHeaderBytes);
  MR_ASSERT(head.key == number_);
  const ByteView text = run.subspan(kTextBegin, run.size() - kTextBegin - kCipherTagBytes);
  log::RunHeader header = log::load_run_header(run.data());
  header.encrypted = false;
  header.bytes = static_cast<std::uint32_t>(text.size());
  const std::size_t begin = out.size();
  std::uint8_t* const plain = out.prepare(kRunHeaderBytes + text.size());
  log::store_run_header(plain, header);
  const auto used = session(head.session);
  bool authentic = false;
  {
    const std::lock_guard lock(used->mutex);
    authentic = used->cipher.decrypt(nonce_of(head.counter), run.first(kTextBegin), text,
                                     plain + kRunHeaderBytes, run.last(kCipherTagBytes));
  }
  if (!authentic) {
    out.resize(begin);
    return Error{ErrorKind::kCorrupt,
                 fmt::format("they do not decrypt with data key {}: other bytes, or another place, than were "
                             "written",
                             number_)};
  }
  out.commit(kRunHeaderBytes + text.size());
  return {};
}

}  // namespace millrace::keys
