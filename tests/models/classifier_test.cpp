#include "models/classifier.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

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

TEST(Classifier, HasInitialWeightsThatDependOnlyOnTheSeed) {
  const auto weights = [](std::uint64_t seed) { return named_tensors(*Classifier(16, 1, 3, seed)); };
  const auto first = weights(0), again = weights(0), other = weights(1);
  for (const auto& [name, tensor] : first) EXPECT_TRUE(at::equal(tensor, again.at(name))) << name;
  EXPECT_FALSE(at::equal(first.at("conv0.weight"), other.at("conv0.weight")));
}

}  // namespace
}  // namespace slopegan
