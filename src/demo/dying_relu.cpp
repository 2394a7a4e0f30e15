#include "demo/dying_relu.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "images/plot.h"
#include "models/compute.h"
#include "support/log.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr std::int64_t chains_counted = 20'000;
constexpr double deviations_allowed = 4;

Prediction share_within(const std::string& what, double predicted, double tolerance, Count count) {
  return {what, format_text("{:.4f}", predicted), format_text("{:.4f}", count.share()),
          format_text("+- {:.4f}", tolerance), std::fabs(count.share() - predicted) <= tolerance};
}

double binomial_deviation(double probability, std::int64_t count) {
  return std::sqrt(probability * (1 - probability) / static_cast<double>(count));
}

std::string chain_text(ChainShape shape) { return format_text("{}x{}", shape.width, shape.layers); }

void measure_point_deaths(DyingRelu& demo, std::uint64_t seed) {
  for (const auto& [shape, slope] : {std::pair(ChainShape{2, 10}, 0.0),
                                     {ChainShape{3, 10}, 0.0},
                                     {ChainShape{2, 10}, 0.01},
                                     {ChainShape{3, 10}, 0.2}}) {
    const auto count = count_point_deaths(shape, slope, chains_counted, seed);
    const double predicted = point_death_probability(shape, slope);
    demo.predictions.push_back(predict_share(
        "point death, " + chain_text(shape) + format_text(" layers, slope {:g}", slope), predicted, count));
    demo.point_deaths.push_back({chain_text(shape) + format_text(", {:g}", slope), predicted, count.share()});
  }
}

void measure_born_dead(DyingRelu& demo, std::uint64_t seed) {
  struct Case {
    std::int64_t width, layers;  // as in Lu et al., including the output layer
    double simulated;            // fraction that a separate program measured over the same number of networks
  };
  for (const Case& row : {Case{2, 3, 0.159}, {2, 10, 0.880}, {4, 10, 0.297}, {5, 10, 0.130}}) {
    const ChainShape shape{row.width, row.layers - 1};
    const auto name = format_text("born dead, N = {}, L = {}", row.width, row.layers);
    const auto count = count_born_dead(shape, 0, chains_counted, seed);
    demo.predictions.push_back(predict_counted_share(name, row.simulated, chains_counted, count));
    demo.predictions.push_back(predict_at_most(name + ", bound", born_dead_bound(shape), count));
    demo.born_dead.push_back({chain_text({row.width, row.layers}), born_dead_bound(shape), count.share()});
  }
  // Two hidden layers of two units: 5/32 = 1/2 · 1/4 + 1/2 · 1/16. With probability 1/2, the first layer is zero for
  // one of the inputs +1 and −1, and the network is dead if the second layer is zero for the other one (1/4).
  // Otherwise, each input has one positive unit, and the second layer must be zero for both (1/16).
  demo.predictions.push_back(predict_share("born dead, N = 2, L = 3, exact 5/32", 5.0 / 32,
                                           count_born_dead({2, 2}, 0, chains_counted, seed + 1)));
  demo.predictions.push_back(
      predict_share("born dead, N = 2, L = 10, slope 0.2", 0, count_born_dead({2, 9}, 0.2, chains_counted, seed)));
}

void measure_recoveries(DyingRelu& demo) {
  const RecoveryProblem problem;
  const auto text = [](std::int64_t steps) {
    return steps < 0 ? std::string("never") : format_text("{} steps", steps);
  };
  for (const double slope : {0.0, 0.01, 0.1, 0.2}) {
    DyingRelu::RecoveryCurve curve{slope, predicted_recovery(problem, slope), train_dead_unit(problem, slope)};
    const auto& measured = curve.measured;
    const bool holds = measured.steps == curve.predicted_steps && measured.bit_identical == (slope == 0);
    demo.predictions.push_back({format_text("a dead unit recovers, slope {:g}", slope), text(curve.predicted_steps),
                                text(measured.steps) + (measured.bit_identical ? ", bit-identical" : ""), "exact",
                                holds});
    demo.recoveries.push_back(std::move(curve));
  }
}

void measure_correlation_maps(DyingRelu& demo, std::uint64_t seed) {
  constexpr std::int64_t layers = 20, width = 256, wide_networks = 32;
  const std::vector<double> slopes = {0, 0.2};
  const auto measurements = measure_correlations(slopes, layers, width, wide_networks, seed);
  for (std::size_t i = 0; i < slopes.size(); ++i) {
    const double slope = slopes[i];
    DyingRelu::CorrelationCurve curve{slope, {}, measurements[i]};
    double correlation = 0;
    for (std::int64_t layer = 0; layer < layers; ++layer) {
      correlation = correlation_map(correlation, slope);
      curve.predicted.push_back(correlation);
    }
    const double measured = curve.measured.mean.back();
    // The map is exact for infinite width; each layer adds an error of order 1 / width.
    const double tolerance = deviations_allowed * curve.measured.standard_error.back() +
                             static_cast<double>(layers) / static_cast<double>(width) * (1 - correlation);
    demo.predictions.push_back({format_text("correlation after {} layers, slope {:g}", layers, slope),
                                format_text("{:.4f}", correlation), format_text("{:.4f}", measured),
                                format_text("+- {:.4f}", tolerance), std::fabs(measured - correlation) <= tolerance});
    demo.correlations.push_back(std::move(curve));
  }
}

