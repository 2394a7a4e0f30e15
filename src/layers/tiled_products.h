#pragma once

#include <compare>
#include <cstdint>
#include <functional>

#include <ATen/core/Tensor.h>

#include "layers/strided_convolution.h"

/// The convolutions of strided_convolution.h and the gradient of their weight as matrix products of patches, and the
/// conditions under which these products are used instead of LibTorch's convolutions.
///
/// Tiled products multiply tiles that stay in the cache: patches are gathered, multiplied with oneDNN's kernels for
/// small matrices (LibTorch's cpublas::brgemm) and accumulated one tile at a time; the full patch matrix never exists
/// in memory. These kernels reach the processor's peak, whereas MKL's float32 GEMM reaches only 40 % of it on AMD
/// processors.
///
/// Feature maps are channels-last, `big` [N, high, 2H, 2W] and `small` [N, low, H, W], in float32 or bfloat16; sums are
/// accumulated in float32.
namespace slopegan {

/// Returns the maps [N, C, H, W] in channels-last memory format, without a copy if they already have this format.
inline at::Tensor channels_last(const at::Tensor& maps) { return maps.contiguous(at::MemoryFormat::ChannelsLast); }

/// big -> small, small -> big, and the gradient of the weight.
enum class Product { convolve, transpose, correlate };

/// The sizes of a product: the batch size, the channels on both sides, and the height and width of the small feature
/// maps.
struct ProductShape {
  std::int64_t count = 0, low = 0, high = 0, height = 0, width = 0;
  auto operator<=>(const ProductShape&) const = default;
};

/// Whether the processor and LibTorch support the tiled product. In bfloat16 the summed dimension must be even.
bool supports_tiles(Product product, at::ScalarType type, const ProductShape& shape);

/// Whether the tiled product is faster than LibTorch's on processors with AVX-512 and without AMX.
bool expects_tiles(Product product, at::ScalarType type, const ProductShape& shape);

/// Chooses between the tiled product and LibTorch's for the differentiable convolutions (strided_convolution.h), but
/// not for FixedTransposedConvolution. The implementation must be thread-safe.
class KernelSelector {
 public:
  virtual ~KernelSelector() = default;

  /// Returns whether to compute a product in tiles; `expected` is expects_tiles(product, type, shape).
  /// compute(in_tiles) computes the product in one of the two ways and discards the result, so that their times can be
  /// measured.
  virtual bool selects_tiles(Product product, at::ScalarType type, const ProductShape& shape, bool expected,
                             const std::function<void(bool in_tiles)>& compute) = 0;
};

/// Sets the selector of the process, which must outlive all products. nullptr, the default: expects_tiles() decides.
void set_kernel_selector(KernelSelector* selector);
KernelSelector* kernel_selector();

/// Returns compute(true), the tiled product, or compute(false), LibTorch's.
template <typename Compute>
at::Tensor compute_product(Product product, at::ScalarType type, const ProductShape& shape, const Compute& compute) {
  bool in_tiles = supports_tiles(product, type, shape);
  if (in_tiles) {
    const bool expected = expects_tiles(product, type, shape);
    auto* selector = kernel_selector();
    in_tiles = selector == nullptr
                   ? expected
                   : selector->selects_tiles(product, type, shape, expected, [&](bool tiles) { compute(tiles); });
  }
  return compute(in_tiles);
}

/// big -> small.
at::Tensor convolve_in_tiles(const at::Tensor& big, PreparedWeight& weight, std::int64_t low);

/// small -> big with `high` channels: leaky_relu(sum + bias, negative_slope) if `bias` (float32 [high], contiguous) is
/// defined, otherwise the sum.
at::Tensor transpose_in_tiles(const at::Tensor& small, PreparedWeight& weight, std::int64_t high,
                              const at::Tensor& bias = {}, double negative_slope = 1);

/// The gradient of the weight, [low, high, 4, 4], float32, contiguous.
at::Tensor correlate_in_tiles(const at::Tensor& big, const at::Tensor& small);

/// Whether transpose_thin is faster than oneDNN's convolution, for machines that do not support tiled products.
bool is_thin(at::ScalarType type, std::int64_t high);

/// small -> big in float32 as one matrix product over all patches. weight: [low, high, 4, 4]; bias and negative_slope
/// as for transpose_in_tiles.
at::Tensor transpose_thin(const at::Tensor& small, const at::Tensor& weight, const at::Tensor& bias = {},
                          double negative_slope = 1);

}  // namespace slopegan
