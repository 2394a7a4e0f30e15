#include "sweep/results.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include "metrics/figures.h"
#include "statistics/race_text.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/ranges.h"
#include "support/text.h"
#include "sweep/race.h"

namespace slopegan {

namespace {

// --- The CSV file ---------------------------------------------------------------------------------------------------

using Cells = std::vector<std::string>;

/// A column with its value for one arm.
struct Column {
  std::string name, value;
};
using Columns = std::vector<Column>;

/// Collects those fields of a history record that are columns of results.csv.
struct HistoryColumns {
  Columns& columns;
  bool has_values;
  void operator()(const Field& field, double value) const {
    if (field.in_results) columns.push_back({field.key, has_values ? shortest(value) : ""});
  }
  template <class T>
  void operator()(const Field&, const T&) const {}
};

/// Whether the arm's last diagnostics raised the alarm "collapse".
bool has_collapsed(const Arm& arm) {
  const auto record = last_diagnostics(arm);
  return record && std::count(record->sentinels.begin(), record->sentinels.end(), "collapse") > 0;
}

/// The status in run.json, but "collapsed" if the arm is done and has collapsed, and "pending" if there is no status.
std::string status_text(const Arm& arm) {
  const auto status = read_arm_state(arm).status;
  if (status == RunStatus::done && has_collapsed(arm)) return "collapsed";
  return status ? name_of(*status) : "pending";
}

/// Like the overload above, but "not needed" for an arm that a race has not started and will not need.
std::string status_text(const Arm& arm, const std::optional<RaceFile>& race) {
  const std::string status = status_text(arm);
  const bool is_needed = !race || may_need_arms(race->planned.plan, race->state, arm.negative_slope);
  return status == "pending" && !is_needed ? "not needed" : status;
}

/// The race in the directory of a sweep, if the sweep is a race.
std::optional<RaceFile> race_of(const Config& config, const std::filesystem::path& sweep_dir) {
  return config.sweep.design == SweepDesign::race ? read_race(sweep_dir) : std::nullopt;
}

/// All known metrics, so that every results.csv has at least these columns, followed by any other metrics of these
/// arms.
Cells metric_names(const std::vector<std::optional<MetricsRecord>>& metrics) {
  Cells names, others;
  for (const auto& figure : figures) names.emplace_back(figure.key);
  for (const auto& record : metrics) {
    if (!record) continue;
    for (const auto& [name, value] : record->values) {
      if (!contains(names, name)) others.push_back(name);
    }
  }
  others = sorted_unique(std::move(others));
  names.insert(names.end(), others.begin(), others.end());
  return names;
}

/// The number of additional feature extractors in the arm that has the most of them.
std::size_t most_others(const std::vector<std::optional<MetricsRecord>>& metrics) {
  std::size_t most = 0;
  for (const auto& record : metrics) most = std::max(most, record ? record->others.size() : 0);
  return most;
}

/// Adds the metrics computed with one feature extractor.
void add_metrics(Columns& columns, const RulerFigures& ruler, std::span<const std::string> names,
                 const std::string& suffix = "") {
  const auto add = [&](const std::string& name, const std::optional<double>& value) {
    columns.push_back({name + suffix, value ? shortest(*value) : ""});
  };
  for (const auto& name : names) add(name, find_value(ruler.values, name));
  add("fd_floor", find_value(ruler.floors, "fd"));
  add("fd_repeat", ruler.fd_repeat);
}

/// All columns of an arm. `names` are the metrics of the first feature extractor. The columns of the `others`
/// additional extractors have names with a number: "extractor_2", "fd_2", ..., "extractor_3", ...
Columns columns_of(const Arm& arm, const std::string& status, const std::optional<MetricsRecord>& metrics,
                   const Cells& names, std::size_t others) {
  const auto last = last_history(arm);
  const HistoryRecord history = last.value_or(HistoryRecord());
  Columns columns = {{"arm", arm.name},
                     {"negative_slope", shortest(arm.negative_slope)},
                     {"seed", std::to_string(arm.seed)},
                     {"status", status},
                     {"images", std::to_string(history.images)}};
  HistoryRecord::visit_fields(history, HistoryColumns{columns, last.has_value()});
  const MetricsRecord record = metrics.value_or(MetricsRecord());
  columns.push_back({"metrics_images", metrics ? std::to_string(record.images) : ""});
  columns.push_back({"extractor", record.extractor});
  columns.push_back({"samples", metrics ? std::to_string(record.samples) : ""});
  add_metrics(columns, record, names);
  for (std::size_t i = 0; i < others; ++i) {
    const RulerFigures other = i < record.others.size() ? record.others[i] : RulerFigures();
    const std::string suffix = "_" + std::to_string(i + 2);
    columns.push_back({"extractor" + suffix, other.extractor});
    add_metrics(columns, other, std::span(names).first(std::size(figures)), suffix);
  }
  const auto hardware = hardware_of(arm);
  columns.push_back({"training_precision", hardware.precision});  // "precision" is a metric
  columns.push_back({"processor", hardware.processor});
  for (const auto& setting : arm.settings) columns.push_back({setting.key, setting.value});
  return columns;
}

// --- Scores ---------------------------------------------------------------------------------------------------------

/// The extractor, samples and images seen, which must be equal for FDs to be comparable.
using FdConditions = std::tuple<std::string, std::int64_t, std::int64_t>;

FdConditions conditions_of(const MetricsRecord& record) { return {record.extractor, record.samples, record.images}; }

/// The final metrics of each arm; std::nullopt if the arm is not done or has no FD at the end of its training.
std::vector<std::optional<MetricsRecord>> final_metrics(const std::vector<Arm>& arms,
                                                        const std::vector<ArmScore>& scores, const Config& config) {
  std::vector<std::optional<MetricsRecord>> metrics;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    auto record = scores[i].outcome == ArmOutcome::done ? last_metrics(arms[i]) : std::nullopt;
    const bool usable = record && record->values.contains("fd") && record->images >= config.training.total_images;
    metrics.push_back(usable ? std::move(record) : std::nullopt);
  }
  return metrics;
}

/// The FDs from the additional feature extractors for the arms that have an FD in `scores`.
std::vector<RulerScores> other_scores(const std::vector<std::optional<MetricsRecord>>& metrics,
                                      const SweepScores& scores) {
  std::vector<RulerScores> rulers;
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (!scores.arms[i].fd) continue;
    for (const auto& other : metrics[i]->others) {
      if (!other.values.contains("fd")) continue;
      auto found = std::find_if(rulers.begin(), rulers.end(),
                                [&](const auto& ruler) { return ruler.metric.extractor == other.extractor; });
      if (found == rulers.end()) {
        FdMetric fd = *scores.metric;
        fd.extractor = other.extractor;
        fd.name = metric_title("fd", other.extractor, fd.samples);
        fd.bias = is_bias_reliable(other, fd.samples) ? other.fd_bias : std::nullopt;
        fd.floor = find_value(other.floors, "fd");
        fd.caveat.reset();
        found = rulers.insert(rulers.end(), {std::move(fd), std::vector<std::optional<double>>(metrics.size())});
      }
      if (auto caveat = unrelated_labels_text(other)) found->metric.caveat = std::move(caveat);
      found->fds[i] = other.values.at("fd");
    }
  }
  return rulers;
}

