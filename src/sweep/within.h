#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "statistics/race.h"
#include "sweep/prepare.h"

/// Implements sweep --within TIME: plans a race that is expected to end in time.
namespace slopegan {

/// The time that the arms of a sweep take on this machine if `jobs` of them train in parallel.
struct MeasuredCosts {
  double images_per_second = 0;   ///< of each arm while it trains
  double evaluation_seconds = 0;  ///< one evaluation with `samples` generated images
  std::int64_t samples = 0;
  double other_seconds = 0;  ///< per arm: start, pictures, checkpoint, report
  std::int64_t jobs = 1;
};

/// Calls prepare_data and stops it at `deadline`. Throws UsageError if the deadline stopped it, and StoppedError if a
/// signal did.
PreparedData prepare_within(const Config& config, std::chrono::steady_clock::time_point deadline,
                            bool logs_notes = true);

/// Removes the temporary directories in `output_dir` that measure_costs left behind because its process was killed.
void remove_left_measurements(const std::filesystem::path& output_dir);

/// Prepares the data and trains arms for a few steps each in a temporary directory, as many in parallel as the sweep
/// would. Throws StoppedError if a signal stops it, and IoError if an arm fails.
MeasuredCosts measure_costs(const Config& config);

struct TimedPlan {
  Config config;
  RacePlan race;
  /// The number of looks for which the time is planned; further looks take place if time is left.
  std::size_t covered_looks = 0;
  double seconds_per_arm = 0;  ///< 0: unknown, because the plan was made earlier
  double seconds = 0;          ///< expected duration up to the last covered look
};

/// A race that is planned with --within has more looks than other races, so that it uses the whole time unless every
/// slope is decided. The plan provides time for the first three looks if possible, otherwise only for the first one.
inline constexpr std::size_t looks_within = 5, covered_looks_within = 3;

/// A plan has at least this many images per arm, unless training.total_images is smaller.
inline constexpr std::int64_t least_images_within = 10'000;
/// A plan does not reduce metrics.samples below this number.
inline constexpr std::int64_t least_samples_within = 1'000;
/// The fraction of the time that the plan leaves free.
inline constexpr double spare_time = 0.2;

/// The number of arms that a plan is expected to need up to a look (1, 2, …): all arms of the first look, and the
/// further arms of the control and of half of the slopes.
std::int64_t typical_arms(const RacePlan& plan, std::size_t looks);

/// The plan with the most images per arm, at most training.total_images, that is expected to fit into `seconds` with
/// spare_time left. If this would be too few images, the plan has fewer generated images per evaluation, then time for
/// one look instead of three, then fewer slopes: slopes of at least 1 are dropped first, then those closest to others,
/// but never the control. If nothing fits, throws a UsageError that states how much time is needed, and that `spent`
/// seconds passed before the plan was made.
TimedPlan plan_within(const Config& config, const MeasuredCosts& costs, double seconds, double spent = 0);

/// The configuration and the plan of the race in the directory of the sweep; std::nullopt if there is no race, or if no
/// arm has been trained and the rules of `config` (sweep.alpha, sweep.control, sweep.equivalence, sweep.give_up), its
/// first seed or its slopes do not agree with the plan. Once arms have been trained, such a difference throws
/// UsageError. Slopes that are missing from the plan do not count as a difference, because plan_within may have dropped
/// them.
std::optional<TimedPlan> kept_plan(const Config& config);

/// The changes to the configuration that make the race fit into the time, one per element.
std::vector<std::string> cuts_of(const Config& before, const TimedPlan& plan);

}  // namespace slopegan