std::string describe_gan(const WoundedGan& gan) {
  const auto moved = gan.generator_bit_identical ? std::string("bit-identical")
                                                 : format_text("moved {:.3f}", gan.generator_change.back());
  return "G " + moved +
         format_text(", D's dead units {:.2f} -> {:.2f}", gan.never_positive.front(), gan.never_positive.back());
}

/// The predicted outcome of training. `frozen` follows from the zero gradient. The others were found in simulations
/// with other seeds: dead units recover, or few units are dead at any time.
enum class Fate { frozen, recovers, hardly_damaged };

bool matches(Fate fate, const WoundedGan& gan) {
  const double before = gan.never_positive.front(), after = gan.never_positive.back();
  const bool learned = gan.generator_change.back() > 0.05;
  switch (fate) {
    case Fate::frozen:
      return gan.generator_bit_identical && before > 0.9 && after == before;
    case Fate::recovers:
      return learned && before > 0.9 && after < 0.75;
    case Fate::hardly_damaged:
      return learned && before < 0.1 && after < 0.25;
  }
  throw std::logic_error("matches: unknown fate");
}

void measure_gans(DyingRelu& demo, std::uint64_t seed) {
  struct Case {
    const char* label;
    double slope;
    DiscriminatorNorm norm;
    Fate fate;
    const char* predicted;
    const char* allowed;
  };
  for (const Case& row : {Case{"slope 0", 0, DiscriminatorNorm::none, Fate::frozen, "dead forever, G frozen", "exact"},
                          {"slope 0.2", 0.2, DiscriminatorNorm::none, Fate::recovers, "simulated: D recovers, G learns",
                           "> .05, > .9 -> < .75"},
                          {"slope 0, batch norm", 0, DiscriminatorNorm::batch, Fate::hardly_damaged,
                           "simulated: few dead, G learns", "> .05, < .1 -> < .25"}}) {
    WoundedGanOptions options;
    options.negative_slope = row.slope;
    options.norm = row.norm;
    options.seed = seed;
    const auto gan = train_wounded_gan(options);
    demo.predictions.push_back({std::string("GAN, D at -3 sigma, ") + row.label, row.predicted, describe_gan(gan),
                                row.allowed, matches(row.fate, gan)});
    demo.gans.push_back({row.label, gan});
  }
}

}  // namespace

Prediction predict_share(const std::string& what, double predicted, Count count) {
  return share_within(what, predicted, deviations_allowed * binomial_deviation(predicted, count.of), count);
}

Prediction predict_counted_share(const std::string& what, double reference, std::int64_t reference_networks,
                                 Count count) {
  const double deviation =
      std::hypot(binomial_deviation(reference, count.of), binomial_deviation(reference, reference_networks));
  auto prediction = share_within(what, reference, deviations_allowed * deviation, count);
  prediction.predicted = "simulated " + prediction.predicted;
  return prediction;
}

Prediction predict_at_most(const std::string& what, double bound, Count count) {
  const double tolerance = deviations_allowed * binomial_deviation(bound, count.of);
  return {what, format_text("<= {:.4f}", bound), format_text("{:.4f}", count.share()),
          format_text("+ {:.4f}", tolerance), count.share() <= bound + tolerance};
}

bool DyingRelu::all_hold() const {
  return std::all_of(predictions.begin(), predictions.end(), [](const Prediction& p) { return p.holds; });
}

DyingRelu measure_dying_relu(std::uint64_t seed) {
  apply_compute({at::kCPU, at::kFloat, 1});  // the networks are too small for more than one thread
  DyingRelu demo;
  measure_point_deaths(demo, seed);
  measure_born_dead(demo, seed);
  measure_recoveries(demo);
  measure_correlation_maps(demo, seed);
  measure_gans(demo, seed);
  return demo;
}

void check_predictions(const DyingRelu& demo, std::uint64_t seed) {
  if (demo.all_hold()) return;
  if (seed == dying_relu_seed) throw std::runtime_error("a prediction of the dying-relu demo does not hold");
  log::warning(
      format_text("a prediction does not hold for seed {}; this happens by chance for about one seed in 2,000, so "
                  "check whether the prediction holds for other seeds",
                  seed));
}

