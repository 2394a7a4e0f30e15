#include "training/device_graph.h"

#include <map>

#include "distributed/rank_environment.h"

#ifdef SLOPEGAN_HAS_CUDA_HEADERS
#include <ATen/cuda/CUDAContextLight.h>
#include <torch/version.h>
// Older versions of LibTorch cannot recover from a failed recording.
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 13)
#define SLOPEGAN_HAS_CUDA_GRAPHS
#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>
static_assert(CUDA_VERSION >= 12040, "LibTorch's CUDAGraph has a different size with CUDA headers older than 12.4");
#endif
#endif

namespace slopegan {

namespace {

#ifdef SLOPEGAN_HAS_CUDA_GRAPHS

class CudaGraph : public DeviceGraph {
 public:
  void begin() override {
    c10::cuda::device_synchronize();
    // A recording has its own memory pool. Freeing the memory cached by earlier batches makes room for the pool.
    c10::cuda::CUDACachingAllocator::emptyCache();
    // CUDA cannot record the default stream.
    c10::cuda::setCurrentCUDAStream(recording_stream_);
    // The capture is thread-local because the threads that prefetch images may pin memory in the meantime.
    graph_.capture_begin(pool_, cudaStreamCaptureModeThreadLocal);
  }
  void end() override {
    c10::cuda::setCurrentCUDAStream(recording_stream_);
    try {
      graph_.capture_end();
    } catch (...) {
      c10::cuda::setCurrentCUDAStream(previous_stream_);
      release_pool();
      throw;
    }
    c10::cuda::setCurrentCUDAStream(previous_stream_);
  }
  void replay() override { graph_.replay(); }

 private:
  /// After a failed recording, LibTorch's allocators may still record allocations; then they would not free memory that
  /// other tensors need.
  void release_pool() {
    const auto device = previous_stream_.device_index();
    try {
      c10::cuda::CUDACachingAllocator::endAllocateToPool(device, pool_);
      at::getHostAllocator(at::kCUDA)->end_allocate_to_pool(pool_);
      c10::cuda::CUDACachingAllocator::releasePool(device, pool_);
      at::getHostAllocator(at::kCUDA)->release_pool(pool_);
    } catch (const c10::Error&) {  // The recording did not start, or it ended and the graph releases its pool.
    }
  }

  at::cuda::MempoolId_t pool_ = at::cuda::graph_pool_handle();
  c10::cuda::CUDAStream previous_stream_ = c10::cuda::getCurrentCUDAStream();
  // One stream per graph, because the destructor of a graph frees the workspaces of its stream.
  c10::cuda::CUDAStream recording_stream_ = c10::cuda::getStreamFromPool();
  at::cuda::CUDAGraph graph_;
};

std::unique_ptr<DeviceGraph> make_cuda_graph() { return std::make_unique<CudaGraph>(); }

#endif

using Factories = std::map<c10::DeviceType, std::unique_ptr<DeviceGraph> (*)()>;

Factories& factories() {
#ifdef SLOPEGAN_HAS_CUDA_GRAPHS
  static Factories all{{c10::DeviceType::CUDA, make_cuda_graph}};
#else
  static Factories all;
#endif
  return all;
}

}  // namespace

std::unique_ptr<DeviceGraph> make_device_graph(c10::DeviceType device) {
  const auto make = factories().find(device);
  if (make == factories().end() || environment_value("SLOPEGAN_CUDA_GRAPHS") == "0") return nullptr;
  return make->second();
}

std::string gpu_name([[maybe_unused]] c10::Device device) {
#ifdef SLOPEGAN_HAS_CUDA_HEADERS
  try {
    if (device.is_cuda()) return at::cuda::getDeviceProperties(device.index())->name;
  } catch (const c10::Error&) {
  }
#endif
  return "";
}

void register_device_graphs(c10::DeviceType device, std::unique_ptr<DeviceGraph> (*make)()) {
  factories()[device] = make;
}

}  // namespace slopegan
