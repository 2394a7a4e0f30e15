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

void keep(AutogradContext& context, const SumOverRanks& sum) {
  context.saved_data["sum"] = c10::IValue::make_capsule(c10::make_intrusive<KeptSum>(sum));
}
SumOverRanks kept(AutogradContext& context) {
  return static_cast<const KeptSum&>(*context.saved_data["sum"].toCapsule()).sum;
}

struct Sum : torch::autograd::Function<Sum> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const SumOverRanks& sum) {
    keep(*context, sum);
    auto total = input.detach().clone(at::MemoryFormat::Contiguous);
    sum(total);
    return total;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    return {Sum::apply(gradients.front(), kept(*context)), {}};
  }
};

at::Tensor per_channel(const at::Tensor& values) { return values.view({1, -1, 1, 1}); }

/// Of all processes' images, in the dtype of the weights; count [1] is N·H·W.
struct Statistics {
  at::Tensor mean, variance, count;
};

Statistics statistics(const at::Tensor& x, const torch::nn::BatchNorm2dImpl& norm, const SumOverRanks& sum) {
  // LibTorch wants running statistics to know the dtype; with momentum 1 these are not read.
  auto unread_mean = at::zeros_like(norm.running_mean), unread_variance = at::zeros_like(norm.running_var);
  const auto [own_mean, own_variance] = at::batch_norm_update_stats(x, unread_mean, unread_variance, /*momentum=*/1);
  // In float64 one sum is enough: what the difference of squares loses is far below a float32.
  const auto channels = x.size(1);
  const auto own_count = static_cast<double>(x.numel() / channels);
  const auto mean64 = own_mean.to(at::kDouble), variance64 = own_variance.to(at::kDouble);
  auto sums = at::cat({mean64, variance64 + mean64.square(), at::ones({1}, mean64.options())}).mul_(own_count);
  sum(sums);
  const auto count = sums.narrow(0, 2 * channels, 1);
  const auto mean = sums.narrow(0, 0, channels) / count;
  const auto variance = (sums.narrow(0, channels, channels) / count - mean.square()).clamp_min_(0);
  const auto type = norm.weight.scalar_type();
  return {mean.to(type), variance.to(type), count.to(type)};
}

void update_running_statistics(torch::nn::BatchNorm2dImpl& norm, const Statistics& all) {
  const double momentum = norm.options.momentum().value();
  norm.num_batches_tracked.add_(1);
  norm.running_mean.lerp_(all.mean, momentum);
  norm.running_var.lerp_(all.variance * (all.count / (all.count - 1)), momentum);
}

/// Batch norm with given statistics, of which the gradient passes through the statistics as well.
struct Normalise : torch::autograd::Function<Normalise> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const Statistics& all, double epsilon, const SumOverRanks& sum) {
    keep(*context, sum);
    context->saved_data["epsilon"] = epsilon;
    context->save_for_backward({x, weight, all.mean, all.variance, all.count});
    return at::batch_norm(x, weight, bias, all.mean, all.variance, /*training=*/false, 0, epsilon, false);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const Statistics all{saved[2], saved[3], saved[4]};
    const double epsilon = context->saved_data["epsilon"].toDouble();
    auto results = at::GradMode::is_enabled()
                       ? differentiable(gradients[0], saved[0], saved[1], all.count, epsilon, kept(*context))
                       : plain(gradients[0], saved[0], saved[1], all, epsilon, kept(*context));
    results.resize(6);
    return results;
  }

  // With x̂ = (x − mean) · r, r = 1/√(variance + ε), and sums over all images of all processes:
  // dx = weight · r · (dy − (Σ dy + x̂ · Σ dy x̂) / count), dweight = Σ dy x̂, dbias = Σ dy, of the latter a process's
  // part.

  static variable_list plain(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, const Statistics& all,
                             double epsilon, const SumOverRanks& sum) {
    // With fixed statistics the gradient is the first term.
    auto [dx, dweight, dbias] = at::native_batch_norm_backward(dy, x, weight, all.mean, all.variance, {}, {},
                                                               /*train=*/false, epsilon, {true, true, true});
    auto sums = at::cat({dbias, dweight});
    sum(sums);
    const auto channels = x.size(1);
    const auto r = (all.variance + epsilon).rsqrt(), scale = weight * r / all.count;
    const auto factor = scale * r * sums.narrow(0, channels, channels);
    const auto offset = scale * sums.narrow(0, 0, channels) - factor * all.mean;
    // factor · x + offset a channel, as batch norm computes it in one pass.
    const auto rest =
        at::batch_norm(x, factor, offset, at::zeros_like(factor), at::ones_like(factor), false, 0, 0, false);
    return {dx.sub_(rest), dweight, dbias};
  }

  /// The same by operators that can be differentiated again, through the statistics too.
  static variable_list differentiable(const at::Tensor& gradient, const at::Tensor& input, const at::Tensor& weight,
                                      const at::Tensor& count, double epsilon, const SumOverRanks& sum) {
    const auto x = input.to(weight.scalar_type()), dy = gradient.to(weight.scalar_type());
    const std::vector<std::int64_t> all_but_channels = {0, 2, 3};
    const auto mean = differentiable_sum(x.sum(all_but_channels), sum) / count;
    const auto centred = x - per_channel(mean);
    const auto variance = differentiable_sum(centred.square().sum(all_but_channels), sum) / count;
    const auto r = (variance + epsilon).rsqrt(), normalised = centred * per_channel(r);
    const auto dweight = (dy * normalised).sum(all_but_channels), dbias = dy.sum(all_but_channels);
    const auto sums = differentiable_sum(at::cat({dbias, dweight}), sum) / count;
    const auto channels = x.size(1);
    const auto rest = at::addcmul(per_channel(sums.narrow(0, 0, channels)), normalised,
                                  per_channel(sums.narrow(0, channels, channels)));
    return {(per_channel(weight * r) * (dy - rest)).to(input.scalar_type()), dweight, dbias};
  }
};

}  // namespace

at::Tensor differentiable_sum(const at::Tensor& input, const SumOverRanks& sum) { return Sum::apply(input, sum); }

at::Tensor synchronised_batch_norm(const at::Tensor& input, torch::nn::BatchNorm2dImpl& norm, const SumOverRanks& sum) {
  Statistics all;
  {
    const at::NoGradGuard no_gradients;
    all = statistics(input, norm, sum);
    update_running_statistics(norm, all);
  }
  return Normalise::apply(input, norm.weight, norm.bias, all, norm.options.eps(), sum);
}

}  // namespace slopegan
