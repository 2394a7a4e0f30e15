#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "statistics/statistics.h"

/// What a fixed sweep or a race shows about each slope, and sentences that describe it. ASCII only.
namespace slopegan {

struct SlopeFinding {
  double negative_slope = 0;
  /// Never `equivalent` (see is_equivalent()) and never `undecided`. In a race, an undecided slope has the verdict
  /// no_difference_detected or, before its first test, too_few_seeds. If all arms of a slope and of the control failed,
  /// the verdict is not_comparable.
  Verdict verdict = Verdict::not_comparable;
  /// The estimate of FD of the slope / FD of the control. May be infinite if at least half of the slope's arms failed,
  /// and 0 if at least half of the control's arms failed. In a fixed sweep, it is the median ratio or, if the median
  /// lies outside `limits`, the ratio of geometric means over the seeds in which neither failed; std::nullopt if both
  /// lie outside. The test and the limits depend on means and on failures, so the median may contradict them.
  std::optional<double> ratio = std::nullopt;
  /// Whether `ratio` is the ratio of geometric means because the median ratio lies outside `limits`; false for a race.
  bool has_mean_ratio = false;
  /// Limits of the ratio that hold for all slopes simultaneously. They agree with `verdict`: both are at most 1 for a
  /// better slope and at least 1 for a worse slope. For all other slopes, 1 lies between them.
  Interval limits{0, 0};
  std::int64_t arms = 0;    ///< number of arms with a known outcome
  std::int64_t failed = 0;  ///< number of arms that diverged or collapsed
  /// The number of seeds for which the slope is compared with the control. In a fixed sweep, seeds for which both
  /// failed are excluded.
  std::int64_t seeds = 0;
  std::int64_t control_arms = 0;    ///< number of arms of the control in the comparison
  std::int64_t control_failed = 0;  ///< number of these arms that diverged or collapsed
  /// Whether a ratio of FDs could be measured. This is impossible if all arms of the slope or of the control failed or,
  /// in a fixed sweep, if at least one of the two failed for every seed. In these cases, `limits` express only the
  /// verdict.
  bool has_fds = true;
  std::optional<double> mean_fd = std::nullopt;
  std::string score = {};  ///< see score_text()
};

struct Findings {
  std::vector<SlopeFinding> slopes;  ///< ascending, including the control
  std::int64_t missing_arms = 0;
  /// The smallest number of seeds with which a difference can be significant; 0 if no number of seeds is enough for
  /// this alpha. Not set for a race.
  std::int64_t seeds_needed = 0;
  bool is_over = true;  ///< false for a race that is still in progress
  /// For a race without a complete look, the number of arms per slope that the first look needs; otherwise 0.
  std::int64_t first_look = 0;
  /// A slope whose limits lie within 1 ± `equivalence` counts as equivalent to the control.
  double equivalence = 0.15;
};

/// The findings of a fixed sweep.
Findings findings_of(const SweepStatistics& statistics);

/// Cuts or extends the interval so that it agrees with the verdict; see SlopeFinding::limits. This is necessary
/// because Holm's correction may reject equality although the interval contains 1. An invalid or absent lower limit
/// becomes 0, and an invalid or absent upper limit becomes infinite. An infinite lower limit and an upper limit of 0
/// result from failures alone; they become 1.
Interval limits_for(Verdict verdict, const std::optional<Interval>& interval);

/// Whether the verdict is `better`, `worse`, `no_difference_detected` or `too_few_seeds`.
bool was_compared(const SlopeFinding& slope);

/// Whether more than half of the arms failed.
bool mostly_failed(const SlopeFinding& slope);

/// The slope with the lowest mean FD, or nullptr if there is none. Slopes for which mostly_failed() returns true are
/// ignored, because their mean FD does not include the failed arms.
const SlopeFinding* lowest_mean(const Findings& findings);

/// Whether SlopeFinding::limits is meaningful: was_compared() returns true, and a ratio of FDs could be measured.
bool has_limits(const SlopeFinding& slope);

/// Whether no difference from the control was detected and the limits lie within 1 ± Findings::equivalence.
bool is_equivalent(const Findings& findings, const SlopeFinding& slope);

/// The name of a verdict in words: "no difference detected".
std::string verdict_words(Verdict verdict);

/// The verdict on a slope, with the estimate and the limits: "0 is better than 0.2: FD 13 % lower (2 to 19 % lower)."
std::string finding_sentence(const Findings& findings, const SlopeFinding& slope);

/// The failures on which the verdict is based: "9 of 9 arms failed", "9 of 9 arms of the control failed", or both. The
/// failures of the control are included only if there is no estimate of the ratio. Empty if there are no failures.
std::string failure_words(const SlopeFinding& slope);

/// Limits of a ratio in words, rounded outwards: "3 to 19 % lower", "between 12 % lower and 10 % higher", "at least 20
/// % higher".
std::string limits_words(const Interval& limits);

}  // namespace slopegan
