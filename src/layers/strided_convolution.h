#pragma once

#include <cstdint>
#include <mutex>

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

/// The convolution of DCGANs, 4×4 with stride 2 and padding 1, and its transpose (Radford et al. 2016).
///
/// LibTorch's convolutions are near the machine's peak for wide layers, but slow for thin ones (an image's one or three
/// channels), for weight gradients, and for small feature maps. If multiplying patches in the cache is faster and the
/// processor supports it, these functions do that instead (tiled_products.h). Otherwise they call LibTorch, or
/// transpose_thin for thin transposed convolutions in float32. By default, the choice depends only on the shapes, the
/// dtype and the processor.
///
/// Feature maps are [N, C, H, W] on the CPU, preferably channels-last; results are channels-last. Weights are [low,
/// high, 4, 4], where `low` is the number of channels in the small feature maps.
namespace slopegan {

/// A weight [low, high, 4, 4] in the layouts that the convolutions need, in the dtype of the feature maps. Each layout
/// is computed on first use and then shared by all convolutions in a step. The weight must not change while this object
/// is in use. The object is reference-counted: the backward pass of each use holds a reference. Thread-safe.
class PreparedWeight : public torch::CustomClassHolder {
 public:
  /// weight: float32 or float64; type: float32, float64 or bfloat16. The layouts are detached from autograd.
  PreparedWeight(const at::Tensor& weight, at::ScalarType type);

  at::ScalarType type() const { return type_; }
  at::IntArrayRef sizes() const { return weight_.sizes(); }

  /// [low, high, 4, 4], channels-last.
  const at::Tensor& plain();
  /// For convolve_in_tiles: consecutive parts, each [taps · high, low].
  const at::Tensor& for_convolving();
  /// For transpose_in_tiles: consecutive parts, each [low, taps · high].
  const at::Tensor& for_transposing();

 private:
  const at::Tensor& compute_plain();
  template <typename Write>
  const at::Tensor& compute(at::Tensor& layout, Write write);

  at::Tensor weight_;
  at::ScalarType type_;
  std::mutex mutex_;  // guards the layouts
  at::Tensor plain_, convolving_, transposing_;
};
using PreparedWeightPtr = c10::intrusive_ptr<PreparedWeight>;

/// [N, high, 2H, 2W] -> [N, low, H, W], differentiable any number of times in both arguments. float32, float64 or
/// bfloat16. The weight may have a wider dtype than the maps: it is cast for the product, and its gradient has the
/// weight's dtype. `prepared`, if given, is `weight` prepared for the dtype of the maps. Throws c10::Error (ValueError)
/// for unsupported dtypes, devices and shapes.
at::Tensor strided_convolution(const at::Tensor& maps, const at::Tensor& weight,
                               const PreparedWeightPtr& prepared = {});

/// [N, low, H, W] -> [N, high, 2H, 2W]; otherwise like strided_convolution.
at::Tensor strided_convolution_transposed(const at::Tensor& maps, const at::Tensor& weight,
                                          const PreparedWeightPtr& prepared = {});

/// The transposed convolution for inference: leaky_relu(transposed convolution + bias). The weight is converted once to
/// the layout of the fastest kernel, and the bias and the rectifier are applied while the results are still in the
/// cache. Does not compute gradients.
class FixedTransposedConvolution {
 public:
  /// weight: [low, high, 4, 4]; bias: [high]; type: the dtype of the maps, float32 or bfloat16; negative_slope: 0 or
  /// more, where 1 is the identity. Throws c10::Error (ValueError) for any other dtype or slope.
  FixedTransposedConvolution(const at::Tensor& weight, const at::Tensor& bias, at::ScalarType type,
                             double negative_slope);

  /// [N, low, H, W] -> [N, high, 2H, 2W], channels-last.
  at::Tensor operator()(const at::Tensor& maps) const;

 private:
  at::Tensor run_onednn(const at::Tensor& maps) const;

  std::int64_t low_, high_;
  double negative_slope_;
  at::Tensor bias_;  // float32
  PreparedWeightPtr weight_;
  at::Tensor packed_;  // in oneDNN's layout; undefined if oneDNN is not used
};

}  // namespace slopegan
