#pragma once

#include <cstdint>
#include <vector>

/// Small networks on which the closed forms of the dying ReLU can be measured, built from our own layers. Every weight
/// comes from streams keyed by the seed; all in float64 on the CPU.
namespace slopegan {

struct Count {
  std::int64_t hits = 0;
  std::int64_t of = 0;
  double share() const { return static_cast<double>(hits) / static_cast<double>(of); }
};

/// A chain of `layers` activation layers of `width` units behind one input number, with symmetric random weights (He's
/// normal) and no biases.
struct ChainShape {
  std::int64_t width = 2;
  std::int64_t layers = 10;
};

/// How many of `networks` chains pass nothing on from one input: all units of some layer are zero.
Count count_point_deaths(ChainShape shape, double negative_slope, std::int64_t networks, std::uint64_t seed);
/// Its probability at slope 0: 1 − (1 − 2^−width)^layers, since each unit of a layer that is reached is positive with
/// probability ½. For other slopes 0.
double point_death_probability(ChainShape shape, double negative_slope);

/// How many chains are born dead: constant over all inputs. Without biases the inputs +1 and −1 stand for all.
Count count_born_dead(ChainShape shape, double negative_slope, std::int64_t networks, std::uint64_t seed);
/// Lu et al. 2019 (Dying ReLU and Initialization), theorem 3, for one input and `layers` activation layers (L − 1 in
/// the paper's count, which has the output layer too): at most 1 − (1 − 2^−width)^layers.
double born_dead_bound(ChainShape shape);

/// Gradient descent on the bias b of one unit f(b), f the leaky rectifier, with loss (f(b) − target)²/2.
struct RecoveryProblem {
  double bias = -2;
  double target = 1;
  double rate = 0.05;
  std::int64_t most_steps = 5000;
};
struct Recovery {
  std::int64_t steps = -1;     ///< until b > 0; −1 where that did not happen within most_steps
  bool bit_identical = false;  ///< whether b is what it was, bit for bit, at the end
  std::vector<double> biases;  ///< before each step, and at the end
};
Recovery recover(const RecoveryProblem& problem, double negative_slope);
/// ceil(−ln(1 + aB/t) / ln(1 − ηa²)) with B = −bias: b obeys b' = b − ηa(ab − t). −1 (never) for slope 0.
std::int64_t predicted_recovery(const RecoveryProblem& problem, double negative_slope);

/// The correlation of two inputs' representations through a wide layer with variance-preserving weights:
/// c' = 2/(1+a²) · [ac + (1−a)²·J(c)], J(c) = (√(1−c²) + c(π − arccos c)) / 2π (Cho and Saul 2009, for slope 0).
double correlation_map(double correlation, double negative_slope);

/// The same measured behind each of `layers` layers of `width` units, from correlation 0: the mean over `networks`
/// networks, and its standard error. One for each slope; all slopes share the normals of the weights.
struct Correlations {
  std::vector<double> mean, standard_error;
};
std::vector<Correlations> measure_correlations(const std::vector<double>& negative_slopes, std::int64_t layers,
                                               std::int64_t width, std::int64_t networks, std::uint64_t seed);

}  // namespace slopegan
