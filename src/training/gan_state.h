#pragma once

#include <cstdint>
#include <vector>

#include "config/config.h"
#include "models/compute.h"
#include "models/dcgan.h"
#include "models/named_tensors.h"
#include "run/records.h"
#include "training/adam.h"

namespace slopegan {

/// Everything that training changes. tensors() is the only place that lists the tensors of a checkpoint.
struct GanState {
  /// Initialises the networks on `device`. The random draws for the initial weights depend only on config.seed and the
  /// shapes. `type` is the dtype of the weights: float32, or float64 in tests that must distinguish rounding errors
  /// from bugs.
  GanState(const Config& config, std::int64_t channels, at::Device device, at::ScalarType type = at::kFloat);

  Generator generator;
  Generator ema_generator{nullptr};  ///< exponential moving average of the weights; null if ema.half_life_images is 0
  Discriminator discriminator;
  Adam generator_optimizer;
  Adam discriminator_optimizer;
  std::int64_t images_seen = 0;
  std::int64_t steps = 0;

  /// The generator for samples and metrics: with averaged weights, or the live generator if ema.half_life_images is 0.
  Generator& averaged_generator() { return ema_generator ? ema_generator : generator; }

  /// The live tensors by name: generator.*, ema.*, discriminator.*, optimizer.generator.*, optimizer.discriminator.*;
  /// and a copy of the counters as `counters` (int64: images seen, steps).
  NamedTensors tensors() const;

  /// Copies `saved` into the live tensors. Throws the same exceptions as restore_tensors.
  void restore(const NamedTensors& saved);
};

/// The decay of the moving average over a step of `batch` images: 0.5^(batch / half-life). The half-life is limited to
/// 5 % of the images seen (Karras et al. 2022, EDM, ema_rampup_ratio), so that the initial weights are soon forgotten.
/// `images_seen` includes the images of the step; EDM's code counts the images before the step.
double ema_decay(std::int64_t half_life_images, std::int64_t images_seen, std::int64_t batch);

/// average ← decay · average + (1 − decay) · live, for every parameter and also for every floating-point buffer,
/// because running statistics belong to the weights that they were measured with. Integer buffers are copied. Both
/// modules must have the same architecture.
void update_ema(torch::nn::Module& average, const torch::nn::Module& live, double decay);

/// The gradient of each parameter in the last step, and the update at the current learning rate.
std::vector<ParameterDiagnosis> describe_last_step(const GanState& state);

}  // namespace slopegan
