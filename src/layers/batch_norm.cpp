#include "layers/batch_norm.h"

#include <utility>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

namespace slopegan {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Carries the SumOverRanks function from the forward to the backward pass.
struct SavedSum : torch::CustomClassHolder {
  explicit SavedSum(SumOverRanks function) : sum(std::move(function)) {}
  SumOverRanks sum;
};

void save(AutogradContext& context, const SumOverRanks& sum) {
  context.saved_data["sum"] = c10::IValue::make_capsule(c10::make_intrusive<SavedSum>(sum));
}
SumOverRanks saved_sum(AutogradContext& context) {
  return static_cast<const SavedSum&>(*context.saved_data["sum"].toCapsule()).sum;
}

struct Sum : torch::autograd::Function<Sum> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const SumOverRanks& sum) {
    save(*context, sum);
    auto total = input.detach().clone(at::MemoryFormat::Contiguous);
    sum(total);
    return total;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    return {Sum::apply(gradients.front(), saved_sum(*context)), {}};
  }
};

at::Tensor per_channel(const at::Tensor& values) { return values.view({1, -1, 1, 1}); }

/// Statistics over the images of all ranks, [C], in the dtype of the weights. count: [1], the number of values per
/// channel.
struct Statistics {
  at::Tensor mean, variance, count;
};

Statistics statistics(const at::Tensor& x, const BatchNormState& norm, const SumOverRanks& sum) {
  // batch_norm_update_stats takes the dtype from the running statistics. With momentum 1 it ignores their values.
  auto unread_mean = at::zeros_like(norm.running_mean), unread_variance = at::zeros_like(norm.running_variance);
  const auto [own_mean, own_variance] = at::batch_norm_update_stats(x, unread_mean, unread_variance, /*momentum=*/1);
  // In float64, one sum over the ranks is enough: the cancellation error in the difference of squares is far below the
  // precision of float32.
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

void update_running_statistics(const BatchNormState& norm, const Statistics& all) {
  norm.running_mean.lerp_(all.mean, norm.momentum);
  norm.running_variance.lerp_(all.variance * (all.count / (all.count - 1)), norm.momentum);
}

/// Batch norm with given statistics. The gradient also passes through the statistics.
struct Normalise : torch::autograd::Function<Normalise> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const Statistics& all, double epsilon, const SumOverRanks& sum) {
    save(*context, sum);
    context->saved_data["epsilon"] = epsilon;
    context->save_for_backward({x, weight, all.mean, all.variance, all.count});
    return at::batch_norm(x, weight, bias, all.mean, all.variance, /*training=*/false, 0, epsilon, false);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const Statistics all{saved[2], saved[3], saved[4]};
    const double epsilon = context->saved_data["epsilon"].toDouble();
    auto results = at::GradMode::is_enabled()
                       ? differentiable(gradients[0], saved[0], saved[1], all.count, epsilon, saved_sum(*context))
                       : plain(gradients[0], saved[0], saved[1], all, epsilon, saved_sum(*context));
    results.resize(6);
    return results;
  }

  // With x̂ = (x − mean) · r, r = 1/√(variance + ε), and sums over the images of all ranks:
  // dx = weight · r · (dy − (Σ dy + x̂ · Σ dy x̂) / count), dweight = Σ dy x̂, dbias = Σ dy.
  // The gradients of weight and bias are this rank's contribution to the sums.

  static variable_list plain(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, const Statistics& all,
                             double epsilon, const SumOverRanks& sum) {
    const auto r = (all.variance + epsilon).rsqrt();
    // The gradient with fixed statistics is the first term of dx. On the CPU, r is not used; on a GPU, LibTorch
    // requires the saved statistics for channels-last tensors.
    auto [dx, dweight, dbias] = at::native_batch_norm_backward(dy, x, weight, all.mean, all.variance, all.mean, r,
                                                               /*train=*/false, epsilon, {true, true, true});
    auto sums = at::cat({dbias, dweight});
    sum(sums);
    const auto channels = x.size(1);
    const auto scale = weight * r / all.count;
    const auto factor = scale * r * sums.narrow(0, channels, channels);
    const auto offset = scale * sums.narrow(0, 0, channels) - factor * all.mean;
    // factor · x + offset per channel, which batch norm computes in one pass.
    const auto rest =
        at::batch_norm(x, factor, offset, at::zeros_like(factor), at::ones_like(factor), false, 0, 0, false);
    return {dx.sub_(rest), dweight, dbias};
  }

  /// Computes the same gradients with differentiable operators, for second derivatives. These also pass through the
  /// statistics.
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

