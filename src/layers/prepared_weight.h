#pragma once

#include <mutex>

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

namespace slopegan {

/// A weight [low, high, 4, 4] as the products of strided_convolution.h want it, in the dtype of their maps. Each form
/// is made when it is first asked for, so that all products of a step share it. The weight must not change meanwhile.
/// Counts its owners, since the backward pass of each use is one. Threads may share it.
class PreparedWeight : public torch::CustomClassHolder {
 public:
  /// weight: float32 or float64; type: float32, float64 or bfloat16. Keeps no gradient.
  PreparedWeight(const at::Tensor& weight, at::ScalarType type);

  at::ScalarType type() const { return type_; }
  at::IntArrayRef sizes() const { return weight_.sizes(); }

  /// [low, high, 4, 4], channels-last.
  const at::Tensor& plain();
  /// For convolve_in_tiles: parts of [taps · high, low] one after the other.
  const at::Tensor& for_convolving();
  /// For transpose_in_tiles: parts of [low, taps · high] one after the other.
  const at::Tensor& for_transposing();

 private:
  const at::Tensor& made_plain();
  template <typename Make>
  const at::Tensor& made(at::Tensor& form, Make make);

  at::Tensor weight_;
  at::ScalarType type_;
  std::mutex mutex_;  // of the forms
  at::Tensor plain_, convolving_, transposing_;
};
using PreparedWeightPtr = c10::intrusive_ptr<PreparedWeight>;

}  // namespace slopegan
