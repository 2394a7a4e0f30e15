#include "models/convolution.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/types.h>

namespace slopegan {

ConvolutionImpl::ConvolutionImpl(const ConvolutionOptions& options)
    : options_(options), is_strided_(options.kernel == 4 && options.stride == 2 && options.padding == 1) {
  const auto [in, out, k] = std::tuple(options.in_channels, options.out_channels, options.kernel);
  weight = register_parameter("weight", options.transposed ? at::zeros({in, out, k, k}) : at::zeros({out, in, k, k}));
  if (options.bias) bias = register_parameter("bias", at::zeros({out}));
  if (options.spectral_norm) u = register_buffer("u", at::zeros({weight.size(0)}));
}

at::Tensor ConvolutionImpl::normalised_weight() {
  if (!options_.spectral_norm) return weight;
  const auto matrix = weight.flatten(1);
  at::Tensor v;
  {
    const at::NoGradGuard no_gradients;
    const auto unit = [](const at::Tensor& x) { return x / x.norm().clamp_min(1e-12); };
    v = unit(at::mv(matrix.t(), u));
    if (is_training()) {
      u.copy_(unit(at::mv(matrix, v)));
      v = unit(at::mv(matrix.t(), u));
    }
  }
  // The gradient passes through sigma = u'Wv with u and v fixed. u is copied because the next pass overwrites it.
  return weight / at::dot(u.clone(), at::mv(matrix, v));
}

PreparedWeightPtr ConvolutionImpl::prepared_for(at::ScalarType type) {
  // The weight changes once per step and is used several times. Its version counts these changes.
  if (!prepared_ || prepared_->type() != type || prepared_version_ != weight._version()) {
    prepared_ = c10::make_intrusive<PreparedWeight>(weight, type);
    prepared_version_ = weight._version();
  }
  return prepared_;
}

at::Tensor ConvolutionImpl::strided(const at::Tensor& input) {
  const auto kernel = normalised_weight();
  const auto prepared = options_.spectral_norm ? PreparedWeightPtr() : prepared_for(input.scalar_type());
  auto output = options_.transposed ? strided_convolution_transposed(input, kernel, prepared)
                                    : strided_convolution(input, kernel, prepared);
  return bias.defined() ? output.add_(bias.to(input.scalar_type()).view({1, -1, 1, 1})) : output;
}

bool ConvolutionImpl::is_dense(const at::Tensor& input) const {
  const std::int64_t side = options_.transposed ? 1 : options_.kernel;
  return options_.padding == 0 && input.size(2) == side && input.size(3) == side;
}

at::Tensor ConvolutionImpl::dense(const at::Tensor& input) {
  const auto kernel = normalised_weight().to(input.scalar_type()).permute({0, 2, 3, 1});
  const std::int64_t count = input.size(0), k = options_.kernel;
  auto output = options_.transposed
                    ? at::mm(input.flatten(1), kernel.flatten(1)).view({count, k, k, options_.out_channels})
                    : at::mm(input.permute({0, 2, 3, 1}).flatten(1), kernel.flatten(1).t()).view({count, 1, 1, -1});
  output = output.permute({0, 3, 1, 2});
  return bias.defined() ? output.add_(bias.to(input.scalar_type()).view({1, -1, 1, 1})) : output;
}

at::Tensor ConvolutionImpl::forward(const at::Tensor& input) {
  if (is_strided_ && input.device().is_cpu()) return strided(input);
  if (is_dense(input)) return dense(input);
  const auto type = input.scalar_type();
  const auto kernel = normalised_weight().to(type);
  const auto offset = bias.defined() ? bias.to(type) : bias;
  const std::vector<std::int64_t> stride(2, options_.stride), padding(2, options_.padding);
  return options_.transposed ? at::conv_transpose2d(input, kernel, offset, stride, padding)
                             : at::conv2d(input, kernel, offset, stride, padding);
}

std::int64_t ConvolutionImpl::output_size(std::int64_t input_size) const {
  const auto& o = options_;
  return o.transposed ? (input_size - 1) * o.stride - 2 * o.padding + o.kernel
                      : (input_size + 2 * o.padding - o.kernel) / o.stride + 1;
}

std::int64_t ConvolutionImpl::fan_in() const {
  const auto& o = options_;
  const std::int64_t taps = o.transposed && o.stride > 1 ? o.kernel / o.stride : o.kernel;
  // A transposed convolution with stride 1 has a 1×1 input, which contributes to each output once.
  return o.in_channels * (o.transposed && o.stride == 1 ? 1 : taps * taps);
}

}  // namespace slopegan
