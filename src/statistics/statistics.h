#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "statistics/inference.h"
#include "statistics/summaries.h"

/// Evaluates a sweep by comparing Fréchet distances (FD), paired by seed.
///
/// All arms with the same seed share the random draws for the initial weights, the data order and the latents. Slopes
/// are therefore compared within seeds, by the difference in log FD. An arm fails if it diverges or collapses. The
/// difference between two arms is +∞ or −∞ if one of them failed, and 0 if both did. A failed arm ranks last. The test
/// and the median include all failures; mean_log_ratio omits every pair with a failure, and simultaneous_interval omits
/// the pairs in which both arms failed.
///
/// visit_fields lists the fields of a record in statistics.json (run/record_json.h).
namespace slopegan {

enum class ArmOutcome {
  done,
  diverged,   ///< NaN or Inf during training
  collapsed,  ///< trained to the end, but the generated images all look alike
  error,      ///< an error in the program or on the machine; says nothing about the slope and counts as missing
  pending,    ///< not yet trained to the end; counts as missing
};

/// The score of one arm at the end of its training.
struct ArmScore {
  double negative_slope = 0;
  std::int64_t seed = 0;
  ArmOutcome outcome = ArmOutcome::done;
  /// A finished arm counts as missing if it has no FD or if its FD is not positive. An FD of NaN or infinity counts as
  /// divergence.
  std::optional<double> fd;
  /// The FD of a second, independent set of generated images.
  std::optional<double> fd_repeat;
  std::size_t condition = 0;  ///< index into SweepScores::conditions
};

/// Log FD, +∞ for an arm that failed, or std::nullopt for a missing arm.
std::optional<double> log_score(const ArmScore& arm);

/// How the FDs of a sweep were measured. FDs measured with different extractors, samples or images are not comparable.
struct FdMetric {
  std::string name;             ///< "FD[classifier-fashion-mnist@1a2b3c4d,n=10000]"
  std::string extractor;        ///< name and hash
  std::int64_t samples = 0;     ///< number of generated images
  std::int64_t images = 0;      ///< training images shown to each arm
  std::optional<double> floor;  ///< FD of real test images
  std::optional<double> bias;   ///< expected excess over the FD of infinitely many images; absent if unreliable
  /// Why the FDs may be meaningless, in one or more sentences; usually absent.
  std::optional<std::string> caveat{};

  static constexpr bool is_lenient = true;
  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"name"}, self.name);
    visit({"extractor"}, self.extractor);
    visit({"samples"}, self.samples);
    visit({"images"}, self.images);
    visit({"floor"}, self.floor);
    visit({"bias"}, self.bias);
    visit({"caveat"}, self.caveat);
  }
};

/// The FDs of the arms according to an additional feature extractor (a ruler; see RulerFigures in run/records.h).
struct RulerScores {
  FdMetric metric;
  std::vector<std::optional<double>> fds;  ///< one per arm
};

/// The scores of all arms of a sweep.
struct SweepScores {
  std::vector<ArmScore> arms;
  std::optional<FdMetric> metric;     ///< std::nullopt if no arm has a score
  std::vector<std::string> notes{};   ///< caveats, one sentence each
  std::vector<RulerScores> rulers{};  ///< the scores by additional feature extractors
  /// The conditions of a crossed sweep (sweep.cross), each as keys with their values; empty for other sweeps.
  std::vector<std::vector<Setting>> conditions{};
};

struct StatisticsOptions {
  /// The family-wise error rate: the maximum probability of one or more false rejections. Intervals have confidence 1 −
  /// alpha.
  double alpha = 0.05;
  Resampling resampling;
};

struct SlopeSummary {
  double negative_slope = 0;
  std::int64_t scored = 0;  ///< number of arms with a score
  std::int64_t diverged = 0;
  std::int64_t collapsed = 0;
  std::int64_t missing = 0;
  std::int64_t arms = 0;  ///< the sum of the four counts above
  /// The mean and standard deviation of FD over the scored arms.
  std::optional<double> mean_fd;
  std::optional<double> fd_deviation;
  /// The variance of log FD between seeds, with divisor n − 1.
  std::optional<double> seed_variance;
  /// The variance of log FD between sets of images from one generator: the mean of (log fd − log fd_repeat)² / 2.
  std::optional<double> metric_variance;
  /// The fraction of bootstrap resamples of the complete seeds (see SweepStatistics::complete_seeds) in which this
  /// slope has the lowest mean log FD; std::nullopt if fewer than two seeds are complete.
  std::optional<double> probability_best;

