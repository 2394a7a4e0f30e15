#include "models/compute.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/DeviceGuard.h>

#include "layers/instruction_set.h"
#include "support/errors.h"
#include "support/machine.h"
#include "support/text.h"
#include "support/thread_waiting.h"

namespace slopegan {

static at::Device choose_device(Device device) {
  const bool has_cuda = at::hasCUDA() && at::getNumGPUs() > 0;
  switch (device) {
    case Device::automatic:
      return has_cuda ? at::kCUDA : at::kCPU;
    case Device::cpu:
      return at::kCPU;
    case Device::cuda:
      if (!has_cuda)
        throw UsageError("training.device = cuda, but this LibTorch finds no GPU; allowed here: auto, cpu");
      return at::kCUDA;
  }
  TORCH_CHECK(false, "unknown device");
}

/// Whether the GPU multiplies bfloat16 natively, which requires compute capability 8.0 (Ampere) or newer.
static bool gpu_has_bfloat16(at::Device device) {
  std::optional<c10::DeviceGuard> guard;
  if (device.has_index()) guard.emplace(device);
  // The name is misleading: the function compares the compute capability of the current device with 8.0.
  return at::detail::getCUDAHooks().supportsBFloat16ConvolutionWithCuDNNv8();
}

bool has_native_bfloat16(at::Device device) {
  return device.is_cuda() ? gpu_has_bfloat16(device) : instruction_set() >= InstructionSet::avx512_bf16;
}

static at::ScalarType choose_type(Precision precision, at::Device device) {
  switch (precision) {
    case Precision::automatic:
      return has_native_bfloat16(device) ? at::kBFloat16 : at::kFloat;
    case Precision::float32:
      return at::kFloat;
    case Precision::bfloat16:
      return at::kBFloat16;
  }
  TORCH_CHECK(false, "unknown precision");
}

static void choose_threads(Compute& compute, const TrainingConfig& training, int local_size) {
  const auto variable = threads_of_environment();
  const bool set_by_torchrun = variable == 1 && local_size > 1 && std::getenv("TORCHELASTIC_RUN_ID") != nullptr;
  if (training.threads > 0) {
    compute.threads = static_cast<int>(training.threads);
    compute.threads_reason = "training.threads";
  } else if (variable && !set_by_torchrun) {
    compute.threads = static_cast<int>(*variable);
    compute.threads_reason = "OMP_NUM_THREADS";
  } else {
    const auto [cores, reason] = usable_core_count();
    compute.threads = static_cast<int>(std::max<std::int64_t>(1, cores / local_size));
    compute.threads_reason = reason + (local_size > 1 ? format_text(", shared by {} ranks", local_size) : "");
  }
}

Compute choose_compute(const TrainingConfig& training, int local_rank, int local_size) {
  Compute compute;
  compute.device = choose_device(training.device);
  if (compute.device.is_cuda() && local_size > 1) {
    compute.device.set_index(static_cast<at::DeviceIndex>(local_rank % static_cast<int>(at::getNumGPUs())));
  }
  compute.type = choose_type(training.precision, compute.device);
  choose_threads(compute, training, local_size);
  return compute;
}

void limit_threads() {
  Compute compute;
  choose_threads(compute, {}, /*local_size=*/1);
  if (compute.threads < at::get_num_threads()) at::set_num_threads(compute.threads);
}

void configure_gpu(at::Device device) {
  if (!device.is_cuda()) return;
  // All CPU algorithms are deterministic. Some of cuDNN's are not, and its benchmark mode could select a different
  // algorithm after a resume.
  at::globalContext().setBenchmarkCuDNN(false);
  at::globalContext().setDeterministicCuDNN(true);
  // TF32, which has only 10 bits of mantissa, is disabled, so that float32 has its full precision, as on the CPU. Use
  // bfloat16 for speed.
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setAllowTF32CuBLAS(false);
}

void apply_compute(const Compute& compute) {
  at::set_num_threads(compute.threads);
  watch_thread_waiting(compute.threads);
  configure_gpu(compute.device);
}

at::Tensor to_compute(const at::Tensor& tensor, const Compute& compute) {
  const auto format = tensor.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Preserve;
  // A non-blocking copy is safe: LibTorch keeps pinned memory alive until it has been read, and copies from pageable
  // memory return after reading it. The dtype is converted after the copy; otherwise the host would convert it.
  return tensor.to(compute.device, tensor.scalar_type(), /*non_blocking=*/!compute.device.is_cpu())
      .to(compute.type, /*non_blocking=*/false, /*copy=*/false, format);
}

std::string describe(const Compute& compute) {
  return format_text("{}, {}, {} thread{}", c10::DeviceTypeName(compute.device.type(), /*lower_case=*/true),
                     compute.type == at::kBFloat16 ? "bfloat16" : "float32", compute.threads,
                     plural_s(compute.threads));
}

}  // namespace slopegan