/// Chooses the conditions whose FDs are used; see read_scores. If several are equally good, chooses the first of them
/// in ascending order.
std::optional<FdConditions> chosen_conditions(const std::vector<Arm>& arms,
                                              const std::vector<std::optional<MetricsRecord>>& metrics,
                                              const std::optional<FixedPlan>& plan) {
  struct Rank {
    bool is_as_planned = false, has_planned_extractor = false;
    int planned_arms = 0, arms = 0;
    auto key() const { return std::tuple(planned_arms > 0, is_as_planned, has_planned_extractor, planned_arms, arms); }
  };
  std::map<FdConditions, Rank> ranks;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    if (!metrics[i]) continue;
    Rank& rank = ranks[conditions_of(*metrics[i])];
    ++rank.arms;
    if (!plan) continue;
    rank.planned_arms += contains(plan->seeds, arms[i].seed);
    rank.has_planned_extractor = metrics[i]->extractor == plan->extractor;
    rank.is_as_planned = rank.has_planned_extractor && metrics[i]->images == plan->images;
  }
  const auto best = std::ranges::max_element(ranks, {}, [](const auto& entry) { return entry.second.key(); });
  return best == ranks.end() ? std::nullopt : std::optional(best->first);
}

/// Describes how the excluded arms differ from those whose FDs are used; empty if no arm is excluded.
std::string exclusion_note(const std::vector<std::optional<MetricsRecord>>& metrics, const FdConditions& used) {
  const auto& [extractor, samples, images] = used;
  int left_out = 0;
  std::set<std::string> differences;
  for (const auto& record : metrics) {
    if (!record || conditions_of(*record) == used) continue;
    ++left_out;
    if (record->extractor != extractor) {
      differences.insert(format_text("feature extractor {} instead of {}", printable(record->extractor, 200),
                                     printable(extractor, 200)));
    }
    const auto add_count = [&](const char* name, std::int64_t count, std::int64_t wanted) {
      if (count != wanted) differences.insert(format_text("{} {} instead of {}", count, name, wanted));
    };
    add_count("generated images", record->samples, samples);
    add_count("images seen", record->images, images);
  }
  if (left_out == 0) return "";
  return format_text("{} {} evaluated differently: {}. Such scores are not comparable and count as missing.",
                     counted(static_cast<std::size_t>(left_out), "arm"), left_out == 1 ? "was" : "were",
                     join(std::vector<std::string>(differences.begin(), differences.end()), "; "));
}

