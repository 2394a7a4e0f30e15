#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "statistics/bootstrap.h"
#include "statistics/summaries.h"

/// What a sweep shows and what it cannot show: paired comparisons of Fréchet distances (FD) over seeds.
///
/// All arms of a seed share initial normals, data order and latents, so that slopes are compared within seeds, by the
/// difference of log FD. Between two arms it is +∞ or −∞ where one of them came to nothing (diverged, collapsed), and 0
/// where both did: a failure is ranked last, never dropped.
namespace slopegan {

enum class ArmOutcome {
  done,
  diverged,   ///< NaN or Inf
  collapsed,  ///< trained to the end, but its images are all alike
  failed,     ///< the program or the machine did: says nothing about the slope, is missing
  pending,    ///< not trained to the end yet: missing
};

/// One arm, by the images of its end.
struct ArmScore {
  double negative_slope = 0;
  std::int64_t seed = 0;
  ArmOutcome outcome = ArmOutcome::done;
  /// Nothing or no positive number: a done arm is missing. NaN or infinite: it came to nothing.
  std::optional<double> fd;
  /// FD of a second, independent set of generated images.
  std::optional<double> fd_repeat;
};

/// The scores of a sweep's arms by the last lines of their metrics.jsonl and diagnostics.jsonl (an arm has collapsed
/// where that raises the alarm), and what they were measured with.
struct SweepScores {
  std::vector<ArmScore> arms;        ///< every arm of the sweep
  std::string extractor;             ///< name and hash; empty where no arm has a score
  std::int64_t samples = 0;          ///< generated images that were looked at
  std::int64_t images = 0;           ///< that the arms were trained with
  std::optional<double> fd_floor{};  ///< FD of real test images
  std::optional<double> fd_bias{};   ///< what FD of so many images is too high by, where that is known
  std::vector<std::string> notes{};  ///< what was left out, a sentence each
};

struct StatisticsOptions {
  /// Chance of any wrong claim about a slope; intervals have 1 − alpha.
  double alpha = 0.05;
  Resampling resampling;
};

struct SlopeSummary {
  double negative_slope = 0;
  std::size_t scored = 0;
  std::size_t diverged = 0;
  std::size_t collapsed = 0;
  std::size_t missing = 0;
  /// Of the FD of the scored arms.
  std::optional<double> mean_fd;
  std::optional<double> fd_deviation;
  /// Variance of log FD between seeds (n − 1).
  std::optional<double> seed_variance;
  /// Variance of log FD between sets of generated images of one generator: the mean of (log fd − log fd_repeat)² / 2.
  std::optional<double> metric_variance;
  /// Share of bootstrap resamples of the complete seeds in which this slope has the lowest mean log FD. Nothing where
  /// fewer than two seeds are complete.
  std::optional<double> probability_best;
};

/// A slope against the control. Ratios are FD of the slope over FD of the control: below 1 the slope is better.
struct Comparison {
  double negative_slope = 0;
  /// Seeds in which both are known.
  std::size_t pairs = 0;
  std::size_t lost = 0;          ///< pairs in which the slope alone came to nothing
  std::size_t control_lost = 0;  ///< pairs in which the control alone did
  std::size_t wins = 0;          ///< pairs in which the slope is better
  /// Infinite where the slope came to nothing in more than half of the pairs. Nothing without pairs.
  std::optional<double> median_ratio;
  /// Of the median ratio: bootstrap over seeds, see bootstrap_median_interval.
  std::optional<Interval> median_ratio_interval;
  /// Of the pairs in which both are scored.
  std::optional<double> mean_log_ratio;
  /// Limits for the ratio that hold for all slopes together: symmetric_centre_interval with alpha shared out.
  std::optional<Interval> simultaneous_interval;
  /// Of the sign-flip test on the differences of log FD, two-sided; alone, and by Holm over the slopes with pairs.
  std::optional<double> p;
  std::optional<double> p_holm;
  /// What p_holm could be at best with so many pairs.
  double smallest_p_holm = 1;
  /// Whether the test's statistic is on the side of the slope.
  bool better = false;
  /// Pearson's ρ between log FD of slope and control over the seeds in which both are scored: what pairing gains.
  std::optional<double> pairing_correlation;

  bool can_be_significant(double alpha) const { return smallest_p_holm <= alpha; }
  bool is_significant(double alpha) const { return p_holm && *p_holm <= alpha; }
};

struct SweepStatistics {
  double alpha = 0.05;
  std::size_t resamples = 0;
  double wanted_control = 0;
  /// The slope of the sweep that is nearest to it.
  double control = 0;
  std::vector<std::int64_t> seeds;
  std::vector<SlopeSummary> slopes;     ///< ascending
  std::vector<Comparison> comparisons;  ///< all slopes but the control, ascending
  std::vector<std::pair<double, std::int64_t>> missing;
  /// Seeds in which every slope that is known at all is known.
  std::size_t complete_seeds = 0;
  /// Mean of the comparisons' pairing correlations.
  std::optional<double> pairing_correlation;
  /// Whether seeds order the slopes alike: mean of Kendall's τ-b over the pairs of complete seeds.
  std::optional<double> rank_stability;
  /// Of log FD, pooled over the slopes by degrees of freedom, and over the arms. Never merged: the first is what
  /// another training gives (the metric's part included), the second what another set of images of the same generator
  /// gives.
  std::optional<double> seed_variance;
  std::optional<double> metric_variance;
};

/// Any combinations of slope and seed may be missing. Throws std::invalid_argument for no arms, or two of one slope and
/// seed.
SweepStatistics sweep_statistics(const std::vector<ArmScore>& arms, double control,
                                 const StatisticsOptions& options = {});

}  // namespace slopegan
