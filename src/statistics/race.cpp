#include "statistics/race.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>
#include <utility>

#include "statistics/inference.h"
#include "statistics/permutation.h"
#include "support/random.h"
#include "support/ranges.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr double failed_score = std::numeric_limits<double>::infinity();
constexpr double first_alpha_share = 0.6;
constexpr std::size_t least_looks = 3;
constexpr std::int64_t arms_between_looks = 2;
constexpr std::int64_t interim_repeats = 2;  ///< number of repeats that decide whether to give up on a slope
constexpr double spread_factor = 2;

using RaceResults = std::map<std::pair<double, std::int64_t>, const RaceArm*>;

RaceResults results_by_id(std::span<const RaceArm> arms) {
  RaceResults results;
  for (const auto& arm : arms) {
    if (!results.emplace(std::pair(arm.negative_slope, arm.repeat), &arm).second) {
      throw std::invalid_argument(
          format_text("follow_race: two arms with slope {} and repeat {}", shortest(arm.negative_slope), arm.repeat));
    }
  }
  return results;
}

const RaceArm* find_arm(const RaceResults& results, double slope, std::int64_t repeat) {
  const auto found = results.find({slope, repeat});
  return found == results.end() ? nullptr : found->second;
}

/// Log FD, +∞ for an arm that failed, or std::nullopt for an arm without a result.
std::optional<double> final_score(const RaceArm* arm) {
  if (arm == nullptr) return std::nullopt;
  return log_score({arm->negative_slope, arm->repeat, arm->outcome, arm->fd, {}});
}

/// FD at the interim evaluation; +∞ for an arm that failed before it. An arm that failed later keeps its interim
/// FD, so that a decision does not depend on when it is made.
std::optional<double> interim_fd(const RaceArm* arm) {
  if (arm == nullptr) return std::nullopt;
  if (!arm->interim_fd) {
    const bool failed = arm->outcome == ArmOutcome::diverged || arm->outcome == ArmOutcome::collapsed;
    return failed ? std::optional(failed_score) : std::nullopt;
  }
  if (*arm->interim_fd <= 0) return std::nullopt;
  return std::isfinite(*arm->interim_fd) ? *arm->interim_fd : failed_score;
}

/// Interim FD of the slope / interim FD of the control, for each of the first `interim_repeats` repeats in which both
/// are known and the control's is finite.
std::vector<double> interim_ratios(const RaceResults& results, double control, double slope) {
  std::vector<double> ratios;
  for (std::int64_t repeat = 0; repeat < interim_repeats; ++repeat) {
    const auto of_control = interim_fd(find_arm(results, control, repeat));
    const auto of_slope = interim_fd(find_arm(results, slope, repeat));
    if (of_control && of_slope && std::isfinite(*of_control)) ratios.push_back(*of_slope / *of_control);
  }
  return ratios;
}

bool is_hopeless(const std::vector<double>& ratios, double give_up) {
  return give_up > 0 && std::ssize(ratios) == interim_repeats &&
         std::all_of(ratios.begin(), ratios.end(), [&](double ratio) { return ratio >= give_up; });
}

/// The scores of a slope's first `count` arms. The list ends before the first arm without a result.
std::vector<double> first_scores(const RaceResults& results, double slope, std::int64_t count) {
  std::vector<double> scores;
  for (std::int64_t repeat = 0; repeat < count; ++repeat) {
    const auto score = final_score(find_arm(results, slope, repeat));
    if (!score) break;
    scores.push_back(*score);
  }
  return scores;
}

std::int64_t failures(const std::vector<double>& scores) {
  return std::count(scores.begin(), scores.end(), failed_score);
}

/// Replaces failures in both groups with the largest finite value plus the range of the finite values (or plus 1 if the
/// range is 0).
void replace_failures(std::vector<double>& first, std::vector<double>& second) {
  double low = failed_score, high = -failed_score;
  for (const auto* scores : {&first, &second}) {
    for (const double score : *scores) {
      if (!std::isfinite(score)) continue;
      low = std::min(low, score);
      high = std::max(high, score);
    }
  }
  const bool any = low <= high;
  const double range = any && high > low ? high - low : 1;
  const double replacement = (any ? high : 0) + range;
  for (auto* scores : {&first, &second}) std::replace(scores->begin(), scores->end(), failed_score, replacement);
}

bool do_spreads_differ(const std::vector<double>& first, const std::vector<double>& second) {
  const auto finite_variance = [](const std::vector<double>& scores) {
    std::vector<double> finite;
    std::copy_if(scores.begin(), scores.end(), std::back_inserter(finite), [](double x) { return std::isfinite(x); });
    return sample_variance(finite);
  };
  const auto a = finite_variance(first), b = finite_variance(second);
  return a && b && std::max(*a, *b) > spread_factor * spread_factor * std::min(*a, *b);
}

