#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <opencv2/core.hpp>

#include "demo/dying_relu_networks.h"
#include "images/picture_style.h"

namespace slopegan {

/// A prediction and a measurement on this project's layers. The prediction of a fraction holds if the measured fraction
/// is within four binomial standard deviations of the predicted one. A correct prediction fails this test by chance
/// once in 16,000 cases.
struct Prediction {
  std::string what;
  std::string predicted;  ///< from a closed form, or "simulated" and a simulated value
  std::string measured;
  std::string allowed;  ///< the allowed difference
  bool holds = false;
};

/// Compares `count` with the probability `predicted`. If the probability is 0, no hits are allowed.
Prediction predict_share(const std::string& what, double predicted, Count count);
/// Compares `count` with the simulated fraction `reference`, which was measured over `reference_networks` networks.
Prediction predict_counted_share(const std::string& what, double reference, std::int64_t reference_networks,
                                 Count count);
/// Compares `count` with an upper bound on the probability.
Prediction predict_at_most(const std::string& what, double bound, Count count);

/// The measurements of `slopegan demo dying-relu` and the curves in its plot.
struct DyingRelu {
  struct DeathRow {
    std::string label;
    double predicted = 0;  ///< a probability; for born-dead networks, a bound on it
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

/// Runs all measurements, which takes a few seconds. The results depend only on the seed. Sets the number of LibTorch's
/// threads to 1 for the whole process.
DyingRelu measure_dying_relu(std::uint64_t seed);

inline constexpr std::uint64_t dying_relu_seed = 0;  ///< the default seed; a prediction that fails with it is a bug

/// Checks that all predictions hold for a demo that was measured with `seed`. If one fails with the default seed,
/// throws std::runtime_error. With another seed, a prediction may fail by chance, so a failure is only logged as a
/// warning.
void check_predictions(const DyingRelu& demo, std::uint64_t seed);

/// A table with one line per prediction.
std::string prediction_table(const std::vector<Prediction>& predictions);

/// Draws the plot, CV_8UC3.
cv::Mat draw_dying_relu(const DyingRelu& demo, const PictureStyle& style = {});

}  // namespace slopegan
