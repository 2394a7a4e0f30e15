#include "models/classifier.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "layers/initialisation.h"

namespace slopegan {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Returns the gradient of the 3×3 convolution with respect to its input (`of` = 0) or its weight (`of` = 1).
at::Tensor convolution_gradient(const at::Tensor& gradient, const at::Tensor& input, const at::Tensor& weight, int of) {
  const std::vector<std::int64_t> one(2, 1), zero(2, 0);
  const auto gradients = at::convolution_backward(gradient, input, weight, {}, one, one, one, /*transposed=*/false,
                                                  zero, /*groups=*/1, {of == 0, of == 1, false});
  return of == 0 ? std::get<0>(gradients) : std::get<1>(gradients);
}

/// In a parallel region, makes oneDNN compute with one thread in this thread, until the end of the region. Otherwise,
/// oneDNN would wait at a barrier for threads that a nested region does not start.
void use_one_thread_in_region() {
  if (!at::in_parallel_region()) return;
#ifdef _OPENMP
  at::get_num_threads();  // LibTorch sets the number of threads at its first use in a thread: here, not below
  omp_set_num_threads(1);
#endif
}

/// The gradient with respect to the weight: each thread computes the gradient for a part of the images (on a GPU, or if
/// a graph is recorded, LibTorch computes the gradient as a whole). If oneDNN
/// distributes this product over several threads itself, they meet at a barrier at which they spin without a limit. If
/// another process occupies a core, the spinning takes a quarter of the processor time.
at::Tensor weight_gradient(const at::Tensor& gradient, const at::Tensor& input, const at::Tensor& weight) {
  if (at::GradMode::is_enabled() || !input.is_cpu()) return convolution_gradient(gradient, input, weight, 1);
  constexpr std::int64_t least_images_per_part = 4;
  const std::int64_t count = input.size(0), threads = at::get_num_threads();
  const std::int64_t parts = std::clamp<std::int64_t>(count / least_images_per_part, 1, threads);
  std::vector<at::Tensor> sums(static_cast<std::size_t>(parts));
  at::parallel_for(0, parts, 1, [&](std::int64_t begin, std::int64_t end) {
    use_one_thread_in_region();
    const at::NoGradGuard no_gradients;
    for (std::int64_t part = begin; part < end; ++part) {
      const std::int64_t first = part * count / parts, images = (part + 1) * count / parts - first;
      sums[static_cast<std::size_t>(part)] =
          convolution_gradient(gradient.narrow(0, first, images), input.narrow(0, first, images), weight, 1);
    }
  });
  for (std::size_t part = 1; part < sums.size(); ++part) sums.front().add_(sums[part]);
  return sums.front();
}

/// The 3×3 convolution with padding 1, without a bias.
struct TrainedConvolution : torch::autograd::Function<TrainedConvolution> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight) {
    context->save_for_backward({input, weight});
    return at::conv2d(input, weight, {}, 1, 1);
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &input = saved[0], &weight = saved[1], &gradient = gradients.front();
    return {context->needs_input_grad(0) ? convolution_gradient(gradient, input, weight, 0) : at::Tensor(),
            weight_gradient(gradient, input, weight)};
  }
};

}  // namespace

ClassifierImpl::ClassifierImpl(std::int64_t resolution, std::int64_t channels, std::int64_t classes,
                               std::uint64_t seed) {
  constexpr std::int64_t last_size = 4, first_width = 16, most_width = 64;
  std::int64_t in = channels, out = first_width;
  for (std::int64_t size = resolution; size > last_size; size /= 2) {
    const std::string number = std::to_string(convolutions_.size());
    convolutions_.push_back(register_module(
        "conv" + number, Convolution(ConvolutionOptions{
                             .in_channels = in, .out_channels = out, .kernel = 3, .stride = 1, .padding = 1})));
    norms_.push_back(register_module("norm" + number, torch::nn::BatchNorm2d(out)));
    in = out;
    out = std::min(2 * out, most_width);
  }
  features_ = register_module("features", torch::nn::Linear(in * last_size * last_size, feature_count));
  logits_ = register_module("logits", torch::nn::Linear(feature_count, classes));
  initialise(seed);
}

void ClassifierImpl::initialise(std::uint64_t seed) {
  const at::NoGradGuard no_gradients;
  for (auto& [name, parameter] : slopegan::named_parameters(*this)) {
    if (parameter.dim() > 1) {
      const double fan_in = static_cast<double>(parameter[0].numel());
      fill_normal(parameter, 0, 1 / std::sqrt(fan_in), seed, "classifier." + name);
    } else if (name.ends_with(".bias")) {
      parameter.zero_();
    }
  }
}

at::Tensor ClassifierImpl::normalised_convolution(std::size_t layer, const at::Tensor& input) {
  auto& convolution = *convolutions_[layer];
  auto& norm = *norms_[layer];
  // Pooling is three times as fast in this format as in LibTorch's default. The format is requested explicitly, because
  // that of a tensor with one channel is ambiguous.
  constexpr auto format = at::MemoryFormat::ChannelsLast;
  if (is_training()) return norm.forward(TrainedConvolution::apply(input, convolution.weight).contiguous(format));
  // In evaluation mode the running statistics are constants: folding them into the kernel saves a pass over memory.
  const auto scale = norm.weight / at::sqrt(norm.running_var + norm.options.eps());
  const auto kernel = (convolution.weight * scale.view({-1, 1, 1, 1})).contiguous(format);
  return at::conv2d(input, kernel, norm.bias - norm.running_mean * scale, 1, 1).contiguous(format);
}

ClassifierImpl::Output ClassifierImpl::forward(const at::Tensor& images) {
  at::Tensor x = images;
  for (std::size_t i = 0; i < convolutions_.size(); ++i) {
    // tanh is monotonic, so applying it after pooling gives the same result at a quarter of the cost.
    x = at::tanh(at::max_pool2d(normalised_convolution(i, x), 2));
  }
  const auto features = at::tanh(features_->forward(x.flatten(1)));
  return {features, logits_->forward(features)};
}

}  // namespace slopegan