at::Tensor synchronised_batch_norm(const at::Tensor& maps, const BatchNormState& norm, const SumOverRanks& sum) {
  Statistics all;
  {
    const at::NoGradGuard no_gradients;
    all = statistics(maps, norm, sum);
    update_running_statistics(norm, all);
  }
  return Normalise::apply(maps, norm.weight, norm.bias, all, norm.epsilon, sum);
}

TransposedWeights fold_batch_norm(const TransposedWeights& convolution, const BatchNormState& norm) {
  const at::NoGradGuard no_gradients;
  const auto plain = [&](const at::Tensor& x) { return x.to(convolution.weight.scalar_type()).contiguous(); };
  const auto factor = norm.weight.to(at::kDouble) / (norm.running_variance.to(at::kDouble) + norm.epsilon).sqrt();
  const auto bias = convolution.bias.defined() ? convolution.bias.to(at::kDouble) : at::zeros_like(factor);
  return {plain(convolution.weight.to(at::kDouble) * factor.view({1, -1, 1, 1})),
          plain(norm.bias.to(at::kDouble) + (bias - norm.running_mean.to(at::kDouble)) * factor)};
}

at::Tensor modulate(const at::Tensor& maps, const Modulation& modulation) {
  const auto per_image = [&](const at::Tensor& x) { return x.to(maps.scalar_type()).unsqueeze(-1).unsqueeze(-1); };
  return at::addcmul(per_image(modulation.shift), maps, per_image(modulation.scale));
}

// --- Module

BatchNormActivationImpl::BatchNormActivationImpl(std::int64_t channels, std::shared_ptr<ActivationImpl> activation,
                                                 bool affine)
    : torch::nn::BatchNorm2dImpl(torch::nn::BatchNorm2dOptions(channels).affine(affine)),
      activation_(std::move(activation)) {}

BatchNormState BatchNormActivationImpl::state() const {
  return {options.affine() ? weight : at::ones_like(running_mean),
          options.affine() ? bias : at::zeros_like(running_mean),
          running_mean,
          running_var,
          options.momentum().value(),
          options.eps()};
}

void BatchNormActivationImpl::check(const Modulation& modulation) const {
  TORCH_CHECK(modulation.scale.defined() != options.affine(),
              "batch norm needs either its own weight and bias or a scale and shift per image");
}

at::Tensor BatchNormActivationImpl::normalise(const at::Tensor& maps, const Modulation& modulation) {
  check(modulation);
  at::Tensor x;
  if (is_training() && sum_over_ranks) {
    num_batches_tracked.add_(1);
    x = synchronised_batch_norm(maps, state(), sum_over_ranks);
  } else {
    x = torch::nn::BatchNorm2dImpl::forward(maps);
  }
  return options.affine() ? x : modulate(x, modulation);
}

at::Tensor BatchNormActivationImpl::forward(const at::Tensor& maps, const Modulation& modulation) {
  if (!activation_) return normalise(maps, modulation);
  const auto slope = activation_->leaky_relu_slope();
  const bool in_one_pass = slope && is_training() && !sum_over_ranks && maps.device().is_cpu();
  if (!in_one_pass) return activation_->forward(normalise(maps, modulation));
  check(modulation);
  num_batches_tracked.add_(1);
  auto norm = state();
  if (!options.affine()) {
    norm.weight = modulation.scale;
    norm.bias = modulation.shift;
  }
  return batch_norm_leaky_relu(maps, norm, *slope);
}

}  // namespace slopegan