  static constexpr bool is_lenient = true;
  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"negative_slope"}, self.negative_slope);
    visit({"arms"}, self.arms);
    visit({"scored"}, self.scored);
    visit({"diverged"}, self.diverged);
    visit({"collapsed"}, self.collapsed);
    visit({"missing"}, self.missing);
    visit({"mean_fd"}, self.mean_fd);
    visit({"fd_deviation"}, self.fd_deviation);
    visit({"seed_variance"}, self.seed_variance);
    visit({"metric_variance"}, self.metric_variance);
    visit({"probability_best"}, self.probability_best);
  }
};

/// The conclusion about a slope compared with the control.
enum class Verdict {
  better,
  worse,
  equivalent,  ///< the interval lies within 1 ± equivalence, and no arm of the slope or of the control failed
  undecided,
  given_up,  ///< see RaceRules::give_up; decided without a test, so the error rate does not cover this verdict
  // The decision of a race is one of the verdicts above.
  no_difference_detected,
  too_few_seeds,   ///< with so few seeds, no result could be significant
  not_comparable,  ///< there is no seed for which both results are known and at least one is not a failure
  control,         ///< the slope is the control itself; only in Findings, not in files
};

/// Whether the test found a difference.
constexpr bool is_decided(Verdict verdict) { return verdict == Verdict::better || verdict == Verdict::worse; }

/// The name of a verdict in statistics.json and race.json.
constexpr const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::better:
      return "better";
    case Verdict::worse:
      return "worse";
    case Verdict::equivalent:
      return "equivalent";
    case Verdict::undecided:
      return "undecided";
    case Verdict::given_up:
      return "given_up";
    case Verdict::no_difference_detected:
      return "no_difference_detected";
    case Verdict::too_few_seeds:
      return "too_few_seeds";
    case Verdict::not_comparable:
      return "not_comparable";
    case Verdict::control:
      return "control";
  }
  return "";
}

/// A slope compared with the control. A ratio is the FD of the slope divided by that of the control; a ratio below 1
/// means that the slope is better. For a race, the verdict is the decision of the race, and the p-values and
/// simultaneous_interval are not set; see describe_race().
struct Comparison {
  double negative_slope = 0;
  std::int64_t pairs = 0;         ///< number of seeds for which both results are known
  std::int64_t lost = 0;          ///< pairs in which only the slope failed
  std::int64_t control_lost = 0;  ///< pairs in which only the control failed
  /// Pairs in which both failed. Such a pair counts as a tie (difference 0) for the median and for the test; ties do
  /// not change p. The pair says nothing about the ratio of FDs, so simultaneous_interval omits it.
  std::int64_t both_lost = 0;
  std::int64_t both_scored = 0;  ///< pairs in which neither failed
  std::int64_t wins = 0;         ///< pairs in which the slope is better
  /// Infinite if `lost` is at least half of `pairs` and exceeds `control_lost`; std::nullopt if there are no pairs.
  std::optional<double> median_ratio;
  /// The bootstrap interval for the median ratio over seeds; see bootstrap_median_interval.
  std::optional<Interval> median_ratio_interval;
  /// The mean over the pairs in which neither failed.
  std::optional<double> mean_log_ratio;
  /// Limits of the ratio that hold for all slopes simultaneously: symmetric_centre_interval with Bonferroni-corrected
  /// alpha. The interval is cut at 1 if Holm's correction rejects equality although the interval contains 1, and
  /// extended to 1 if the interval excludes 1 although equality is not rejected.
  std::optional<Interval> simultaneous_interval;
  /// The p-value of the two-sided sign-flip test on the differences in log FD, before and after Holm's correction over
  /// the slopes with informative_pairs() > 0.
  std::optional<double> p;
  std::optional<double> p_holm;
  /// The smallest p_holm that is possible with this number of pairs, not counting those in which both failed.
  double smallest_p_holm = 1;
  bool can_be_significant = false;  ///< smallest_p_holm <= alpha
  bool significant = false;         ///< p_holm <= alpha
  Verdict verdict = Verdict::not_comparable;
  /// Pearson's correlation between the log FDs of the slope and the control across the seeds for which both have a
  /// score. It shows the benefit of pairing.
  std::optional<double> pairing_correlation;

  /// Whether the test statistic favours the slope: fewer failures than the control or, if both have the same number, a
  /// lower mean log FD. As in sign_flip_p, a failure outweighs all finite differences. The median ratio may point the
  /// other way.
  bool favours_slope() const;
  /// The number of pairs in which at least one of the two did not fail.
  std::int64_t informative_pairs() const { return pairs - both_lost; }
  /// Whether there is a seed for which both have an FD. If not, no ratio of FDs was measured.
  bool has_ratio() const { return lost + control_lost < informative_pairs(); }

