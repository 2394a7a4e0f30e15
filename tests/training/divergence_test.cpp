#include "training/divergence.h"

#include <cmath>
#include <limits>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "support/errors.h"
#include "training/gan_step.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;

constexpr float infinity = std::numeric_limits<float>::infinity();

class Divergence : public ::testing::Test {
 protected:
  static Config small() {
    Config config;
    config.generator.width = config.discriminator.width = 4;
    config.generator.latent_dim = 8;
    config.discriminator.norm = DiscriminatorNorm::none;
    return config;
  }
  /// The error message of a step taken from the current state.
  std::string message_of_step() {
    return message_of<DivergedError>([&] { gan_step(state_, config_, {at::kCPU, at::kFloat, 1}, {reals_}); });
  }
  static void fill(const at::Tensor& tensor, double value) {
    const at::NoGradGuard no_gradients;
    tensor.view(-1)[0].fill_(value);
  }

  Config config_ = small();
  GanState state_{config_, 1, at::kCPU};
  const at::Tensor reals_ = at::linspace(-1, 1, 8 * 32 * 32).view({8, 1, 32, 32});
};

TEST_F(Divergence, IsNotReportedForAFiniteState) {
  EXPECT_NO_THROW(check_weights(weight_norms(state_).item<double>(), state_));
  EXPECT_NO_THROW(check_state(state_));
  fill(state_.generator->blocks[0]->conv->weight, 1e30);  // its square overflows, but the weight is finite
  EXPECT_NO_THROW(check_weights(weight_norms(state_).item<double>(), state_));
  EXPECT_NO_THROW(check_state(state_));
}

TEST_F(Divergence, OfALossIsReportedWithTheFirstWeightThatIsNotFinite) {
  fill(state_.generator->blocks[1]->conv->weight, std::nan(""));
  EXPECT_EQ(message_of_step(),
            "training diverged at step 0 (0 images): the discriminator's loss is NaN; generator.block1.conv.weight is "
            "not finite");
}

TEST_F(Divergence, OfALossIsReportedWithTheFirstBlockWhoseOutputIsNotFinite) {
  {
    const at::NoGradGuard no_gradients;
    for (auto& block : state_.discriminator->blocks) block->conv->weight.fill_(1e25f);
  }
  EXPECT_THAT(message_of_step(), HasSubstr("the output of discriminator.block1 is not finite"));
}

TEST_F(Divergence, OfALossIsReportedWithTheFirstNonFiniteBlockOfASelfModulatedGenerator) {
  config_.generator.norm = GeneratorNorm::self_modulated;
  GanState state(config_, 1, at::kCPU);
  // The product of this scale and a normalised value above 1.2 is infinite.
  fill(state.generator->blocks[1]->modulation->output->bias, 3e38);
  EXPECT_THAT(message_of<DivergedError>([&] { gan_step(state, config_, {at::kCPU, at::kFloat, 1}, {reals_}); }),
              HasSubstr("the output of generator.block1 is not finite"));
}

TEST_F(Divergence, OfALossIsAttributedToRealImagesThatAreNotFinite) {
  reals_.view(-1)[5] = infinity;
  EXPECT_THAT(message_of_step(), HasSubstr("loss is NaN; the real images are not finite"));
}

TEST_F(Divergence, OfTheWeightsIsReportedWithTheFirstInfiniteWeight) {
  // This learning rate exceeds the range of float32, so the update is infinite, although the gradients and the losses
  // are finite.
  config_.optimizer.generator_lr = 1e39;
  GanState state(config_, 1, at::kCPU);
  const auto step = [&] { gan_step(state, config_, {at::kCPU, at::kFloat, 1}, {reals_}); };
  EXPECT_THAT(message_of<DivergedError>(step),
              HasSubstr("at step 0 (8 images): generator.block0.conv.weight is not finite"));
  EXPECT_EQ(state.steps, 0);
}

TEST_F(Divergence, OfAnyTensorIsDetectedBeforeACheckpoint) {
  for (const std::string name : {"ema.block1.norm.running_var", "optimizer.discriminator.block0.conv.weight.exp_avg_sq",
                                 "generator.block0.norm.running_mean"}) {
    GanState state(config_, 1, at::kCPU);
    fill(state.tensors().at(name), infinity);
    EXPECT_THAT(message_of<DivergedError>([&] { check_state(state); }), HasSubstr(name + " is not finite"));
  }
}

}  // namespace
}  // namespace slopegan
