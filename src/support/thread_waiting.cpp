#include "support/thread_waiting.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <dlfcn.h>
#include <fstream>
#include <latch>
#include <mutex>
#include <optional>
#include <pthread.h>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "support/log.h"
#include "support/seconds_since.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr std::chrono::milliseconds waiting_window(100);
constexpr int windows_before_warning = 30;
/// On a machine with hundreds of cores, the parked teams of several processes would need thousands of threads.
constexpr unsigned most_parked_threads = 128;

/// libgomp's functions, looked up at run time because this library does not link an OpenMP runtime. find() returns
/// std::nullopt for other runtimes: those of Intel and LLVM also export GOMP_parallel, but only for compatibility, and
/// are recognised by __kmpc_fork_call.
struct Libgomp {
  using Parallel = void (*)(void (*)(void*), void*, unsigned, unsigned);
  using Count = int (*)();
  Parallel parallel = nullptr;
  Count processors = nullptr;

  static std::optional<Libgomp> find() {
    if (::dlsym(RTLD_DEFAULT, "__kmpc_fork_call") != nullptr) return std::nullopt;
    const Libgomp found{reinterpret_cast<Parallel>(::dlsym(RTLD_DEFAULT, "GOMP_parallel")),
                        reinterpret_cast<Count>(::dlsym(RTLD_DEFAULT, "omp_get_num_procs"))};
    return found.parallel != nullptr && found.processors != nullptr ? std::optional(found) : std::nullopt;
  }
};

