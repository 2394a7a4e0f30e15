#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "config/config.h"
#include "models/named_tensors.h"

namespace slopegan {

struct AdamOptions {
  double learning_rate = 2e-4;
  double beta1 = 0.5;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

/// Adam (Kingma and Ba 2015) with LibTorch's fused multi-tensor kernel. Its state is available as named tensors, unlike
/// the state of torch::optim::Adam, which is keyed by parameter address and overwrites the options when it is loaded.
class Adam {
 public:
  /// `parameters` must all have the same device and dtype, and must not be replaced with other tensors later.
  Adam(const NamedTensors& parameters, AdamOptions options);

  /// Sets the learning rate for the next steps to `factor` times options.learning_rate.
  void set_rate_factor(double factor);

  /// Takes a step with the gradients of the parameters; parameters without a gradient are skipped. `is_bad` is a
  /// float32 scalar on the parameters' device; if it is defined and equal to 1, nothing changes. The step does not
  /// synchronise with the host, so it can be recorded as a graph.
  void step(const at::Tensor& is_bad = {});

  /// Resets the gradients to undefined.
  void zero_gradients();

  /// The live tensors `<parameter>.exp_avg`, `.exp_avg_sq` (shape of the parameter) and `.step` (float32 scalar).
  NamedTensors state() const;

  struct Slot {
    std::string name;
    at::Tensor parameter, average, square, step;
  };
  const std::vector<Slot>& slots() const { return slots_; }

  /// The update that the last step subtracted from the slot's parameter, lr · m̂ / (√v̂ + ε), recomputed from the
  /// moments, or zeros if no step has been taken.
  at::Tensor last_update(const Slot& slot) const;

 private:
  AdamOptions options_;
  double rate_ = 0;
  at::Tensor device_rate_;  // rate_ on the device, so that a recorded step reads the current value
  std::vector<Slot> slots_;
};

/// Returns the factor, in [0, 1], by which the learning rates of both networks are multiplied in the step that starts
/// after `images` images and uses `batch` images. The factor is warm-up times decay. The warm-up is
/// min(1, (images + batch) / lr_warmup_images); it is evaluated at the end of the step, so that the rate of the first
/// step is not 0. The decay is 1 − t (linear) or (1 + cos πt) / 2 (cosine) with t = min(1, images / lr_decay_images).
/// lr_decay_images = 0 means `total_images`.
double learning_rate_factor(const OptimizerConfig& optimizer, std::int64_t total_images, std::int64_t images,
                            std::int64_t batch);

}  // namespace slopegan
