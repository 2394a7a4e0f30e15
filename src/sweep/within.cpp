#include "sweep/within.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <limits>
#include <random>
#include <thread>
#include <unistd.h>
#include <utility>

#include "run/records.h"
#include "run/run_directory.h"
#include "support/errors.h"
#include "support/file_lock.h"
#include "support/files.h"
#include "support/log.h"
#include "support/ranges.h"
#include "support/seconds_since.h"
#include "support/signals.h"
#include "support/text.h"
#include "sweep/child_process.h"
#include "sweep/parallel_arms.h"
#include "sweep/race.h"
#include "sweep/scheduler.h"
#include "sweep/sweep.h"

namespace slopegan {

namespace {

using Clock = std::chrono::steady_clock;

/// Evaluations per arm: one before the end, and one at the end, which counts twice because it uses two sets of images.
constexpr double evaluations_per_arm = 3;
/// If evaluations take more than this fraction of an arm's time, the plan generates fewer images per evaluation.
constexpr double most_evaluation_time = 0.3;

/// Generated images per evaluation while measuring. The duration of an evaluation is assumed to be proportional to this
/// number.
constexpr std::int64_t probe_samples = 500;

/// An upper bound on the number of arms that any machine trains in parallel.
constexpr std::int64_t most_parallel_arms = 1024;

/// The prefix of the names of the temporary directories in which sweeps measure the time of arms.
std::string probe_prefix() { return std::string(temporary_prefix) + "within-"; }

/// The lock file in such a directory. The process that measures holds the lock.
std::filesystem::path probe_lock_file(const std::filesystem::path& directory) { return directory / ".within.lock"; }

/// Creates and locks the directory. Tries again if another process mistakes it for a leftover one and removes it before
/// it is locked.
FileLock create_probe_directory(const std::filesystem::path& directory) {
  constexpr int attempts = 3;
  for (int attempt = 1;; ++attempt) {
    try {
      make_directories(directory);
      FileLock lock(probe_lock_file(directory), directory);
      lock.check_in_place();
      return lock;
    } catch (const Error&) {
      if (attempt == attempts) throw;
    }
  }
}

/// A short sweep that measures the duration of an arm. It uses a temporary directory next to that of the real sweep;
/// the destructor removes this directory.
class ProbeSweep {
 public:
  explicit ProbeSweep(Config config) : config_(std::move(config)) {
    config_.run.name = format_text("{}{}-{:08x}", probe_prefix(), ::getpid(), std::random_device()());
    config_.sweep.seeds.clear();
    config_.sweep.negative_slope = {config_.sweep.control};
    const auto batch = config_.training.batch_size * config_.optimizer.discriminator_steps;
    config_.training.total_images = std::max<std::int64_t>(1024, 16 * batch) / batch * batch;
    config_.metrics.every_images = config_.training.total_images;
    config_.metrics.samples = std::min(config_.metrics.samples, probe_samples);
    const auto machine = this_sweep_machine(config_.training);
    parallel_ = choose_parallel_arms(config_, most_parallel_arms, machine);
    gpus_ = machine.gpus;
    for (std::int64_t seed = 0; seed < parallel_.jobs; ++seed) config_.sweep.seeds.push_back(seed);
    directory_ = configured_directory(config_.run);
    lock_.emplace(create_probe_directory(directory_));
    open_sweep(config_);
  }
  ~ProbeSweep() {
    try {
      remove_tree(directory_);
    } catch (const IoError& error) {
      log::warning(error.what());
    }
  }
  ProbeSweep(const ProbeSweep&) = delete;
  ProbeSweep& operator=(const ProbeSweep&) = delete;

  MeasuredCosts measure() const {
    prepare_data(config_, false);
    const auto arms = make_arms(config_, directory_);
    const double seconds = train(arms);
    MeasuredCosts costs;
    costs.jobs = parallel_.jobs;
    costs.samples = config_.metrics.samples;
    for (const auto& arm : arms) {
      const double count = static_cast<double>(arms.size());
      costs.images_per_second += images_per_second(arm) / count;
      costs.evaluation_seconds += evaluation_seconds(arm) / count;
    }
    const double training = static_cast<double>(config_.training.total_images) / costs.images_per_second;
    costs.other_seconds = std::max(0.0, seconds - training - 2 * costs.evaluation_seconds);
    return costs;
  }

