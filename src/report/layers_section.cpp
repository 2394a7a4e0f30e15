#include <algorithm>
#include <cmath>
#include <limits>

#include "report/html.h"
#include "report/sections.h"
#include "statistics/statistics_text.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr std::size_t layer_points = 80;
constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

using LayerValue = double (*)(const DiagnosticsRecord&, const std::string& layer);

double layer_value(const DiagnosticsRecord& record, const std::string& layer, double LayerDiagnosis::* value) {
  for (const auto& diagnosis : record.layers) {
    if (diagnosis.name == layer) return diagnosis.*value;
  }
  return unknown;
}

double never_positive(const DiagnosticsRecord& record, const std::string& layer) {
  return layer_value(record, layer, &LayerDiagnosis::never_positive);
}

double negative_fraction(const DiagnosticsRecord& record, const std::string& layer) {
  return layer_value(record, layer, &LayerDiagnosis::negative_fraction);
}

/// The gradient norm of the convolution weight in the layer's block.
double weight_gradient(const DiagnosticsRecord& record, const std::string& layer) {
  for (const auto& parameter : record.parameters) {
    if (parameter.name == layer + ".conv.weight") return parameter.gradient_norm;
  }
  return unknown;
}

Curve diagnostics_curve(const RunData& run, const std::string& layer, LayerValue value) {
  Curve curve;
  for (const auto& record : run.diagnostics) {
    curve.push_back({static_cast<double>(record.images), value(record, layer)});
  }
  return curve;
}

std::vector<std::string> layer_names(const RunData& run) {
  std::vector<std::string> names;
  if (run.diagnostics.empty()) return names;
  for (const auto& layer : run.diagnostics.back().layers) names.push_back(layer.name);
  return names;
}

std::vector<std::string> layer_names(const SweepData& sweep) {
  for (const auto& arm : sweep.arms) {
    if (!arm.run.diagnostics.empty()) return layer_names(arm.run);
  }
  return {};
}

struct Measure {
  const char* title;
  const char* y_label;
  bool logarithmic;
  bool is_share;  // in [0, 1]
  LayerValue value;
};

constexpr Measure measures[] = {
    {"Units that are never positive", "fraction of units (0–1)", false, true, never_positive},
    {"Gradient norm of the weights", "L2 norm", true, false, weight_gradient},
    {"Negative pre-activations", "P(x < 0)", false, true, negative_fraction},
};

Chart measure_chart(const Measure& measure, const std::string& title, const ChartAxis& axis) {
  Chart chart;
  chart.title = title;
  chart.x = axis;
  chart.y = {.label = measure.y_label, .logarithmic = measure.logarithmic};
  if (measure.is_share) chart.y.range = Range{0, 1};
  return chart;
}

std::vector<Chart> sweep_charts(const SweepData& sweep, const Measure& measure) {
  std::vector<Chart> drawn;
  for (const auto& layer : layer_names(sweep)) {
    Chart chart = measure_chart(measure, layer, training_axis(sweep));
    for (std::size_t i = 0; i < sweep.slopes.size(); ++i) {
      std::vector<Curve> curves;
      for (const auto& arm : sweep.arms_of(i)) curves.push_back(diagnostics_curve(arm.run, layer, measure.value));
      chart.series.push_back({.label = shortest(sweep.slopes[i]),
                              .colour = palette_colour(i, sweep.slopes.size()),
                              .points = chart_points(mean_curve(curves, layer_points))});
    }
    drawn.push_back(std::move(chart));
  }
  return drawn;
}

std::vector<Chart> run_charts(const RunData& run, const Measure& measure) {
  std::vector<Chart> drawn;
  const auto names = layer_names(run);
  for (const std::string network : {"generator", "discriminator"}) {
    Chart chart = measure_chart(measure, std::string(measure.title) + ", " + network, training_axis(run));
    std::vector<std::string> own;
    std::copy_if(names.begin(), names.end(), std::back_inserter(own),
                 [&](const std::string& name) { return name.starts_with(network); });
    for (std::size_t i = 0; i < own.size(); ++i) {
      const std::string label = own[i].size() > network.size() ? own[i].substr(network.size() + 1) : own[i];
      chart.series.push_back(
          {.label = label,
           .colour = palette_colour(i, own.size()),
           .points = chart_points(mean_curve({diagnostics_curve(run, own[i], measure.value)}, layer_points))});
    }
    drawn.push_back(std::move(chart));
  }
  return drawn;
}

