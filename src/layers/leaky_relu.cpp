#include "layers/leaky_relu.h"

#include <cmath>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "layers/leaky_relu_kernel.h"

namespace slopegan {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// For fewer values than this, a second thread costs more than it saves.
constexpr std::int64_t values_per_thread = 1 << 15;

bool has_kernel(const at::Tensor& tensor) {
  const auto type = tensor.scalar_type();
  return tensor.device().is_cpu() && tensor.is_non_overlapping_and_dense() &&
         (type == at::kFloat || type == at::kDouble || type == at::kBFloat16);
}

/// Calls loop(T{}, slope), where T is the tensor's element type and slope has the type used for arithmetic.
template <typename Loop>
void dispatch(const at::Tensor& tensor, double slope, Loop loop) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return loop(float{}, static_cast<float>(slope));
    case at::kDouble:
      return loop(double{}, slope);
    case at::kBFloat16:
      return loop(kernels::bfloat16_bits{}, static_cast<float>(slope));
    default:
      TORCH_CHECK(false, "leaky_relu has no kernel for ", tensor.scalar_type());
  }
}

template <typename T>
T* data(const at::Tensor& tensor) {
  return static_cast<T*>(tensor.data_ptr());
}

void run_forward(const at::Tensor& input, const at::Tensor& output, double slope) {
  dispatch(input, slope, [&](auto tag, auto compute_slope) {
    using T = decltype(tag);
    at::parallel_for(0, input.numel(), values_per_thread, [&](std::int64_t begin, std::int64_t end) {
      kernels::leaky_relu(data<T>(input) + begin, data<T>(output) + begin, end - begin, compute_slope);
    });
  });
}

at::Tensor forward(const at::Tensor& input, double slope) {
  if (has_kernel(input)) {
    auto output = at::empty_like(input);
    run_forward(input, output, slope);
    return output;
  }
  if (slope == 0) return input.clamp_min(0);
  // On a GPU, LibTorch's operator is a single kernel without temporary tensors.
  return input.is_cpu() ? at::where(input > 0, input, input * slope) : at::leaky_relu(input, slope);
}

void forward_in_place(const at::Tensor& input, double slope) {
  if (has_kernel(input)) {
    run_forward(input, input, slope);
  } else if (input.is_cpu()) {
    input.copy_(forward(input, slope));
  } else if (slope == 0) {
    input.clamp_min_(0);
  } else {
    at::Tensor same = input;
    at::leaky_relu_(same, slope);
  }
}

at::Tensor backward(const at::Tensor& gradient, const at::Tensor& sign, double slope) {
  if (!sign.is_cpu()) {
    return slope == 0 ? at::threshold_backward(gradient, sign, 0)
                      : at::leaky_relu_backward(gradient, sign, slope, /*self_is_result=*/false);
  }
  if (!has_kernel(sign) || gradient.scalar_type() != sign.scalar_type() || !gradient.device().is_cpu()) {
    return at::where(sign > 0, gradient, slope == 0 ? at::zeros_like(gradient) : gradient * slope);
  }
  auto output = at::empty_like(sign);
  // The loop visits the elements in memory order, so the gradient must have the same strides as `sign`.
  const bool aligned = gradient.strides() == sign.strides();
  const auto source = aligned ? gradient : output.copy_(gradient);
  dispatch(sign, slope, [&](auto tag, auto compute_slope) {
    using T = decltype(tag);
    at::parallel_for(0, sign.numel(), values_per_thread, [&](std::int64_t begin, std::int64_t end) {
      kernels::leaky_relu_backward(data<T>(source) + begin, data<T>(sign) + begin, data<T>(output) + begin, end - begin,
                                   compute_slope);
    });
  });
  return output;
}

/// Computes gradient · f'(x). The result is linear in the gradient, so its derivative with respect to the gradient is
/// the same function. The derivative with respect to x is 0 almost everywhere.
struct LeakyReluBackward : torch::autograd::Function<LeakyReluBackward> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& gradient, const at::Tensor& sign,
                            double slope) {
    context->save_for_backward({sign});
    context->saved_data["slope"] = slope;
    return slopegan::backward(gradient, sign, slope);
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto sign = context->get_saved_variables().front();
    return {LeakyReluBackward::apply(gradients.front(), sign, context->saved_data["slope"].toDouble()), {}, {}};
  }
};

