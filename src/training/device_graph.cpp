#include "training/device_graph.h"

#include <map>

#include "distributed/rank_environment.h"

#ifdef SLOPEGAN_HAS_CUDA_HEADERS
#include <torch/version.h>
// Older ones leave their allocator in the middle of a recording that fails.
#if TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 13
#define SLOPEGAN_HAS_CUDA_GRAPHS
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>
static_assert(CUDA_VERSION >= 12040, "LibTorch's CUDAGraph has another size with headers that are so old");
#endif
#endif

namespace slopegan {

namespace {

#ifdef SLOPEGAN_HAS_CUDA_GRAPHS

class CudaGraph : public DeviceGraph {
 public:
  void begin() override {
    c10::cuda::device_synchronize();
    // A recording has memory of its own, for as much as the batches before it have left in the cache.
    c10::cuda::CUDACachingAllocator::emptyCache();
    // CUDA does not record its default stream.
    c10::cuda::setCurrentCUDAStream(side_);
    // The threads that read images ahead may pin memory meanwhile.
    graph_.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
  }
  void end() override {
    c10::cuda::setCurrentCUDAStream(side_);
    try {
      graph_.capture_end();
    } catch (...) {
      c10::cuda::setCurrentCUDAStream(before_);
      throw;
    }
    c10::cuda::setCurrentCUDAStream(before_);
  }
  void play() override { graph_.replay(); }

 private:
  // One for each: a graph that goes takes its stream's workspaces along.
  c10::cuda::CUDAStream before_ = c10::cuda::getCurrentCUDAStream(), side_ = c10::cuda::getStreamFromPool();
  at::cuda::CUDAGraph graph_;
};

std::unique_ptr<DeviceGraph> make_cuda_graph() { return std::make_unique<CudaGraph>(); }

#endif

using Makers = std::map<c10::DeviceType, std::unique_ptr<DeviceGraph> (*)()>;

Makers& makers() {
#ifdef SLOPEGAN_HAS_CUDA_GRAPHS
  static Makers all{{c10::DeviceType::CUDA, make_cuda_graph}};
#else
  static Makers all;
#endif
  return all;
}

}  // namespace

std::unique_ptr<DeviceGraph> make_device_graph(c10::DeviceType device) {
  const auto make = makers().find(device);
  if (make == makers().end() || environment_value("SLOPEGAN_CUDA_GRAPHS") == "0") return nullptr;
  return make->second();
}

void register_device_graphs(c10::DeviceType device, std::unique_ptr<DeviceGraph> (*make)()) { makers()[device] = make; }

}  // namespace slopegan
