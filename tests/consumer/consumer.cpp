// A classifier built from convolutions, batch norm and slopegan's Leaky ReLU learns to distinguish horizontal from
// vertical stripes. The program exits with code 1 if the classifier does not learn this or another layer does not work.
#include <cstdio>
#include <layers/activation.h>
#include <layers/batch_norm.h>
#include <layers/initialisation.h>
#include <layers/strided_convolution.h>

#include <ATen/ATen.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/adam.h>

namespace {

constexpr double slope = 0.1;

torch::nn::Conv2d convolution(int in, int out) {
  torch::nn::Conv2d layer(torch::nn::Conv2dOptions(in, out, 3).stride(2).padding(1).bias(false));
  const at::NoGradGuard no_gradients;
  layer->weight.normal_(0, slopegan::leaky_relu_gain(slope) / std::sqrt(9.0 * in));
  return layer;
}

slopegan::LeakyReLU activation() { return slopegan::LeakyReLU(slopegan::LeakyReLUOptions{slope, /*inplace=*/true}); }

/// Returns images of noisy stripes with random phase and period, of shape [count, 1, 16, 16], and their labels: 1 for
/// vertical stripes and 0 for horizontal stripes.
std::pair<at::Tensor, at::Tensor> stripes(int count) {
  const auto labels = at::randint(2, {count}).to(at::kFloat);
  const auto phase = at::rand({count, 1, 1}) * 6.28, pace = at::rand({count, 1, 1}) + 0.7;
  const auto along = at::arange(16).view({1, 1, 16}).expand({count, 16, 16});
  const auto upright = at::sin(along * pace + phase), lying = at::sin(along.transpose(1, 2) * pace + phase);
  const auto images = at::where(labels.view({count, 1, 1}) > 0, upright, lying) + 0.5 * at::randn({count, 16, 16});
  return {images.unsqueeze(1), labels};
}

/// Runs the other installed layers of a DCGAN once, forward and backward. Returns whether the output has the expected
/// height and the weight has a gradient that is not zero.
bool has_gan_layers() {
  const auto weight = at::randn({8, 1, 4, 4}).requires_grad_(true);
  const slopegan::BatchNormState norm{at::ones({8}), at::zeros({8}), at::zeros({8}), at::ones({8})};
  const auto maps =
      slopegan::batch_norm_leaky_relu(slopegan::strided_convolution(stripes(4).first, weight), norm, slope);
  maps.square().sum().backward();
  return maps.size(2) == 8 && weight.grad().abs().sum().item<double>() > 0;
}

}  // namespace

int main() {
  at::manual_seed(1);
  if (!has_gan_layers()) return 1;
  torch::nn::Sequential network(convolution(1, 8), torch::nn::BatchNorm2d(8), activation(), convolution(8, 16),
                                torch::nn::BatchNorm2d(16), activation());
  torch::nn::Linear head(16 * 4 * 4, 1);
  auto parameters = network->parameters();
  for (const auto& parameter : head->parameters()) parameters.push_back(parameter);
  torch::optim::Adam optimizer(parameters, 1e-2);
  for (int step = 0; step < 60; ++step) {
    const auto [images, labels] = stripes(64);
    optimizer.zero_grad();
    const auto logits = head->forward(network->forward(images).flatten(1)).squeeze(1);
    at::binary_cross_entropy_with_logits(logits, labels).backward();
    optimizer.step();
  }
  network->eval();
  const auto [images, labels] = stripes(500);
  const at::NoGradGuard no_gradients;
  const auto answers = head->forward(network->forward(images).flatten(1)).squeeze(1) > 0;
  const double right = (answers == (labels > 0)).to(at::kFloat).mean().item<double>();
  std::printf("%.1f %% correct\n", 100 * right);
  return right > 0.95 ? 0 : 1;
}
