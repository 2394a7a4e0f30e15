#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "statistics/race_json.h"
#include "sweep/arms.h"

/// Describes what a sweep will train and what it can show, before it starts: the output of --plan. ASCII only.
namespace slopegan {

/// What is known about the time and noise of a sweep's arms.
struct ArmCosts {
  std::optional<double> seconds;    ///< mean duration of an arm
  std::optional<double> deviation;  ///< standard deviation of log FD between seeds
  std::int64_t jobs = 1;            ///< number of arms that train in parallel
  std::int64_t ended = 0;           ///< number of arms that need no more training
};

/// Derives the costs from the arms that need no more training. The duration of an arm covers all its starts, without
/// the time between them, and includes the work after the last line of its history, such as the evaluation.
ArmCosts known_costs(const Config& config, const std::vector<Arm>& arms);

/// The standard deviation of log FD between seeds that is assumed if it is unknown. With batch norm on Fashion-MNIST it
/// is 0.06, without batch norm 0.15.
inline constexpr double assumed_deviation = 0.1;

/// Describes the plan of a race. `covered_looks` is the number of looks for which the time is planned (0 = all looks).
std::string race_plan_text(const Config& config, const PlannedRace& planned, const ArmCosts& costs,
                           std::size_t covered_looks = 0);

/// Describes a sweep with fixed seeds. `over` is the number of arms that need no more training. `counting` contains the
/// seeds that can affect the verdicts (see seeds_that_count); the text lists the other seeds of `config` as not
/// counted. `compared` contains all slopes that the statistics will compare: those of `config` and those of arms that
/// earlier commands started (see with_earlier_arms).
std::string fixed_plan_text(const Config& config, const std::vector<Arm>& arms, std::size_t over, const ArmCosts& costs,
                            const std::vector<std::int64_t>& counting, const std::vector<double>& compared);

}  // namespace slopegan