/// LeakyReluBackward, without the overhead of an autograd function if no graph is recorded. For 1 MiB of values on two
/// cores, this overhead is a tenth of the time.
at::Tensor differentiable_backward(const at::Tensor& gradient, const at::Tensor& sign, double slope) {
  return at::GradMode::is_enabled() ? LeakyReluBackward::apply(gradient, sign, slope) : backward(gradient, sign, slope);
}

struct LeakyRelu : torch::autograd::Function<LeakyRelu> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, double slope, bool in_place) {
    at::Tensor output = input;
    if (in_place) {
      forward_in_place(input, slope);
      context->mark_dirty({input});
    } else {
      output = slopegan::forward(input, slope);
    }
    context->save_for_backward({slope >= 0 ? output : input});
    context->saved_data["slope"] = slope;
    return output;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    // Only the sign is used. It is detached because the graph of the output leads back to this node.
    const auto sign = context->get_saved_variables().front().detach();
    return {differentiable_backward(gradients.front(), sign, context->saved_data["slope"].toDouble()), {}, {}};
  }
};

/// Reshapes the slopes to broadcast over the channels of `input`.
at::Tensor per_channel(const at::Tensor& slope, const at::Tensor& input) {
  if (slope.numel() == 1) return slope.reshape({});
  std::vector<std::int64_t> shape(static_cast<std::size_t>(input.dim()), 1);
  shape[1] = slope.numel();
  return slope.reshape(shape);
}

struct Prelu : torch::autograd::Function<Prelu> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& slope) {
    context->save_for_backward({input, slope});
    return at::where(input > 0, input, input * per_channel(slope, input).to(input.scalar_type()));
  }
  // The gradients are computed with differentiable operations, so second derivatives in both arguments are available.
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &input = saved[0], &slope = saved[1], &gradient = gradients[0];
    const auto broadcast = per_channel(slope, input).to(input.scalar_type());
    const auto input_gradient = at::where(input > 0, gradient, gradient * broadcast);
    std::vector<std::int64_t> summed;
    for (std::int64_t d = 0; d < input.dim(); ++d) {
      if (slope.numel() == 1 || d != 1) summed.push_back(d);
    }
    const auto products = gradient * input.clamp_max(0);
    const auto sums = summed.empty() ? products.to(slope.scalar_type())
                                     : products.sum(summed, /*keepdim=*/false, slope.scalar_type());
    return {input_gradient, sums.reshape(slope.sizes())};
  }
};

void check_arguments(const at::Tensor& input, double negative_slope) {
  TORCH_CHECK_VALUE(at::isFloatingType(input.scalar_type()), "leaky_relu needs a floating-point dtype, got ",
                    input.scalar_type());
  TORCH_CHECK_VALUE(std::isfinite(negative_slope), "leaky_relu needs a finite negative slope, got ", negative_slope);
}

}  // namespace

at::Tensor leaky_relu(const at::Tensor& input, double negative_slope) {
  check_arguments(input, negative_slope);
  // This avoids the overhead of an autograd function.
  if (!at::GradMode::is_enabled() || !input.requires_grad()) return forward(input, negative_slope);
  return LeakyRelu::apply(input, negative_slope, /*in_place=*/false);
}

at::Tensor& leaky_relu_(at::Tensor& input, double negative_slope) {
  check_arguments(input, negative_slope);
  TORCH_CHECK_VALUE(negative_slope >= 0, "leaky_relu_ needs a negative slope of 0 or more, got ", negative_slope);
  input = LeakyRelu::apply(input, negative_slope, /*in_place=*/true);
  return input;
}

at::Tensor leaky_relu_gradient(const at::Tensor& gradient, const at::Tensor& sign, double negative_slope) {
  return differentiable_backward(gradient, sign, negative_slope);
}

at::Tensor prelu(const at::Tensor& input, const at::Tensor& slope) {
  TORCH_CHECK_VALUE(at::isFloatingType(input.scalar_type()), "prelu needs a floating-point dtype, got ",
                    input.scalar_type());
  TORCH_CHECK_VALUE(slope.numel() == 1 || (input.dim() >= 2 && slope.numel() == input.size(1)), "prelu has ",
                    slope.numel(), " slopes for an input of shape ", input.sizes(), "; expected 1 or one per channel");
  return Prelu::apply(input, slope);
}

}  // namespace slopegan
