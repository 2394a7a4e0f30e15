#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/named_tensors.h"

namespace slopegan {

struct AdamOptions {
  double learning_rate = 2e-4;
  double beta1 = 0.5;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

/// Adam (Kingma and Ba 2015) by LibTorch's fused multi-tensor kernel, with its state as named tensors: LibTorch's own
/// optimiser archive is keyed by address and overwrites the options when it is loaded.
class Adam {
 public:
  /// `parameters` keep their identity for the life of the optimiser; all on one device, of one dtype.
  Adam(const NamedTensors& parameters, AdamOptions options);

  /// The next steps take `factor` times the learning rate.
  void set_rate_factor(double factor);

  /// One step with the parameters' gradients; a parameter without a gradient is left alone. Nothing changes where
  /// `is_bad`, a float32 scalar on the parameters' device, is 1; it may be undefined. Reads nothing back from the
  /// device, and does the same on it every time. Throws nothing of its own.
  void step(const at::Tensor& is_bad = {});

  /// Drops the gradients, so that the next backward pass stores its own without adding.
  void zero_gradients();

  /// `<parameter>.exp_avg`, `.exp_avg_sq` (the parameter's shape) and `.step` (float32 scalar), the tensors themselves.
  NamedTensors state() const;

  struct Slot {
    std::string name;
    at::Tensor parameter, average, square, step;
  };
  const std::vector<Slot>& slots() const { return slots_; }

  /// What the last step subtracted from the slot's parameter, lr · m̂ / (√v̂ + ε), recomputed from the moments; zeros
  /// before the first step.
  at::Tensor last_update(const Slot& slot) const;

 private:
  AdamOptions options_;
  double rate_ = 0;
  at::Tensor device_rate_;  // the same, where a recorded step finds it
  std::vector<Slot> slots_;
};

}  // namespace slopegan
