#include "models/classifier.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace slopegan {
namespace {

TEST(Classifier, GivesTanhFeaturesAndALogitAClass) {
  for (const std::int64_t resolution : {16, 32, 64}) {
    Classifier classifier(resolution, 3, 7, 0);
    classifier->eval();
    const auto output = classifier->forward(at::rand({5, 3, resolution, resolution}) * 2 - 1);
    EXPECT_EQ(output.features.sizes(), (std::vector<std::int64_t>{5, ClassifierImpl::feature_count}));
    EXPECT_EQ(output.logits.sizes(), (std::vector<std::int64_t>{5, 7}));
    EXPECT_LT(output.features.abs().max().item<double>(), 1);
    EXPECT_GT(output.features.std(0).min().item<double>(), 0);  // every feature tells images apart
  }
}

TEST(Classifier, StartsFromWeightsThatTheSeedAloneDecides) {
  const auto weights = [](std::uint64_t seed) { return named_tensors(*Classifier(16, 1, 3, seed)); };
  const auto first = weights(0), again = weights(0), other = weights(1);
  for (const auto& [name, tensor] : first) EXPECT_TRUE(at::equal(tensor, again.at(name))) << name;
  EXPECT_FALSE(at::equal(first.at("conv0.weight"), other.at("conv0.weight")));
}

}  // namespace
}  // namespace slopegan
