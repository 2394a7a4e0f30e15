#include "layers/strided_convolution.h"

#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "layers/patches.h"

namespace slopegan {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kernel = 4, stride = 2, padding = 1;

// --- The three products
// --------------------------------------------------------------------------------------------------

at::Tensor convolve(const at::Tensor& big, const at::Tensor& weight) {
  const std::int64_t count = big.size(0), low = weight.size(0), h = big.size(2) / 2, w = big.size(3) / 2;
  if (!convolves_patches(big.scalar_type(), weight.size(1), count * h * w)) {
    return at::conv2d(channels_last(big), weight, {}, stride, padding);
  }
  auto small = at::empty({count, low, h, w}, big.options(), at::MemoryFormat::ChannelsLast);
  auto rows = rows_of(small);  // the same memory
  at::mm_out(rows, gather_patches(big), rows_of_weight(weight).t());
  return small;
}

at::Tensor transpose(const at::Tensor& small, const at::Tensor& weight) {
  const std::int64_t high = weight.size(1), count = small.size(0), h = small.size(2), w = small.size(3);
  if (!transposes_patches(small.scalar_type(), high, count * h * w)) {
    return at::conv_transpose2d(channels_last(small), weight, {}, stride, padding);
  }
  return scatter_patches(at::mm(rows_of(small), rows_of_weight(weight)), count, high, h, w);
}

/// The gradient of the weight, [low, high, 4, 4], where `big` [N, high, 2H, 2W] and `small` [N, low, H, W] are the maps
/// on its two sides, one of them a gradient.
at::Tensor correlate(const at::Tensor& big, const at::Tensor& small, at::ScalarType type) {
  const std::int64_t low = small.size(1), high = big.size(1);
  if (correlates_patches(big.scalar_type(), high, small.numel() / low)) {
    const auto rows = at::mm(rows_of(small).t(), gather_patches(big));
    return rows.view({low, kernel, kernel, high})
        .permute({0, 3, 1, 2})
        .to(type, false, true, at::MemoryFormat::Contiguous);
  }
  const auto shape = at::empty({low, high, kernel, kernel}, big.options());  // its values are not read
  const std::vector<std::int64_t> strides(2, stride), paddings(2, padding), ones(2, 1), zeros(2, 0);
  const auto gradients = at::convolution_backward(channels_last(small), channels_last(big), shape, {}, strides,
                                                  paddings, ones, false, zeros, 1, {false, true, false});
  return std::get<1>(gradients).to(type);
}

// Three products of which each is the derivative of the other two, so that derivatives of any order are these again.
struct Convolve : torch::autograd::Function<Convolve> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& big, const at::Tensor& weight,
                            const at::Tensor& cast);
  static variable_list backward(AutogradContext* context, const variable_list& gradients);
};
struct Transpose : torch::autograd::Function<Transpose> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& small, const at::Tensor& weight,
                            const at::Tensor& cast);
  static variable_list backward(AutogradContext* context, const variable_list& gradients);
};
struct Correlate : torch::autograd::Function<Correlate> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& big, const at::Tensor& small,
                            at::ScalarType type);
  static variable_list backward(AutogradContext* context, const variable_list& gradients);
};

at::Tensor Convolve::forward(AutogradContext* context, const at::Tensor& big, const at::Tensor& weight,
                             const at::Tensor& cast) {
  context->save_for_backward({big, weight, cast});
  return convolve(big, cast);
}
variable_list Convolve::backward(AutogradContext* context, const variable_list& gradients) {
  const auto saved = context->get_saved_variables();
  const auto &big = saved[0], &weight = saved[1], &small = gradients[0];
  variable_list results(3);
  if (context->needs_input_grad(0)) results[0] = Transpose::apply(small, weight, saved[2]);
  if (context->needs_input_grad(1)) results[1] = Correlate::apply(big, small, weight.scalar_type());
  return results;
}

at::Tensor Transpose::forward(AutogradContext* context, const at::Tensor& small, const at::Tensor& weight,
                              const at::Tensor& cast) {
  context->save_for_backward({small, weight, cast});
  return transpose(small, cast);
}
variable_list Transpose::backward(AutogradContext* context, const variable_list& gradients) {
  const auto saved = context->get_saved_variables();
  const auto &small = saved[0], &weight = saved[1], &big = gradients[0];
  variable_list results(3);
  if (context->needs_input_grad(0)) results[0] = Convolve::apply(big, weight, saved[2]);
  if (context->needs_input_grad(1)) results[1] = Correlate::apply(big, small, weight.scalar_type());
  return results;
}

at::Tensor Correlate::forward(AutogradContext* context, const at::Tensor& big, const at::Tensor& small,
                              at::ScalarType type) {
  context->save_for_backward({big, small});
  return correlate(big, small, type);
}
variable_list Correlate::backward(AutogradContext* context, const variable_list& gradients) {
  const auto saved = context->get_saved_variables();
  const auto &big = saved[0], &small = saved[1], &weight = gradients[0];
  variable_list results(3);
  if (context->needs_input_grad(0)) results[0] = strided_convolution_transposed(small, weight);
  if (context->needs_input_grad(1)) results[1] = strided_convolution(big, weight);
  return results;
}

}  // namespace

at::Tensor cast_weight(const at::Tensor& weight, at::ScalarType type) {
  return weight.detach().to(type, false, false, at::MemoryFormat::ChannelsLast);
}

at::Tensor strided_convolution(const at::Tensor& maps, const at::Tensor& weight, const at::Tensor& cast) {
  return Convolve::apply(maps, weight, cast.defined() ? cast : cast_weight(weight, maps.scalar_type()));
}

at::Tensor strided_convolution_transposed(const at::Tensor& maps, const at::Tensor& weight, const at::Tensor& cast) {
  return Transpose::apply(maps, weight, cast.defined() ? cast : cast_weight(weight, maps.scalar_type()));
}

}  // namespace slopegan
