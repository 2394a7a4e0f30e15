#pragma once

#include <cstdint>
#include <vector>

#include "config/config.h"

/// Small networks, built from this project's layers, that test closed-form results about the dying ReLU, and a GAN with
/// a damaged discriminator. All random numbers come from keyed streams. The chains compute in float64 on the CPU.
namespace slopegan {

struct Count {
  std::int64_t hits = 0;
  std::int64_t of = 0;
  double share() const { return static_cast<double>(hits) / static_cast<double>(of); }
};

/// A chain of `layers` activation layers with `width` units each on a scalar input, with random weights from He's
/// normal initialisation and no biases.
struct ChainShape {
  std::int64_t width = 2;
  std::int64_t layers = 10;
};

/// Counts how many of `networks` random chains output zero for one input because all units of a layer are zero.
Count count_point_deaths(ChainShape shape, double negative_slope, std::int64_t networks, std::uint64_t seed);
/// The probability of a point death. At slope 0 it is 1 − (1 − 2^−width)^layers, because each unit in a layer with a
/// non-zero input is positive with probability ½. For other slopes it is 0.
double point_death_probability(ChainShape shape, double negative_slope);

/// Counts how many of `networks` random chains are born dead, that is, constant over all inputs. Without biases, the
/// inputs +1 and −1 represent all inputs.
Count count_born_dead(ChainShape shape, double negative_slope, std::int64_t networks, std::uint64_t seed);
/// The upper bound on the probability of being born dead, 1 − (1 − 2^−width)^layers: Lu et al. 2019 (Dying ReLU and
/// Initialization), theorem 3, for one input and `layers` activation layers (L − 1 in the paper, whose L includes the
/// output layer).
double born_dead_bound(ChainShape shape);

/// Gradient descent on the bias b of a single unit f(b) with loss (f(b) − target)²/2; f is the leaky ReLU.
struct RecoveryProblem {
  double bias = -2;
  double target = 1;
  double rate = 0.05;
  std::int64_t max_steps = 5000;
};
struct Recovery {
  std::int64_t steps = -1;     ///< the number of steps until b > 0; −1 if it exceeds max_steps
  bool bit_identical = false;  ///< whether b is unchanged at the end
  std::vector<double> biases;  ///< the bias before each step and at the end
};
/// Trains the unit.
Recovery train_dead_unit(const RecoveryProblem& problem, double negative_slope);
/// The number of steps until b > 0, or −1 (never) for slope 0. For slope a, target t, rate η and B = −bias, a step is
/// b' = b − ηa(ab − t), so the number is ceil(−ln(1 + aB/t) / ln(1 − ηa²)).
std::int64_t predicted_recovery(const RecoveryProblem& problem, double negative_slope);

/// Maps the correlation c of two vectors before a wide layer with variance-preserving weights and slope a to their
/// correlation c' after it: c' = 2/(1+a²) · [ac + (1−a)²·J(c)], J(c) = (√(1−c²) + c(π − arccos c)) / 2π (Cho and Saul
/// 2009, for slope 0).
double correlation_map(double correlation, double negative_slope);

/// Measured correlations after each layer: the mean over the networks and its standard error.
struct Correlations {
  std::vector<double> mean, standard_error;
};
/// Measures the correlation after each of `layers` layers of `width` units for two inputs with correlation 0, over
/// `networks` networks. Returns one element per slope; all slopes use the same random draws for the weights.
std::vector<Correlations> measure_correlations(const std::vector<double>& negative_slopes, std::int64_t layers,
                                               std::int64_t width, std::int64_t networks, std::uint64_t seed);

/// A small GAN whose discriminator is damaged at the start: every bias before an activation is −3 standard deviations
/// of the pre-activations, so that nearly all pre-activations are negative. The real images are randomly drawn discs.
struct WoundedGanOptions {
  double negative_slope = 0;  ///< of the discriminator; that of the generator is 0.2
  DiscriminatorNorm norm = DiscriminatorNorm::none;
  std::int64_t steps = 100;
  std::int64_t probe_every = 5;
  std::uint64_t seed = 0;
};

/// Measurements at step 0, every `probe_every` steps, and at the end.
struct WoundedGan {
  std::vector<double> steps;
  /// The fraction of units in the damaged layers of the discriminator that are not positive for any probe image, real
  /// or generated.
  std::vector<double> never_positive;
  /// |W − W₀| / |W₀| over all parameters of the generator.
  std::vector<double> generator_change;
  bool generator_bit_identical = false;  ///< whether all parameters are unchanged at the end
};

WoundedGan train_wounded_gan(const WoundedGanOptions& options);

}  // namespace slopegan
