#include "models/classifier.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

namespace slopegan {
namespace {

TEST(Classifier, ReturnsTanhFeaturesAndOneLogitPerClass) {
  for (const std::int64_t resolution : {16, 32, 64}) {
    Classifier classifier(resolution, 3, 7, 0);
    classifier->eval();
    const auto output = classifier->forward(at::rand({5, 3, resolution, resolution}) * 2 - 1);
    EXPECT_EQ(output.features.sizes(), (std::vector<std::int64_t>{5, ClassifierImpl::feature_count}));
    EXPECT_EQ(output.logits.sizes(), (std::vector<std::int64_t>{5, 7}));
    EXPECT_LT(output.features.abs().max().item<double>(), 1);
    EXPECT_GT(output.features.std(0).min().item<double>(), 0);  // every feature differs between images
  }
}

/// In evaluation mode, batch norm is folded into the kernel; the reference applies LibTorch's batch_norm.
TEST(Classifier, UsesRunningStatisticsInEvaluation) {
  Classifier classifier(16, 1, 2, 0);
  const auto images = at::rand({8, 1, 16, 16}) * 2 - 1;
  for (int i = 0; i < 3; ++i) classifier->forward(images);  // updates the running statistics
  classifier->eval();
  auto weights = named_tensors(*classifier);
  at::Tensor x = images;
  for (const char* layer : {"0", "1"}) {
    const auto of = [&](const std::string& name) { return weights.at(name); };
    const std::string norm = std::string("norm") + layer;
    x = at::conv2d(x, of(std::string("conv") + layer + ".weight"), {}, 1, 1);
    x = at::batch_norm(x, of(norm + ".weight"), of(norm + ".bias"), of(norm + ".running_mean"),
                       of(norm + ".running_var"), false, 0.1, 1e-5, false);
    x = at::max_pool2d(at::tanh(x), 2);
  }
  const auto features = at::tanh(at::linear(x.flatten(1), weights.at("features.weight"), weights.at("features.bias")));
  EXPECT_TRUE(at::allclose(classifier->forward(images).features, features, 1e-4, 1e-5));
}

/// The logits in training mode, with LibTorch's convolutions and their gradients.
at::Tensor plain_logits(const NamedTensors& weights, const at::Tensor& images) {
  at::Tensor x = images;
  for (const char* layer : {"0", "1"}) {
    const std::string norm = std::string("norm") + layer;
    x = at::conv2d(x, weights.at(std::string("conv") + layer + ".weight"), {}, 1, 1);
    x = at::batch_norm(x, weights.at(norm + ".weight"), weights.at(norm + ".bias"), {}, {}, true, 0.1, 1e-5, false);
    x = at::max_pool2d(at::tanh(x), 2);
  }
  const auto features = at::tanh(at::linear(x.flatten(1), weights.at("features.weight"), weights.at("features.bias")));
  return at::linear(features, weights.at("logits.weight"), weights.at("logits.bias"));
}

// Each thread computes the gradients of the convolutions' weights for a part of the images. The parts differ in size,
// and with 3 images, there is only one part.
TEST(Classifier, HasTheGradientsOfLibTorchsLayersWithEveryNumberOfThreads) {
  const int threads_before = at::get_num_threads();
  for (const int threads : {1, 2, 3}) {
    for (const std::int64_t count : {3, 14}) {
      SCOPED_TRACE(::testing::Message() << threads << " threads, " << count << " images");
      at::set_num_threads(threads);
      Classifier classifier(16, 3, 5, 0);
      classifier->to(at::kDouble);
      const auto images = at::rand({count, 3, 16, 16}, at::kDouble) * 2 - 1;
      const auto labels = at::randint(5, {count}, at::kLong);
      const auto gradients = [&](const at::Tensor& logits) {
        return torch::autograd::grad({at::cross_entropy_loss(logits, labels)}, classifier->parameters());
      };
      const auto plain = gradients(plain_logits(named_tensors(*classifier), images));
      const auto computed = gradients(classifier->forward(images).logits);
      ASSERT_EQ(computed.size(), plain.size());
      for (std::size_t i = 0; i < plain.size(); ++i) {
        EXPECT_GT(plain[i].abs().max().item<double>(), 0);
        EXPECT_LE((computed[i] - plain[i]).abs().max().item<double>(), 1e-12)
            << classifier->named_parameters().keys()[i];
      }
    }
  }
  at::set_num_threads(threads_before);
}

TEST(Classifier, HasInitialWeightsThatDependOnlyOnTheSeed) {
  const auto weights = [](std::uint64_t seed) { return named_tensors(*Classifier(16, 1, 3, seed)); };
  const auto first = weights(0), again = weights(0), other = weights(1);
  for (const auto& [name, tensor] : first) EXPECT_TRUE(at::equal(tensor, again.at(name))) << name;
  EXPECT_FALSE(at::equal(first.at("conv0.weight"), other.at("conv0.weight")));
}

}  // namespace
}  // namespace slopegan
