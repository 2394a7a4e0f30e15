#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "statistics/statistics.h"
#include "statistics/summaries.h"

/// Evaluates a fixed sweep that trains every slope under several conditions (sweep.cross). Computes the statistics of
/// each condition and tests whether the effect of a slope depends on the condition.
namespace slopegan {

struct ConditionStatistics {
  std::vector<Setting> settings;  ///< the keys that define the condition, with their values
  /// The error rate alpha applies to the verdicts of each condition separately, not to the verdicts of all conditions
  /// together.
  SweepStatistics statistics;

  static constexpr bool is_lenient = true;
  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"settings"}, self.settings);
    SweepStatistics::visit_fields(self.statistics, visit);
  }
};

/// Describes whether the effect of a slope depends on the condition. The effect in a condition is the difference in log
/// FD between the slope and the control. For each seed, d is the effect in `first` minus the effect in `second`.
struct Interaction {
  double negative_slope = 0;
  std::int64_t first = 0, second = 0;  ///< indices of the conditions, first < second
  std::int64_t pairs = 0;              ///< number of seeds for which all four arms have a score
  /// Seeds for which d is undefined because one of the four arms failed.
  std::vector<std::int64_t> failed_seeds;
  /// exp(mean d): the ratio of FDs, slope / control, in `first` as a multiple of the same ratio in `second`.
  std::optional<double> ratio;
  /// Limits of this multiple that hold for all interactions simultaneously, from the inverted sign-flip test with
  /// Bonferroni-corrected alpha. If the interaction is significant, 1 is not inside the interval; otherwise,
  /// the interval contains 1.
  std::optional<Interval> ratio_interval;
  /// The p-value of the two-sided sign-flip test on d, before and after Holm's correction over all slopes and pairs of
  /// conditions.
  std::optional<double> p;
  std::optional<double> p_holm;
  double smallest_p_holm = 1;       ///< the smallest p_holm that is possible with this number of pairs
  bool can_be_significant = false;  ///< smallest_p_holm <= alpha
  bool significant = false;         ///< p_holm <= alpha

  static constexpr bool is_lenient = true;
  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"negative_slope"}, self.negative_slope);
    visit({"first"}, self.first);
    visit({"second"}, self.second);
    visit({"pairs"}, self.pairs);
    visit({"failed_seeds"}, self.failed_seeds);
    visit({"ratio"}, self.ratio);
    visit({"ratio_interval"}, self.ratio_interval);
    visit({"p"}, self.p);
    visit({"p_holm"}, self.p_holm);
    visit({"smallest_p_holm"}, self.smallest_p_holm);
    visit({"can_be_significant"}, self.can_be_significant);
    visit({"significant"}, self.significant);
  }
};

struct CrossStatistics {
  double alpha = 0.05;
  std::vector<ConditionStatistics> conditions;
  std::vector<Interaction> interactions;  ///< ordered by slope, then by conditions

  static constexpr bool is_lenient = true;
  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"alpha"}, self.alpha);
    visit({"conditions"}, self.conditions);
    visit({"interactions"}, self.interactions);
  }
};

/// Evaluates each condition, and compares all pairs of conditions. ArmScore::condition is an index into `conditions`.
/// Arms may be missing. Throws std::invalid_argument if there are fewer than two conditions, if a condition has no
/// arms, if an arm has an unknown condition, or if two arms have the same condition, slope and seed.
CrossStatistics cross_statistics(const std::vector<std::vector<Setting>>& conditions, std::span<const ArmScore> arms,
                                 double control, const StatisticsOptions& options = {});

/// The smallest number of seeds with which an interaction can be significant; std::nullopt if no number of seeds is
/// enough. `slopes` includes the control.
std::optional<std::size_t> cross_seeds_needed(std::size_t slopes, std::size_t conditions, double alpha);

/// The label of a condition: "optimizer.generator_lr=4e-4, generator.norm=none", or "base" if it has no settings.
std::string condition_text(const std::vector<Setting>& settings);

/// One sentence per significant interaction, then one about the others that have pairs: "There is no evidence that
/// the slope's effect depends on optimizer.generator_lr; differences above 12 % are excluded." The last sentences name
/// the interactions without pairs and the seeds that are left out because an arm failed. ASCII only.
std::vector<std::string> cross_sentences(const CrossStatistics& statistics);

}  // namespace slopegan