  static constexpr bool is_lenient = true;
  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"negative_slope"}, self.negative_slope);
    visit({"pairs"}, self.pairs);
    visit({"lost"}, self.lost);
    visit({"control_lost"}, self.control_lost);
    visit({"both_lost"}, self.both_lost);
    visit({"both_scored"}, self.both_scored);
    visit({"wins"}, self.wins);
    visit({"median_ratio"}, self.median_ratio);
    visit({"median_ratio_interval"}, self.median_ratio_interval);
    visit({"mean_log_ratio"}, self.mean_log_ratio);
    visit({"simultaneous_interval"}, self.simultaneous_interval);
    visit({"p"}, self.p);
    visit({"p_holm"}, self.p_holm);
    visit({"smallest_p_holm"}, self.smallest_p_holm);
    visit({"can_be_significant"}, self.can_be_significant);
    visit({"significant"}, self.significant);
    visit({"verdict"}, self.verdict);
    visit({"pairing_correlation"}, self.pairing_correlation);
  }
};

/// The verdict that the other fields of `comparison` imply.
Verdict verdict_of(const Comparison& comparison);

struct MissingArm {
  double negative_slope = 0;
  std::int64_t seed = 0;
  bool operator==(const MissingArm&) const = default;

  static constexpr bool is_lenient = true;
  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"negative_slope"}, self.negative_slope);
    visit({"seed"}, self.seed);
  }
};

struct SweepStatistics {
  double alpha = 0.05;
  std::size_t resamples = 0;  ///< number of bootstrap resamples for probability_best
  double wanted_control = 0;
  /// The slope in the sweep that is nearest to wanted_control.
  double control = 0;
  std::vector<std::int64_t> seeds;
  /// The number of seeds for which every slope has a known score. Slopes without any known score are ignored.
  std::int64_t complete_seeds = 0;
  std::vector<SlopeSummary> slopes;     ///< ascending
  std::vector<Comparison> comparisons;  ///< all slopes except the control, ascending
  std::vector<MissingArm> missing;
  /// The mean of the comparisons' pairing correlations.
  std::optional<double> pairing_correlation;
  /// How consistently the seeds rank the slopes: the mean of Kendall's τ-b over the pairs of complete seeds.
  std::optional<double> rank_stability;
  /// The variance of log FD between training runs, pooled over the slopes by degrees of freedom. It includes the
  /// variance of the metric itself.
  std::optional<double> seed_variance;
  /// The variance of log FD between sets of images from one generator, over all arms. Never pooled with seed_variance.
  std::optional<double> metric_variance;

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"alpha"}, self.alpha);
    visit({"wanted_control"}, self.wanted_control);
    visit({"control"}, self.control);
    visit({"seeds"}, self.seeds);
    visit({"complete_seeds"}, self.complete_seeds);
    visit({"slopes"}, self.slopes);
    visit({"comparisons"}, self.comparisons);
    visit({"missing"}, self.missing);
    visit({"pairing_correlation"}, self.pairing_correlation);
    visit({"rank_stability"}, self.rank_stability);
    visit({"seed_variance"}, self.seed_variance);
    visit({"metric_variance"}, self.metric_variance);
  }
};

/// The mean FDs of a slope according to two feature extractors, over the arms that have a finite FD from both.
struct RulerSlope {
  double negative_slope = 0;
  std::int64_t arms = 0;
  double mean_fd = 0;        ///< according to the primary extractor
  double other_mean_fd = 0;  ///< according to the other extractor

  static constexpr bool is_lenient = true;
  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"negative_slope"}, self.negative_slope);
    visit({"arms"}, self.arms);
    visit({"mean_fd"}, self.mean_fd);
    visit({"other_mean_fd"}, self.other_mean_fd);
  }
};

/// Describes whether an additional feature extractor ranks the slopes in the same order as the primary one (the first
/// in metrics.extractor).
struct RulerComparison {
  FdMetric metric;                 ///< of the other extractor
  std::vector<RulerSlope> slopes;  ///< ascending
  /// Kendall's τ-b between the mean FDs of the slopes; std::nullopt for fewer than two slopes, or if all means of one
  /// extractor are equal.
  std::optional<double> kendall_tau;

  static constexpr bool is_lenient = true;
  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"metric"}, self.metric);
    visit({"kendall_tau"}, self.kendall_tau);
    visit({"slopes"}, self.slopes);
  }
};

/// Compares the primary extractor with an additional one. In a crossed sweep, only the arms of the first condition are
/// used.
RulerComparison compare_rulers(const std::vector<ArmScore>& arms, const RulerScores& other);

/// Evaluates the arms. Any combination of slope and seed may be missing. Throws std::invalid_argument if there are no
/// arms, or if two arms have the same slope and seed.
SweepStatistics sweep_statistics(const std::vector<ArmScore>& arms, double control,
                                 const StatisticsOptions& options = {});

}  // namespace slopegan
