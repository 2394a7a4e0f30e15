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

/// The logits in training mode, with LibTorch's convolutions and their gradients. The memory formats are those of the
/// classifier, so that all values round alike. Otherwise, rounding could decide which of two almost equal values in a
/// window of the pooling receives the gradient.
at::Tensor plain_logits(const NamedTensors& weights, const at::Tensor& images) {
  at::Tensor x = images;
  for (int layer = 0; x.size(2) > 4; ++layer) {
    const std::string number = std::to_string(layer), norm = "norm" + number;
    x = at::conv2d(x, weights.at("conv" + number + ".weight"), {}, 1, 1).contiguous(at::MemoryFormat::ChannelsLast);
    x = at::batch_norm(x, weights.at(norm + ".weight"), weights.at(norm + ".bias"), {}, {}, true, 0.1, 1e-5, false);
    x = at::max_pool2d(at::tanh(x), 2);
  }
  const auto features = at::tanh(at::linear(x.flatten(1), weights.at("features.weight"), weights.at("features.bias")));
  return at::linear(features, weights.at("logits.weight"), weights.at("logits.bias"));
}

/// Compares the gradients of a classifier, computed with several threads, with those of LibTorch's layers.
class ClassifierGradients : public ::testing::Test {
 protected:
  ~ClassifierGradients() override { at::set_num_threads(threads_before_); }

  void expect_plain_gradients(at::ScalarType type, std::int64_t resolution, std::int64_t count, int threads) const {
    SCOPED_TRACE(::testing::Message() << resolution << " pixels, " << count << " images, " << threads << " threads");
    at::set_num_threads(threads);
    at::manual_seed(3);
    Classifier classifier(resolution, 3, 5, 0);
    classifier->to(type);
    const auto images = (at::rand({count, 3, resolution, resolution}) * 2 - 1).to(type);
    const auto labels = at::randint(5, {count}, at::kLong);
    const auto gradients = [&](const at::Tensor& logits) {
      return torch::autograd::grad({at::cross_entropy_loss(logits, labels)}, classifier->parameters());
    };
    const auto computed = gradients(classifier->forward(images).logits);
    const auto plain = gradients(plain_logits(named_tensors(*classifier), images));
    const double tolerance = type == at::kDouble ? 1e-11 : 0.01;
    ASSERT_EQ(computed.size(), plain.size());
    for (std::size_t i = 0; i < plain.size(); ++i) {
      const double largest = plain[i].abs().max().item<double>();
      EXPECT_GT(largest, 0);
      EXPECT_LE((computed[i] - plain[i]).abs().max().item<double>(), tolerance * largest)
          << classifier->named_parameters().keys()[i];
    }
  }

  const int threads_before_ = at::get_num_threads();
};

// Each thread computes the gradients of the convolutions' weights for a part of the images. The parts differ in size,
// and with 3 images, there is only one part.
TEST_F(ClassifierGradients, AreThoseOfLibTorchsLayersWithEveryNumberOfThreads) {
  for (const int threads : {1, 2, 3}) {
    for (const std::int64_t count : {3, 14}) expect_plain_gradients(at::kDouble, 16, count, threads);
  }
}

// In float32, the products are computed by oneDNN. At 64 pixels, the last weight is so large that LibTorch copies it
// with several threads. If the copy is the first use of LibTorch in a thread, it resets the number of threads, and
// oneDNN could then wait forever for a thread that does not exist.
TEST_F(ClassifierGradients, InFloat32AreComputedInThreadsThatHaveNotUsedLibTorchBefore) {
  expect_plain_gradients(at::kFloat, 64, 16, 2);
}

TEST(Classifier, HasInitialWeightsThatDependOnlyOnTheSeed) {
  const auto weights = [](std::uint64_t seed) { return named_tensors(*Classifier(16, 1, 3, seed)); };
  const auto first = weights(0), again = weights(0), other = weights(1);
  for (const auto& [name, tensor] : first) EXPECT_TRUE(at::equal(tensor, again.at(name))) << name;
  EXPECT_FALSE(at::equal(first.at("conv0.weight"), other.at("conv0.weight")));
}

}  // namespace
}  // namespace slopegan
