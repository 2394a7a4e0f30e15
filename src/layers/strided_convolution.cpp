#include "layers/strided_convolution.h"

#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "layers/memory_format.h"
#include "layers/thin_convolution.h"
#include "layers/tiled_products.h"

namespace slopegan {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kernel = 4, stride = 2, padding = 1;

// --- The three products
// --------------------------------------------------------------------------------------------------

ProductShape shape_of(const at::Tensor& small, std::int64_t high) {
  return {small.size(0), small.size(1), high, small.size(2), small.size(3)};
}

at::Tensor convolve(const at::Tensor& big, PreparedWeight& weight, std::int64_t low) {
  const ProductShape shape{big.size(0), low, big.size(1), big.size(2) / 2, big.size(3) / 2};
  if (convolves_in_tiles(big.scalar_type(), shape)) return convolve_in_tiles(channels_last(big), weight, low);
  return at::conv2d(channels_last(big), weight.plain(), {}, stride, padding);
}

at::Tensor transpose(const at::Tensor& small, PreparedWeight& weight, std::int64_t high) {
  const auto type = small.scalar_type();
  if (transposes_in_tiles(type, shape_of(small, high))) return transpose_in_tiles(channels_last(small), weight, high);
  if (is_thin(type, high)) return transpose_thin(small, weight.plain());
  return at::conv_transpose2d(channels_last(small), weight.plain(), {}, stride, padding);
}

/// The gradient of the weight, [low, high, 4, 4], where `big` [N, high, 2H, 2W] and `small` [N, low, H, W] are the maps
/// on its two sides, one of them a gradient.
at::Tensor correlate(const at::Tensor& big, const at::Tensor& small, at::ScalarType type) {
  if (correlates_in_tiles(small.scalar_type(), shape_of(small, big.size(1)))) {
    return correlate_in_tiles(channels_last(big), channels_last(small)).to(type);
  }
  const auto shape = at::empty({small.size(1), big.size(1), kernel, kernel}, big.options());  // its values are not read
  const std::vector<std::int64_t> strides(2, stride), paddings(2, padding), ones(2, 1), zeros(2, 0);
  const auto gradients = at::convolution_backward(channels_last(small), channels_last(big), shape, {}, strides,
                                                  paddings, ones, false, zeros, 1, {false, true, false});
  return std::get<1>(gradients).to(type);
}

// Three products of which each is the derivative of the other two, so that derivatives of any order are these again.
struct Convolve : torch::autograd::Function<Convolve> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& big, const at::Tensor& weight,
                            const PreparedWeightPtr& prepared);
  static variable_list backward(AutogradContext* context, const variable_list& gradients);
};
struct Transpose : torch::autograd::Function<Transpose> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& small, const at::Tensor& weight,
                            const PreparedWeightPtr& prepared);
  static variable_list backward(AutogradContext* context, const variable_list& gradients);
};
struct Correlate : torch::autograd::Function<Correlate> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& big, const at::Tensor& small,
                            at::ScalarType type);
  static variable_list backward(AutogradContext* context, const variable_list& gradients);
};

void keep(AutogradContext& context, const PreparedWeightPtr& prepared) {
  context.saved_data["prepared"] = c10::IValue::make_capsule(prepared);
}
PreparedWeightPtr kept(AutogradContext& context) {
  return c10::static_intrusive_pointer_cast<PreparedWeight>(context.saved_data["prepared"].toCapsule());
}

at::Tensor Convolve::forward(AutogradContext* context, const at::Tensor& big, const at::Tensor& weight,
                             const PreparedWeightPtr& prepared) {
  context->save_for_backward({big, weight});
  keep(*context, prepared);
  return convolve(big, *prepared, weight.size(0));
}
variable_list Convolve::backward(AutogradContext* context, const variable_list& gradients) {
  const auto saved = context->get_saved_variables();
  const auto &big = saved[0], &weight = saved[1], &small = gradients[0];
  variable_list results(3);
  if (context->needs_input_grad(0)) results[0] = Transpose::apply(small, weight, kept(*context));
  if (context->needs_input_grad(1)) results[1] = Correlate::apply(big, small, weight.scalar_type());
  return results;
}

at::Tensor Transpose::forward(AutogradContext* context, const at::Tensor& small, const at::Tensor& weight,
                              const PreparedWeightPtr& prepared) {
  context->save_for_backward({small, weight});
  keep(*context, prepared);
  return transpose(small, *prepared, weight.size(1));
}
variable_list Transpose::backward(AutogradContext* context, const variable_list& gradients) {
  const auto saved = context->get_saved_variables();
  const auto &small = saved[0], &weight = saved[1], &big = gradients[0];
  variable_list results(3);
  if (context->needs_input_grad(0)) results[0] = Convolve::apply(big, weight, kept(*context));
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

/// What both functions take: maps whose channels are the weight's dimension `channels`.
static PreparedWeightPtr prepare(const at::Tensor& maps, const at::Tensor& weight, std::int64_t channels,
                                 const PreparedWeightPtr& prepared) {
  const auto type = maps.scalar_type();
  TORCH_CHECK_VALUE(maps.is_cpu() && (type == at::kFloat || type == at::kDouble || type == at::kBFloat16),
                    "a strided convolution needs float32, float64 or bfloat16 on the CPU, got ", type, " on ",
                    maps.device());
  TORCH_CHECK_VALUE(weight.dim() == 4 && weight.size(2) == kernel && weight.size(3) == kernel,
                    "a strided convolution needs a weight [low, high, 4, 4], got ", weight.sizes());
  TORCH_CHECK_VALUE(maps.dim() == 4 && maps.size(1) == weight.size(channels), "maps of shape ", maps.sizes(),
                    " do not fit a weight of shape ", weight.sizes());
  if (!prepared) return c10::make_intrusive<PreparedWeight>(weight, type);
  TORCH_CHECK_VALUE(prepared->type() == type && prepared->sizes() == weight.sizes(), "the prepared weight of shape ",
                    prepared->sizes(), " for ", prepared->type(), " is of no use for ", weight.sizes(), " and ", type);
  return prepared;
}

at::Tensor strided_convolution(const at::Tensor& maps, const at::Tensor& weight, const PreparedWeightPtr& prepared) {
  const auto ready = prepare(maps, weight, /*channels=*/1, prepared);
  TORCH_CHECK_VALUE(maps.size(2) % 2 == 0 && maps.size(3) % 2 == 0, "a strided convolution needs even sides, got ",
                    maps.sizes());
  return Convolve::apply(maps, weight, ready);
}

at::Tensor strided_convolution_transposed(const at::Tensor& maps, const at::Tensor& weight,
                                          const PreparedWeightPtr& prepared) {
  return Transpose::apply(maps, weight, prepare(maps, weight, /*channels=*/0, prepared));
}

}  // namespace slopegan