 private:
  /// Returns the mean duration of an arm.
  double train(const std::vector<Arm>& arms) const {
    const SuspendRequests suspend_requests;
    const auto start = Clock::now();
    std::vector<ChildProcess> running;
    std::vector<std::string> in_use;
    for (const auto& arm : arms) {
      in_use.push_back(least_used_gpu(gpus_, in_use));
      running.emplace_back(arm_arguments(directory_, arm, parallel_), arm_variables(in_use.back(), parallel_.jobs));
    }
    double seconds = 0;
    bool is_stopping = false;
    std::string failure;
    while (!running.empty()) {
      std::vector<const ChildProcess*> children;
      for (const auto& process : running) children.push_back(&process);
      suspend_if_requested(children);
      const bool must_stop = stop_signal() != 0 || !failure.empty();
      if (must_stop && !std::exchange(is_stopping, true)) {
        for (const auto& process : running) process.send(SIGTERM);
      }
      std::erase_if(running, [&](ChildProcess& process) {
        const auto code = process.poll();
        if (!code) return false;
        if (*code != 0 && !is_stopping && failure.empty()) failure = failure_text(process, *code);
        seconds += seconds_since(start);
        return true;
      });
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    // All other arms have ended as well, so none of them writes to the directory that the destructor removes.
    if (!failure.empty()) throw IoError(failure);
    if (is_stopping) throw StoppedError(stop_signal(), "stopped while measuring the time of an arm");
    return seconds / static_cast<double>(arms.size());
  }

  static std::string failure_text(const ChildProcess& process, int code) {
    return format_text("an arm that was trained only to measure its duration failed with exit code {}: {}", code,
                       process.last_stderr_line());
  }

  /// The speed without the first step, which allocates memory.
  static double images_per_second(const Arm& arm) {
    const auto history = read_history(RunPaths(arm.directory).history_file());
    const auto& first = history.front();
    const auto& last = history.back();
    const double seconds = std::max(1e-3, last.seconds - first.seconds);
    return static_cast<double>(last.images - first.images) / seconds;
  }

  static double evaluation_seconds(const Arm& arm) {
    const auto metrics = last_metrics(arm);
    if (!metrics) throw DataError("a race needs metrics, but there are too few images for them");
    return metrics->seconds / 2;  // the evaluation at the end uses two sets of images
  }

  Config config_;
  ParallelArms parallel_;
  std::vector<std::string> gpus_;  ///< see SweepMachine
  std::filesystem::path directory_;
  std::optional<FileLock> lock_;
};

/// The position of a slope on a scale of square roots, on which small slopes are further apart.
double place_of(double slope) { return std::copysign(std::sqrt(std::abs(slope)), slope); }

double distance_to_closest(double slope, const std::vector<double>& slopes) {
  double least = std::numeric_limits<double>::infinity();
  for (const double other : slopes) {
    if (other != slope) least = std::min(least, std::abs(place_of(other) - place_of(slope)));
  }
  return least;
}

/// The slope to drop first, which is never the control: the largest slope that is at least 1, because nobody would use
/// such a slope. If there is none, the slope that is closest to another one; if there is a tie, the larger slope.
double most_dispensable_slope(const std::vector<double>& slopes, double control) {
  double found = control, least = std::numeric_limits<double>::infinity();
  for (const double slope : slopes) {
    if (slope == control) continue;
    const double distance = slope >= 1 ? 0 : distance_to_closest(slope, slopes);
    if (distance < least || (distance == least && slope > found)) {
      least = distance;
      found = slope;
    }
  }
  return found;
}

struct PossibleRace {
  Config config;
  RacePlan plan;
  std::size_t covered_looks = 0;

