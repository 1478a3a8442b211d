#include "net/stream_queue.h"

#include "base/assert.h"

namespace millrace::net {
namespace {

class Writer final : public BodyStream {
 public:
  explicit Writer(std::shared_ptr<StreamQueue> queue) : queue_(std::move(queue)) {}
  ~Writer() override { queue_->writer_dropped(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void write(SharedBytes chunk) override { queue_->write(std::move(chunk)); }
  std::size_t queued_bytes() const override { return queue_->queued_bytes(); }
  void when_below(std::size_t bytes, Callback callback) override {
    queue_->when_below(bytes, std::move(callback));
  }
  void when_closed(Callback callback) override { queue_->when_closed(std::move(callback)); }
  void end() override { queue_->end(); }

 private:
  std::shared_ptr<StreamQueue> queue_;
};

}  // namespace

void StreamQueue::write(SharedBytes chunk) {
  if (gone_ || ended_ || chunk->empty()) return;
  queued_bytes_ += chunk->size();
  budget_->take(chunk->size());
  chunks_.push_back(std::move(chunk));
  if (listener_ != nullptr) listener_->stream_changed(*this);
}

void StreamQueue::when_below(std::size_t bytes, Callback callback) {
  if (gone_) return;
  if (queued_bytes_ <= bytes) {
    loop_.post(std::move(callback));
  } else {
    below_.emplace_back(bytes, std::move(callback));
  }
}

void StreamQueue::when_closed(Callback callback) {
  if (gone_) {
    loop_.post(std::move(callback));
  } else {
    closed_ = std::move(callback);
  }
}

void StreamQueue::end() {
  if (gone_ || std::exchange(ended_, true)) return;
  if (listener_ != nullptr) listener_->stream_changed(*this);
}

void StreamQueue::writer_dropped() {
  if (gone_ || ended_ || std::exchange(dropped_, true)) return;
  if (listener_ != nullptr) listener_->stream_changed(*this);
}

void StreamQueue::take(std::size_t bytes) {
  front_offset_ += bytes;
  MR_ASSERT(front_offset_ <= chunks_.front()->size());
  if (front_offset_ < chunks_.front()->size()) return;
  chunks_.pop_front();
  front_offset_ = 0;
}

void StreamQueue::sent(std::size_t bytes) {
  if (gone_) return;
  MR_ASSERT(bytes <= queued_bytes_);
  queued_bytes_ -= bytes;
  budget_->give_back(bytes);
  std::erase_if(below_, [this](auto& waiting) {
    if (queued_bytes_ > waiting.first) return false;
    loop_.post(std::move(waiting.second));
    return true;
  });
}

void StreamQueue::detach(bool peer_gone) {
  listener_ = nullptr;
  if (!peer_gone || std::exchange(gone_, true)) return;
  chunks_.clear();
  budget_->give_back(std::exchange(queued_bytes_, 0));
  below_.clear();
  if (closed_) loop_.post(std::move(closed_));
}

std::shared_ptr<BodyStream> make_writer(std::shared_ptr<StreamQueue> queue) {
  return std::make_shared<Writer>(std::move(queue));
}

}  // namespace millrace::net
