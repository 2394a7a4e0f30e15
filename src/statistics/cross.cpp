#include "statistics/cross.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

#include "statistics/inference.h"
#include "support/ranges.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// Log FD by slope and seed; +∞ for an arm that failed.
using ConditionScores = std::map<double, std::map<std::int64_t, double>>;

std::vector<std::vector<ArmScore>> arms_by_condition(std::size_t conditions, std::span<const ArmScore> arms) {
  std::vector<std::vector<ArmScore>> by_condition(conditions);
  for (const auto& arm : arms) {
    if (arm.condition >= conditions) throw std::invalid_argument("cross_statistics: an arm has an unknown condition");
    by_condition[arm.condition].push_back(arm);
  }
  return by_condition;
}

ConditionScores condition_scores(const std::vector<ArmScore>& arms) {
  ConditionScores scores;
  for (const auto& arm : arms) {
    if (const auto score = log_score(arm)) scores[arm.negative_slope][arm.seed] = *score;
  }
  return scores;
}

/// Log FD of the slope minus log FD of the control, by seed; infinite if one of them failed, NaN if both failed.
std::map<std::int64_t, double> effects(const ConditionScores& scores, double slope, double control) {
  std::map<std::int64_t, double> differences;
  const auto of_slope = scores.find(slope), of_control = scores.find(control);
  if (of_slope == scores.end() || of_control == scores.end()) return differences;
  for (const auto& [seed, score] : of_slope->second) {
    const auto other = of_control->second.find(seed);
    if (other != of_control->second.end()) differences[seed] = score - other->second;
  }
  return differences;
}

Interaction interaction_of(const std::map<std::int64_t, double>& first, const std::map<std::int64_t, double>& second,
                           std::vector<double>& differences) {
  Interaction interaction;
  for (const auto& [seed, effect] : first) {
    const auto other = second.find(seed);
    if (other == second.end()) continue;
    if (std::isfinite(effect) && std::isfinite(other->second)) {
      differences.push_back(effect - other->second);
    } else {
      interaction.failed_seeds.push_back(seed);
    }
  }
  interaction.pairs = std::ssize(differences);
  if (differences.empty()) return interaction;
  interaction.ratio = std::exp(mean(differences));
  interaction.p = sign_flip_p(differences);
  return interaction;
}

/// Computes the corrected p-values and the intervals, which depend on the number of interactions that have pairs.
void correct_interactions(std::vector<Interaction>& interactions, const std::vector<std::vector<double>>& differences,
                          double alpha) {
  std::vector<std::size_t> family;
  std::vector<double> p, smallest;
  for (std::size_t i = 0; i < interactions.size(); ++i) {
    if (interactions[i].pairs == 0) continue;
    family.push_back(i);
    p.push_back(*interactions[i].p);
    smallest.push_back(smallest_sign_flip_p(static_cast<std::size_t>(interactions[i].pairs)));
  }
  const auto adjusted = holm(p), smallest_adjusted = holm(smallest);
  const double confidence = 1 - alpha / static_cast<double>(std::max<std::size_t>(family.size(), 1));
  for (std::size_t i = 0; i < family.size(); ++i) {
    Interaction& interaction = interactions[family[i]];
    interaction.p_holm = adjusted[i];
    interaction.smallest_p_holm = smallest_adjusted[i];
    interaction.can_be_significant = smallest_adjusted[i] <= alpha;
    interaction.significant = adjusted[i] <= alpha;
    const auto logs = symmetric_centre_interval(differences[family[i]], confidence);
    const Interval limits{std::exp(logs.low), std::exp(logs.high)};
    interaction.ratio_interval =
        interaction.significant ? limits_of_verdict(limits, *interaction.ratio < 1) : limits_including_one(limits);
  }
}

/// "optimizer.generator_lr or generator.norm": the keys that the conditions set.
std::string crossed_keys_text(const std::vector<ConditionStatistics>& conditions) {
  std::vector<std::string> keys;
  for (const auto& condition : conditions) {
    for (const auto& setting : condition.settings) {
      if (!contains(keys, setting.key)) keys.push_back(setting.key);
    }
  }
  return keys.empty() ? "the condition" : join(keys, " or ");
}

/// Describes the elements of `settings` that are not in `other`, for use in a sentence.
std::string difference_text(const std::vector<Setting>& settings, const std::vector<Setting>& other) {
  std::vector<Setting> differing;
  std::copy_if(settings.begin(), settings.end(), std::back_inserter(differing),
               [&](const Setting& setting) { return !contains(other, setting); });
  if (!differing.empty()) return condition_text(differing);
  return settings.empty() ? "the base condition" : condition_text(settings);
}