std::string prediction_table(const std::vector<Prediction>& predictions) {
  std::vector<std::array<std::string, 5>> rows = {{"", "predicted", "measured", "allowed", "verdict"}};
  for (const auto& row : predictions) {
    rows.push_back({row.what, row.predicted, row.measured, row.allowed, row.holds ? "holds" : "FAILS"});
  }
  std::array<std::size_t, 5> widths{};
  for (const auto& row : rows) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      widths[column] = std::max(widths[column], row[column].size());
    }
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t column = 0; column + 1 < row.size(); ++column) {
      text += row[column] + std::string(widths[column] - row[column].size() + 2, ' ');
    }
    text += row.back() + "\n";
  }
  return text;
}

// --- The plot --------------------------------------------------------------------------------------------------------

namespace {

const cv::Scalar pale_blue(222, 186, 138);

std::vector<double> consecutive_numbers(std::size_t count, double first) {
  std::vector<double> numbers(count);
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

Panel death_panel(const std::string& title, const std::string& x_label, const std::string& bar_label,
                  const std::vector<DyingRelu::DeathRow>& rows) {
  Panel panel;
  panel.title = title;
  panel.x_label = x_label;
  panel.y_label = format_text("fraction of {} networks", grouped(chains_counted));
  panel.y_range = {0, 1};
  Series predicted{bar_label, Mark::bars, pale_blue, consecutive_numbers(rows.size(), 0), {}};
  Series measured{"measured", Mark::points, plot_colours[0], consecutive_numbers(rows.size(), 0), {}};
  for (const auto& row : rows) {
    auto& label = panel.categories.emplace_back(row.label);
    if (const auto at = label.find('x'); at != std::string::npos) label.replace(at, 1, "×");
    predicted.y.push_back(row.predicted);
    measured.y.push_back(row.measured);
  }
  panel.series = {predicted, measured};
  return panel;
}

Panel recovery_panel(const std::vector<DyingRelu::RecoveryCurve>& curves) {
  Panel panel;
  panel.title = "One dead unit, trained by gradient descent";
  panel.x_label = "step";
  panel.y_label = "bias";
  panel.log_x = true;
  panel.y_range = {-2.2, 0.4};
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const auto& curve = curves[i];
    panel.series.push_back({format_text("a = {:g}", curve.negative_slope), Mark::line, plot_colours[i],
                            consecutive_numbers(curve.measured.biases.size(), 0), curve.measured.biases});
  }
  Series predicted{"predicted recovery", Mark::points, cv::Scalar::all(128), {}, {}};
  for (const auto& curve : curves) {
    if (curve.predicted_steps < 0) continue;
    predicted.x.push_back(static_cast<double>(curve.predicted_steps));
    predicted.y.push_back(0);
  }
  panel.series.push_back(predicted);
  return panel;
}

Panel correlation_panel(const std::vector<DyingRelu::CorrelationCurve>& curves) {
  Panel panel;
  panel.title = "Two orthogonal inputs become similar";
  panel.x_label = "layer (256 units each)";
  panel.y_label = "correlation";
  panel.y_range = {0, 1};
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const auto& curve = curves[i];
    const auto layers = consecutive_numbers(curve.predicted.size(), 1);
    panel.series.push_back({format_text("a = {:g}, predicted", curve.negative_slope), Mark::line, plot_colours[i],
                            layers, curve.predicted});
    panel.series.push_back({"measured", Mark::points, plot_colours[i], layers, curve.measured.mean});
  }
  return panel;
}

Panel gan_panel(const std::string& title, const std::string& y_label, const std::vector<DyingRelu::GanCurve>& curves,
                std::vector<double> WoundedGan::* values) {
  Panel panel;
  panel.title = title;
  panel.x_label = "training step";
  panel.y_label = y_label;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    panel.series.push_back(
        {curves[i].label, Mark::line, plot_colours[i], curves[i].measured.steps, curves[i].measured.*values});
  }
  return panel;
}

}  // namespace

cv::Mat draw_dying_relu(const DyingRelu& demo, const PictureStyle& style) {
  Plot plot;
  plot.title = "Dying ReLU: theory and measurement";
  plot.subtitle =
      "a is the slope for negative inputs; 0 is ReLU. A dead unit is never positive: with slope 0, its output is 0 and "
      "it receives no gradient.";
  plot.panels = {
      death_panel("Point death: the output for one input is zero", "units × layers, slope", "predicted",
                  demo.point_deaths),
      death_panel("Born dead: constant from the start (a = 0)", "N × L (including the output layer)",
                  "bound of Lu et al.", demo.born_dead),
      recovery_panel(demo.recoveries),
      correlation_panel(demo.correlations),
      gan_panel("GAN, D’s biases at −3 σ: dead units", "fraction of units never positive", demo.gans,
                &WoundedGan::never_positive),
      gan_panel("The same GAN: change of the generator", "‖G − G₀‖ / ‖G₀‖", demo.gans, &WoundedGan::generator_change),
  };
  plot.panels[4].y_range = {0, 1};
  return draw_plot(plot, style);
}

}  // namespace slopegan