/// "5 in bfloat16, 3 in float32"; empty if there is only one value.
std::string mix_text(const std::map<std::string, int>& counts, const char* preposition) {
  if (counts.size() < 2) return "";
  std::vector<std::string> parts;
  for (const auto& [value, count] : counts) parts.push_back(format_text("{} {} {}", count, preposition, value));
  return join(parts, ", ");
}

/// Notes about different precisions, processors or choices of kernels among the arms with a score. With
/// training.precision = auto, different machines may train in different precisions.
std::vector<std::string> hardware_notes(const std::vector<Arm>& arms, const SweepScores& scores) {
  std::map<std::string, int> precisions, processors, kernels;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    if (!scores.arms[i].fd) continue;
    const auto hardware = hardware_of(arms[i]);
    if (!hardware.precision.empty()) ++precisions[hardware.precision];
    if (!hardware.processor.empty()) ++processors[printable(hardware.processor, 200)];
    if (!hardware.kernels.empty())
      ++kernels[hardware.kernels == "measured" ? "measured kernels" : "the table of kernels"];
  }
  std::vector<std::string> notes;
  if (const auto mix = mix_text(precisions, "in"); !mix.empty()) {
    notes.push_back("The arms were trained in different precisions: " + mix +
                    ". Differences between slopes may be due to the different precisions; set training.precision to "
                    "float32 or bfloat16 for all arms.");
  }
  if (const auto mix = mix_text(processors, "on"); !mix.empty()) {
    notes.push_back(
        "The arms were trained on different processors: " + mix +
        ". Rounding can differ between processors, so an arm that is trained again on another one may not be "
        "bit-identical.");
  }
  if (const auto mix = mix_text(kernels, "with"); !mix.empty()) {
    notes.push_back("The kernels of the arms were chosen in different ways: " + mix +
                    ". Rounding can differ between kernels. Set SLOPEGAN_KERNELS=table for all arms: some processors "
                    "cannot use measured kernels.");
  }
  return notes;
}

}  // namespace

ArmOutcome outcome_of(const Arm& arm, const Config& config) {
  const ArmState state = read_arm_state(arm);
  if (state.status == RunStatus::diverged) return ArmOutcome::diverged;
  if (state.status == RunStatus::failed) return ArmOutcome::error;
  if (!is_over(state, config)) return ArmOutcome::pending;
  return has_collapsed(arm) ? ArmOutcome::collapsed : ArmOutcome::done;
}

void write_results(const Config& config, const std::filesystem::path& sweep_dir, const std::vector<Arm>& arms) {
  const auto race = race_of(config, sweep_dir);
  std::vector<std::optional<MetricsRecord>> metrics;
  for (const auto& arm : arms) metrics.push_back(last_metrics(arm));
  const Cells names = metric_names(metrics);
  const std::size_t others = most_others(metrics);
  std::string csv;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    Cells header, cells;
    for (const auto& column : columns_of(arms[i], status_text(arms[i], race), metrics[i], names, others)) {
      header.push_back(csv_cell(column.name));
      cells.push_back(csv_cell(column.value));
    }
    if (i == 0) csv = join(header, ",") + "\n";
    csv += join(cells, ",") + "\n";
  }
  write_file_atomic(sweep_dir / "results.csv", csv);
}

/// The cells of results_table that follow the name.
static std::string table_row(const Arm& arm) {
  const auto history = last_history(arm);
  const auto metrics = last_metrics(arm);
  const auto number = [&](double value, int decimals) {
    return history ? format_text("{:.{}f}", value, decimals) : std::string("-");
  };
  const HistoryRecord h = history.value_or(HistoryRecord{});
  const auto fd = metrics ? find_value(metrics->values, "fd") : std::nullopt;
  const std::string fd_text = fd ? format_text("{:.4g}", *fd) : "-";
  return format_text(" {:<9} {:11} {:>10} {:>8} {:>8} {:>9} {:>9} {:>8}\n", status_text(arm), h.images, fd_text,
                     number(h.discriminator_loss, 3), number(h.generator_loss, 3), number(h.images_per_second, 0),
                     history ? clock_time(h.seconds) : "-", number(h.memory_mib, 0));
}