std::string interaction_text(const CrossStatistics& statistics, const Interaction& interaction) {
  // The condition in which the slope does relatively worse is named first, so that the multiple is above 1.
  const bool is_swapped = *interaction.ratio < 1;
  const double ratio = is_swapped ? 1 / *interaction.ratio : *interaction.ratio;
  const Interval& limits = *interaction.ratio_interval;
  const double low = is_swapped ? 1 / limits.high : limits.low, high = is_swapped ? 1 / limits.low : limits.high;
  const auto condition = [&](std::int64_t index) -> const ConditionStatistics& {
    return statistics.conditions.at(static_cast<std::size_t>(index));
  };
  const auto& first = condition(is_swapped ? interaction.second : interaction.first);
  const auto& second = condition(is_swapped ? interaction.first : interaction.second);
  return format_text(
      "The effect of slope {} depends on the condition: relative to the control {}, its FD is {:.2f} times as high "
      "with {} as with {} ({}).",
      shortest(interaction.negative_slope), shortest(first.statistics.control), ratio,
      difference_text(first.settings, second.settings), difference_text(second.settings, first.settings),
      std::isfinite(high) ? format_text("{:.2f} to {:.2f} times", low, high)
                          : format_text("at least {:.2f} times", low));
}

/// The differences that the intervals exclude, rounded up so that the claim never exceeds the evidence.
std::string excluded_text(const std::vector<const Interaction*>& interactions) {
  double largest = 1;
  for (const auto* interaction : interactions) {
    const Interval& limits = *interaction->ratio_interval;
    largest = std::max({largest, limits.high, 1 / limits.low});
  }
  if (!std::isfinite(largest)) return "differences of any size are possible";
  if (largest >= 2) return format_text("a factor of more than {:.1f} is excluded", std::ceil(10 * largest) / 10);
  return format_text("differences above {:.0f} % are excluded", std::ceil(100 * (largest - 1) - 1e-9));
}

/// "slope 0 failed in 0 of 8 and 3 of 8 seeds, respectively": the failures under two conditions, out of the seeds with
/// a known outcome. Empty if there are no failures.
std::string failures_text(const ConditionStatistics& first, const ConditionStatistics& second, double slope,
                          const char* role) {
  std::vector<std::string> counts;
  std::int64_t failed = 0;
  for (const auto* condition : {&first, &second}) {
    for (const auto& summary : condition->statistics.slopes) {
      if (summary.negative_slope != slope) continue;
      const std::int64_t failures = summary.diverged + summary.collapsed;
      failed += failures;
      counts.push_back(format_text("{} of {}", failures, summary.scored + failures));
    }
  }
  if (failed == 0) return {};
  return format_text("{} {} failed in {} seeds, respectively", role, shortest(slope), join(counts, " and "));
}

/// "seed 3", "seeds 0, 1 and 2", "seeds 0, 1, 2, 3, 4 and 2 others".
std::string seeds_text(const std::vector<std::int64_t>& seeds) {
  constexpr std::size_t most_named = 5;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(seeds.size(), most_named); ++i) names.push_back(std::to_string(seeds[i]));
  if (seeds.size() > most_named) names.push_back(counted(seeds.size() - most_named, "other"));
  return (seeds.size() == 1 ? "seed " : "seeds ") + enumerate_words(std::move(names), "and");
}

/// "could not be compared: slope 0 failed in 0 of 8 and 8 of 8 seeds, respectively". Empty if the interaction has pairs
/// and no seed is left out because of a failure.
std::string omission_text(const CrossStatistics& statistics, const Interaction& interaction) {
  if (interaction.failed_seeds.empty()) {
    return interaction.pairs > 0 ? "" : "could not be compared: no seed has the results of all four arms";
  }
  const auto& first = statistics.conditions.at(static_cast<std::size_t>(interaction.first));
  const auto& second = statistics.conditions.at(static_cast<std::size_t>(interaction.second));
  std::vector<std::string> causes = {failures_text(first, second, interaction.negative_slope, "slope"),
                                     failures_text(first, second, first.statistics.control, "the control")};
  std::erase(causes, "");
  const std::string omitted =
      interaction.pairs == 0 ? "could not be compared"
                             : format_text("could only be compared in {}, without {}",
                                           counted(interaction.pairs, "seed"), seeds_text(interaction.failed_seeds));
  return omitted + ": " + join(causes, "; ");
}

/// "Between the base condition and generator.norm=none, the effect of slope 0 could not be compared: ...". Slopes with
/// the same omission share a sentence, for example if only the control failed.
std::vector<std::string> omission_sentences(const CrossStatistics& statistics) {
  struct Omission {
    std::string conditions, text;
    std::vector<std::string> slopes;
  };
  std::vector<Omission> omissions;
  for (const auto& interaction : statistics.interactions) {
    const std::string text = omission_text(statistics, interaction);
    if (text.empty()) continue;
    const auto& first = statistics.conditions.at(static_cast<std::size_t>(interaction.first)).settings;
    const auto& second = statistics.conditions.at(static_cast<std::size_t>(interaction.second)).settings;
    const std::string conditions =
        format_text("Between {} and {}", difference_text(first, second), difference_text(second, first));
    auto same = std::find_if(omissions.begin(), omissions.end(), [&](const Omission& omission) {
      return omission.conditions == conditions && omission.text == text;
    });
    if (same == omissions.end()) same = omissions.insert(same, {conditions, text, {}});
    same->slopes.push_back(shortest(interaction.negative_slope));
  }
  std::vector<std::string> sentences;
  for (auto& [conditions, text, slopes] : omissions) {
    const char* subject = slopes.size() == 1 ? "the effect of slope" : "the effects of slopes";
    sentences.push_back(
        format_text("{}, {} {} {}.", conditions, subject, enumerate_words(std::move(slopes), "and"), text));
  }
  return sentences;
}

