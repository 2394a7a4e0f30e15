#include "layers/fixed_convolution.h"

#include <optional>
#include <string_view>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>

#include "layers/leaky_relu.h"
#include "layers/memory_format.h"
#include "layers/thin_convolution.h"
#include "layers/tiled_products.h"

namespace slopegan {

namespace {

const std::vector<std::int64_t> twos(2, 2), ones(2, 1), zeros(2, 0);

using Scalars = c10::List<std::optional<at::Scalar>>;
using Reorder = at::Tensor(const at::Tensor&, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef,
                           std::int64_t, at::OptionalIntArrayRef);
using Pointwise = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, at::IntArrayRef,
                             at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, std::int64_t, std::string_view, Scalars,
                             std::optional<std::string_view>);

/// LibTorch registers these for its compiler and declares them in no header.
template <typename Signature>
c10::TypedOperatorHandle<Signature> onednn_operator(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

}  // namespace

FixedTransposedConvolution::FixedTransposedConvolution(const at::Tensor& weight, const at::Tensor& bias,
                                                       at::ScalarType type, double negative_slope)
    : low_(weight.size(0)),
      high_(weight.size(1)),
      negative_slope_(negative_slope),
      bias_(bias.detach().to(at::kFloat).contiguous()),
      weight_(c10::make_intrusive<PreparedWeight>(weight, type)) {
  TORCH_CHECK_VALUE(type == at::kFloat || type == at::kBFloat16, "expected float32 or bfloat16, got ", type);
  TORCH_CHECK_VALUE(negative_slope >= 0, "expected a negative slope from 0 upwards, got ", negative_slope);
  if (!at::globalContext().hasMKLDNN()) return;
  const at::NoGradGuard no_gradients;
  static const auto reorder = onednn_operator<Reorder>("mkldnn::_reorder_convolution_transpose_weight");
  packed_ = reorder.call(weight_->plain(), ones, zeros, twos, ones, 1, std::nullopt);
}

at::Tensor FixedTransposedConvolution::operator()(const at::Tensor& maps) const {
  const at::NoGradGuard no_gradients;
  const auto type = maps.scalar_type();
  TORCH_CHECK_VALUE(type == weight_->type() && maps.dim() == 4 && maps.size(1) == low_, "expected [N, ", low_,
                    ", H, W] of ", weight_->type(), ", got ", maps.sizes(), " of ", type);
  if (transposes_in_tiles(type, {maps.size(0), low_, high_, maps.size(2), maps.size(3)})) {
    return transpose_in_tiles(channels_last(maps), *weight_, high_, bias_, negative_slope_);
  }
  if (is_thin(type, high_)) return transpose_thin(maps, weight_->plain(), bias_, negative_slope_);
  if (packed_.defined()) return by_onednn(channels_last(maps));
  auto output = at::conv_transpose2d(maps, weight_->plain(), bias_.to(type), twos, ones);
  return slopegan::leaky_relu_(output, negative_slope_);
}

at::Tensor FixedTransposedConvolution::by_onednn(const at::Tensor& maps) const {
  static const auto convolve = onednn_operator<Pointwise>("mkldnn::_convolution_transpose_pointwise");
  // Its own leaky_relu is slower than a pass of ours over what is still in the cache (27,455 against 29,823 images/s
  // for 64 images of 32 pixels), and makes 0 of what is not a number at slope 0.
  auto output =
      convolve.call(maps, packed_, bias_.to(maps.scalar_type()), ones, zeros, twos, ones, 1, "none", Scalars(), "");
  return negative_slope_ == 1 ? output : slopegan::leaky_relu_(output, negative_slope_);
}

}  // namespace slopegan
