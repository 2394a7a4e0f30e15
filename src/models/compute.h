#pragma once

#include <ATen/core/Tensor.h>

#include "config/config.h"

namespace slopegan {

/// Where and in which dtype a run computes.
struct Compute {
  at::Device device = at::kCPU;
  at::ScalarType type = at::kFloat;
  int threads = 1;
};

/// Decides what `auto` means on this machine: CUDA where there is one; bfloat16 where the processor (avx512_bf16,
/// amx_bf16) or the GPU multiplies it natively, float32 elsewhere; as many threads as cores that the process may use.
/// Where `local_size` ranks share the machine, each has a part of the cores, and its own GPU as far as there are so
/// many. Throws UsageError for device = cuda without CUDA.
Compute choose_compute(const TrainingConfig& training, int local_rank = 0, int local_size = 1);

/// Makes LibTorch use the threads, and results repeatable from run to run.
void apply_compute(const Compute& compute);

/// The tensor on the device and in the dtype of the computation, images channels-last; itself where it is so already.
at::Tensor to_compute(const at::Tensor& tensor, const Compute& compute);

/// "cpu, bfloat16, 2 threads".
std::string describe(const Compute& compute);

}  // namespace slopegan
