#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "statistics/statistics.h"

/// The findings of a fixed sweep or a race about each slope, and one sentence about each. ASCII only.
namespace slopegan {

/// What is known about a slope, compared with the control.
enum class Standing {
  control,
  better,
  worse,
  no_difference,  ///< none was detected
  too_few_seeds,
  given_up,  ///< by a race, because its first arms were hopeless; it was not tested
  unknown,   ///< shares no seed with the control in which both have a result and at least one has not failed
};

struct SlopeFinding {
  double negative_slope = 0;
  Standing standing = Standing::unknown;
  /// The estimate of FD of the slope / FD of the control; infinite if the slope failed in most seeds.
  std::optional<double> ratio = std::nullopt;
  /// Limits of the ratio that hold for all slopes simultaneously. They agree with `standing`: those of a better slope
  /// end at 1 or below, those of a worse one begin at 1 or above, and those of the others contain 1.
  Interval limits{0, 0};
  std::int64_t arms = 0;    ///< the arms with a known outcome
  std::int64_t failed = 0;  ///< how many of them diverged or collapsed
  std::int64_t seeds =
      0;  ///< the seeds in which the slope is compared with the control, excluding ties caused by failures
  std::optional<double> mean_fd = std::nullopt;
  std::string score = {};  ///< see score_text()
};

struct Findings {
  std::vector<SlopeFinding> slopes;  ///< ascending, including the control
  std::int64_t missing_arms = 0;
  std::int64_t seeds_needed = 0;  ///< the seeds with which a difference could be significant
  bool is_over = true;            ///< false for a race that is still in progress
  /// For a race before its first look, the number of arms per slope that the look needs; otherwise 0.
  std::int64_t first_look = 0;
  /// A slope whose limits lie within 1 ± `equivalence` is as good as the control.
  double equivalence = 0.15;
};

/// The findings of a fixed sweep.
Findings findings_of(const SweepStatistics& statistics);

/// The limits that agree with the standing; see SlopeFinding. Holm's correction may reject where the interval still
/// contains 1. Invalid or absent limits exclude nothing.
Interval limits_for(Standing standing, const std::optional<Interval>& interval);

/// Whether no difference from the control was detected and the limits lie within 1 ± Findings::equivalence.
bool is_equivalent(const Findings& findings, const SlopeFinding& slope);

/// The verdict on a slope, with the estimate and the limits: "0 is better than 0.2: FD 13 % lower (2 to 19 % lower)."
std::string finding_sentence(const Findings& findings, const SlopeFinding& slope);

/// A ratio of FDs: "12 % lower", "3.1 times as high".
std::string ratio_words(double ratio);

/// Limits of a ratio, rounded outwards: "3 to 19 % lower", "between 12 % lower and 10 % higher", "at least 20 %
/// higher".
std::string limits_words(const Interval& limits);

}  // namespace slopegan