/// A table cell that shows a fraction as a percentage, shaded by its value.
std::string share_cell(double share) {
  if (!std::isfinite(share)) return "–";
  const int shade = static_cast<int>(std::lround(10 * std::clamp(share, 0.0, 1.0)));
  return element("span", format_text("class=\"share h{}\"", share > 0 ? std::max(1, shade) : 0),
                 format_text("{:.1f}&nbsp;%", 100 * share));
}

bool any_never_positive(const SweepData& sweep) {
  return std::any_of(sweep.arms.begin(), sweep.arms.end(), [](const ArmData& arm) {
    return std::any_of(arm.run.diagnostics.begin(), arm.run.diagnostics.end(), [](const DiagnosticsRecord& record) {
      return std::any_of(record.layers.begin(), record.layers.end(),
                         [](const LayerDiagnosis& layer) { return layer.never_positive > 0; });
    });
  });
}

/// The fraction of units in each layer that are never positive in the last diagnostics: the mean over the seeds of each
/// slope.
std::string sweep_table(const SweepData& sweep) {
  const auto layers = layer_names(sweep);
  if (layers.empty()) return {};
  Table table;
  table.header = {"slope"};
  table.numeric = {false};
  for (const auto& layer : layers) {
    table.header.push_back(escape(layer));
    table.numeric.push_back(true);
  }
  constexpr const char* networks[] = {"generator", "discriminator"};
  for (const char* network : networks) {
    table.header.push_back(std::string(network) + ", all units");
    table.numeric.push_back(true);
  }
  for (std::size_t i = 0; i < sweep.slopes.size(); ++i) {
    std::vector<std::string> cells = {slope_name(sweep.slopes[i])};
    const auto add_mean = [&](const auto& share_of) {
      FiniteMean mean;
      for (const auto& arm : sweep.arms_of(i)) {
        const auto& records = arm.run.diagnostics;
        if (!records.empty()) mean.add(share_of(records.back()));
      }
      cells.push_back(share_cell(mean.value()));
    };
    for (const auto& layer : layers) {
      add_mean([&](const DiagnosticsRecord& record) { return never_positive(record, layer); });
    }
    for (const char* network : networks) {
      add_mean([&](const DiagnosticsRecord& record) {
        const auto whole = whole_network(record.layers, network);
        return whole.units == 0 ? std::numeric_limits<double>::quiet_NaN() : whole.never_positive;
      });
    }
    table.rows.push_back(std::move(cells));
  }
  return table_html(table,
                    "Fraction of units that are not positive for any probe in the last diagnostics, averaged over "
                    "seeds. With slope 0, such a unit is dead: it receives no gradient.");
}

std::string sentinels_text(const RunData& run) {
  std::string items;
  for (const auto& record : run.diagnostics) {
    for (const auto& sentinel : record.sentinels) {
      items += element("li", "", escape(sentinel) + " after " + grouped(record.images) + " images");
    }
  }
  return items.empty() ? "" : element("p", "", "Alarms raised:") + element("ul", "class=\"notes\"", items);
}

}  // namespace

std::string sweep_layers_section(const SweepData& sweep, Json& charts) {
  std::string content = sweep_table(sweep);
  if (content.empty()) return {};
  for (const auto& measure : measures) {
    const std::string grid = chart_grid(sweep_charts(sweep, measure), charts);
    if (grid.empty()) continue;
    // Only the charts of the first measure are expanded, and only if some units are never positive.
    const bool is_open = &measure == &measures[0] && any_never_positive(sweep);
    content += element("details", is_open ? "open" : "",
                       element("summary", "", std::string(measure.title) + ", one chart per layer") + grid);
  }
  return section("layers", "Inside the networks", content);
}

std::string run_layers_section(const RunData& run, Json& charts) {
  std::vector<Chart> drawn;
  for (const auto& measure : measures) {
    for (auto& chart : run_charts(run, measure)) drawn.push_back(std::move(chart));
  }
  const std::string grid = chart_grid(drawn, charts);
  if (grid.empty()) return {};
  return section(
      "layers", "Inside the networks",
      element("p", "class=\"note\"",
              "Each activation layer is measured on fixed probes. A unit that is not positive for any probe is "
              "dead if the slope is 0; with any other slope, it still learns.") +
          sentinels_text(run) + grid);
}

}  // namespace slopegan
