#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <span>

#include "metrics/figures.h"
#include "report/html.h"
#include "report/sections.h"
#include "statistics/statistics_text.h"
#include "support/ranges.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

double value_of(const std::map<std::string, double>& values, const std::string& name) {
  return find_value(values, name).value_or(no_value);
}

std::vector<std::string> slope_texts(const SweepData& sweep) {
  std::vector<std::string> texts;
  for (const double slope : sweep.slopes) texts.push_back(shortest(slope));
  return texts;
}

/// The primary extractor: the charts show its FD, and it determines which evaluations are used. Values from different
/// extractors are not comparable.
std::string common_extractor(const SweepData& sweep) {
  if (sweep.statistics && sweep.statistics->metric) return sweep.statistics->metric->extractor;
  for (const auto& arm : sweep.arms) {
    if (!arm.run.metrics.empty()) return arm.run.metrics.back().extractor;
  }
  return {};
}

/// The metrics from an extractor, or nullptr.
const RulerFigures* figures_by(const MetricsRecord& record, const std::string& extractor) {
  if (record.extractor == extractor) return &record;
  for (const auto& other : record.others) {
    if (other.extractor == extractor) return &other;
  }
  return nullptr;
}

/// The arm's last evaluation, or nullptr if there is none or if it used a different extractor.
const MetricsRecord* last_metrics(const ArmData& arm, const std::string& extractor) {
  if (arm.run.metrics.empty() || arm.run.metrics.back().extractor != extractor) return nullptr;
  return &arm.run.metrics.back();
}

/// The number of images seen at the final evaluations, or 0 if no arm has been trained to the end. If this number
/// differs between arms, because training.total_images was changed, the most frequent one is used.
std::int64_t final_images(const SweepData& sweep, const std::string& extractor) {
  std::map<std::int64_t, int> counts;
  for (const auto& arm : sweep.arms) {
    const auto* record = arm.run.is_bad() ? nullptr : last_metrics(arm, extractor);
    if (record != nullptr && record->images >= sweep.config.training.total_images) ++counts[record->images];
  }
  const auto most =
      std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == counts.end() ? 0 : most->first;
}

/// The evaluation that the arm contributes to the means, or nullptr if it contributes none. Failed arms are excluded.
/// Once any arm has been trained to the end, arms that have not are also excluded, because FD falls during training.
const MetricsRecord* counted_metrics(const ArmData& arm, const std::string& extractor, std::int64_t final_count) {
  const auto* record = arm.run.is_bad() ? nullptr : last_metrics(arm, extractor);
  return record != nullptr && (final_count == 0 || record->images == final_count) ? record : nullptr;
}

/// "seed 3, running after 20,000 images"; only "seed 3" for an arm with status "done" that was trained to the end.
std::string dot_label(const ArmData& arm, const MetricsRecord& record, std::int64_t final_count) {
  std::string label = "seed " + std::to_string(arm.seed);
  if (arm.run.status != "done") label += ", " + arm.run.status;
  if (record.images == final_count) return label;
  return label + (arm.run.status == "done" ? ", after " : " after ") + grouped(record.images) + " images";
}

/// ", 1 of 9 collapsed, 2 of 9 running": the started arms that are excluded from the means.
std::string left_out_text(std::span<const ArmData> arms, const std::string& extractor, std::int64_t final_count) {
  std::map<std::string, int> counts;
  for (const auto& arm : arms) {
    const std::string& status = arm.run.status;
    if (counted_metrics(arm, extractor, final_count) != nullptr) continue;
    if (arm.run.is_bad() || (final_count > 0 && (status == "running" || status == "stopped"))) ++counts[status];
    if (status == "done" && last_metrics(arm, extractor) != nullptr) ++counts["not trained to the end"];
  }
  std::string text;
  for (const auto& [status, count] : counts) text += format_text(", {} of {} {}", count, arms.size(), status);
  return text;
}

