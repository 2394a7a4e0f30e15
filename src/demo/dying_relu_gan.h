#pragma once

#include <cstdint>
#include <vector>

#include "config/config.h"

namespace slopegan {

/// A small GAN whose discriminator starts half dead: every bias in front of an activation is −3 standard deviations of
/// the pre-activations there, so that nearly all are negative. The data are discs drawn at random.
struct WoundedGanOptions {
  double negative_slope = 0;  ///< of the discriminator; the generator has 0.2
  DiscriminatorNorm norm = DiscriminatorNorm::none;
  std::int64_t steps = 100;
  std::int64_t probe_every = 5;
  std::uint64_t seed = 0;
};

/// What became of it, at step 0 and every `probe_every` steps.
struct WoundedGan {
  std::vector<double> steps;
  /// The share of the discriminator's units that no probe made positive, over its wounded layers.
  std::vector<double> never_positive;
  /// P(x > 0) over the same layers.
  std::vector<double> positive_fraction;
  /// |W − W₀| / |W₀| over all parameters of the generator.
  std::vector<double> generator_change;
  bool generator_bit_identical = false;  ///< at the end, every parameter
};

WoundedGan train_wounded_gan(const WoundedGanOptions& options);

}  // namespace slopegan
