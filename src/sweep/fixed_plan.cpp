#include "sweep/fixed_plan.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "run/record_json.h"
#include "run/run_directory.h"
#include "statistics/cross.h"
#include "statistics/statistics_text.h"
#include "statistics/summaries.h"
#include "support/errors.h"
#include "support/file_lock.h"
#include "support/files.h"
#include "support/log.h"
#include "support/ranges.h"
#include "support/text.h"
#include "sweep/arms.h"
#include "sweep/sweep.h"

namespace slopegan {

namespace {

using nlohmann::json;

constexpr std::size_t largest_plan_file = std::size_t{1} << 20;

std::filesystem::path fixed_plan_file(const std::filesystem::path& sweep_dir) { return sweep_dir / "plan.json"; }

template <class Number>
std::string shown_numbers(const std::vector<Number>& numbers) {
  std::vector<std::string> texts;
  for (const Number number : numbers) texts.push_back(shortest(static_cast<double>(number)));
  return join(texts, ", ");
}

/// The values of `all` that are not in `some`.
template <class Value>
std::vector<Value> beyond(const std::vector<Value>& all, const std::vector<Value>& some) {
  std::vector<Value> found;
  std::ranges::copy_if(all, std::back_inserter(found), [&](const Value& value) { return !contains(some, value); });
  return found;
}

std::vector<std::string> condition_texts(const Config& config) {
  std::vector<std::string> texts;
  for (const auto& settings : config.sweep.cross.list) texts.push_back(condition_text(settings));
  return texts;
}

/// " Mean FD over all seeds: 3.21 at slope 0, 3.50 at slope 0.2."; empty if no arm has an FD. For a crossed sweep, the
/// means are those under the first condition. No verdict depends on them.
std::string description_of(const SweepScores& scores) {
  std::map<double, std::vector<double>> fds;
  for (const auto& arm : scores.arms) {
    if (arm.condition == 0 && arm.fd && std::isfinite(*arm.fd)) fds[arm.negative_slope].push_back(*arm.fd);
  }
  std::vector<std::string> parts;
  for (const auto& [slope, values] : fds) {
    parts.push_back(score_number(mean(values)) + " at slope " + shortest(slope));
  }
  const std::string condition = scores.conditions.size() > 1 ? ", under the first condition" : "";
  return parts.empty() ? "" : " Mean FD over all seeds" + condition + ": " + join(parts, ", ") + ".";
}

/// The scores of the arms whose seeds are in `keep`.
SweepScores scores_of_seeds(const SweepScores& scores, const std::vector<std::int64_t>& keep) {
  SweepScores kept = scores;
  kept.arms.clear();
  for (auto& ruler : kept.rulers) ruler.fds.clear();
  for (std::size_t i = 0; i < scores.arms.size(); ++i) {
    if (!contains(keep, scores.arms[i].seed)) continue;
    kept.arms.push_back(scores.arms[i]);
    for (std::size_t r = 0; r < scores.rulers.size(); ++r) kept.rulers[r].fds.push_back(scores.rulers[r].fds[i]);
  }
  return kept;
}

bool has_result(const SweepScores& scores, const std::vector<std::int64_t>& seeds) {
  return std::ranges::any_of(scores.arms,
                             [&](const ArmScore& arm) { return log_score(arm) && contains(seeds, arm.seed); });
}

/// Like is_in_training, but true if a lock cannot be read; the process that trains that arm reports the
/// error.
bool may_be_in_training(const std::filesystem::path& sweep_dir) {
  try {
    return is_in_training(sweep_dir);
  } catch (const IoError&) {
    return true;
  }
}

/// Notes on seeds that were added or left out. `all` contains the scores of all seeds.
void add_seed_notes(std::vector<std::string>& notes, const SweepScores& all, const FixedPlan& plan,
                    const Config& config) {
  const auto added = beyond(config.sweep.seeds, plan.seeds), left_out = beyond(plan.seeds, config.sweep.seeds);
  if (!has_result(all, plan.seeds) && has_result(all, added)) {
    notes.push_back(format_text(
        "None of the planned seeds ({}) has a comparable result, so the verdicts depend on seeds that were added after "
        "the plan was made ({}), and the error rate does not hold for these verdicts.",
        shown_numbers(plan.seeds), shown_numbers(added)));
  } else if (!added.empty()) {
    notes.push_back(format_text(
        "Seeds added after the first results: {}. They are in the pictures and tables but do not affect the "
        "verdicts.{}",
        shown_numbers(added), description_of(all)));
  }
  if (left_out.empty()) return;
  notes.push_back(format_text(
      "Planned seeds left out after the first results: {}. The error rate holds only if all planned seeds are used "
      "({}).",
      shown_numbers(left_out), shown_numbers(plan.seeds)));
}

/// The note on a change to training.total_images.
std::string images_note(const SweepScores& scores, const FixedPlan& plan, const Config& config) {
  if (scores.metric && scores.metric->images == plan.images) {
    return format_text(
        "training.total_images was changed to {} after the first results, but the results are for the "
        "{} images per arm that were planned.",
        config.training.total_images, plan.images);
  }
  return format_text(
      "The results are for {} images per arm, but {} were planned when the first results were seen, so "
      "this is a second look and the error rate does not cover both looks together.",
      scores.metric ? scores.metric->images : config.training.total_images, plan.images);
}

/// Notes on slopes that were added or left out, and on added conditions. Holm's correction over more comparisons never
/// rejects a planned one that the correction over the planned ones alone would keep, so the error rate still holds for
/// the planned ones. It does not hold for the added ones, which may have been chosen because of the results.
void add_comparison_notes(std::vector<std::string>& notes, const FixedPlan& plan, const Config& config) {
  const auto& slopes = config.sweep.negative_slope;
  if (const auto added = beyond(slopes, plan.slopes); !added.empty()) {
    notes.push_back(format_text(
        "Slopes added after the first results: {}. The error rate holds only for the verdicts on the planned slopes "
        "({}).",
        shown_numbers(added), shown_numbers(plan.slopes)));
  }
  if (const auto left_out = beyond(plan.slopes, slopes); !left_out.empty()) {
    notes.push_back(format_text(
        "Slopes left out after the first results: {}. The error rate holds only if all planned slopes are used ({}).",
        shown_numbers(left_out), shown_numbers(plan.slopes)));
  }
  if (plan.conditions.empty()) return;
  if (const auto added = beyond(condition_texts(config), plan.conditions); !added.empty()) {
    notes.push_back(format_text(
        "Conditions added after the first results: {}. The error rate of the tests for dependence on the condition "
        "holds only for the planned conditions.",
        join(added, "; ")));
  }
}

/// Notes on changes to the number of images, the control and the error rate.
void add_other_notes(std::vector<std::string>& notes, const SweepScores& scores, const FixedPlan& plan,
                     const Config& config) {
  if (config.training.total_images != plan.images) notes.push_back(images_note(scores, plan, config));
  if (config.sweep.control != plan.control) {
    notes.push_back(
        format_text("The planned control was {}; it was changed to {} after the first results, so the error rate does "
                    "not hold for the verdicts.",
                    shortest(plan.control), shortest(config.sweep.control)));
  }
  if (plan.alpha && config.sweep.alpha != *plan.alpha) {
    notes.push_back(
        format_text("The planned error rate (sweep.alpha) was {}; it was changed to {} after the first results, so "
                    "neither applies to the verdicts.",
                    shortest(*plan.alpha), shortest(config.sweep.alpha)));
  }
}

}  // namespace

FixedPlan fixed_plan(const Config& config, const std::string& extractor) {
  return {
      config.sweep.negative_slope, config.sweep.control,   config.sweep.seeds, config.training.total_images, extractor,
      config.sweep.alpha,          condition_texts(config)};
}

bool has_scores(const std::filesystem::path& sweep_dir) {
  return std::ranges::any_of(entries_of(sweep_dir / "runs"), [](const std::filesystem::path& arm) {
    return file_size_or_zero(RunPaths(arm).metrics_file()) > 0;
  });
}

void check_planned_extractor(const std::filesystem::path& sweep_dir, const std::string& extractor) {
  if (extractor.empty() || !(has_scores(sweep_dir) || may_be_in_training(sweep_dir))) return;
  const auto plan = read_fixed_plan(sweep_dir);
  if (!plan || plan->extractor.empty() || plan->extractor == extractor) return;
  throw UsageError(format_text(
      "{} contains a sweep with a different feature extractor ({} -> {}), and the FDs of new arms would not be "
      "comparable with those of the arms so far; use the cache that contains the first extractor (SLOPEGAN_CACHE), or "
      "choose another run.name for a new sweep",
      display(sweep_dir), printable(plan->extractor, 200), printable(extractor, 200)));
}

void note_plan(const std::filesystem::path& sweep_dir, const FixedPlan& plan) {
  const FileLock lock = wait_for_lock(sweep_dir / ".plan.lock", sweep_dir);
  if (has_scores(sweep_dir) || read_fixed_plan(sweep_dir) == plan) return;
  remove_tree(sweep_dir / "race.json");  // left by a race that never began
  write_file_atomic(fixed_plan_file(sweep_dir), json_text(record_json(plan), 2) + "\n");
}

std::optional<FixedPlan> read_fixed_plan(const std::filesystem::path& sweep_dir) {
  const auto file = fixed_plan_file(sweep_dir);
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::nullopt;
  const auto object = parse_json_object(read_file(file, largest_plan_file));
  try {
    if (object) return read_record<FixedPlan>(*object);
  } catch (const json::exception&) {
  } catch (const WrongJsonType&) {
  }
  log::warning(display(file) + " is damaged, so the planned seeds are unknown");
  return std::nullopt;
}

Config with_earlier_arms(Config config, const std::filesystem::path& sweep_dir) {
  std::error_code ignored;
  if (!std::filesystem::exists(sweep_dir / "sweep.yaml", ignored)) return config;
  const bool is_shared = may_be_in_training(sweep_dir);
  if (!is_shared && !has_results(sweep_dir)) return config;
  std::set<std::string> named;
  for (const auto& arm : make_arms(config, sweep_dir)) named.insert(arm.name);
  std::vector<std::string> kept;
  for (const auto& arm : make_arms(load_sweep(sweep_dir), sweep_dir)) {
    if (named.contains(arm.name) || !(is_shared || read_arm_state(arm).status)) continue;
    kept.push_back(arm.name);
    auto& slopes = config.sweep.negative_slope;
    auto& seeds = config.sweep.seeds;
    if (!contains(slopes, arm.negative_slope)) slopes.push_back(arm.negative_slope);
    if (!contains(seeds, arm.seed)) seeds.push_back(arm.seed);
  }
  if (!kept.empty()) {
    const bool is_one = kept.size() == 1;
    log::info(format_text("{} arm{} that this command does not name {} kept in the results ({}{})", kept.size(),
                          is_one ? "" : "s", is_one ? "is" : "are", kept.front(), is_one ? "" : ", ..."));
  }
  return config;
}

std::vector<std::int64_t> seeds_that_count(const Config& config, const std::optional<FixedPlan>& plan) {
  const auto& seeds = config.sweep.seeds;
  if (!plan) return seeds;
  auto planned = beyond(seeds, beyond(seeds, plan->seeds));
  return planned.empty() ? seeds : planned;
}

SweepScores planned_scores(const SweepScores& scores, const FixedPlan& plan, const Config& config) {
  const bool has_added = !beyond(config.sweep.seeds, plan.seeds).empty();
  SweepScores planned = has_added && has_result(scores, plan.seeds) ? scores_of_seeds(scores, plan.seeds) : scores;
  std::vector<std::string> notes;
  add_seed_notes(notes, scores, plan, config);
  add_comparison_notes(notes, plan, config);
  add_other_notes(notes, planned, plan, config);
  planned.notes.insert(planned.notes.begin(), notes.begin(), notes.end());
  return planned;
}

std::string promise_text(const SweepScores& scores, const FixedPlan& plan, const Config& config) {
  const bool has_no_added = beyond(config.sweep.seeds, plan.seeds).empty();
  const bool is_complete = beyond(plan.seeds, config.sweep.seeds).empty();
  if (has_no_added || !is_complete || !has_result(scores, plan.seeds)) return "";
  return format_text(
      " The error rate applies to the {} seed{} planned before the first results ({}), and only these determine the "
      "verdicts. To use more seeds, start a race: sweep.design=race run.name=...",
      plan.seeds.size(), plural_s(plan.seeds.size()), shown_numbers(plan.seeds));
}

}  // namespace slopegan
