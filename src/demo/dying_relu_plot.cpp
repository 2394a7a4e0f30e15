#include <numeric>

#include "demo/dying_relu.h"
#include "images/plot.h"
#include "support/text.h"

namespace slopegan {

namespace {

const cv::Scalar pale_blue(235, 206, 170);

std::vector<double> counting(std::size_t count, double first) {
  std::vector<double> numbers(count);
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

Panel death_panel(const std::string& title, const std::string& x_label, const std::string& bar_label,
                  const std::vector<DyingRelu::DeathRow>& rows) {
  Panel panel;
  panel.title = title;
  panel.x_label = x_label;
  panel.y_label = "share of 20,000 networks";
  panel.y_range = {0, 1};
  Series predicted{bar_label, Mark::bars, pale_blue, counting(rows.size(), 0), {}};
  Series measured{"measured", Mark::points, plot_colours[0], counting(rows.size(), 0), {}};
  for (const auto& row : rows) {
    panel.categories.push_back(row.label);
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
                            counting(curve.measured.biases.size(), 0), curve.measured.biases});
  }
  Series predicted{"predicted recovery", Mark::points, cv::Scalar::all(40), {}, {}};
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
  panel.title = "Two orthogonal inputs become alike";
  panel.x_label = "layer (256 units each)";
  panel.y_label = "correlation";
  panel.y_range = {0, 1};
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const auto& curve = curves[i];
    const auto layers = counting(curve.predicted.size(), 1);
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

cv::Mat draw_dying_relu(const DyingRelu& demo) {
  Plot plot;
  plot.title = "Dying ReLU: what theory says, and what our layers do";
  plot.subtitle =
      "a is the slope for negative inputs; 0 is ReLU. Dead is a unit that is never positive: with slope 0 nothing "
      "passes "
      "it, and no gradient comes back.";
  plot.panels = {
      death_panel("Point death: one input dies on its way", "units x layers, slope", "predicted", demo.point_deaths),
      death_panel("Born dead: constant from the start (a = 0)", "N x L (the output layer counts)", "bound of Lu et al.",
                  demo.born_dead),
      recovery_panel(demo.recoveries),
      correlation_panel(demo.correlations),
      gan_panel("GAN, D's biases at -3 sigma: dead units", "share of units never positive", demo.gans,
                &WoundedGan::never_positive),
      gan_panel("The same GAN: the generator's way", "|G - G0| / |G0|", demo.gans, &WoundedGan::generator_change),
  };
  plot.panels[4].y_range = {0, 1};
  return draw_plot(plot);
}

}  // namespace slopegan
