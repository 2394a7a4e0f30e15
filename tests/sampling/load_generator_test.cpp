#include "sampling/load_generator.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/print.h"
#include "expect_error.h"
#include "sampling/generator_checkpoint.h"
#include "support/errors.h"

namespace slopegan {
namespace {

using testing::generator_checkpoint;
using ::testing::HasSubstr;

Config narrow() {
  Config config;
  config.generator.latent_dim = 4;
  config.generator.width = 2;
  return config;
}

std::string refusal(const Checkpoint& checkpoint) {
  return message_of<CheckpointError>([&] { load_generator(checkpoint); });
}

TEST(LoadGenerator, LoadsTheWeightsOfTheCheckpoint) {
  const auto checkpoint = generator_checkpoint(narrow());
  const auto loaded = load_generator(checkpoint);
  EXPECT_EQ(loaded.images, 64);
  EXPECT_FALSE(loaded.generator->is_training());
  EXPECT_TRUE(torch::equal(loaded.generator->blocks.front()->conv->weight,
                           checkpoint.tensors.at("generator.block0.conv.weight")));
}

TEST(LoadGenerator, RejectsAWrongWidthBeforeAllocatingTheNetwork) {
  auto checkpoint = generator_checkpoint(narrow());
  auto wide = narrow();
  wide.generator.width = 1024;
  wide.data.resolution = 128;  // 11 GB of weights
  checkpoint.info.config_yaml = to_yaml(wide);
  EXPECT_THAT(refusal(checkpoint), HasSubstr("block0.conv.weight has a different shape"));
  // The checkpoint is also rejected if the first layer has the correct shape.
  checkpoint.tensors["generator.block0.conv.weight"] = at::empty({4, 16384, 4, 4});
  EXPECT_THAT(refusal(checkpoint), HasSubstr("block1.conv.weight has a different shape"));
}

TEST(LoadGenerator, RejectsImagesThatDoNotHaveOneOrThreeChannels) {
  auto checkpoint = generator_checkpoint(narrow());
  for (const std::int64_t channels : {0, 2, 4}) {
    checkpoint.tensors["generator.block3.conv.weight"] = at::empty({2, channels, 4, 4});
    EXPECT_THAT(refusal(checkpoint), HasSubstr("block3.conv.weight has a different shape")) << channels;
  }
}

TEST(LoadGenerator, RejectsTensorsThatAreMissingOrHaveADifferentType) {
  const auto whole = generator_checkpoint(narrow());
  for (const auto& [name, tensor] : whole.tensors) {
    auto checkpoint = whole;
    checkpoint.tensors.erase(name);
    EXPECT_THAT(refusal(checkpoint), HasSubstr("missing")) << name;
    checkpoint.tensors[name] = tensor.to(at::kHalf);
    EXPECT_THAT(refusal(checkpoint), HasSubstr(name.substr(10))) << name;
  }
}

TEST(LoadGenerator, RejectsAnInvalidConfiguration) {
  auto checkpoint = generator_checkpoint(narrow());
  checkpoint.info.config_yaml += "charm: 1\n";
  EXPECT_THAT(refusal(checkpoint), HasSubstr("charm is not a key"));
}

}  // namespace
}  // namespace slopegan
