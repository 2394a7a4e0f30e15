#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace slopegan {

/// Fills buffers ahead of time on a worker thread. Buffers circulate: each one is filled, taken with next(), returned
/// with recycle() and filled again. next() and recycle() must be called from one consumer thread. The destructor waits
/// for a running fill, but not for the consumer.
template <typename Buffer>
class Prefetcher {
 public:
  /// Writes the next item into the buffer, or returns false after the last item. Called on the worker thread only.
  using Fill = std::function<bool(Buffer&)>;

  Prefetcher(std::vector<Buffer> buffers, Fill fill) : fill_(std::move(fill)) {
    for (auto& buffer : buffers) free_.push_back(std::move(buffer));
    worker_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
  }

  /// Returns the next buffer in the order of filling, and waits for it if necessary. If `fill` threw an exception,
  /// rethrows it after all buffers that were filled before the exception have been returned. Throws std::logic_error
  /// after the last item.
  Buffer next() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [this] { return !ready_.empty() || ended_; });
    if (ready_.empty()) {
      if (error_) std::rethrow_exception(error_);
      throw std::logic_error("Prefetcher: no items left");
    }
    Buffer buffer = std::move(ready_.front());
    ready_.pop_front();
    return buffer;
  }

  void recycle(Buffer buffer) {
    {
      const std::lock_guard lock(mutex_);
      free_.push_back(std::move(buffer));
    }
    emptied_.notify_one();
  }

 private:
  void work(const std::stop_token& stop) {
    try {
      while (fill_one(stop)) filled_.notify_one();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      error_ = std::current_exception();
    }
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    filled_.notify_one();
  }

  bool fill_one(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!emptied_.wait(lock, stop, [this] { return !free_.empty(); })) return false;
    Buffer buffer = std::move(free_.front());
    free_.pop_front();
    lock.unlock();
    if (stop.stop_requested() || !fill_(buffer)) return false;
    lock.lock();
    ready_.push_back(std::move(buffer));
    return true;
  }

  Fill fill_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::condition_variable_any emptied_;
  std::deque<Buffer> free_, ready_;
  std::exception_ptr error_;
  bool ended_ = false;
  std::jthread worker_;  // the last member, so it is joined before the others are destroyed
};

}  // namespace slopegan