Chart scores_chart(const SweepData& sweep, const std::string& extractor) {
  Chart chart;
  chart.title = "FD of each slope";
  chart.note =
      "Lower is better. Hollow dots are seeds; their labels show which arms failed or were not trained to the end. "
      "Filled dots are means over the seeds that were trained to the end and did not fail, with bars of one standard "
      "deviation.";
  chart.x = {.label = "negative slope", .categories = slope_texts(sweep)};
  chart.y = {.label = "FD"};
  const MetricsRecord* any = nullptr;
  const std::int64_t final_count = final_images(sweep, extractor);
  ChartSeries dots{.label = "individual seeds", .colour = neutral_colour, .mark = ChartMark::dots, .faint = true};
  for (std::size_t seed = 0; seed < sweep.seeds.size(); ++seed) {
    // The dots of the seeds are drawn side by side, so that equal values do not hide each other.
    const double shift = 0.32 * ((static_cast<double>(seed) + 0.5) / static_cast<double>(sweep.seeds.size()) - 0.5);
    for (std::size_t i = 0; i < sweep.slopes.size(); ++i) {
      const auto& arm = sweep.arms_of(i)[seed];
      const auto* record = last_metrics(arm, extractor);
      if (record == nullptr) continue;
      any = record;
      dots.points.push_back(
          {static_cast<double>(i) + shift, value_of(record->values, "fd"), 0, 0, dot_label(arm, *record, final_count)});
    }
  }
  chart.series.push_back(std::move(dots));
  if (any != nullptr) {
    chart.note += " " + metric_title("fd", any->extractor, any->samples) + ".";
    chart.reference = find_value(any->floors, "fd");
    chart.reference_label = "real test images";
  }
  if (!sweep.statistics) return chart;
  ChartSeries means{.label = "mean ± standard deviation", .colour = 0, .mark = ChartMark::interval};
  for (const auto& slope : sweep.statistics->statistics.slopes) {
    for (std::size_t i = 0; i < sweep.slopes.size(); ++i) {
      if (sweep.slopes[i] != slope.negative_slope || !slope.mean_fd) continue;
      const double spread = slope.fd_deviation.value_or(no_value);
      means.points.push_back(
          {static_cast<double>(i), *slope.mean_fd, *slope.mean_fd - spread, *slope.mean_fd + spread, "mean"});
    }
  }
  chart.series.push_back(std::move(means));
  return chart;
}

Chart ratios_chart(const SweepData& sweep) {
  Chart chart;
  if (!sweep.statistics) return chart;
  const SweepStatistics& statistics = sweep.statistics->statistics;
  chart.title = "FD relative to the control, within seeds";
  chart.note =
      "Median ratio and its bootstrap interval over seeds. A ratio below the line means a lower FD than the control " +
      shortest(statistics.control) + ".";
  chart.x = {.label = "negative slope", .categories = slope_texts(sweep)};
  chart.y = {.label = "FD of the slope / FD of " + shortest(statistics.control), .logarithmic = true};
  chart.reference = 1;
  chart.reference_label = "no difference";
  bool any_without_limit = false;
  ChartSeries ratios{.label = "median ratio, bootstrap interval", .colour = 4, .mark = ChartMark::interval};
  for (const auto& comparison : statistics.comparisons) {
    for (std::size_t i = 0; i < sweep.slopes.size(); ++i) {
      if (sweep.slopes[i] != comparison.negative_slope || !comparison.median_ratio || !comparison.has_ratio()) continue;
      const auto limits = comparison.median_ratio_interval.value_or(Interval{no_value, no_value});
      ratios.points.push_back(
          {static_cast<double>(i), *comparison.median_ratio, limits.low, limits.high, "median ratio"});
      any_without_limit |= limits.low <= 0 || std::isinf(limits.high);
    }
  }
  if (any_without_limit) chart.note += " An arrow marks a side on which the interval is unbounded.";
  chart.series.push_back(std::move(ratios));
  return chart;
}

Curve metric_curve(const RunData& run, const std::string& name, const std::string& extractor) {
  Curve curve;
  for (const auto& record : run.metrics) {
    if (record.extractor != extractor) continue;
    curve.push_back({static_cast<double>(record.images), value_of(record.values, name)});
  }
  return curve;
}

Chart progress_chart(const SweepData& sweep, const std::string& extractor) {
  Chart chart;
  chart.title = "FD over training";
  chart.note = "Each point is the mean over the seeds that were evaluated at that point, excluding failed arms.";
  chart.x = training_axis(sweep);
  chart.y = {.label = "FD", .logarithmic = true};
  for (std::size_t i = 0; i < sweep.slopes.size(); ++i) {
    std::vector<Curve> curves;
    for (const auto& arm : sweep.arms_of(i)) {
      if (!arm.run.is_bad()) curves.push_back(metric_curve(arm.run, "fd", extractor));
    }
    chart.series.push_back({.label = shortest(sweep.slopes[i]),
                            .colour = palette_colour(i, sweep.slopes.size()),
                            .points = chart_points(mean_curve(curves, 160))});
  }
  return chart;
}

std::string title_of(const Figure& figure) {
  return std::string(figure.title) + (figure.lower_is_better ? " ↓" : " ↑");
}

std::string means_caption(bool any_left_out, std::int64_t final_count) {
  if (final_count == 0) return "Means over the seeds at their latest evaluations, excluding failed arms";
  return format_text("Means over the seeds{} after {} images",
                     any_left_out ? " that were trained to the end and did not fail," : "", grouped(final_count));
}

