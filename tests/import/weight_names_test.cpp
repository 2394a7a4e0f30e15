#include "import/weight_names.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "support/errors.h"
#include "support/files.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> names_of(const NamedTensors& tensors) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) names.push_back(name);
  return names;
}

/// Renames tensors with these names and returns the new names. Weights of convolutions have four dimensions, and other
/// tensors have one.
std::vector<std::string> renamed(const std::vector<std::string>& convolutions,
                                 const std::vector<std::string>& others = {}) {
  NamedTensors tensors;
  for (const auto& name : convolutions) tensors.emplace(name, at::zeros({2, 2, 4, 4}));
  for (const auto& name : others) tensors.emplace(name, at::zeros({2}));
  return names_of(with_checkpoint_names(tensors));
}

TEST(WeightNames, OfACheckpointStayUnchanged) {
  const std::vector<std::string> names = {"counters", "discriminator.block0.conv.weight", "ema.block0.conv.weight",
                                          "generator.block0.conv.weight",
                                          "optimizer.generator.block0.conv.weight.exp_avg"};
  NamedTensors tensors;
  for (const auto& name : names) tensors.emplace(name, at::zeros({1}));
  EXPECT_EQ(names_of(with_checkpoint_names(tensors)), names);
}

TEST(WeightNames, OfASequenceOfLayersBecomeBlocks) {
  EXPECT_THAT(
      renamed({"0.weight", "3.weight", "6.weight"},
              {"0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "5.weight"}),
      ElementsAre("generator.block0.conv.bias", "generator.block0.conv.weight", "generator.block0.norm.bias",
                  "generator.block0.norm.num_batches_tracked", "generator.block0.norm.running_mean",
                  "generator.block0.norm.running_var", "generator.block0.norm.weight",
                  "generator.block1.activation.slope", "generator.block1.conv.weight", "generator.block2.conv.weight"));
}

TEST(WeightNames, OfASequenceWithSelfModulationBecomeBlocks) {
  EXPECT_THAT(renamed({"0.weight", "4.weight"}, {"1.running_mean", "1.running_var", "2.hidden.weight", "2.hidden.bias",
                                                 "2.output.weight", "2.output.bias", "3.weight"}),
              ElementsAre("generator.block0.activation.slope", "generator.block0.conv.weight",
                          "generator.block0.modulation.hidden.bias", "generator.block0.modulation.hidden.weight",
                          "generator.block0.modulation.output.bias", "generator.block0.modulation.output.weight",
                          "generator.block0.norm.num_batches_tracked", "generator.block0.norm.running_mean",
                          "generator.block0.norm.running_var", "generator.block1.conv.weight"));
}

TEST(WeightNames, LoseThePartsThatWrappersAdd) {
  const std::vector<std::string> both = {"discriminator.block0.conv.weight", "generator.block0.conv.weight"};
  EXPECT_EQ(renamed({"netG.main.0.weight", "netD.main.0.weight"}), both);
  EXPECT_EQ(renamed({"netG.module.main.0.weight", "netD.module.main.0.weight"}), both);
  EXPECT_EQ(renamed({"module.G._orig_mod.main.0.weight", "module.D._orig_mod.main.0.weight"}), both);
  EXPECT_EQ(renamed({"state_dict.generator.block0.conv.weight", "state_dict.discriminator.block0.conv.weight"}), both);
  EXPECT_THAT(renamed({"_orig_mod.module.main.0.weight"}), ElementsAre("generator.block0.conv.weight"));
  EXPECT_THAT(renamed({"g_ema.main.0.weight"}), ElementsAre("ema.block0.conv.weight"));
}

TEST(WeightNames, ThatAreUnknownOrCollideAreRejected) {
  EXPECT_THAT(message_of<CheckpointError>([] { renamed({"encoder.conv1.weight"}); }),
              HasSubstr("encoder.conv1.weight"));
  EXPECT_THAT(message_of<CheckpointError>([] { renamed({}, {"0.weight"}); }), HasSubstr("0.weight"));
  EXPECT_THAT(message_of<CheckpointError>([] { renamed({"0.weight", "module.0.weight"}); }), HasSubstr("several"));
}

TEST(WithCheckpointNames, ConvertsHalfPrecisionToFloat32) {
  const auto tensors = with_checkpoint_names({{"generator.block0.conv.weight", at::zeros({1, 1, 4, 4}, at::kHalf)}});
  EXPECT_EQ(tensors.begin()->second.scalar_type(), at::kFloat);
}

TEST(RefuseOtherFormats, NamesTheFormatAndExplainsWhatToDo) {
  const TemporaryDirectory directory;
  const auto refusal = [&](const std::string& content) {
    write_file_atomic(directory / "weights", content);
    return message_of<CheckpointError>([&] { refuse_other_formats(directory / "weights"); });
  };
  for (const std::string start : {"PK\x03\x04zip archive with archive/data.pkl", "\x80\x02}q\x01pickle"}) {
    EXPECT_THAT(refusal(start), HasSubstr("scripts/import_dcgan.py")) << start;
  }
  EXPECT_THAT(refusal("PK\x03\x04zip archive with archive/constants.pkl"), HasSubstr("is a TorchScript file"));
  EXPECT_THAT(refusal("PK\x03\x04" + std::string(100'000, 'x') + "/constants.pkl"), HasSubstr("is a TorchScript file"));
  EXPECT_THAT(refusal("\x08\x08\x12\x07pytorch"), HasSubstr("is an ONNX file"));
}

TEST(RefuseOtherFormats, AcceptsSafetensorsFilesOfEveryHeaderLength) {
  const TemporaryDirectory directory;
  for (const char length : {'\x08', '\x80'}) {
    write_file_atomic(directory / "weights", std::string{length, '\x08', '\x12', 0, 0, 0, 0, 0} + "{}");
    EXPECT_NO_THROW(refuse_other_formats(directory / "weights"));
  }
  EXPECT_NO_THROW(refuse_other_formats(directory / "missing"));
}

}  // namespace
}  // namespace slopegan
