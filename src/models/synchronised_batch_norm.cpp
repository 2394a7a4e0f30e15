#include "models/synchronised_batch_norm.h"

#include <utility>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

namespace slopegan {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// What the backward pass keeps of the forward pass.
struct KeptSum : torch::CustomClassHolder {
  explicit KeptSum(SumOverRanks function) : sum(std::move(function)) {}
  SumOverRanks sum;
};

struct Sum : torch::autograd::Function<Sum> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const SumOverRanks& sum) {
    context->saved_data["sum"] = c10::IValue::make_capsule(c10::make_intrusive<KeptSum>(sum));
    auto total = input.detach().clone(at::MemoryFormat::Contiguous);
    sum(total);
    return total;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto kept = context->saved_data["sum"].toCapsule();
    return {Sum::apply(gradients.front(), static_cast<const KeptSum&>(*kept).sum), {}};
  }
};

at::Tensor per_channel(const at::Tensor& values) { return values.view({1, -1, 1, 1}); }

void update_running_statistics(torch::nn::BatchNorm2dImpl& norm, const at::Tensor& mean, const at::Tensor& variance,
                               const at::Tensor& count) {
  const at::NoGradGuard no_gradients;
  const double momentum = norm.options.momentum().value();
  norm.num_batches_tracked.add_(1);
  norm.running_mean.lerp_(mean, momentum);
  norm.running_var.lerp_(variance * (count / (count - 1)), momentum);
}

}  // namespace

at::Tensor differentiable_sum(const at::Tensor& input, const SumOverRanks& sum) { return Sum::apply(input, sum); }

at::Tensor synchronised_batch_norm(const at::Tensor& input, torch::nn::BatchNorm2dImpl& norm, const SumOverRanks& sum) {
  const auto x = input.to(norm.weight.scalar_type());
  const auto channels = x.size(1);
  const auto own_count = at::full({1}, static_cast<double>(x.numel() / channels), x.options());
  const auto sums = differentiable_sum(at::cat({x.sum({0, 2, 3}), own_count}), sum);
  const auto count = sums.detach().narrow(0, channels, 1);
  const auto mean = sums.narrow(0, 0, channels) / count;
  const auto centred = x - per_channel(mean);
  const auto variance = differentiable_sum(centred.square().sum({0, 2, 3}), sum) / count;
  update_running_statistics(norm, mean.detach(), variance.detach(), count);
  const auto scale = norm.weight * (variance + norm.options.eps()).rsqrt();
  return at::addcmul(per_channel(norm.bias), centred, per_channel(scale)).to(input.scalar_type());
}

}  // namespace slopegan
