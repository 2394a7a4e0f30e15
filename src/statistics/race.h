#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "statistics/statistics.h"
#include "statistics/summaries.h"

/// A race: slopes are compared with a control at several looks, each with its own share of alpha. Slopes that are
/// decided or hopeless get no more arms. The probability of one or more wrong claims is at most alpha, because each
/// look spends its own share, and because slopes that no look has rejected stay in the family of Holm's correction.
///
/// A race's state is a pure function of its plan and of the results of its arms. The order in which arms end does not
/// matter, and results of arms that are no longer needed have no effect.
namespace slopegan {

struct RaceRules {
  double alpha = 0.05;        ///< error rate: the maximum probability of one or more wrong claims
  double equivalence = 0.15;  ///< a slope whose interval lies within 1 ± equivalence needs no more arms
  double give_up = 1.5;   ///< gives up a slope whose interim FD is at least this many times the control's; 0 = never
  std::size_t looks = 3;  ///< maximum; fewer looks are planned if later groups would exceed largest_permuted_group
};

struct RacePlan {
  double control = 0;
  std::vector<double> slopes;       ///< all slopes except the control, ascending
  std::vector<std::int64_t> looks;  ///< number of arms of each slope, the control included, at each look: {6, 8, 10}
  std::vector<double> alphas;       ///< one per look; their sum is RaceRules::alpha
  double equivalence = 0.15;
  double give_up = 1.5;
};

/// Plans a race. The first look takes place at the smallest number of arms per slope with which a slope can be
/// significant. Each further look follows after two more arms per slope. The first look gets 60 % of alpha, each
/// further look half of the rest, and the last look the whole rest: 60, 20 and 20 % for three looks, 60, 20, 10, 5 and
/// 5 % for five. `slopes` may include the control and duplicates. Throws std::invalid_argument if it contains no slope
/// other than the control, or if fewer than three looks are possible.
RacePlan plan_race(double control, std::vector<double> slopes, const RaceRules& rules = {});

/// The known results of one arm.
struct RaceArm {
  double negative_slope = 0;
  std::int64_t repeat = 0;  ///< 0, 1, …
  /// `error` counts as pending, and so does a finished arm without a positive FD. An FD of NaN or infinity counts as
  /// divergence.
  ArmOutcome outcome = ArmOutcome::pending;
  std::optional<double> fd;  ///< of the final checkpoint
  /// FD at the intermediate evaluation (see PlannedRace::interim_images). It may be known before the arm ends, and must
  /// not change afterwards.
  std::optional<double> interim_fd;
};

enum class RaceDecision {
  undecided,
  better,
  worse,
  equivalent,  ///< the interval lies within 1 ± equivalence
  given_up,    ///< hopeless in both of its first two repeats; this is not a test, so the error rate does not cover it
};

/// A slope compared with the control at one look. Ratios are the geometric mean FD of the slope / the geometric mean FD
/// of the control: below 1, the slope is better. The log FD of a failed arm is replaced with the largest finite log FD
/// of the two groups plus the range of the finite log FDs (or plus 1 if that range is 0).
struct RaceComparison {
  double negative_slope = 0;
  std::int64_t failed = 0;          ///< arms of the slope that diverged or collapsed
  std::int64_t control_failed = 0;  ///< arms of the control that diverged or collapsed
  double ratio = 1;
  /// The limits of the ratio at the level (alpha of the look) / (number of slopes), so that they hold for all slopes
  /// simultaneously. If the slope is better or worse, they do not lie on both sides of 1. The upper limit is infinite
  /// if the slope has more failures than the control, and the lower limit is 0 if it has fewer.
  Interval ratio_interval;
  double p = 1;
  double p_holm = 1;            ///< adjusted for all slopes that no earlier look rejected
  bool spreads_differ = false;  ///< whether the standard deviations of log FD differ by a factor above 2
  RaceDecision decision = RaceDecision::undecided;
};

/// A complete look.
struct RaceLook {
  std::int64_t arms = 0;                    ///< number of arms per slope
  double alpha = 0;                         ///< share of the error rate spent here
  std::int64_t family = 0;                  ///< number of hypotheses in Holm's correction
  std::vector<RaceComparison> comparisons;  ///< for the slopes that were still undecided, ascending
};

/// The state of a slope.
struct RaceSlope {
  double negative_slope = 0;
  RaceDecision decision = RaceDecision::undecided;
  /// The comparison at the last look that tested the slope; std::nullopt before the first look and if the slope is
  /// given up.
  std::optional<RaceComparison> comparison;
  std::int64_t look = 0;  ///< 1, 2, …: the look of `comparison`; 0 = none
  /// Interim FD of the slope / interim FD of the control in the first two repeats, if known; infinite for a failed arm.
  std::vector<double> interim_ratios;
};

struct RaceArmId {
  double negative_slope = 0;
  std::int64_t repeat = 0;
  bool operator==(const RaceArmId&) const = default;
};

struct RaceState {
  std::vector<RaceLook> looks;    ///< complete looks only
  std::vector<RaceSlope> slopes;  ///< in the order of the plan
  bool is_over = false;
  /// The unfinished arms that the next look needs, running ones included, in the order in which to train them: by
  /// repeat, the control first. The next look needs no other unfinished arms. Empty when the race is over.
  std::vector<RaceArmId> needed;
};

/// Whether the race may still train arms of the slope: it is not over, and the slope is the control or undecided.
bool may_need_arms(const RacePlan& plan, const RaceState& state, double slope);

/// The state of the race, given the results so far. Arms of slopes that are not in the plan, and repeats beyond the
/// last look, are ignored. Throws std::invalid_argument if two arms have the same slope and repeat.
RaceState follow_race(const RacePlan& plan, std::span<const RaceArm> arms);

// --- What a plan can show ------------------------------------------------------------------------------------------

/// The number of arms, the control included, if every slope stays undecided until the last look.
std::int64_t most_arms(const RacePlan& plan);

/// The number of arms if the first look decides every slope.
std::int64_t first_look_arms(const RacePlan& plan);

/// The smallest possible number of arms. The race needs this many if every slope is given up or, in a plan that never
/// gives up slopes, if the first look decides every slope.
std::int64_t fewest_arms(const RacePlan& plan);

/// The mean number of arms if every slope's FD is `ratio` times the control's and log FD is normally distributed
/// between seeds with standard deviation `seed_deviation`. Assumes that no slope is given up.
double expected_arms(const RacePlan& plan, double seed_deviation, double ratio);

/// The smallest ratio above 1 that the race detects with a probability of 80 % if log FD is normally distributed
/// between seeds with standard deviation `seed_deviation`.
double smallest_detectable_ratio(const RacePlan& plan, double seed_deviation);

}  // namespace slopegan
