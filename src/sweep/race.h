#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "statistics/race_json.h"
#include "sweep/arms.h"
#include "sweep/scheduler.h"
#include "sweep/sweep.h"

/// Sweeps with sweep.design = race: which arms are trained depends on the results so far (statistics/race.h). All
/// decisions are derived from the plan and the arms' files, so every process makes the same decisions.
namespace slopegan {

/// The plan that the configuration implies, with at most `looks` looks. Throws UsageError if there are too many slopes
/// for sweep.alpha.
RacePlan race_plan(const Config& config, std::size_t looks = RaceRules{}.looks);

/// Like race_plan, but keeps the looks of the race in `sweep_dir` if that race has the same slopes, control and alpha.
/// These looks differ from those of race_plan if the race was planned with --within.
RacePlan continued_plan(const Config& config, const std::filesystem::path& sweep_dir);

/// The configuration of the arms of a race: sweep.seeds contains one seed for each repeat up to the last look. If the
/// race may give up on slopes (sweep.give_up) but there is no evaluation before the end of training,
/// metrics.every_images is set to half of training.total_images.
Config race_config(Config config, const RacePlan& plan);

/// The image count of the evaluation after which the race may give up on slopes: the last evaluation in the first half
/// of the training, or else the first one. 0 if there is no evaluation before the end, or if sweep.give_up is 0.
std::int64_t interim_images(const Config& config);

/// Everything that is fixed before the first arm of the race is trained. `config` is the result of race_config.
PlannedRace planned_race(const Config& config, const RacePlan& plan, const std::string& extractor,
                         const std::string& dataset_hash);

/// The race in <sweep_dir>/race.json; std::nullopt if there is none. Throws UsageError if the file is damaged or its
/// plan was edited.
std::optional<RaceFile> read_race(const std::filesystem::path& sweep_dir);

/// Throws UsageError if arms of the sweep have been or are being trained without a plan or with a different one, or if
/// race.json is damaged.
void check_plan(const std::filesystem::path& sweep_dir, const PlannedRace& planned);

/// Throws a UsageError stating that the race in `sweep_dir` has a different plan. `problems` lists the differences.
[[noreturn]] void refuse_plan(const std::filesystem::path& sweep_dir, const std::vector<std::string>& problems);

/// Writes the plan to race.json, unless race.json already contains it. Throws the same errors as check_plan.
void write_plan(const std::filesystem::path& sweep_dir, const PlannedRace& planned);

/// Tracks a race through the files of its arms and keeps race.json up to date.
class RaceFollower {
 public:
  /// `config`: the result of race_config; `arms`: its arms. Both must outlive this object.
  RaceFollower(const Config& config, std::filesystem::path sweep_dir, PlannedRace planned,
               const std::vector<Arm>& arms);

  /// Reads the arms' files, evaluates the complete looks, and rewrites race.json if its contents have changed.
  const RaceState& update();

  /// Calls update() and returns the arms that the next look still needs. Those of the shard come first. The arms of
  /// other shards follow, in case no other process trains them.
  Agenda agenda(const Shard& shard);

  const RaceState& state() const { return state_; }
  const PlannedRace& planned() const { return planned_; }

 private:
  RaceArm read_arm(const Arm& arm) const;
  /// Reads the results of the arms. Returns whether any of them has changed since the last call.
  bool read_arms();

  const Config& config_;
  std::filesystem::path sweep_dir_;
  PlannedRace planned_;
  const std::vector<Arm>& arms_;
  std::vector<RaceArm> results_;  ///< one per arm
  RaceState state_;
};

}  // namespace slopegan
