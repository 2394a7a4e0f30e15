#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "statistics/statistics.h"
#include "statistics/summaries.h"

/// A race: slopes are compared with a control at several looks, each with its own share of alpha. A slope gets no more
/// arms once it is decided or the race has given up on it. The probability that one or more slopes are wrongly called
/// better or worse is at most alpha, because each look spends only its own share, and because hypotheses that no look
/// has rejected remain in the family of Holm's correction. The decision `equivalent` is based on the intervals, which
/// have a separate error rate of alpha.
///
/// A race's state is a pure function of its plan and of the results of its arms. The order in which arms finish does
/// not matter, and results of arms that are no longer needed have no effect.
///
/// visit_fields lists the fields of a record in race.json (run/record_json.h).
namespace slopegan {

struct RaceRules {
  double alpha = 0.05;        ///< error rate: the maximum probability of any wrong decision `better` or `worse`
  double equivalence = 0.15;  ///< a slope whose interval lies within 1 ± equivalence needs no more arms
  /// The race gives up on a slope if its interim FD is at least this many times the control's in both of the first two
  /// repeats; 0 = never.
  double give_up = 1.5;
  std::size_t looks = 3;  ///< maximum number of looks, at least 3
};

struct RacePlan {
  double control = 0;
  std::vector<double> slopes;       ///< all slopes except the control, ascending
  std::vector<std::int64_t> looks;  ///< number of arms per slope (including the control) at each look: {6, 8, 10}
  std::vector<double> alphas;       ///< one per look; their sum is RaceRules::alpha
  double equivalence = 0.15;
  double give_up = 1.5;

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"control"}, self.control);
    visit({"slopes"}, self.slopes);
    visit({"looks"}, self.looks);
    visit({"alphas"}, self.alphas);
    visit({"equivalence"}, self.equivalence);
    visit({"give_up"}, self.give_up);
  }
};

/// Plans a race. The first look takes place at the smallest number of arms per slope with which a difference can be
/// significant. Each further look follows after two more arms per slope. There are at most RaceRules::looks looks, and
/// none with groups larger than largest_permuted_group. The first look gets 60 % of alpha, each further look half of
/// what remains, and the last look all that remains: 60, 20 and 20 % for three looks, 60, 20, 10, 5 and 5 % for five.
/// `slopes` may include the control and duplicates. Throws std::invalid_argument if it contains no slope other than the
/// control, or if fewer than three looks are possible.
RacePlan plan_race(double control, std::vector<double> slopes, const RaceRules& rules = {});

/// The known results of one arm.
struct RaceArm {
  double negative_slope = 0;
  std::int64_t repeat = 0;  ///< 0, 1, …
  /// `error` counts as pending, and so does a finished arm without a positive FD. An FD of NaN or infinity counts as
  /// divergence.
  ArmOutcome outcome = ArmOutcome::pending;
  std::optional<double> fd;  ///< of the final checkpoint
  /// FD at the interim evaluation (see PlannedRace::interim_images). It may be known before the arm ends, and must
  /// not change afterwards.
  std::optional<double> interim_fd;
};

/// A slope compared with the control at one look. A ratio is the geometric mean FD of the slope divided by that of the
/// control; a ratio below 1 means that the slope is better. The log FD of a failed arm is replaced with the largest
/// finite log FD of the two groups plus the range of the finite log FDs (or plus 1 if that range is 0).
struct RaceComparison {
  double negative_slope = 0;
  std::int64_t failed = 0;          ///< arms of the slope that diverged or collapsed
  std::int64_t control_failed = 0;  ///< arms of the control that diverged or collapsed
  double ratio = 1;
  /// Limits of the ratio that hold for all slopes simultaneously: a confidence interval with the error rate
  /// (alpha of the look) / (number of slopes). The upper limit is infinite if an arm of the slope failed, and the lower
  /// limit is 0 if an arm of the control failed. If the slope is better or worse, the interval is then cut at 1.
  Interval ratio_interval;
  double p = 1;
  double p_holm = 1;            ///< Holm-adjusted for all slopes that no earlier look found to be better or worse
  bool spreads_differ = false;  ///< whether the standard deviations of log FD differ by a factor above 2
  Verdict decision = Verdict::undecided;

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"negative_slope"}, self.negative_slope);
    visit({"failed"}, self.failed);
    visit({"control_failed"}, self.control_failed);
    visit({"ratio"}, self.ratio);
    visit({"ratio_interval"}, self.ratio_interval);
    visit({"p"}, self.p);
    visit({"p_holm"}, self.p_holm);
    visit({"spreads_differ"}, self.spreads_differ);
    visit({"decision"}, self.decision);
  }
};