/// Compares a slope with the control, without the correction for multiplicity and without a decision.
RaceComparison compare_scores(double slope, std::vector<double> control, std::vector<double> scores, double level) {
  RaceComparison comparison;
  comparison.negative_slope = slope;
  comparison.failed = failures(scores);
  comparison.control_failed = failures(control);
  comparison.spreads_differ = do_spreads_differ(control, scores);
  replace_failures(control, scores);
  const auto test = permutation_test(control, scores, level);
  comparison.ratio = std::exp(test.difference);
  comparison.p = test.p;
  // A larger replacement for the slope's failures would raise both limits, so only the lower limit also holds for
  // failures that are worse than the replacement. For the control's failures, only the upper limit does. If both groups
  // have failures, their replacements are equal, which makes the groups look more alike than they are, so neither limit
  // holds.
  comparison.ratio_interval.low = comparison.control_failed > 0 ? 0 : std::exp(test.interval.low);
  comparison.ratio_interval.high = comparison.failed > 0 ? failed_score : std::exp(test.interval.high);
  return comparison;
}

/// Whether failures contradict the direction of the difference of means, so that the slope is neither better nor worse.
bool do_failures_contradict(const RaceComparison& comparison) {
  return comparison.ratio < 1 ? comparison.failed > comparison.control_failed
                              : comparison.failed < comparison.control_failed;
}

void decide(RaceComparison& comparison, double alpha, double equivalence) {
  Interval& limits = comparison.ratio_interval;
  const bool has_failures = comparison.failed > 0 || comparison.control_failed > 0;
  if (comparison.p_holm <= alpha) {
    const bool is_better = comparison.ratio < 1;
    comparison.decision = is_better ? Verdict::better : Verdict::worse;
    limits = limits_of_verdict(limits, is_better);
  } else if (!has_failures && limits.low >= 1 - equivalence && limits.high <= 1 + equivalence) {
    comparison.decision = Verdict::equivalent;
  }
}

/// Applies Holm's correction to the look's comparisons and to `untested` further hypotheses, which remain in the family
/// with p = 1.
void correct_look(RaceLook& look, std::int64_t untested) {
  std::vector<double> p;
  for (const auto& comparison : look.comparisons) p.push_back(do_failures_contradict(comparison) ? 1 : comparison.p);
  p.resize(p.size() + static_cast<std::size_t>(untested), 1.0);
  const auto adjusted = holm(p);
  look.family = std::ssize(p);
  for (std::size_t i = 0; i < look.comparisons.size(); ++i) look.comparisons[i].p_holm = adjusted[i];
}

bool is_undecided(const RaceSlope& slope) { return slope.decision == Verdict::undecided; }

/// The arms without a result among the first `count` arms of the control and of each undecided slope.
std::vector<RaceArmId> missing_arms(const RacePlan& plan, const std::vector<RaceSlope>& slopes,
                                    const RaceResults& results, std::int64_t count) {
  std::vector<RaceArmId> missing;
  for (std::int64_t repeat = 0; repeat < count; ++repeat) {
    const auto require = [&](double slope) {
      if (!final_score(find_arm(results, slope, repeat))) missing.push_back({slope, repeat});
    };
    require(plan.control);
    for (const auto& slope : slopes) {
      if (is_undecided(slope)) require(slope.negative_slope);
    }
  }
  return missing;
}

/// Evaluates look `index`. All arms that the look needs must have results.
RaceLook evaluate_look(const RacePlan& plan, std::vector<RaceSlope>& slopes, const RaceResults& results,
                       std::size_t index) {
  RaceLook look{plan.looks[index], plan.alphas[index], 0, {}};
  const auto control = first_scores(results, plan.control, look.arms);
  const double level = look.alpha / static_cast<double>(slopes.size());
  std::int64_t untested = 0;
  for (const auto& slope : slopes) {
    if (is_undecided(slope)) {
      const auto scores = first_scores(results, slope.negative_slope, look.arms);
      look.comparisons.push_back(compare_scores(slope.negative_slope, control, scores, level));
    } else {
      untested += slope.decision == Verdict::given_up || slope.decision == Verdict::equivalent;
    }
  }
  correct_look(look, untested);
  auto comparison = look.comparisons.begin();
  for (auto& slope : slopes) {
    if (!is_undecided(slope)) continue;
    decide(*comparison, look.alpha, plan.equivalence);
    slope.decision = comparison->decision;
    slope.look = static_cast<std::int64_t>(index) + 1;
    slope.comparison = *comparison++;
  }
  return look;
}

/// The share of alpha that each look spends.
std::vector<double> alpha_shares(std::size_t looks) {
  std::vector<double> shares = {first_alpha_share};
  double rest = 1 - first_alpha_share;
  while (shares.size() + 1 < looks) {
    rest /= 2;
    shares.push_back(rest);
  }
  shares.push_back(rest);
  return shares;
}