/// An additional team of OpenMP threads that sleep. A team belongs to the thread that started it, and its threads exist
/// until that thread ends.
class ParkedTeam {
 public:
  ParkedTeam(const Libgomp& libgomp, unsigned threads)
      : host_([this, libgomp, threads](const std::stop_token& stop) {
          libgomp.parallel([](void*) {}, nullptr, threads, 0);
          std::unique_lock lock(mutex_);
          ended_.wait(lock, stop, [] { return false; });
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::jthread host_;  // last, so that it ends before the members that it uses
};

class WaitingWatcher {
 public:
  WaitingWatcher() : thread_([this](const std::stop_token& stop) { watch(stop); }) {}

  /// Sets the number of threads that compute. Benchmarks change this number; the smallest number is kept, because it
  /// needs the largest parked team.
  void set_threads(int threads) {
    const int before = threads_;
    threads_ = before == 0 ? threads : std::min(before, threads);
  }

 private:
  void watch(const std::stop_token& stop) {
    using Clock = std::chrono::steady_clock;
    auto before = read_thread_times();
    if (before.empty()) return;
    auto time = Clock::now();
    std::unique_lock lock(mutex_);
    while (!ended_.wait_for(lock, stop, waiting_window, [] { return false; }) && !stop.stop_requested()) {
      auto after = read_thread_times();
      const auto now = Clock::now();
      react(largest_waiting_share(before, after, std::chrono::duration<double>(now - time).count()));
      before = std::move(after);
      time = now;
    }
  }

  void react(double share) {
    const bool competing = contention_.update(share);
    if (!competing) {
      parked_.reset();
      return;
    }
    if (can_park_ && !parked_) park();
    mean_share_ += (share - mean_share_) / ++competing_windows_;
    if (competing_windows_ == windows_before_warning) warn();
  }

  /// It must be possible to start twice as many threads as the team needs, so that the limits leave room for threads
  /// that this process or other arms of a sweep start later. This is checked once, one window before the team is
  /// parked, because the system may still count the threads of the check for a moment after they have ended.
  void park() {
    const unsigned threads = parked_threads();
    if (!std::exchange(has_checked_limits_, true)) {
      can_park_ = threads <= most_parked_threads && can_start_threads(2 * std::size_t{threads});
      return;
    }
    parked_.emplace(*libgomp_, threads);
  }

  /// The size of the parked team. libgomp does not count the team's host as an additional thread: with a parked team of
  /// k threads, it counts threads_ + k - 1.
  unsigned parked_threads() const {
    return static_cast<unsigned>(std::max(2, libgomp_->processors() - threads_.load() + 2));
  }

  void warn() const {
    log::warning(format_text(
        "{}: the threads have waited up to {:.0f} % of the time for a core{}. Stop the other processes, or compute "
        "with one thread per free core (training.threads=1, or OMP_NUM_THREADS=1)",
        busy_cores_warning, 100 * mean_share_,
        can_park_ ? ", and now sleep instead of spinning while they wait for each other" : ""));
  }

  const std::optional<Libgomp> libgomp_ = Libgomp::find();
  bool can_park_ = libgomp_ && std::getenv("GOMP_SPINCOUNT") == nullptr && std::getenv("OMP_WAIT_POLICY") == nullptr;
  bool has_checked_limits_ = false;
  std::atomic<int> threads_ = 0;
  Contention contention_;
  std::optional<ParkedTeam> parked_;
  int competing_windows_ = 0;
  double mean_share_ = 0;
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::jthread thread_;  // last, so that it ends before the members that it uses
};

/// Warns once if the thread that constructs this object is starved. It does not meet other threads at barriers, so it
/// is only as slow as its share of a core, and a short contention is not worth a warning.
class SingleThreadWatcher {
 public:
  SingleThreadWatcher() : task_(::gettid()), thread_([this](const std::stop_token& stop) { watch(stop); }) {}

 private:
  void watch(const std::stop_token& stop) {
    constexpr std::chrono::seconds interval(10);
    constexpr double starved = 0.25;
    std::unique_lock lock(mutex_);
    for (auto before = read_times(); !before.empty();) {
      const auto start = std::chrono::steady_clock::now();
      if (ended_.wait_for(lock, stop, interval, [] { return false; }) || stop.stop_requested()) return;
      auto after = read_times();
      const double share = largest_waiting_share(before, after, seconds_since(start));
      if (share >= starved) {
        log::warning(
            format_text("{}: the thread that computes has waited {:.0f} % of the last {} seconds for a core. "
                        "Stop the other processes, or start fewer arms at the same time (sweep.jobs)",
                        busy_cores_warning, 100 * share, interval.count()));
        return;
      }
      before = std::move(after);
    }
  }

  std::map<std::int64_t, ThreadTimes> read_times() const {
    auto times = read_thread_times();
    std::erase_if(times, [this](const auto& entry) { return entry.first != task_; });
    return times;
  }

  const std::int64_t task_;
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::jthread thread_;  // last, so that it ends before the members that it uses
};

}  // namespace

std::map<std::int64_t, ThreadTimes> read_thread_times(const std::filesystem::path& tasks) {
  std::map<std::int64_t, ThreadTimes> times;
  std::error_code error;
  for (std::filesystem::directory_iterator task(tasks, error), end; !error && task != end; task.increment(error)) {
    std::ifstream file(task->path() / "schedstat");
    ThreadTimes read;
    if (file >> read.running >> read.waiting) times[std::atoll(task->path().filename().c_str())] = read;
  }
  return times;
}

double largest_waiting_share(const std::map<std::int64_t, ThreadTimes>& before,
                             const std::map<std::int64_t, ThreadTimes>& after, double seconds) {
  double largest = 0;
  for (const auto& [thread, times] : after) {
    const auto earlier = before.find(thread);
    if (earlier == before.end() || seconds <= 0) continue;
    const double running = 1e-9 * static_cast<double>(times.running - earlier->second.running) / seconds;
    const double waiting = 1e-9 * static_cast<double>(times.waiting - earlier->second.waiting) / seconds;
    if (running + waiting >= 0.25) largest = std::max(largest, waiting);
  }
  return std::min(largest, 1.0);
}

bool Contention::update(double waiting_share) {
  constexpr int shortest_calm = 10, longest_calm = 100, windows_to_compete = 2, soon = 50;
  const bool contradicts = competing_ ? waiting_share < 0.03 : waiting_share >= 0.1;
  in_a_row_ = contradicts ? in_a_row_ + 1 : 0;
  if (!competing_) since_quiet_ = std::min(since_quiet_ + 1, 1'000'000);
  if (in_a_row_ < (competing_ ? calm_windows_ : windows_to_compete)) return competing_;
  if (!competing_) calm_windows_ = since_quiet_ <= soon ? std::min(2 * calm_windows_, longest_calm) : shortest_calm;
  competing_ = !competing_;
  in_a_row_ = 0;
  since_quiet_ = 0;
  return competing_;
}

bool can_start_threads(std::size_t count) {
  std::latch end(1);
  const auto wait_for_end = [](void* latch) -> void* {
    static_cast<std::latch*>(latch)->wait();
    return nullptr;
  };
  // A std::thread would free memory in the new thread, and glibc would create a heap for each such thread.
  std::vector<pthread_t> threads;
  threads.reserve(count);
  for (pthread_t thread{}; threads.size() < count && ::pthread_create(&thread, nullptr, wait_for_end, &end) == 0;) {
    threads.push_back(thread);
  }
  end.count_down();
  for (const auto thread : threads) ::pthread_join(thread, nullptr);
  return threads.size() == count;
}

void watch_thread_waiting(int threads) {
  if (threads < 2) {
    // The watcher only warns, so the process continues without it if it cannot start another thread.
    try {
      static SingleThreadWatcher watcher;
    } catch (const std::system_error& error) {
      log::debug(error.what());
    }
    return;
  }
  static WaitingWatcher watcher;
  watcher.set_threads(threads);
}

}  // namespace slopegan
