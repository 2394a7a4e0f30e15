#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <opencv2/core.hpp>

#include "demo/dying_relu_gan.h"
#include "demo/dying_relu_networks.h"

namespace slopegan {

/// What theory says beside what our layers did. A share holds where it lies within four binomial standard deviations of
/// its probability, which chance leaves once in 16,000.
struct Prediction {
  std::string what;
  std::string predicted;
  std::string measured;
  std::string allowed;  ///< how far the two may lie apart
  bool holds = false;
};

/// `count` against the probability `predicted` (0: not one hit).
Prediction predict_share(const std::string& what, double predicted, Count count);
/// Against a share that was itself counted over `reference_networks`.
Prediction predict_counted_share(const std::string& what, double reference, std::int64_t reference_networks,
                                 Count count);
/// Against a bound from above.
Prediction predict_at_most(const std::string& what, double bound, Count count);

/// Everything that `slopegan demo dying-relu` measures, and the curves of its plot.
struct DyingRelu {
  struct DeathRow {
    std::string label;
    double predicted = 0;  ///< a probability, or for born-dead networks the bound
    double measured = 0;
  };
  struct RecoveryCurve {
    double negative_slope = 0;
    std::int64_t predicted_steps = 0;
    Recovery measured;
  };
  struct CorrelationCurve {
    double negative_slope = 0;
    std::vector<double> predicted;
    Correlations measured;
  };
  struct GanCurve {
    std::string label;
    WoundedGan measured;
  };

  std::vector<Prediction> predictions;
  std::vector<DeathRow> point_deaths, born_dead;
  std::vector<RecoveryCurve> recoveries;
  std::vector<CorrelationCurve> correlations;
  std::vector<GanCurve> gans;

  bool all_hold() const;
};

/// Takes seconds; a function of the seed.
DyingRelu measure_dying_relu(std::uint64_t seed);

/// One line a prediction.
std::string prediction_table(const std::vector<Prediction>& predictions);

/// The plot, CV_8UC3.
cv::Mat draw_dying_relu(const DyingRelu& demo);

}  // namespace slopegan