std::string results_table(const std::vector<Arm>& arms) {
  std::size_t widest = std::string_view("arm").size();
  for (const auto& arm : arms) widest = std::max(widest, arm.name.size());
  std::string text = format_text("{:<{}} {:<9} {:>11} {:>10} {:>8} {:>8} {:>9} {:>9} {:>8}\n", "arm", widest, "status",
                                 "images", "FD", "loss D", "loss G", "images/s", "time", "MiB");
  for (const auto& arm : arms) text += format_text("{:<{}}", arm.name, widest) + table_row(arm);
  return text;
}

SweepScores read_scores(const Config& config, const std::vector<Arm>& arms, const std::optional<FixedPlan>& plan) {
  SweepScores scores;
  scores.conditions = config.sweep.cross.list;
  for (const auto& arm : arms) {
    scores.arms.push_back({arm.negative_slope, arm.seed, outcome_of(arm, config), {}, {}, arm.condition});
  }
  const auto decisive = plan ? plan->seeds : std::vector<std::int64_t>();
  if (auto note = mark_other_images(arms, decisive, scores.arms); !note.empty()) scores.notes.push_back(note);
  const auto metrics = final_metrics(arms, scores.arms, config);
  const auto conditions = chosen_conditions(arms, metrics, plan);
  if (!conditions) return scores;
  FdMetric& fd = scores.metric.emplace();
  std::tie(fd.extractor, fd.samples, fd.images) = *conditions;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    const auto& record = metrics[i];
    if (!record || conditions_of(*record) != *conditions) continue;
    fd.name = metric_title("fd", record->extractor, record->samples);
    scores.arms[i].fd = record->values.at("fd");
    scores.arms[i].fd_repeat = record->fd_repeat;
    if (is_bias_reliable(*record, record->samples)) fd.bias = record->fd_bias;
    if (const auto floor = find_value(record->floors, "fd")) fd.floor = floor;
    if (auto caveat = unrelated_labels_text(*record)) fd.caveat = std::move(caveat);
  }
  scores.rulers = other_scores(metrics, scores);
  if (auto note = exclusion_note(metrics, *conditions); !note.empty()) scores.notes.push_back(std::move(note));
  for (auto& note : hardware_notes(arms, scores)) scores.notes.push_back(std::move(note));
  return scores;
}

StatisticsFile evaluate_sweep(const Config& config, const SweepScores& scores, const std::optional<FixedPlan>& plan) {
  const StatisticsOptions options{.alpha = config.sweep.alpha, .resampling = {}};
  if (!plan) return evaluate_scores(scores, config.sweep.control, options);
  const SweepScores planned = planned_scores(scores, *plan, config);
  auto file = evaluate_scores(planned, config.sweep.control, options);
  file.method += promise_text(planned, *plan, config);
  return file;
}

static StatisticsFile race_statistics(const Config& config, const RaceFile& race, const std::vector<Arm>& arms) {
  const auto started = started_arms(arms);
  auto file = evaluate_sweep(config, read_scores(config, started.empty() ? arms : started));
  describe_race(file, race);
  return file;
}

static StatisticsFile fixed_statistics(const Config& config, const std::filesystem::path& sweep_dir,
                                       const std::vector<Arm>& arms) {
  const auto plan = read_fixed_plan(sweep_dir);
  return evaluate_sweep(config, read_scores(config, arms, plan), plan);
}

StatisticsFile write_statistics(const Config& config, const std::filesystem::path& sweep_dir,
                                const std::vector<Arm>& arms) {
  const auto race = race_of(config, sweep_dir);
  if (!race && config.sweep.design == SweepDesign::race) {  // the test for fixed sweeps is not valid for a race
    throw UsageError(display(sweep_dir / "race.json") +
                     " does not exist, and the verdicts of a race depend on it; restore it, or start a new race with "
                     "a different run.name");
  }
  auto file = race ? race_statistics(config, *race, arms) : fixed_statistics(config, sweep_dir, arms);
  write_file_atomic(sweep_dir / "statistics.json", statistics_json(file));
  return file;
}

}  // namespace slopegan
