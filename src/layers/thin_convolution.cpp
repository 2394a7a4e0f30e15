#include "layers/thin_convolution.h"

#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "layers/memory_format.h"
#include "layers/patches_kernel.h"

namespace slopegan {

bool is_thin(at::ScalarType type, std::int64_t high) { return type == at::kFloat && high <= 4; }

at::Tensor transpose_thin(const at::Tensor& small, const at::Tensor& weight, const at::Tensor& bias,
                          double negative_slope) {
  const std::int64_t count = small.size(0), low = small.size(1), high = weight.size(1), h = small.size(2),
                     w = small.size(3);
  const auto rows = channels_last(small).permute({0, 2, 3, 1}).reshape({-1, low});
  const auto patches = at::mm(rows, weight.permute({0, 2, 3, 1}).reshape({low, -1}));
  auto big = at::empty({count, high, 2 * h, 2 * w}, small.options(), at::MemoryFormat::ChannelsLast);
  const kernels::Epilogue epilogue{bias.defined() ? bias.const_data_ptr<float>() : nullptr,
                                   static_cast<float>(negative_slope)};
  const auto* source = patches.const_data_ptr<float>();
  auto* target = big.mutable_data_ptr<float>();
  at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> sums(static_cast<std::size_t>(kernels::values_of_sums(h, w, high)));
    for (std::int64_t n = begin; n < end; ++n) {
      std::fill(sums.begin(), sums.end(), 0.0f);
      kernels::add_taps(source + n * h * w * 16 * high, sums.data(), 0, h, w, high, {});
      kernels::store_sums(sums.data(), target + n * 4 * h * w * high, h, w, high, epilogue);
    }
  });
  return big;
}

}  // namespace slopegan