/// The results of a complete look.
struct RaceLook {
  std::int64_t arms = 0;                    ///< number of arms per slope
  double alpha = 0;                         ///< share of the error rate that this look spends
  std::int64_t family = 0;                  ///< number of hypotheses in Holm's correction
  std::vector<RaceComparison> comparisons;  ///< for the slopes that were still undecided, ascending

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"arms"}, self.arms);
    visit({"alpha"}, self.alpha);
    visit({"family"}, self.family);
    visit({"comparisons"}, self.comparisons);
  }
};

/// The state of a slope.
struct RaceSlope {
  double negative_slope = 0;
  Verdict decision = Verdict::undecided;
  /// The comparison at the last look that tested the slope; std::nullopt before the first look, and if the race gave up
  /// on the slope.
  std::optional<RaceComparison> comparison;
  std::int64_t look = 0;  ///< 1, 2, …: the look of `comparison`; 0 = none
  /// Interim FD of the slope / interim FD of the control, for each of the first two repeats in which both are known and
  /// the control's is finite. Infinite if the slope's arm failed before the interim evaluation.
  std::vector<double> interim_ratios;

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"negative_slope"}, self.negative_slope);
    visit({"decision"}, self.decision);
    visit({"look"}, self.look);
    visit({"interim_ratios"}, self.interim_ratios);
    visit({"comparison"}, self.comparison);
  }
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
  /// The arms that the next look needs and that have no result yet, including running ones, in the order in which to
  /// train them: by repeat, and within a repeat the control first. Empty when the race is over.
  std::vector<RaceArmId> needed;

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"looks"}, self.looks);
    visit({"slopes"}, self.slopes);
    visit({"is_over"}, self.is_over);
  }
};

/// Whether the race may still train arms of the slope: the race is not over, and the slope is the control or undecided.
bool may_need_arms(const RacePlan& plan, const RaceState& state, double slope);

/// The state of the race, given the results so far. Arms of slopes that are not in the plan, and repeats beyond the
/// last look, are ignored. Throws std::invalid_argument if two arms have the same slope and repeat.
RaceState follow_race(const RacePlan& plan, std::span<const RaceArm> arms);

// --- Cost and power of a plan ---------------------------------------------------------------------------------------

/// The number of arms, including those of the control, if every slope stays undecided until the last look.
std::int64_t most_arms(const RacePlan& plan);

/// The number of arms if the first look decides every slope.
std::int64_t first_look_arms(const RacePlan& plan);

/// The smallest possible number of arms. A race needs this many if it gives up on every slope or, if RacePlan::give_up
/// is 0, if the first look decides every slope.
std::int64_t fewest_arms(const RacePlan& plan);

/// The mean number of arms in 100 simulated races in which every slope's FD is `ratio` times the control's, log FD is
/// normally distributed across seeds with standard deviation `seed_deviation`, and the race never gives up on a slope.
double expected_arms(const RacePlan& plan, double seed_deviation, double ratio);

/// The smallest ratio above 1 that the race detects with a probability of 80 % if log FD is normally distributed across
/// seeds with standard deviation `seed_deviation`. Estimated from 400 simulated races.
double smallest_detectable_ratio(const RacePlan& plan, double seed_deviation);

}  // namespace slopegan
