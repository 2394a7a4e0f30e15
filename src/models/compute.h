#pragma once

#include <string>

#include <ATen/core/Tensor.h>

#include "config/config.h"

namespace slopegan {

/// The device, dtype and number of threads of a run.
struct Compute {
  at::Device device = at::kCPU;
  at::ScalarType type = at::kFloat;
  int threads = 1;
  std::string threads_reason = {};  ///< the configuration key, environment variable or limit that set `threads`
};

/// Whether the device multiplies bfloat16 natively: a processor with avx512_bf16, or a GPU with compute capability 8.0
/// or newer. On other devices, it may be emulated, which can be slower than float32 by orders of magnitude.
bool has_native_bfloat16(at::Device device);

/// Resolves `auto` on this machine: CUDA if there is a GPU; bfloat16 if has_native_bfloat16(), float32 otherwise; the
/// number of threads in OMP_NUM_THREADS if it is set, otherwise one thread per core that the process may use. If
/// `local_size` ranks share the machine, they divide the cores among themselves, and the GPUs are assigned to them in
/// turn; OMP_NUM_THREADS=1 is then ignored under torchrun, which sets it for all programs. Throws UsageError if the
/// device is cuda but CUDA is not available.
Compute choose_compute(const TrainingConfig& training, int local_rank = 0, int local_size = 1);

/// Lowers the number of LibTorch's threads to the default of choose_compute. LibTorch starts with one thread per core
/// of the affinity mask, even if the CPU quota of a container is lower.
void limit_threads();

/// Selects deterministic algorithms and disables TF32 if the device is a GPU. Call it before any computation on the
/// GPU.
void configure_gpu(at::Device device);

/// Sets the number of LibTorch's threads, adapts how they wait for each other (support/thread_waiting.h), and calls
/// configure_gpu.
void apply_compute(const Compute& compute);

/// Converts a tensor to the device and dtype of the computation, and images also to channels-last. Returns the tensor
/// itself if nothing changes.
at::Tensor to_compute(const at::Tensor& tensor, const Compute& compute);

/// "cpu, bfloat16, 2 threads".
std::string describe(const Compute& compute);

}  // namespace slopegan
