#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string_view>

/// How the threads of LibTorch wait for each other when other programs use the same cores.
///
/// A training step consists of hundreds of small operators, and the threads meet at a barrier after each of them. A
/// thread that arrives first spins for some milliseconds before it sleeps (libgomp, 300,000 iterations). On a quiet
/// machine this is the fastest way to wait: sleeping immediately makes a step 1.3 to 1.6 times as long. If another
/// process occupies a core, however, the last thread may be waiting for a core itself, and each barrier can take a time
/// slice of the scheduler: a step then takes about 30 times as long.
///
/// Neither spinning nor sleeping suits both cases, and libgomp reads its settings (GOMP_SPINCOUNT, OMP_WAIT_POLICY)
/// only when it is loaded. However, libgomp spins for only 100 iterations while its teams have more threads than there
/// are cores. Therefore, a watcher measures how long the threads wait for a core. While they compete for cores, the
/// watcher keeps an additional team of sleeping threads. The number of threads that compute does not change, and
/// neither do the results. libgomp ends the process if it cannot start a thread. Therefore, no additional team is
/// started if it would need many threads or might exceed a limit of the system.
namespace slopegan {

/// The scheduling times of a thread since its start, in nanoseconds.
struct ThreadTimes {
  std::int64_t running = 0;
  std::int64_t waiting = 0;  ///< ready to run, but without a core
};

/// Reads the times of all threads of a process from `tasks`/<thread ID>/schedstat, keyed by thread ID. Threads without
/// a readable file are omitted, so the result is empty if the kernel does not provide these files.
std::map<std::int64_t, ThreadTimes> read_thread_times(const std::filesystem::path& tasks = "/proc/self/task");

/// The largest fraction of the time between two readings, `seconds` apart, for which a busy thread waited for a core. A
/// thread is busy if it was running or waiting for at least a quarter of the time.
double largest_waiting_share(const std::map<std::int64_t, ThreadTimes>& before,
                             const std::map<std::int64_t, ThreadTimes>& after, double seconds);

/// Decides from the waiting shares of successive time windows whether the threads compete for cores. Short disturbances
/// have no effect. If the threads soon compete again after contention has ended, the next contention ends only after
/// twice as many calm windows, up to a limit.
class Contention {
 public:
  /// Takes the waiting share of the last window. Returns whether the threads compete.
  bool update(double waiting_share);

 private:
  bool competing_ = false;
  int in_a_row_ = 0;             ///< successive windows that contradict competing_
  int since_quiet_ = 1'000'000;  ///< windows since competing_ last became false
  int calm_windows_ = 10;        ///< successive calm windows after which contention has ended
};

/// Whether `count` more threads can exist at the same time. Limits on processes (ulimit -u, pids.max) and on address
/// space (ulimit -v) can prevent this. Starts the threads to find out, and ends them before it returns.
bool can_start_threads(std::size_t count);

/// The start of the warning that the watcher logs.
inline constexpr std::string_view busy_cores_warning = "other processes are using the cores of this machine";

/// Starts the watcher on the first call with more than one thread; `threads` is the number of threads that compute. The
/// watcher runs until the process exits, and logs a warning once if the threads compete for a few seconds in total. It
/// changes how threads wait only if libgomp is the OpenMP runtime, neither GOMP_SPINCOUNT nor OMP_WAIT_POLICY is set,
/// and the additional threads can be started.
///
/// With one thread, the calling thread is watched, and a warning is logged once if it waits for a core for a quarter of
/// 10 seconds.
void watch_thread_waiting(int threads);

}  // namespace slopegan
