#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "statistics/statistics.h"
#include "statistics/summaries.h"

/// A race: slopes are compared with a control at several looks, each with its own share of alpha. Slopes that are
/// decided or hopeless get no more arms. The probability of any wrong claim is at most alpha, because each look spends
/// its own share and Holm's correction keeps every slope that was not rejected in the family.
///
/// A race's state is a pure function of its plan and of the results of its arms. The order in which arms end does not
/// matter, and results that a decision has made unnecessary change nothing.
namespace slopegan {

struct RaceRules {
  double alpha = 0.05;        ///< probability of any wrong claim
  double equivalence = 0.15;  ///< a slope whose interval lies within 1 ± equivalence needs no more arms
  double give_up = 1.5;   ///< gives up a slope whose interim FD is at least this many times the control's; 0 = never
  std::size_t looks = 3;  ///< at most; fewer if the groups of the last ones would be larger than largest_permuted_group
};

struct RacePlan {
  double control = 0;
  std::vector<double> slopes;       ///< all slopes except the control, ascending
  std::vector<std::int64_t> looks;  ///< number of arms of each slope, the control included, at each look: {6, 8, 10}
  std::vector<double> alphas;       ///< one per look; their sum is RaceRules::alpha
  double equivalence = 0.15;
  double give_up = 1.5;
};

/// The first look has the smallest n for which one slope of the family can be significant; further looks follow after
/// two more arms each. The first look gets 60 % of alpha, each further one half of the rest, and the last one the whole
/// rest: 60, 20 and 20 %, or 60, 20, 10, 5 and 5 %. `slopes` may include the control and duplicates. Throws
/// std::invalid_argument if no other slope remains, or if fewer than three looks are possible.
RacePlan plan_race(double control, std::vector<double> slopes, const RaceRules& rules = {});

/// The known results of one arm.
struct RaceArm {
  double negative_slope = 0;
  std::int64_t repeat = 0;  ///< 0, 1, …
  /// `error` counts as pending, and so does a finished arm without a positive FD. NaN or infinity counts as divergence.
  ArmOutcome outcome = ArmOutcome::pending;
  std::optional<double> fd;  ///< of the final checkpoint
  /// FD of the intermediate evaluation that the plan names. It may be known before the arm ends, and must stay the same
  /// afterwards.
  std::optional<double> interim_fd;
};

enum class RaceDecision {
  undecided,
  better,
  worse,
  equivalent,  ///< the interval lies within 1 ± equivalence
  given_up,    ///< hopeless in both of its first two repeats; no test, outside the error rate
};

/// A slope compared with the control at one look. Ratios are FD of the slope / FD of the control, on the scale of
/// geometric means: below 1, the slope is better. A failed arm takes the largest finite log FD of the two groups plus
/// their range (1 if there is no range).
struct RaceComparison {
  double negative_slope = 0;
  std::int64_t failed = 0;          ///< arms of the slope that diverged or collapsed
  std::int64_t control_failed = 0;  ///< arms of the control that diverged or collapsed
  double ratio = 1;
  /// The limits of the ratio at level alpha of the look / number of slopes: they hold for all slopes simultaneously.
  /// They never contain 1 if the slope is better or worse. The upper limit is infinite if the slope has more failures
  /// than the control, the lower limit is 0 if it has fewer.
  Interval ratio_interval;
  double p = 1;
  double p_holm = 1;            ///< adjusted for all slopes that no earlier look rejected
  bool spreads_differ = false;  ///< standard deviations of log FD differ by more than a factor of 2
  RaceDecision decision = RaceDecision::undecided;
};

/// A complete look.
struct RaceLook {
  std::int64_t arms = 0;                    ///< per slope
  double alpha = 0;                         ///< share of the error rate spent here
  std::int64_t family = 0;                  ///< number of hypotheses in Holm's correction
  std::vector<RaceComparison> comparisons;  ///< slopes that were still undecided and not given up, ascending
};

/// The state of a slope.
struct RaceSlope {
  double negative_slope = 0;
  RaceDecision decision = RaceDecision::undecided;
  /// The last comparison: the one that decided. std::nullopt before the first look and if the slope is given up.
  std::optional<RaceComparison> comparison;
  std::int64_t look = 0;  ///< 1, 2, …: the look of `comparison`; 0 = none
  /// Interim FD / the control's in the first two repeats, if known; infinite for a failed arm.
  std::vector<double> interim_ratios;
};

struct RaceArmId {
  double negative_slope = 0;
  std::int64_t repeat = 0;
  bool operator==(const RaceArmId&) const = default;
};

struct RaceState {
  std::vector<RaceLook> looks;    ///< complete looks only
  std::vector<RaceSlope> slopes;  ///< as in the plan
  bool is_over = false;
  /// The unfinished arms that the next look needs, running ones included, in the order in which to train them: by
  /// repeat, the control first. An arm that is not listed no longer matters. Empty when the race is over.
  std::vector<RaceArmId> needed;
};

/// Whether the race may still train arms of the slope: it is not over, and the slope is the control or undecided.
bool may_need_arms(const RacePlan& plan, const RaceState& state, double slope);

/// Arms of other slopes and repeats beyond the last look are ignored. Throws std::invalid_argument if two arms have the
/// same slope and repeat.
RaceState follow_race(const RacePlan& plan, std::span<const RaceArm> arms);

// --- What a plan can show ------------------------------------------------------------------------------------------

/// The number of arms if every slope stays undecided to the last look, the control included.
std::int64_t most_arms(const RacePlan& plan);

/// The number of arms if the first look decides every slope.
std::int64_t first_look_arms(const RacePlan& plan);

/// The smallest possible number of arms, which is reached if every slope is given up, or, in a race that never gives up
/// slopes, if the first look decides every slope.
std::int64_t fewest_arms(const RacePlan& plan);

/// The mean number of arms if every slope's FD is `ratio` times the control's and log FD is normally distributed
/// between seeds with standard deviation `seed_deviation`; without giving up.
double expected_arms(const RacePlan& plan, double seed_deviation, double ratio);

/// The smallest ratio above 1 that the race detects with a probability of 80 % if log FD is normally distributed
/// between seeds with standard deviation `seed_deviation`.
double smallest_detectable_ratio(const RacePlan& plan, double seed_deviation);

}  // namespace slopegan
