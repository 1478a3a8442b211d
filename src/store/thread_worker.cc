#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "store/posix_disk.h"

namespace millrace::store {
namespace {

class ThreadWorker final : public Worker {
 public:
  ThreadWorker(const std::string& name, int nice) : thread_([this, name, nice] { serve(name, nice); }) {}

  ~ThreadWorker() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    woken_.notify_one();
    thread_.join();
  }

  void run(Callback work) override {
    bool wake = false;
    {
      const std::lock_guard lock(mutex_);
      given_.push_back(std::move(work));
      wake = std::exchange(asleep_, false);  // a worker that is busy looks again by itself: no system call
    }
    if (wake) woken_.notify_one();
  }

 private:
  void serve(const std::string& name, int nice) {
    constexpr std::size_t kNameCharsMax = 15;
    pthread_setname_np(pthread_self(), name.substr(0, kNameCharsMax).c_str());
    if (nice != 0) {
      // On Linux this is the thread's own priority. Where it is refused, the work is only less polite.
      const auto thread = static_cast<id_t>(gettid());
      setpriority(PRIO_PROCESS, thread, getpriority(PRIO_PROCESS, thread) + nice);
    }
    std::vector<Callback> taken;
    std::unique_lock lock(mutex_);
    for (;;) {
      while (given_.empty()) {
        if (stopping_) return;
        asleep_ = true;
        woken_.wait(lock);
      }
      asleep_ = false;
      taken.swap(given_);
      lock.unlock();
      for (Callback& work : taken) {
        work();
        work = {};  // what it held ends with it, not with the whole batch
      }
      taken.clear();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable woken_;
  std::vector<Callback> given_;
  bool asleep_ = false;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace

std::unique_ptr<Worker> start_thread_worker(const std::string& name, int nice) {
  return std::make_unique<ThreadWorker>(name, nice);
}

}  // namespace millrace::store
