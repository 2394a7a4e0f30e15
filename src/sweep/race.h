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
/// decisions are derived from the plan and the arms' files, so every process reaches the same ones.
namespace slopegan {

/// The plan that the configuration implies, with at most `looks` looks. Throws UsageError if there are too many slopes
/// for sweep.alpha.
RacePlan race_plan(const Config& config, std::size_t looks = RaceRules{}.looks);

/// Like race_plan, but with the looks of the race in `sweep_dir` if that race has the same slopes, control and alpha,
/// because --within plans other looks.
RacePlan continued_plan(const Config& config, const std::filesystem::path& sweep_dir);

/// The configuration of the arms of a race: sweep.seeds counts up to the last look, and metrics.every_images yields an
/// evaluation before the end, unless slopes are never given up.
Config race_config(Config config, const RacePlan& plan);

/// The image count of the evaluation that may give up a slope: the last one in the first half of the training, or the
/// first one. 0 if there is none before the end, or if slopes are never given up.
std::int64_t interim_images(const Config& config);

/// Everything that the race fixes. `config` is the result of race_config.
PlannedRace planned_race(const Config& config, const RacePlan& plan, const std::string& extractor,
                         const std::string& dataset_hash);

/// The race in <sweep_dir>/race.json; std::nullopt if there is none. Throws UsageError if the file is damaged or was
/// edited.
std::optional<RaceFile> read_race(const std::filesystem::path& sweep_dir);

/// Throws UsageError if arms of the sweep were or are being trained according to a different plan.
void check_plan(const std::filesystem::path& sweep_dir, const PlannedRace& planned);

/// Writes the plan to race.json, unless race.json already contains it. Throws UsageError like check_plan.
void write_plan(const std::filesystem::path& sweep_dir, const PlannedRace& planned);

/// Tracks a race through the files of its arms and keeps race.json up to date.
class RaceFollower {
 public:
  /// `arms`: those of race_config. Both references must outlive the object.
  RaceFollower(const Config& config, std::filesystem::path sweep_dir, PlannedRace planned,
               const std::vector<Arm>& arms);

  /// Reads the arms' files, decides the complete looks, and rewrites race.json if a decision is new.
  const RaceState& update();

  /// The arms that the next look still needs. Those of the shard come first, because other processes train the others;
  /// the others follow, in case no other process trains them. Calls update().
  Agenda agenda(const Shard& shard);

  const RaceState& state() const { return state_; }
  const PlannedRace& planned() const { return planned_; }

 private:
  RaceArm read_arm(const Arm& arm) const;
  /// Whether any result differs from those of the last call.
  bool read_arms();

  const Config& config_;
  std::filesystem::path sweep_dir_;
  PlannedRace planned_;
  const std::vector<Arm>& arms_;
  std::vector<RaceArm> results_;  ///< one per arm
  RaceState state_;
};

}  // namespace slopegan
