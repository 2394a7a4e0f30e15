#include <algorithm>

#include "report/html.h"
#include "report/sections.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// The numbers of points in a smoothed curve and in the thin, less smoothed curve drawn beneath it.
constexpr std::size_t history_points = 72, detailed_points = 240;

struct Quantity {
  const char* label;
  double HistoryRecord::* value;
};

/// Quantities that share one chart for a run. A sweep has one chart per quantity.
struct QuantityGroup {
  const char* title;
  const char* y_label;
  bool logarithmic;
  std::optional<Range> range;
  std::vector<Quantity> quantities;
};

const std::vector<QuantityGroup>& groups() {
  static const std::vector<QuantityGroup> all = {
      {"Loss",
       "loss (nats)",
       false,
       {},
       {{"discriminator", &HistoryRecord::discriminator_loss}, {"generator", &HistoryRecord::generator_loss}}},
      {"Discriminator outputs",
       "mean probability of “real”",
       false,
       Range{0, 1},
       {{"D(real)", &HistoryRecord::d_real}, {"D(fake)", &HistoryRecord::d_fake}}},
      {"Gradient norm",
       "L2 norm, all parameters",
       true,
       {},
       {{"discriminator", &HistoryRecord::discriminator_gradient_norm},
        {"generator", &HistoryRecord::generator_gradient_norm}}},
  };
  return all;
}

Curve history_curve(const RunData& run, double HistoryRecord::* value) {
  Curve curve;
  curve.reserve(run.history.size());
  for (const auto& record : run.history) curve.push_back({static_cast<double>(record.images), record.*value});
  return curve;
}

Chart empty_chart(const QuantityGroup& group, const ChartAxis& axis) {
  Chart chart;
  chart.title = group.title;
  chart.x = axis;
  chart.y = {.label = group.y_label, .logarithmic = group.logarithmic, .range = group.range};
  return chart;
}

Chart sweep_chart(const SweepData& sweep, const QuantityGroup& group, const Quantity& quantity) {
  Chart chart = empty_chart(group, training_axis(sweep));
  chart.title = group.range ? quantity.label : std::string(group.title) + ", " + quantity.label;
  // Limits the curves of all individual seeds together to about 12,000 points.
  const std::size_t seed_points =
      std::clamp<std::size_t>(12'000 / std::max<std::size_t>(1, sweep.arms.size()), 24, history_points);
  for (std::size_t i = 0; i < sweep.slopes.size(); ++i) {
    const int colour = palette_colour(i, sweep.slopes.size());
    std::vector<Curve> curves;
    for (const auto& arm : sweep.arms_of(i)) {
      curves.push_back(history_curve(arm.run, quantity.value));
      if (sweep.seeds.size() < 2) continue;
      chart.series.push_back(
          {.colour = colour, .faint = true, .points = chart_points(mean_curve({curves.back()}, seed_points))});
    }
    chart.series.push_back({.label = shortest(sweep.slopes[i]),
                            .colour = colour,
                            .points = chart_points(mean_curve(curves, history_points))});
  }
  return chart;
}

ChartAxis images_axis(std::int64_t images) {
  return {.label = "images seen", .range = Range{0, static_cast<double>(std::max<std::int64_t>(1, images))}};
}

}  // namespace

ChartAxis training_axis(const SweepData& sweep) {
  std::int64_t images = 0;
  for (const auto& arm : sweep.arms) images = std::max(images, arm.run.images);
  return images_axis(images);
}

ChartAxis training_axis(const RunData& run) { return images_axis(run.images); }

std::string sweep_training_section(const SweepData& sweep, Json& charts) {
  std::vector<Chart> drawn;
  for (const auto& group : groups()) {
    for (const auto& quantity : group.quantities) drawn.push_back(sweep_chart(sweep, group, quantity));
  }
  const std::string grid = chart_grid(drawn, charts);
  if (grid.empty()) return {};
  const char* note =
      sweep.seeds.size() > 1
          ? "Each slope has one colour: bold lines are means over seeds, thin lines are individual seeds. "
            "Curves are averaged over short intervals of training."
          : "Each slope has one colour. Curves are averaged over short intervals of training.";
  return section("training", "Training", element("p", "class=\"note\"", note) + grid);
}

std::string run_training_section(const RunData& run, Json& charts) {
  std::vector<Chart> drawn;
  for (const auto& group : groups()) {
    Chart chart = empty_chart(group, training_axis(run));
    for (std::size_t i = 0; i < group.quantities.size(); ++i) {
      const auto& quantity = group.quantities[i];
      const Curve curve = history_curve(run, quantity.value);
      chart.series.push_back(
          {.colour = i == 0 ? 1 : 9, .faint = true, .points = chart_points(mean_curve({curve}, detailed_points))});
      chart.series.push_back({.label = quantity.label,
                              .colour = i == 0 ? 1 : 9,
                              .points = chart_points(mean_curve({curve}, history_points))});
    }
    drawn.push_back(std::move(chart));
  }
  const std::string grid = chart_grid(drawn, charts);
  if (grid.empty()) return {};
  return section("training", "Training",
                 element("p", "class=\"note\"",
                         "Bold curves are averaged over intervals of training, thin curves over shorter intervals.") +
                     grid);
}

}  // namespace slopegan