  /// The number of arms that must fit into the time.
  std::int64_t arms() const { return typical_arms(plan, covered_looks); }
};

/// The possible races in order of preference: with time for three looks, with time for one look, then the same with
/// fewer and fewer slopes.
std::vector<PossibleRace> possible_races(Config config) {
  std::vector<PossibleRace> races;
  auto& slopes = config.sweep.negative_slope;
  for (;;) {
    const RacePlan plan = race_plan(config, looks_within);
    for (const std::size_t covered : {covered_looks_within, std::size_t{1}}) races.push_back({config, plan, covered});
    if (plan.slopes.size() < 2) return races;
    slopes.erase(std::ranges::find(slopes, most_dispensable_slope(slopes, config.sweep.control)));
  }
}

/// The numbers of generated images per evaluation that a plan may use, in descending order.
std::vector<std::int64_t> possible_samples(std::int64_t samples) {
  std::vector<std::int64_t> all = {samples};
  while (all.back() / 2 >= least_samples_within) all.push_back(all.back() / 2);
  return all;
}

double evaluation_time(const MeasuredCosts& costs, std::int64_t samples) {
  return evaluations_per_arm * costs.evaluation_seconds * static_cast<double>(samples) /
         static_cast<double>(costs.samples);
}

/// The duration of an arm, including an interim evaluation and the evaluations of two sets of images at the end.
double arm_seconds(const MeasuredCosts& costs, std::int64_t images, std::int64_t samples) {
  return costs.other_seconds + static_cast<double>(images) / costs.images_per_second + evaluation_time(costs, samples);
}

/// The number of rounds that the race takes if each job trains one arm per round.
double rounds_of(const PossibleRace& race, const MeasuredCosts& costs) {
  return std::ceil(static_cast<double>(race.arms()) / static_cast<double>(costs.jobs));
}

std::int64_t least_images(const Config& config) { return std::min(least_images_within, config.training.total_images); }

/// The number of images per arm with which the race fits into `seconds`, at most training.total_images; may be
/// negative.
std::int64_t images_that_fit(const PossibleRace& race, const MeasuredCosts& costs, std::int64_t samples,
                             double seconds) {
  const double per_arm = (1 - spare_time) * seconds / rounds_of(race, costs);
  const double images = (per_arm - costs.other_seconds - evaluation_time(costs, samples)) * costs.images_per_second;
  const std::int64_t total = race.config.training.total_images, batch = race.config.training.batch_size;
  if (images >= static_cast<double>(total)) return total;
  return static_cast<std::int64_t>(std::floor(images / static_cast<double>(batch))) * batch;
}

TimedPlan timed_plan(const PossibleRace& race, const MeasuredCosts& costs, std::int64_t images, std::int64_t samples) {
  TimedPlan plan{race.config, race.plan, race.covered_looks};
  plan.config.training.total_images = images;
  plan.config.metrics.samples = samples;
  plan.config.metrics.every_images = (images + 1) / 2;
  plan.config = race_config(plan.config, plan.race);
  plan.seconds_per_arm = arm_seconds(costs, images, samples);
  plan.seconds = rounds_of(race, costs) * plan.seconds_per_arm;
  return plan;
}

/// The values of `given` with which the stored race cannot be continued; see kept_plan.
std::vector<std::string> plan_problems(const Config& stored, const Config& given) {
  std::vector<std::string> problems;
  const auto compare = [&](const char* key, double before, double after) {
    if (before != after) problems.push_back(format_text("{}: {} -> {}", key, shortest(before), shortest(after)));
  };
  const SweepConfig &before = stored.sweep, &after = given.sweep;
  compare("sweep.control", before.control, after.control);
  compare("sweep.alpha", before.alpha, after.alpha);
  compare("sweep.equivalence", before.equivalence, after.equivalence);
  compare("sweep.give_up", before.give_up, after.give_up);
  if (before.seeds.front() != after.seeds.front()) {
    problems.push_back(format_text("first_seed: {} -> {}", before.seeds.front(), after.seeds.front()));
  }
  for (const double slope : before.negative_slope) {
    if (contains(after.negative_slope, slope)) continue;
    problems.push_back("sweep.negative_slope: without " + shortest(slope));
  }
  return problems;
}

[[noreturn]] void refuse(const PossibleRace& smallest, const MeasuredCosts& costs, std::int64_t samples, double seconds,
                         double spent) {
  const std::int64_t images = least_images(smallest.config);
  const double needed = rounds_of(smallest, costs) * arm_seconds(costs, images, samples) / (1 - spare_time);
  const double left = std::max(0.0, seconds);
  throw UsageError(format_text(
      "--within: {} is left{}, but the smallest race (slope {} against {}, {} arms of {} images, {} generated images "
      "per evaluation) takes about {} on this machine, which is {} more",
      clock_time(left), spent < 1 ? "" : format_text(" after {} of preparing and measuring", clock_time(spent)),
      shortest(smallest.plan.slopes.front()), shortest(smallest.plan.control), smallest.arms(), images, samples,
      clock_time(needed), clock_time(needed - left)));
}

}  // namespace

void remove_left_measurements(const std::filesystem::path& output_dir) {
  for (const auto& entry : entries_of(output_dir)) {
    if (!entry.filename().native().starts_with(probe_prefix())) continue;
    try {
      const FileLock lock(probe_lock_file(entry), entry);
      remove_tree(entry);
    } catch (const Error&) {  // in use, or being removed by another process
    }
  }
}

PreparedData prepare_within(const Config& config, Clock::time_point deadline, bool logs_notes) {
  const auto start = Clock::now();
  try {
    const StopDeadline stop(deadline);
    return prepare_data(config, logs_notes);
  } catch (const StoppedError& error) {
    if (stop_signal() != 0) throw;
    throw UsageError(format_text(
        "--within: the time was up after {} of preparing the images and the feature extractor ({}); they are prepared "
        "only once, so allow more time, or prepare them in advance with a longer --within and --plan",
        clock_time(seconds_since(start)), error.what()));
  }
}

MeasuredCosts measure_costs(const Config& config) { return ProbeSweep(config).measure(); }

std::int64_t typical_arms(const RacePlan& plan, std::size_t looks) {
  const auto slopes = std::ssize(plan.slopes);
  const std::int64_t undecided = (slopes + 1) / 2;
  return first_look_arms(plan) + (plan.looks.at(looks - 1) - plan.looks.front()) * (undecided + 1);
}

TimedPlan plan_within(const Config& config, const MeasuredCosts& costs, double seconds, double spent) {
  const auto races = possible_races(config);
  const auto all_samples = possible_samples(config.metrics.samples);
  for (const auto& race : races) {
    for (const std::int64_t samples : all_samples) {
      const std::int64_t images = images_that_fit(race, costs, samples, seconds);
      if (images < least_images(config)) continue;
      const bool is_slow = evaluation_time(costs, samples) > most_evaluation_time * arm_seconds(costs, images, samples);
      if (!is_slow || samples == all_samples.back()) return timed_plan(race, costs, images, samples);
    }
  }
  refuse(races.back(), costs, all_samples.back(), seconds, spent);
}

std::optional<TimedPlan> kept_plan(const Config& config) {
  const auto directory = configured_directory(config.run);
  const auto race = read_race(directory);
  if (!race) return std::nullopt;
  const Config stored = load_sweep(directory);
  if (const auto problems = plan_problems(stored, config); !problems.empty()) {
    if (has_results(directory) || is_in_training(directory)) refuse_plan(directory, problems);
    return std::nullopt;
  }
  TimedPlan plan{config, race->planned.plan, race->planned.plan.looks.size()};
  plan.config.training.total_images = race->planned.images;
  plan.config.metrics.samples = race->planned.samples;
  plan.config.metrics.every_images = stored.metrics.every_images;
  plan.config.sweep = stored.sweep;
  plan.config.sweep.jobs = config.sweep.jobs;
  plan.config.sweep.stop_running = config.sweep.stop_running;
  return plan;
}

std::vector<std::string> cuts_of(const Config& before, const TimedPlan& plan) {
  std::vector<std::string> cuts;
  const auto add = [&](const std::string& key, std::int64_t from, std::int64_t to) {
    if (from != to) cuts.push_back(format_text("{} = {} instead of {}", key, to, from));
  };
  add("training.total_images", before.training.total_images, plan.config.training.total_images);
  add("metrics.samples", before.metrics.samples, plan.config.metrics.samples);
  std::vector<std::string> dropped;
  for (const double slope : before.sweep.negative_slope) {
    const auto& kept = plan.config.sweep.negative_slope;
    if (!contains(kept, slope)) dropped.push_back(shortest(slope));
  }
  if (!dropped.empty()) {
    cuts.push_back((dropped.size() == 1 ? "without slope " : "without slopes ") + join(dropped, ", "));
  }
  if (plan.covered_looks == 1) cuts.emplace_back("time for the first look only");
  return cuts;
}

}  // namespace slopegan