/// One row for real test images, then one row per slope with the means over the seeds, as measured by `extractor` in
/// the final evaluation. `decides` is the primary extractor, which determines the evaluations that are shown.
std::string metrics_table(const SweepData& sweep, const std::string& decides, const std::string& extractor) {
  const auto figures_of_arm = [&](const ArmData& arm) {
    const auto* record = last_metrics(arm, decides);
    return record == nullptr ? nullptr : figures_by(*record, extractor);
  };
  const RulerFigures* any = nullptr;
  std::int64_t samples = 0;
  for (const auto& arm : sweep.arms) {
    if (const auto* found = figures_of_arm(arm)) {
      any = found;
      samples = arm.run.metrics.back().samples;
    }
  }
  if (any == nullptr) return {};
  Table table;
  table.header = {"slope"};
  table.numeric = {false};
  std::vector<std::string> floor = {"real test images"};
  std::vector<const Figure*> shown;
  for (const auto& figure : figures) {
    if (!any->values.contains(figure.key)) continue;
    shown.push_back(&figure);
    table.header.push_back(title_of(figure));
    table.numeric.push_back(true);
    floor.push_back(number_text(value_of(any->floors, figure.key)));
  }
  if (!any->floors.empty()) {
    table.rows.push_back(floor);
    table.row_classes.push_back("floor");
  }
  const std::int64_t final_count = final_images(sweep, decides);
  bool any_left_out = false;
  for (std::size_t i = 0; i < sweep.slopes.size(); ++i) {
    const auto arms = sweep.arms_of(i);
    const std::string left_out = left_out_text(arms, decides, final_count);
    any_left_out = any_left_out || !left_out.empty();
    std::vector<std::string> cells = {slope_name(sweep.slopes[i]) + left_out};
    for (const auto* figure : shown) {
      FiniteMean mean;
      for (const auto& arm : arms) {
        const auto* record = counted_metrics(arm, decides, final_count);
        const auto* found = record == nullptr ? nullptr : figures_by(*record, extractor);
        if (found != nullptr) mean.add(value_of(found->values, figure->key));
      }
      cells.push_back(number_text(mean.value()));
    }
    table.rows.push_back(std::move(cells));
  }
  std::string caption =
      format_text("{}, measured with {} and {} generated images. ↓ lower is better, ↑ higher is better.",
                  means_caption(any_left_out, final_count), escape(extractor), grouped(samples));
  const auto subset = real_subset_text(any->values, any->real_subset, any->real_samples);
  if (!subset.empty()) caption += " " + subset + ".";
  return table_html(table, caption);
}

/// The tables for the primary extractor and the others.
std::string metrics_tables(const SweepData& sweep, const std::string& decides) {
  std::vector<std::string> extractors = {decides};
  for (const auto& arm : sweep.arms) {
    const auto* record = last_metrics(arm, decides);
    if (record == nullptr) continue;
    for (const auto& other : record->others) {
      if (contains(extractors, other.extractor)) continue;
      extractors.push_back(other.extractor);
    }
  }
  std::string tables;
  for (const auto& extractor : extractors) tables += metrics_table(sweep, decides, extractor);
  return tables;
}

std::string run_table(const MetricsRecord& record, const RulerFigures& ruler) {
  Table table;
  table.header = {"metric", "this run", "real test images"};
  table.numeric = {false, true, true};
  for (const auto& figure : figures) {
    if (!ruler.values.contains(figure.key)) continue;
    table.rows.push_back(
        {title_of(figure), number_text(ruler.values.at(figure.key)), number_text(value_of(ruler.floors, figure.key))});
  }
  std::string caption = format_text(
      "After {} images, measured with {} and {} generated images. ↓ lower is better, "
      "↑ higher is better.",
      grouped(record.images), escape(ruler.extractor), grouped(record.samples));
  const auto subset = real_subset_text(ruler.values, ruler.real_subset, ruler.real_samples);
  if (!subset.empty()) caption += " " + subset + ".";
  const auto caveat = unrelated_labels_text(ruler);
  return table_html(table, caption) + (caveat ? element("p", "class=\"note\"", escape(*caveat)) : "");
}

std::string run_tables(const MetricsRecord& record) {
  std::string tables = run_table(record, record);
  for (const auto& other : record.others) tables += run_table(record, other);
  return tables;
}

}  // namespace

std::string sweep_scores_section(const SweepData& sweep, Json& charts) {
  const std::string extractor = common_extractor(sweep);
  if (extractor.empty()) return {};
  return section(
      "scores", "Scores",
      chart_grid({scores_chart(sweep, extractor), ratios_chart(sweep), progress_chart(sweep, extractor)}, charts) +
          metrics_tables(sweep, extractor));
}

std::string run_scores_section(const RunData& run, Json& charts) {
  if (run.metrics.empty()) return {};
  const auto& last = run.metrics.back();
  std::vector<Chart> drawn;
  for (const auto& figure : figures) {
    if (!last.values.contains(figure.key)) continue;
    Chart chart;
    chart.title = std::string(figure.title) + " over training";
    chart.x = training_axis(run);
    chart.y = {.label = figure.title};
    chart.reference = find_value(last.floors, figure.key);
    chart.reference_label = "real test images";
    chart.series.push_back({.label = figure.title,
                            .colour = 0,
                            .points = chart_points(mean_curve({metric_curve(run, figure.key, last.extractor)}, 160))});
    drawn.push_back(std::move(chart));
  }
  return section("scores", "Scores", run_tables(last) + chart_grid(drawn, charts));
}

}  // namespace slopegan
