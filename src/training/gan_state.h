#pragma once

#include <cstdint>

#include "config/config.h"
#include "models/compute.h"
#include "models/dcgan.h"
#include "models/named_tensors.h"
#include "training/adam.h"

namespace slopegan {

/// Everything that training changes. `tensors` is the one place that names what a checkpoint holds.
struct GanState {
  /// Freshly initialised networks on `device`; the initial normals depend on config.seed and the shapes alone. `type`
  /// is that of the weights: float32, or float64 to tell rounding from mistakes.
  GanState(const Config& config, std::int64_t channels, at::Device device, at::ScalarType type = at::kFloat);

  Generator generator;
  Generator average_generator{nullptr};  ///< exponential moving average; null where ema.half_life_images is 0
  Discriminator discriminator;
  Adam generator_optimizer;
  Adam discriminator_optimizer;
  std::int64_t images_seen = 0;
  std::int64_t steps = 0;

  /// The generator that people look at: the averaged one where there is one.
  Generator& best_generator() { return average_generator ? average_generator : generator; }

  /// The live tensors by name: generator.*, ema.*, discriminator.*, optimizer.generator.*, optimizer.discriminator.*;
  /// and `counters` (int64: images seen, steps), which is a copy.
  NamedTensors tensors() const;

  /// Copies `saved` into the live tensors; throws as restore_tensors does.
  void restore(const NamedTensors& saved);
};

}  // namespace slopegan
