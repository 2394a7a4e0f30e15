#include "distributed/nccl_backend.h"

#ifdef SLOPEGAN_HAS_CUDA_HEADERS
#ifndef USE_C10D_NCCL
#define USE_C10D_NCCL
#endif
#include <cstdint>
#include <string_view>

#include <torch/csrc/cuda/nccl.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "support/checksums.h"
#elif defined(USE_C10D_GLOO)
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>
#endif

namespace slopegan {

#ifdef SLOPEGAN_HAS_CUDA_HEADERS

std::string obstacle_to_nccl() {
  // Objects that both this program and LibTorch use have different sizes in different versions.
  constexpr std::uint64_t major = NCCL_MAJOR, minor = NCCL_MINOR, patch = NCCL_PATCH;
  if (torch::cuda::nccl::version() == (major << 32 | minor << 16 | patch)) return "";
  return "this program was built with another version of NCCL's header (nccl.h) than LibTorch";
}

bool shares_gpu(c10d::Store& store, c10::Device device) {
  const auto& id = at::cuda::getDeviceProperties(device.index())->uuid.bytes;
  return store.add("gpu/" + sha256_hex(std::string_view(id, sizeof id)), 1) > 1;
}

c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>& store,
                                            const RankEnvironment& environment, std::chrono::milliseconds timeout) {
  const auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(c10::make_intrusive<c10d::PrefixStore>("nccl", store),
                                                     environment.rank, environment.size, options);
}

#elif defined(USE_C10D_GLOO)

std::string obstacle_to_nccl() {
  return "this program was built without NCCL (scripts/README.md lists the headers that it needs)";
}

bool shares_gpu(c10d::Store&, c10::Device) { return false; }

c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>&, const RankEnvironment&,
                                            std::chrono::milliseconds) {
  return {};
}

#endif

}  // namespace slopegan
