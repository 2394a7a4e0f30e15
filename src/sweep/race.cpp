#include "sweep/race.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

#include "run/records.h"
#include "run/run_directory.h"
#include "support/errors.h"
#include "support/file_lock.h"
#include "support/files.h"
#include "support/log.h"
#include "support/text.h"
#include "sweep/results.h"

namespace slopegan {

namespace {

constexpr std::size_t largest_race_file = std::size_t{16} << 20;

std::filesystem::path race_file(const std::filesystem::path& sweep_dir) { return sweep_dir / "race.json"; }

FileLock lock_race(const std::filesystem::path& sweep_dir) {
  return wait_for_lock(sweep_dir / ".race.lock", sweep_dir);
}

std::int64_t round_up(std::int64_t count, std::int64_t multiple) {
  return (count + multiple - 1) / multiple * multiple;
}

auto key_of(const RaceArm& arm) {
  return std::tuple(arm.negative_slope, arm.repeat, arm.outcome, arm.fd, arm.interim_fd);
}

bool is_final(ArmOutcome outcome) {
  return outcome == ArmOutcome::done || outcome == ArmOutcome::diverged || outcome == ArmOutcome::collapsed;
}

/// Whether the arm has ended with a result that the race can use. An arm that is done may lack an FD because its files
/// are temporarily unreadable.
bool has_usable_result(const RaceArm& arm) {
  return is_final(arm.outcome) && (arm.outcome != ArmOutcome::done || arm.fd);
}

/// The FD of the first evaluation in the image range [from, to) that used the plan's extractor and number of samples.
std::optional<double> fd_between(const std::vector<MetricsRecord>& records, std::int64_t from, std::int64_t to,
                                 const PlannedRace& planned) {
  for (const auto& record : records) {
    const bool fits = record.images >= from && record.images < to && record.extractor == planned.extractor &&
                      record.samples == planned.samples;
    const auto fd = fits ? find_value(record.values, "fd") : std::nullopt;
    if (fd) return fd;
  }
  return std::nullopt;
}

/// Returns the metrics records of the arm; empty if they cannot be read. Logs each problem only once, because the files
/// of the arms are read every few seconds.
std::vector<MetricsRecord> all_metrics(const Arm& arm) {
  const auto file = RunPaths(arm.directory).metrics_file();
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return {};
  try {
    return read_metrics(file);
  } catch (const Error& error) {
    static std::set<std::string> logged;
    if (logged.insert(error.what()).second) log::warning(error.what());
    return {};
  }
}

}  // namespace

RacePlan race_plan(const Config& config, std::size_t looks) {
  const SweepConfig& sweep = config.sweep;
  try {
    return plan_race(sweep.control, sweep.negative_slope, {sweep.alpha, sweep.equivalence, sweep.give_up, looks});
  } catch (const std::invalid_argument&) {
    throw UsageError(
        format_text("a race with {} slopes and sweep.alpha = {} would need too many seeds per slope; use "
                    "fewer slopes or a larger sweep.alpha",
                    sweep.negative_slope.size(), shortest(sweep.alpha)));
  }
}

RacePlan continued_plan(const Config& config, const std::filesystem::path& sweep_dir) {
  RacePlan plan = race_plan(config);
  const auto race = read_race(sweep_dir);
  if (!race) return plan;
  const RacePlan& kept = race->planned.plan;
  const double alpha = std::accumulate(kept.alphas.begin(), kept.alphas.end(), 0.0);
  const bool is_same =
      kept.control == plan.control && kept.slopes == plan.slopes && std::abs(alpha - config.sweep.alpha) < 1e-12;
  if (!is_same) return plan;
  plan.looks = kept.looks;
  plan.alphas = kept.alphas;
  return plan;
}

std::int64_t interim_images(const Config& config) {
  const std::int64_t every = config.metrics.every_images, total = config.training.total_images;
  if (config.sweep.give_up == 0 || every == 0) return 0;
  const std::int64_t images = std::max<std::int64_t>(1, total / 2 / every) * every;
  const std::int64_t step = config.training.batch_size * config.optimizer.discriminator_steps;
  return round_up(images, step) < total ? images : 0;  // evaluations take place at the end of a step
}

Config race_config(Config config, const RacePlan& plan) {
  const std::int64_t first = config.sweep.seeds.front();
  config.sweep.seeds.clear();
  for (std::int64_t repeat = 0; repeat < plan.looks.back(); ++repeat) config.sweep.seeds.push_back(first + repeat);
  if (config.sweep.give_up > 0 && interim_images(config) == 0) {
    config.metrics.every_images = (config.training.total_images + 1) / 2;
  }
  return config;
}

PlannedRace planned_race(const Config& config, const RacePlan& plan, const std::string& extractor,
                         const std::string& dataset_hash) {
  PlannedRace planned;
  planned.plan = plan;
  planned.first_seed = config.sweep.seeds.front();
  planned.images = config.training.total_images;
  planned.interim_images = interim_images(config);
  if (planned.interim_images == 0) planned.plan.give_up = 0;
  planned.extractor = extractor;
  planned.samples = config.metrics.samples;
  planned.dataset = dataset_hash;
  return planned;
}

std::optional<RaceFile> read_race(const std::filesystem::path& sweep_dir) {
  const auto file = race_file(sweep_dir);
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::nullopt;
  auto race = parse_race(read_file(file, largest_race_file));
  if (!race) {
    throw UsageError(display(file) +
                     " is damaged, or its plan was edited; restore it, or start a new race with a different run.name");
  }
  return race;
}

void check_plan(const std::filesystem::path& sweep_dir, const PlannedRace& planned) {
  const auto race = read_race(sweep_dir);
  if (!has_results(sweep_dir) && !is_in_training(sweep_dir)) return;
  if (!race) {
    throw UsageError(display(sweep_dir) +
                     " contains arms that have been or are being trained, but no race.json; a race must be planned "
                     "before its first arm is trained; choose another run.name");
  }
  const auto problems = plan_differences(race->planned, planned);
  if (!problems.empty()) refuse_plan(sweep_dir, problems);
}

void refuse_plan(const std::filesystem::path& sweep_dir, const std::vector<std::string>& problems) {
  throw UsageError(
      display(sweep_dir) + " contains a race with a different plan (" + join(problems, ", ") +
      "), and a plan must not change once arms have been trained; continue the race with the configuration in its "
      "sweep.yaml, or choose another run.name for a new race");
}

void write_plan(const std::filesystem::path& sweep_dir, const PlannedRace& planned) {
  const FileLock lock = lock_race(sweep_dir);
  check_plan(sweep_dir, planned);
  const auto race = read_race(sweep_dir);
  if (race && plan_hash(race->planned) == plan_hash(planned)) return;
  write_file_atomic(race_file(sweep_dir), race_json({planned, follow_race(planned.plan, {})}));
  remove_tree(sweep_dir / "plan.json");  // left by a fixed sweep that never began
}

RaceFollower::RaceFollower(const Config& config, std::filesystem::path sweep_dir, PlannedRace planned,
                           const std::vector<Arm>& arms)
    : config_(config), sweep_dir_(std::move(sweep_dir)), planned_(std::move(planned)), arms_(arms) {
  for (const auto& arm : arms_) {
    results_.push_back({arm.negative_slope, arm.seed - planned_.first_seed, ArmOutcome::pending, {}, {}});
  }
  state_ = follow_race(planned_.plan, results_);
}

RaceArm RaceFollower::read_arm(const Arm& arm) const {
  RaceArm result{arm.negative_slope, arm.seed - planned_.first_seed, ArmOutcome::pending, {}, {}};
  const auto end = end_of(arm, config_);
  if (end) result.outcome = outcome_of(arm, config_);
  const auto metrics = all_metrics(arm);
  const std::int64_t images = planned_.images, interim = planned_.interim_images;
  if (end == RunStatus::done) result.fd = fd_between(metrics, images, images + 1, planned_);
  if (interim > 0) result.interim_fd = fd_between(metrics, interim, images, planned_);
  return result;
}

bool RaceFollower::read_arms() {
  bool any = false;
  for (std::size_t i = 0; i < arms_.size(); ++i) {
    if (has_usable_result(results_[i])) continue;
    const RaceArm result = read_arm(arms_[i]);
    any = any || key_of(result) != key_of(results_[i]);
    results_[i] = result;
  }
  return any;
}

const RaceState& RaceFollower::update() {
  if (!read_arms()) return state_;
  const FileLock lock = lock_race(sweep_dir_);
  read_arms();  // so that the process that writes the file last has read all results that the others have read
  state_ = follow_race(planned_.plan, results_);
  const auto file = race_file(sweep_dir_);
  const std::string text = race_json({planned_, state_});
  if (read_file(file, largest_race_file) != text) write_file_atomic(file, text);
  return state_;
}

Agenda RaceFollower::agenda(const Shard& shard) {
  update();
  Agenda agenda;
  for (const auto& id : state_.needed) {
    const auto found = std::ranges::find_if(arms_, [&](const Arm& arm) {
      return arm.negative_slope == id.negative_slope && arm.seed == planned_.first_seed + id.repeat;
    });
    if (found != arms_.end()) agenda.needed.push_back(&*found);
  }
  std::ranges::stable_partition(agenda.needed,
                                [&](const Arm* arm) { return (arm - arms_.data()) % shard.count == shard.index - 1; });
  for (const auto& result : results_) {
    agenda.most += !has_usable_result(result) && may_need_arms(planned_.plan, state_, result.negative_slope);
    agenda.over += has_usable_result(result);
    agenda.diverged += result.outcome == ArmOutcome::diverged;
  }
  return agenda;
}

}  // namespace slopegan