/// "There is no evidence that the slope's effect depends on generator.norm; differences above 12 % are excluded." Names
/// the slopes if others could not be compared.
std::string undetected_text(const CrossStatistics& statistics, const std::vector<const Interaction*>& undetected,
                            const std::string& keys, bool is_further) {
  const auto is_empty = [](const Interaction& interaction) { return interaction.pairs == 0; };
  std::string start = "There is";
  if (std::ranges::any_of(statistics.interactions, is_empty)) {
    std::vector<std::string> slopes;
    for (const auto* interaction : undetected) slopes.push_back(shortest(interaction->negative_slope));
    slopes.erase(std::unique(slopes.begin(), slopes.end()), slopes.end());  // ordered by slope
    start = (slopes.size() == 1 ? "For slope " : "For slopes ") + enumerate_words(slopes, "and") + ", there is";
  }
  const bool has_failures =
      std::ranges::any_of(undetected, [](const auto* interaction) { return !interaction->failed_seeds.empty(); });
  return format_text("{}{} no evidence that the slope's effect depends on {}{}; {}.", start,
                     is_further ? " otherwise" : "", keys, has_failures ? " in the seeds without failures" : "",
                     excluded_text(undetected));
}

}  // namespace

CrossStatistics cross_statistics(const std::vector<std::vector<Setting>>& conditions, std::span<const ArmScore> arms,
                                 double control, const StatisticsOptions& options) {
  if (conditions.size() < 2) throw std::invalid_argument("cross_statistics: fewer than two conditions");
  const auto by_condition = arms_by_condition(conditions.size(), arms);
  CrossStatistics cross;
  cross.alpha = options.alpha;
  std::vector<ConditionScores> scores;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    cross.conditions.push_back({conditions[i], sweep_statistics(by_condition[i], control, options)});
    scores.push_back(condition_scores(by_condition[i]));
  }
  const double used_control = cross.conditions[0].statistics.control;
  std::vector<std::vector<double>> differences;
  for (const auto& summary : cross.conditions[0].statistics.slopes) {
    const double slope = summary.negative_slope;
    if (slope == used_control) continue;
    for (std::size_t first = 0; first < conditions.size(); ++first) {
      for (std::size_t second = first + 1; second < conditions.size(); ++second) {
        auto interaction = interaction_of(effects(scores[first], slope, used_control),
                                          effects(scores[second], slope, used_control), differences.emplace_back());
        interaction.negative_slope = slope;
        interaction.first = static_cast<std::int64_t>(first);
        interaction.second = static_cast<std::int64_t>(second);
        cross.interactions.push_back(interaction);
      }
    }
  }
  correct_interactions(cross.interactions, differences, options.alpha);
  return cross;
}

std::optional<std::size_t> cross_seeds_needed(std::size_t slopes, std::size_t conditions, double alpha) {
  return pairs_needed((slopes - 1) * (conditions * (conditions - 1) / 2), alpha);
}

std::string condition_text(const std::vector<Setting>& settings) {
  std::vector<std::string> parts;
  for (const auto& setting : settings) parts.push_back(setting.key + "=" + setting.value);
  return parts.empty() ? "base" : join(parts, ", ");
}

std::vector<std::string> cross_sentences(const CrossStatistics& statistics) {
  std::vector<std::string> sentences;
  std::vector<const Interaction*> undetected;
  bool is_possible = false;
  for (const auto& interaction : statistics.interactions) {
    if (interaction.significant) sentences.push_back(interaction_text(statistics, interaction));
    if (!interaction.significant && interaction.pairs > 0) undetected.push_back(&interaction);
    is_possible = is_possible || interaction.can_be_significant;
  }
  const std::string keys = crossed_keys_text(statistics.conditions);
  if (undetected.empty()) {
    if (sentences.empty()) sentences.push_back("It is unknown whether the slope's effect depends on " + keys + ".");
  } else if (!is_possible) {
    const auto needed = pairs_needed(undetected.size(), statistics.alpha);
    const std::string subject = needed ? "These seeds cannot show" : "No number of seeds can show";
    const std::string reason = needed ? format_text("{} are needed", *needed) : "sweep.alpha is too small";
    sentences.push_back(format_text("{} whether the slope's effect depends on {}: {}.", subject, keys, reason));
  } else {
    sentences.push_back(undetected_text(statistics, undetected, keys, !sentences.empty()));
  }
  for (auto& sentence : omission_sentences(statistics)) sentences.push_back(std::move(sentence));
  return sentences;
}

}  // namespace slopegan
