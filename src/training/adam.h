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

  /// One step with the parameters' gradients and `rate_factor` times the learning rate; a parameter without a gradient
  /// is left alone. Throws nothing of its own.
  void step(double rate_factor = 1);

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
  /// before the first step of this process.
  at::Tensor last_update(const Slot& slot) const;

 private:
  AdamOptions options_;
  double last_rate_ = 0;
  std::vector<Slot> slots_;
};

}  // namespace slopegan
