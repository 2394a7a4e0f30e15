#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "sweep/arms.h"
#include "sweep/parallel_arms.h"

/// Trains the arms of a sweep in child processes. Several sweep processes may share a directory: the lock on an arm's
/// run directory decides which process trains the arm. The others wait until it is trained, or train it themselves if
/// that process dies.
namespace slopegan {

/// What a sweep still has to train.
struct Agenda {
  std::vector<const Arm*> needed;  ///< the arms that still need training, in the order in which to train them
  /// An upper bound on the number of arms still to be trained. In a race, it can exceed needed.size(), because the next
  /// look may call for more arms.
  std::size_t most = 0;
  std::size_t over = 0;      ///< number of arms that need no more training
  std::size_t diverged = 0;  ///< how many of these diverged
};

/// Returns the agenda according to the files of the arms. Called before an arm starts, when an arm ends, and every few
/// seconds.
using ReadAgenda = std::function<Agenda()>;

/// The agenda of a sweep with a fixed number of arms: those of `mine` that still need training. Keeps references to
/// `config` and `mine`.
ReadAgenda fixed_agenda(const Config& config, const std::vector<Arm>& mine);

struct ScheduleOptions {
  /// A child process rewrites the sweep's report at this interval; 0 = never.
  std::chrono::seconds report_every{0};
  bool stop_dropped = false;  ///< whether running arms that are no longer on the agenda are stopped instead of finished
  std::optional<std::chrono::steady_clock::time_point> deadline = std::nullopt;  ///< when to stop the arms
  /// The index of the GPU of the first arm. It differs between shards, so that those on one machine use different GPUs.
  std::int64_t first_gpu = 0;
  std::string data_hash{};  ///< PreparedData::hash, for all arms; if it is empty, the arms do not check their images
};

struct SweepResult {
  /// 0 or the highest exit code of an arm, where 5 (diverged) ranks below all other errors. An arm that crashed counts
  /// as 70, one that was ended by another signal (see exit_code_for) or ran out of memory as 6, and one without a
  /// usable result as 3. If the sweep itself was stopped, 128 + signal.
  int exit_code = 0;
  bool stopped = false;      ///< whether a signal stopped the sweep
  bool out_of_time = false;  ///< whether the deadline stopped it
};

/// The arguments of the child process that trains an arm of the sweep in `sweep_dir`, with the number of threads in
/// `parallel`. If `data_hash` is not empty, the arm refuses to train on images with a different hash.
std::vector<std::string> arm_arguments(const std::filesystem::path& sweep_dir, const Arm& arm,
                                       const ParallelArms& parallel, const std::string& data_hash = {});

/// Trains the arms on the agenda, as many in parallel as choose_parallel_arms selects. Does not train arms that other
/// processes are training. When only such arms are left, logs which processes use them, and waits. If an arm fails, its
/// failure is logged and the others continue; if it failed because the images have changed
/// (ScheduleOptions::data_hash), no further arms are started. If arms warn that other processes use the cores, the
/// first such warning is logged. results.csv, with all arms in `all`, is rewritten whenever an arm ends.
SweepResult run_sweep(const Config& config, const std::filesystem::path& sweep_dir, const std::vector<Arm>& all,
                      const ReadAgenda& read_agenda, const ScheduleOptions& options = {});

}  // namespace slopegan
