#include <algorithm>

#include "report/html.h"
#include "report/sections.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// Of a curve, and of the same less smoothed behind it.
constexpr std::size_t history_points = 72, rough_points = 240;

struct Quantity {
  const char* label;
  double HistoryRecord::* value;
};

/// What a run draws into one chart, and a sweep into one each.
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
      {"The discriminator’s answers",
       "mean probability “real”",
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

Chart empty_chart(const QuantityGroup& group) {
  Chart chart;
  chart.title = group.title;
  chart.x = {.label = "images seen"};
  chart.y = {.label = group.y_label, .logarithmic = group.logarithmic, .range = group.range};
  return chart;
}

Chart sweep_chart(const SweepData& sweep, const QuantityGroup& group, const Quantity& quantity) {
  Chart chart = empty_chart(group);
  chart.title = group.range ? quantity.label : std::string(group.title) + ", " + quantity.label;
  // Lines of single seeds get coarser with their number: together they stay some ten thousand points.
  const std::size_t seed_points = std::clamp<std::size_t>(12'000 / sweep.arms.size(), 24, history_points);
  const std::size_t seeds = sweep.seeds.size();
  for (std::size_t i = 0; i < sweep.slopes.size(); ++i) {
    const int colour = ramp_colour(i, sweep.slopes.size());
    std::vector<Curve> curves;
    for (std::size_t seed = 0; seed < seeds; ++seed) {
      curves.push_back(history_curve(sweep.arms[i * seeds + seed].run, quantity.value));
      if (seeds < 2) continue;
      chart.series.push_back(
          {.colour = colour, .faint = true, .points = chart_points(mean_curve({curves.back()}, seed_points))});
    }
    chart.series.push_back({.label = shortest(sweep.slopes[i]),
                            .colour = colour,
                            .points = chart_points(mean_curve(curves, history_points))});
  }
  return chart;
}

}  // namespace

std::string sweep_training_section(const SweepData& sweep, Json& charts) {
  std::vector<Chart> drawn;
  for (const auto& group : groups()) {
    for (const auto& quantity : group.quantities) drawn.push_back(sweep_chart(sweep, group, quantity));
  }
  const std::string grid = chart_grid(drawn, charts);
  if (grid.empty()) return {};
  const char* note = sweep.seeds.size() > 1
                         ? "A colour is a slope: bold is the mean over its seeds, thin lines are the "
                           "seeds. Curves are averaged over short stretches of training."
                         : "A colour is a slope. Curves are averaged over short stretches of training.";
  return section("training", "How training went", element("p", "class=\"note\"", note) + grid);
}

std::string run_training_section(const RunData& run, Json& charts) {
  std::vector<Chart> drawn;
  for (const auto& group : groups()) {
    Chart chart = empty_chart(group);
    for (std::size_t i = 0; i < group.quantities.size(); ++i) {
      const auto& quantity = group.quantities[i];
      const Curve curve = history_curve(run, quantity.value);
      chart.series.push_back(
          {.colour = i == 0 ? 1 : 9, .faint = true, .points = chart_points(mean_curve({curve}, rough_points))});
      chart.series.push_back({.label = quantity.label,
                              .colour = i == 0 ? 1 : 9,
                              .points = chart_points(mean_curve({curve}, history_points))});
    }
    drawn.push_back(std::move(chart));
  }
  const std::string grid = chart_grid(drawn, charts);
  if (grid.empty()) return {};
  return section("training", "How training went",
                 element("p", "class=\"note\"",
                         "Bold curves are averaged over stretches of training, thin ones over shorter ones.") +
                     grid);
}

}  // namespace slopegan
