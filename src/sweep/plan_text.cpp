#include "sweep/plan_text.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>
#include <set>

#include "run/records.h"
#include "run/run_directory.h"
#include "run/run_info.h"
#include "statistics/cross.h"
#include "statistics/inference.h"
#include "support/errors.h"
#include "support/ranges.h"
#include "support/text.h"
#include "sweep/parallel_arms.h"
#include "sweep/results.h"

namespace slopegan {

namespace {

template <class Number>
std::string number_list(const std::vector<Number>& numbers) {
  std::vector<std::string> texts;
  for (const Number number : numbers) texts.push_back(format_text("{:.6g}", static_cast<double>(number)));
  return join(texts, ", ");
}

std::string plan_line(std::string_view name, const std::string& text) {
  return format_text("  {:<12} {}\n", name, text);
}

std::string percent(double fraction) { return format_text("{:.3g} %", 100 * fraction); }

std::string deviation_text(const ArmCosts& costs) {
  return costs.deviation ? format_text("{:.2f}, as in the arms so far", *costs.deviation)
                         : format_text("{}, assumed", shortest(assumed_deviation));
}

/// "about 1:20:00 with 2 arms at a time".
std::string duration_text(double arms, const ArmCosts& costs) {
  if (!costs.seconds) return "unknown until the first arm ends";
  const auto jobs = static_cast<double>(costs.jobs);
  return format_text("about {} with {} arm{} at a time", clock_time(std::ceil(arms / jobs) * *costs.seconds),
                     costs.jobs, plural_s(costs.jobs));
}

std::string fewest_line(const RacePlan& plan) {
  std::string text = format_text("{} if the first look decides every slope", first_look_arms(plan));
  if (plan.give_up > 0) text += format_text(", {} if the race gives up on every slope", fewest_arms(plan));
  return text;
}

/// The plan without the looks after the first `count`.
RacePlan first_looks(RacePlan plan, std::size_t count) {
  plan.looks.resize(count);
  plan.alphas.resize(count);
  return plan;
}

/// The duration of the whole race, and how many of its arms have ended.
std::string race_duration_text(double expected, const ArmCosts& costs) {
  std::string text = duration_text(expected, costs);
  if (!costs.seconds) text += "; --within TIME measures it first";
  if (costs.ended == 1) text += ", including the arm that has ended";
  if (costs.ended > 1) text += format_text(", including the {} arms that have ended", costs.ended);
  return text;
}

std::string look_line(const RacePlan& plan) {
  return format_text("after {} arms of each slope, at alpha {}", number_list(plan.looks), number_list(plan.alphas));
}

std::string giving_up_line(const PlannedRace& planned) {
  if (planned.plan.give_up == 0) return "never";
  return format_text("a slope whose FD at {} images is at least {} times the control's for the first two seeds",
                     planned.interim_images, shortest(planned.plan.give_up));
}

/// What `seeds` seeds can show about `comparisons` slopes. `is_final`: whether further seeds would not count.
std::string fixed_power_line(std::size_t seeds, std::size_t comparisons, double alpha, bool is_final) {
  if (comparisons == 0) return "nothing: there is only one slope";
  const double smallest = std::min(1.0, smallest_sign_flip_p(seeds) * static_cast<double>(comparisons));
  const std::string text = format_text("the smallest possible p_holm is {:.2g}", smallest);
  if (smallest <= alpha) return text + format_text(", so differences can be significant at {}", shortest(alpha));
  const auto needed = pairs_needed(comparisons, alpha);
  const std::string way_out = needed ? format_text("significance takes at least {} seeds{}", *needed,
                                                   is_final ? " planned before the first result" : "")
                                     : "no number of seeds is enough";
  return text + format_text(", so nothing can be significant at {}; {}", shortest(alpha), way_out);
}

/// What a crossed sweep needs to show that the effect of a slope depends on the condition. `slopes` includes the
/// control.
std::string dependence_line(std::size_t slopes, const SweepConfig& sweep) {
  const auto needed = cross_seeds_needed(slopes, sweep.cross.list.size(), sweep.alpha);
  return (needed ? format_text("it takes {} seeds", *needed) : "no number of seeds is enough") +
         " to show that a slope's effect depends on the condition";
}

/// The time that an arm spent on training and on the evaluation at its end, according to its records; std::nullopt if
/// they are damaged. The seconds in the history start at 0 whenever the arm is resumed.
std::optional<double> recorded_seconds(const Arm& arm) try {
  const auto history = read_history(RunPaths(arm.directory).history_file());
  double seconds = 0, latest = 0;
  for (const auto& line : history) {
    if (line.seconds < latest) seconds += latest;
    latest = line.seconds;
  }
  seconds += latest;
  const auto metrics = last_metrics(arm);
  if (metrics && !history.empty() && metrics->images == history.back().images) seconds += metrics->seconds;
  return std::isfinite(seconds) && seconds > 0 ? std::optional(seconds) : std::nullopt;
} catch (const Error&) {  // end_of warns about unreadable files
  return std::nullopt;
}

/// The time between the first start of an arm and its end, according to its run.json; std::nullopt if it is damaged.
std::optional<double> elapsed_seconds(const Arm& arm) try {
  const auto info = read_run_info(RunPaths(arm.directory).run_info_file());
  const auto started = info ? parse_utc_timestamp(info->started) : std::nullopt;
  const auto ended = info ? parse_utc_timestamp(info->updated) : std::nullopt;
  if (!started || !ended) return std::nullopt;
  return std::chrono::duration<double>(*ended - *started).count();
} catch (const Error&) {
  return std::nullopt;
}

/// The duration of an arm that was trained to the end; std::nullopt if it is unknown.
std::optional<double> arm_duration(const Arm& arm) {
  const auto recorded = recorded_seconds(arm), elapsed = elapsed_seconds(arm);
  if (!recorded || !elapsed) return recorded;
  // The elapsed time also includes the last samples, diagnostics and checkpoint. If it is much longer than the recorded
  // time, the arm was interrupted, or the clock was set.
  const bool was_interrupted = *elapsed > 1.5 * *recorded + 10;
  return was_interrupted ? *recorded : std::max(*recorded, *elapsed);
}

}  // namespace

ArmCosts known_costs(const Config& config, const std::vector<Arm>& arms) {
  ArmCosts costs;
  costs.jobs = choose_parallel_arms(config, std::ssize(arms), this_sweep_machine(config.training)).jobs;
  double seconds = 0;
  int count = 0;
  for (const auto& arm : arms) {
    const auto end = end_of(arm, config);
    costs.ended += end.has_value();
    if (end != RunStatus::done) continue;
    if (const auto duration = arm_duration(arm)) seconds += *duration, ++count;
  }
  if (count > 0) costs.seconds = seconds / count;
  if (count > 1 && config.sweep.cross.list.empty()) {
    const auto variance = sweep_statistics(read_scores(config, arms).arms, config.sweep.control).seed_variance;
    if (variance && *variance > 0) costs.deviation = std::sqrt(*variance);
  }
  return costs;
}

std::string race_plan_text(const Config& config, const PlannedRace& planned, const ArmCosts& costs,
                           std::size_t covered_looks) {
  const RacePlan& plan = planned.plan;
  const RacePlan covered = first_looks(plan, covered_looks == 0 ? plan.looks.size() : covered_looks);
  const bool covers_all = covered.looks.size() == plan.looks.size();
  const double deviation = costs.deviation.value_or(assumed_deviation);
  const double detectable = smallest_detectable_ratio(covered, deviation);
  const double expected = expected_arms(covered, deviation, detectable);
  std::string text = format_text("race: {} against the control {}\n", number_list(plan.slopes), shortest(plan.control));
  text += plan_line("arms", format_text("about {:.0f} expected{}, {} at most; each with {} images", expected,
                                        covers_all ? "" : format_text(" up to look {}", covered.looks.size()),
                                        most_arms(plan), planned.images));
  text += plan_line("fewest", fewest_line(plan));
  text += plan_line(
      "time", race_duration_text(expected, costs) + (covers_all ? "" : "; further looks take place if time is left"));
  text += plan_line("looks", look_line(plan));
  text += plan_line("seeds", format_text("{} to {}", planned.first_seed, planned.first_seed + plan.looks.back() - 1));
  text += plan_line("can show", format_text("differences in FD of {} or more, in 4 of 5 cases (standard deviation of "
                                            "log FD between seeds: {})",
                                            format_text("{:.0f} %", 100 * (detectable - 1)), deviation_text(costs)));
  text +=
      plan_line("error rate", format_text("{} for better and worse together, and a separate {} for the intervals, on "
                                          "which equivalence rests",
                                          percent(config.sweep.alpha), percent(config.sweep.alpha)));
  text += plan_line("equivalence",
                    format_text("a slope is equivalent once its FD is shown to be within {} of the control's",
                                percent(plan.equivalence)));
  text += plan_line("giving up", giving_up_line(planned));
  return text;
}

std::string fixed_plan_text(const Config& config, const std::vector<Arm>& arms, std::size_t over, const ArmCosts& costs,
                            const std::vector<std::int64_t>& counting, const std::vector<double>& compared) {
  const SweepConfig& sweep = config.sweep;
  const std::set<double> slopes(sweep.negative_slope.begin(), sweep.negative_slope.end());
  const std::string conditions = sweep.cross.list.empty() ? "" : " x " + counted(sweep.cross.list.size(), "condition");
  std::string text = format_text("sweep of {} x {}{}: {}\n", counted(slopes.size(), "slope"),
                                 counted(sweep.seeds.size(), "seed"), conditions, number_list(sweep.negative_slope));
  text += plan_line("arms", format_text("{}, of which {} need{} no more training; each with {} images", arms.size(),
                                        over, over == 1 ? "s" : "", config.training.total_images));
  text += plan_line("time", duration_text(static_cast<double>(arms.size() - over), costs));
  std::vector<std::int64_t> added;
  std::ranges::copy_if(sweep.seeds, std::back_inserter(added),
                       [&](std::int64_t seed) { return !contains(counting, seed); });
  const std::set<double> all(compared.begin(), compared.end());
  std::vector<double> earlier;
  std::ranges::set_difference(all, slopes, std::back_inserter(earlier));
  if (!earlier.empty()) {
    text += plan_line("compared", format_text("also slope{} {}, whose arms were started by earlier commands",
                                              plural_s(earlier.size()), number_list(earlier)));
  }
  text += plan_line("can show", fixed_power_line(counting.size(), all.size() - 1, sweep.alpha, !added.empty()));
  if (!added.empty()) {
    text +=
        plan_line("not counted", format_text("seed{} {}, added after the first results; only {} planned seed{} count{}",
                                             plural_s(added.size()), number_list(added), counting.size(),
                                             plural_s(counting.size()), counting.size() == 1 ? "s" : ""));
  }
  if (sweep.cross.list.size() > 1 && all.size() > 1)
    text += plan_line("dependence", dependence_line(all.size(), sweep));
  return text;
}

}  // namespace slopegan
