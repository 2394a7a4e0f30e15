#include "statistics/recommendation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <utility>

#include "support/ranges.h"
#include "support/text.h"

namespace slopegan {

namespace {

using Group = std::vector<const SlopeFinding*>;

constexpr double unlimited = std::numeric_limits<double>::infinity();

std::size_t word_count(const std::string& text) {
  std::istringstream words(text);
  std::size_t count = 0;
  for (std::string word; words >> word;) ++count;
  return count;
}

// --- Which slopes are recommended -----------------------------------------------------------------------------------

bool is_compared(const SlopeFinding& slope) {
  return slope.verdict == Verdict::control || is_decided(slope.verdict) ||
         slope.verdict == Verdict::no_difference_detected;
}

/// Whether `a` is shown to be worse than `b`: their limits do not overlap, or the verdicts imply it.
bool is_shown_worse(const SlopeFinding& a, const SlopeFinding& b) {
  if (!is_compared(a) || !is_compared(b)) return false;
  if (b.verdict == Verdict::control) return a.verdict == Verdict::worse;
  if (a.verdict == Verdict::control) return b.verdict == Verdict::better;
  return (a.verdict == Verdict::worse && b.verdict == Verdict::better) || a.limits.low > b.limits.high;
}

Group recommended(const Findings& findings) {
  const auto& slopes = findings.slopes;
  const auto has = [&](Verdict verdict) {
    return std::any_of(slopes.begin(), slopes.end(), [&](const auto& slope) { return slope.verdict == verdict; });
  };
  const bool has_better = has(Verdict::better);
  const bool has_answer = has_better || has(Verdict::worse) || has(Verdict::no_difference_detected) ||
                          (has(Verdict::given_up) && !has(Verdict::too_few_seeds));
  if (!has_answer) return {};
  Group group;
  for (const auto& slope : slopes) {
    const bool is_candidate = has_better ? slope.verdict == Verdict::better
                                         : slope.verdict == Verdict::control || is_equivalent(findings, slope);
    const auto beats = [&](const SlopeFinding& other) { return is_shown_worse(slope, other); };
    if (is_candidate && std::none_of(slopes.begin(), slopes.end(), beats)) group.push_back(&slope);
  }
  return group;
}

// --- Parts of sentences ---------------------------------------------------------------------------------------------

/// "0", "0 and 0.1", "0, 0.1 and 0.5"; three or more consecutive slopes are written as "0 to 0.3".
std::string names_of(const Findings& findings, const Group& group, const char* last_word) {
  std::vector<std::string> parts;
  const auto is_in_group = [&](std::size_t i) {
    return i < findings.slopes.size() && contains(group, &findings.slopes[i]);
  };
  for (std::size_t i = 0; i < findings.slopes.size(); ++i) {
    if (!is_in_group(i)) continue;
    std::size_t end = i;
    while (is_in_group(end + 1)) ++end;
    parts.push_back(shortest(findings.slopes[i].negative_slope));
    if (end - i >= 2) {
      parts.back() += " to " + shortest(findings.slopes[end].negative_slope);
      i = end;
    }
  }
  return enumerate_words(std::move(parts), last_word);
}

/// "slope 0.1", "slope 0 or 0.1", "a slope between 0 and 0.1".
std::string choice_of(const Findings& findings, const Group& group) {
  const std::string names = names_of(findings, group, "or");
  const auto to = names.find(" to ");
  const bool is_one_run = to != std::string::npos && names.find(" or ") == std::string::npos;
  return is_one_run ? "a slope between " + names.substr(0, to) + " and " + names.substr(to + 4) : "slope " + names;
}

/// The largest FD ratio between any two slopes of the group that is consistent with their limits.
double largest_within(const Group& group) {
  double largest = 1;
  for (const auto* a : group) {
    for (const auto* b : group) {
      if (a == b) continue;
      largest = b->limits.low > 0 ? std::max(largest, a->limits.high / b->limits.low) : unlimited;
      if (std::isnan(largest) || std::isinf(largest)) return unlimited;
    }
  }
  return largest;
}

/// "differences above 12 % are excluded", rounded up so that the claim never exceeds the evidence.
std::string exclusion_of(double ratio) {
  if (!(ratio < 1000)) return "differences of any size are possible";
  if (ratio >= 2)
    return format_text("only differences by more than a factor of {:.1f} are excluded", std::ceil(10 * ratio) / 10);
  const double percent = std::max(1.0, std::ceil(100 * (ratio - 1) - 1e-9));
  return format_text("{}differences above {:.0f} % are excluded", percent > 30 ? "only " : "", percent);
}

std::string failures_of(const Group& group) {
  std::int64_t failed = 0, arms = 0;
  for (const auto* slope : group) {
    failed += slope->failed;
    arms += slope->arms;
  }
  return failed == 0 ? "" : format_text(" ({} of {} arms failed)", failed, arms);
}

// --- The slopes that are not recommended ----------------------------------------------------------------------------

/// The grades are in the order in which the sentence lists them: from good to bad, then undecided slopes.
enum class Grade { percent, unreliable, worse, twice, times, useless, failing, given_up, open };

struct Rest {
  const SlopeFinding* slope;
  Grade grade;
  double low = 1, high = 1;  ///< the range of FD of the slope / FD of a recommended slope
};

Grade grade_of(const SlopeFinding& slope, double low, double high) {
  const double middle = std::sqrt(low) * std::sqrt(high);
  if (mostly_failed(slope)) return Grade::failing;
  if (high < 1.005 && slope.failed > 0) return Grade::unreliable;
  if (!(middle < 5)) return Grade::useless;
  if (middle >= 2.5) return Grade::times;
  return middle >= 1.8 ? Grade::twice : Grade::percent;
}

/// The grade of a worse slope if its FD cannot be compared with those of the recommended slopes.
Grade grade_without_ratio(const SlopeFinding& slope) {
  if (mostly_failed(slope)) return Grade::failing;
  return slope.failed > 0 ? Grade::unreliable : Grade::worse;
}

/// The estimated ratio: FD of `slope` / FD of `good`; std::nullopt if one of them has no estimate.
std::optional<double> ratio_between(const SlopeFinding& slope, const SlopeFinding& good) {
  if (!slope.ratio || !good.ratio || std::isinf(*good.ratio)) return std::nullopt;
  return *good.ratio > 0 ? *slope.ratio / *good.ratio : unlimited;
}

Rest rest_of(const SlopeFinding& slope, const Group& group) {
  if (slope.verdict == Verdict::given_up) return {&slope, Grade::given_up};
  const bool always_failed = slope.arms > 0 && slope.failed == slope.arms;
  bool is_worse = false;
  double low = unlimited, high = 0;
  for (const auto* good : group) {
    if (!is_shown_worse(slope, *good)) continue;
    is_worse = true;
    const auto ratio = ratio_between(slope, *good);
    if (!ratio) continue;
    low = std::min(low, *ratio);
    high = std::max(high, *ratio);
  }
  if (!is_worse) return {&slope, always_failed ? Grade::failing : Grade::open};
  if (high == 0) return {&slope, grade_without_ratio(slope)};
  return {&slope, grade_of(slope, low, high), low, high};
}

std::string percent_text(double low, double high) {
  const double from = std::round(100 * (low - 1)), to = std::round(100 * (high - 1));
  if (to < 1) return "slightly worse";
  if (from == to) return format_text("{:.0f} % worse", to);
  return from < 1 ? format_text("up to {:.0f} % worse", to) : format_text("{:.0f} to {:.0f} % worse", from, to);
}

std::string grade_text(Grade grade, double low, double high) {
  switch (grade) {
    case Grade::percent:
      return percent_text(low, high);
    case Grade::twice:
      return "about twice as bad";
    case Grade::times: {
      const double from = std::round(low), to = std::round(high);
      return from == to ? format_text("about {:.0f} times as bad", to)
                        : format_text("{:.0f} to {:.0f} times as bad", from, to);
    }
    case Grade::unreliable:
      return "less reliable";
    case Grade::worse:
      return "worse";
    case Grade::useless:
      return "useless";
    case Grade::failing:
      return "unstable (most arms failed)";
    case Grade::given_up:
      return "given up";
    case Grade::open:
      return "undecided";
  }
  return {};
}

/// "0.2 is 10 to 17 % worse, 0.5 about twice as bad, 1 useless": one clause per grade or, if `is_detailed`, per
/// distinct text.
std::string clauses_of(const Findings& findings, const std::vector<Rest>& rests, bool is_detailed) {
  std::vector<std::string> clauses;
  for (std::size_t i = 0; i < rests.size();) {
    Group slopes;
    double low = unlimited, high = 0;
    const Grade grade = rests[i].grade;
    const auto belongs = [&](const Rest& rest) {
      if (slopes.empty()) return true;
      return rest.grade == grade &&
             (!is_detailed || grade_text(grade, rest.low, rest.high) == grade_text(grade, low, high));
    };
    for (; i < rests.size() && belongs(rests[i]); ++i) {
      slopes.push_back(rests[i].slope);
      low = std::min(low, rests[i].low);
      high = std::max(high, rests[i].high);
    }
    const char* verb = !clauses.empty() && !is_detailed ? " " : slopes.size() == 1 ? " is " : " are ";
    clauses.push_back(names_of(findings, slopes, "and") + verb + grade_text(grade, low, high));
  }
  return join(clauses, ", ");
}

/// "The other 9 are worse or undecided", without a full stop.
std::string summary_of(const std::vector<Rest>& rests) {
  const auto open = static_cast<std::size_t>(
      std::count_if(rests.begin(), rests.end(), [](const Rest& rest) { return rest.grade >= Grade::given_up; }));
  const std::string others = rests.size() == 1 ? "The other is " : format_text("The other {} are ", rests.size());
  return others + (open == rests.size() ? "undecided" : open == 0 ? "worse" : "worse or undecided");
}

std::vector<Rest> rests_of(const Findings& findings, const Group& group, const Group& mentioned) {
  std::vector<Rest> rests;
  for (const auto& slope : findings.slopes) {
    if (!contains(group, &slope) && !contains(mentioned, &slope)) rests.push_back(rest_of(slope, group));
  }
  std::stable_sort(rests.begin(), rests.end(), [](const Rest& a, const Rest& b) { return a.grade < b.grade; });
  return rests;
}

/// The first text that is short enough, or the last text if none is.
std::string first_short(const std::vector<std::string>& texts) {
  for (const auto& text : texts) {
    if (word_count(text) <= most_recommendation_words) return text;
  }
  return texts.back();
}

std::string sentence_with_rest(const Findings& findings, const std::string& lead, const std::string& short_lead,
                               const std::vector<Rest>& rests) {
  if (rests.empty()) return first_short({lead, short_lead});
  std::vector<std::string> texts;
  for (const auto& start : {lead, short_lead}) {
    for (const bool is_detailed : {true, false}) {
      texts.push_back(start + " " + clauses_of(findings, rests, is_detailed) + ".");
    }
    texts.push_back(start + " " + summary_of(rests) + ".");
  }
  return first_short(texts);
}

/// Recommends a large group but names only one of its slopes.
std::string short_choice(const Group& group, const SlopeFinding& named) {
  return format_text("Use slope {}, or one of {} others that do not differ detectably{}.",
                     shortest(named.negative_slope), group.size() - 1, failures_of(group));
}

// --- The cases ------------------------------------------------------------------------------------------------------

/// The recommendation if some slopes are shown to be better than the control.
std::string choose_better(const Findings& findings, const Group& group) {
  const auto* best = *std::min_element(group.begin(), group.end(), [](const auto* a, const auto* b) {
    return a->ratio.value_or(unlimited) < b->ratio.value_or(unlimited);
  });
  const std::string lead = "Use " + choice_of(findings, group) + failures_of(group) + ".";
  return sentence_with_rest(findings, lead, group.size() < 3 ? lead : short_choice(group, *best),
                            rests_of(findings, group, {}));
}

/// Recommends the control if other slopes show no detectable difference from it but may differ considerably.
std::string keep_control(const Findings& findings, const Group& control, const Group& undetected) {
  double largest = 1;
  for (const auto* slope : undetected) {
    largest = slope->limits.low > 0 ? std::max({largest, slope->limits.high, 1 / slope->limits.low}) : unlimited;
    if (std::isinf(largest)) break;
  }
  const std::string start = "Keep " + choice_of(findings, control) + failures_of(control);
  const std::string excluded = exclusion_of(largest);
  const std::string lead =
      format_text("{}: no difference from {} is detected, {}{}.", start, names_of(findings, undetected, "or"),
                  excluded.starts_with("differences above") ? "and " : "but ", excluded);
  const std::string full = sentence_with_rest(findings, lead, lead, rests_of(findings, control, undetected));
  if (word_count(full) <= most_recommendation_words) return full;
  return sentence_with_rest(findings, start + ".", start + ".", rests_of(findings, control, {}));
}

/// The recommendation if no slope is shown to be better than the control.
std::string choose_control(const Findings& findings, const Group& group) {
  Group control, undetected;
  for (const auto& slope : findings.slopes) {
    if (slope.verdict == Verdict::control) control.push_back(&slope);
    if (slope.verdict != Verdict::no_difference_detected) continue;
    if (!contains(group, &slope)) undetected.push_back(&slope);
  }
  if (group.size() == 1 && !undetected.empty()) return keep_control(findings, control, undetected);
  std::string lead = "Use " + choice_of(findings, group) + failures_of(group);
  if (group.size() > 1) {
    const bool is_all = group.size() == findings.slopes.size();
    lead += format_text(": {}{}", is_all ? "no difference is detected, and " : "", exclusion_of(largest_within(group)));
  }
  lead += ".";
  return sentence_with_rest(findings, lead, group.size() < 3 ? lead : short_choice(group, *control.front()),
                            rests_of(findings, group, {}));
}

/// "So far 0.1 has the lowest mean FD."; empty if lowest_mean() finds no slope.
std::string tendency_of(const Findings& findings) {
  const SlopeFinding* lowest = lowest_mean(findings);
  if (lowest == nullptr) return {};
  return format_text(" So far {} has the lowest {}FD.", shortest(lowest->negative_slope),
                     lowest->arms > 1 ? "mean " : "");
}

/// Explains why no slope can be recommended.
std::string explain_silence(const Findings& findings) {
  std::int64_t failed = 0, arms = 0, seeds = 0;
  const SlopeFinding* control = nullptr;
  for (const auto& slope : findings.slopes) {
    failed += slope.failed;
    arms += slope.arms;
    seeds = std::max(seeds, slope.seeds);
    if (slope.verdict == Verdict::control) control = &slope;
  }
  const std::string start = "No slope can be recommended";
  if (findings.first_look > 0) {
    return format_text("{} yet: the first look needs {} arms of every slope.", start, findings.first_look);
  }
  if (arms == 0) return start + ": no arm has an FD.";
  if (failed == arms) {
    const std::string which = arms == 1 ? "the only arm" : format_text("all {} arms", arms);
    if (findings.missing_arms == 0) return format_text("{}: {} failed.", start, which);
    return format_text("{}: {} with a result failed, and {} {} missing.", start, which, findings.missing_arms,
                       findings.missing_arms == 1 ? "is" : "are");
  }
  if (findings.slopes.size() == 1) {
    return format_text("Only slope {} was trained, so there is nothing to compare it with.",
                       shortest(findings.slopes.front().negative_slope));
  }
  if (seeds == 0) {
    return format_text("{}: there is no seed for which both the control{} and another slope have an FD.", start,
                       control == nullptr ? "" : " " + shortest(control->negative_slope));
  }
  if (findings.seeds_needed == 0) {
    return format_text("{}: no number of seeds can show a difference at this sweep.alpha.{}", start,
                       tendency_of(findings));
  }
  return first_short(
      {format_text("{} yet: {} seed{} cannot show a difference, {} {} needed.{}", start, seeds, plural_s(seeds),
                   findings.seeds_needed, findings.seeds_needed == 1 ? "is" : "are", tendency_of(findings)),
       start + " yet: there are too few seeds."});
}

}  // namespace

std::string recommendation(const Findings& findings) {
  const Group group = recommended(findings);
  if (group.empty()) return explain_silence(findings);
  return group.front()->verdict == Verdict::better ? choose_better(findings, group) : choose_control(findings, group);
}

std::vector<std::string> finding_sentences(const Findings& findings) {
  std::vector<std::string> sentences;
  for (const auto& slope : findings.slopes) sentences.push_back(finding_sentence(findings, slope));
  const Group group = recommended(findings);
  if (group.size() < 2) return sentences;
  sentences.push_back(format_text("{} do not differ detectably from each other; {}.", names_of(findings, group, "and"),
                                  exclusion_of(largest_within(group))));
  return sentences;
}

std::vector<double> recommended_slopes(const Findings& findings) {
  std::vector<double> slopes;
  for (const auto* slope : recommended(findings)) slopes.push_back(slope->negative_slope);
  return slopes;
}

}  // namespace slopegan