/// All arms of a race in which log FD has mean 0 for the control and `shift` for the other slopes.
std::vector<RaceArm> normal_arms(const RacePlan& plan, double deviation, double shift, std::uint64_t race) {
  RandomStream stream(0, "planned race", race);
  std::vector<float> normal(plan.slopes.size() + 1);
  std::vector<RaceArm> arms;
  for (std::int64_t repeat = 0; repeat < plan.looks.back(); ++repeat) {
    stream.fill_normal(normal);
    for (std::size_t i = 0; i < normal.size(); ++i) {
      const double score = deviation * static_cast<double>(normal[i]) + (i == 0 ? 0 : shift);
      arms.push_back({i == 0 ? plan.control : plan.slopes[i - 1], repeat, ArmOutcome::done, std::exp(score), {}});
    }
  }
  return arms;
}

}  // namespace

RacePlan plan_race(double control, std::vector<double> slopes, const RaceRules& rules) {
  slopes = sorted_unique(std::move(slopes));
  std::erase(slopes, control);
  if (slopes.empty()) throw std::invalid_argument("plan_race: a race needs a slope other than the control");
  RacePlan plan{control, std::move(slopes), {}, {}, rules.equivalence, rules.give_up};
  const double level = first_alpha_share * rules.alpha / static_cast<double>(plan.slopes.size());
  for (std::int64_t arms = smallest_permuted_group(level);
       plan.looks.size() < rules.looks && arms <= std::int64_t{largest_permuted_group}; arms += arms_between_looks) {
    plan.looks.push_back(arms);
  }
  if (plan.looks.size() < least_looks) throw std::invalid_argument("plan_race: too many slopes for this alpha");
  for (const double share : alpha_shares(plan.looks.size())) plan.alphas.push_back(share * rules.alpha);
  return plan;
}

RaceState follow_race(const RacePlan& plan, std::span<const RaceArm> arms) {
  const auto results = results_by_id(arms);
  RaceState state;
  for (const double slope : plan.slopes) {
    RaceSlope entry;
    entry.negative_slope = slope;
    entry.interim_ratios = interim_ratios(results, plan.control, slope);
    if (is_hopeless(entry.interim_ratios, plan.give_up)) entry.decision = Verdict::given_up;
    state.slopes.push_back(entry);
  }
  for (std::size_t look = 0; look < plan.looks.size(); ++look) {
    if (std::none_of(state.slopes.begin(), state.slopes.end(), is_undecided)) break;
    state.needed = missing_arms(plan, state.slopes, results, plan.looks[look]);
    if (!state.needed.empty()) return state;
    state.looks.push_back(evaluate_look(plan, state.slopes, results, look));
  }
  state.is_over = true;
  return state;
}

bool may_need_arms(const RacePlan& plan, const RaceState& state, double slope) {
  if (state.is_over) return false;
  return slope == plan.control || std::ranges::any_of(state.slopes, [&](const RaceSlope& entry) {
           return entry.negative_slope == slope && is_undecided(entry);
         });
}

std::int64_t most_arms(const RacePlan& plan) { return plan.looks.back() * (std::ssize(plan.slopes) + 1); }

std::int64_t first_look_arms(const RacePlan& plan) { return plan.looks.front() * (std::ssize(plan.slopes) + 1); }

std::int64_t fewest_arms(const RacePlan& plan) {
  const std::int64_t repeats = plan.give_up > 0 ? std::min(interim_repeats, plan.looks.front()) : plan.looks.front();
  return repeats * (std::ssize(plan.slopes) + 1);
}

double expected_arms(const RacePlan& plan, double seed_deviation, double ratio) {
  constexpr int races = 100;
  RacePlan without_giving_up = plan;
  without_giving_up.give_up = 0;
  std::int64_t arms = 0;
  for (int race = 0; race < races; ++race) {
    const auto state = follow_race(
        without_giving_up, normal_arms(plan, seed_deviation, std::log(ratio), static_cast<std::uint64_t>(race)));
    arms += plan.looks[state.looks.size() - 1];
    for (const auto& slope : state.slopes) arms += plan.looks[static_cast<std::size_t>(slope.look - 1)];
  }
  return static_cast<double>(arms) / races;
}

double smallest_detectable_ratio(const RacePlan& plan, double seed_deviation) {
  constexpr int races = 400;
  constexpr double power = 0.8;
  RacePlan one_slope = plan;
  one_slope.slopes.resize(1);
  std::vector<double> detected;
  for (int race = 0; race < races; ++race) {
    const auto arms = normal_arms(one_slope, 1, 0, static_cast<std::uint64_t>(race));
    const auto results = results_by_id(arms);
    // Shifting the scores of the slope shifts the lower limit by the same amount, so the race detects every shift above
    // −low.
    double smallest = failed_score;
    for (std::size_t look = 0; look < plan.looks.size(); ++look) {
      const auto control = first_scores(results, plan.control, plan.looks[look]);
      const auto scores = first_scores(results, plan.slopes[0], plan.looks[look]);
      const double level = plan.alphas[look] / static_cast<double>(plan.slopes.size());
      smallest = std::min(smallest, -permutation_test(control, scores, level).interval.low);
    }
    detected.push_back(smallest);
  }
  std::sort(detected.begin(), detected.end());
  return std::exp(seed_deviation * detected[static_cast<std::size_t>(power * races) - 1]);
}

}  // namespace slopegan
