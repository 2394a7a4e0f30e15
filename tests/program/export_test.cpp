#include <algorithm>

#include <gmock/gmock.h>

#include "poison.h"
#include "program.h"
#include "run/checkpoint.h"
#include "run/safetensors.h"
#include "small_disk.h"
#include "support/text.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class Export : public ProgramTest {
 protected:
  Result train(const std::vector<std::string>& more = {}) {
    auto arguments = smoke("train", {"training.total_images=64", "training.threads=1", "diagnostics.every_images=0"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return slopegan(arguments);
  }
  Result export_as(const std::string& format, const fs::path& out, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"export", run().string(), "--format", format, "--out", out.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return slopegan(arguments);
  }
  fs::path run() const { return outputs() / "smoke"; }
};

TEST_F(Export, WritesEveryFormatAndReportsTheDifferenceFromLibTorch) {
  ASSERT_EQ(train().code, 0);
  for (const std::string format : {"onnx", "torchscript", "safetensors"}) {
    const auto file = directory_ / format;
    const auto result = export_as(format, file);
    EXPECT_EQ(result.code, 0) << result.err;
    EXPECT_EQ(result.out, file.string() + "\n");
    EXPECT_THAT(result.err, HasSubstr("verified: pixel values (from -1 to 1) differ by at most "));
    EXPECT_GT(fs::file_size(file), 10'000u);
  }
}

TEST_F(Export, OverwritesAFileOnlyOnRequest) {
  ASSERT_EQ(train().code, 0);
  const auto file = directory_.write("generator.pt", "precious");
  const auto refused = export_as("torchscript", file);
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--overwrite"));
  EXPECT_EQ(read_text(file), "precious");
  EXPECT_EQ(export_as("torchscript", file, {"--overwrite"}).code, 0);
  EXPECT_NE(read_text(file), "precious");
}

TEST_F(Export, ReportsInvalidArguments) {
  ASSERT_EQ(train().code, 0);
  const auto unknown = export_as("tflite", directory_ / "a");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("safetensors"));
  EXPECT_EQ(export_as("onnx", directory_.path()).code, 2);
  EXPECT_EQ(export_as("onnx", directory_ / "folder/").code, 2);
  directory_.write("file", "not a directory");
  EXPECT_EQ(export_as("onnx", directory_ / "file/a").code, 6);
  EXPECT_EQ(slopegan({"export", (directory_ / "none").string(), "--format", "onnx", "--out", "a"}).code, 4);
  EXPECT_EQ(slopegan({"export", outputs().string(), "--format", "onnx", "--out", "a"}).code, 4);
  EXPECT_EQ(slopegan({"export", run().string(), "--out", "a"}).code, 2);
  EXPECT_FALSE(fs::exists(directory_ / "a"));
}

TEST_F(Export, ExportsTheGeneratorOfADivergedRunOnlyIfItsImagesAreFinite) {
  ASSERT_EQ(train().code, 0);
  poison_newest_checkpoint(run());
  ASSERT_EQ(train({"training.total_images=128", "--resume", "auto"}).code, 5);
  EXPECT_EQ(export_as("onnx", directory_ / "a").code, 0) << "the averaged generator is finite";
  const auto checkpoint = load_checkpoint(list_checkpoints(run() / "checkpoints").front());
  checkpoint.tensors.at("ema.block1.conv.weight").fill_(std::nan(""));
  save_checkpoint(run() / "checkpoints", checkpoint.info, checkpoint.tensors, 2);
  const auto refused = export_as("onnx", directory_ / "b");
  EXPECT_EQ(refused.code, 4);
  EXPECT_THAT(refused.err, HasSubstr("not finite"));
  EXPECT_FALSE(fs::exists(directory_ / "b"));
}

TEST_F(Export, LeavesNothingBehindOnAFullDisk) {
  ASSERT_EQ(train().code, 0);
  const auto disk = directory_ / "disk";
  const auto reason = on_small_disk(disk, 20'000, [&] {
    for (const std::string format : {"onnx", "torchscript", "safetensors"}) {
      const auto result = export_as(format, disk / "generator");
      EXPECT_EQ(result.code, 6) << result.err;
      EXPECT_THAT(result.err, HasSubstr("No space left on device"));
      EXPECT_TRUE(fs::is_empty(disk)) << format;
    }
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

class Import : public ProgramTest {
 protected:
  /// Writes the tensors whose names start with one of the prefixes to a file. Returns the path of the file.
  fs::path write_weights(const NamedTensors& checkpoint, const std::vector<std::string>& prefixes) const {
    NamedTensors weights;
    for (const auto& [name, tensor] : checkpoint) {
      for (const auto& prefix : prefixes) {
        if (name.starts_with(prefix)) weights.emplace(name, tensor);
      }
    }
    write_safetensors(directory_ / "weights.safetensors", weights);
    return directory_ / "weights.safetensors";
  }
  Checkpoint trained(const std::vector<std::string>& more = {}) {
    auto arguments = smoke("train", {"training.total_images=64", "training.threads=1"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    EXPECT_EQ(slopegan(arguments).code, 0);
    return load_checkpoint(outputs() / "smoke/checkpoints/64");
  }
  Result import(const fs::path& weights, const std::vector<std::string>& more = {}) {
    auto arguments = smoke("import", {"run.name=imported", "--weights", weights.string()});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return slopegan(arguments);
  }
};

TEST_F(Import, CreatesATrainableRunFromTheWeights) {
  const auto original = trained();
  const auto result = import(write_weights(original.tensors, {"generator.", "discriminator."}));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, (outputs() / "imported").string() + "\n");
  const auto imported = load_checkpoint(outputs() / "imported/checkpoints/0");
  for (const auto& [name, tensor] : imported.tensors) {
    const bool average = name.starts_with("ema.");
    if (!average && !name.starts_with("generator.") && !name.starts_with("discriminator.")) continue;
    EXPECT_TRUE(tensor.equal(original.tensors.at(average ? "generator." + name.substr(4) : name))) << name;
  }
  const auto more = slopegan({"train", (outputs() / "imported/config.yaml").string(), "--resume", "auto",
                              "training.total_images=64", "training.threads=1"});
  EXPECT_EQ(more.code, 0) << more.err;
  EXPECT_TRUE(fs::exists(outputs() / "imported/checkpoints/64"));
  EXPECT_EQ(slopegan({"report", (outputs() / "imported").string()}).code, 0);
}

TEST_F(Import, CreatesARunThatCanBeTrainedOnDataOfADifferentKind) {
  const auto original = trained();
  ASSERT_EQ(import(write_weights(original.tensors, {"generator."})).code, 0);
  const auto run = outputs() / "imported", images = directory_ / "images.npz";
  ASSERT_EQ(slopegan({"generate", run.string(), "--count", "64", "--out", images.string()}).code, 0);
  const auto result = slopegan({"train", (run / "config.yaml").string(), "--resume", "auto", "data.kind=npz",
                                "data.path=" + images.string(), "training.total_images=64", "training.threads=1",
                                "metrics.every_images=0", "diagnostics.every_images=0"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(fs::exists(run / "checkpoints/64"));
}

TEST_F(Import, RefusesExportsThatCannotBeTrainedAndSaysWhatToExport) {
  ASSERT_EQ(
      slopegan(smoke("train", {"generator.norm=self_modulated", "training.total_images=64", "training.threads=1"}))
          .code,
      0);
  const auto refusal = [&](const std::string& format, const std::vector<std::string>& more) {
    const auto file = directory_ / ("generator." + format);
    std::vector<std::string> arguments = {"export",     (outputs() / "smoke").string(), "--format", format, "--out",
                                          file.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    EXPECT_EQ(slopegan(arguments).code, 0);
    const auto result = import(file, {"generator.norm=self_modulated"});
    EXPECT_EQ(result.code, 4);
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_FALSE(fs::exists(outputs() / "imported"));
    return result.err;
  };
  EXPECT_THAT(refusal("onnx", {}), HasSubstr("is an ONNX file"));
  EXPECT_THAT(refusal("torchscript", {}), HasSubstr("is a TorchScript file"));
  EXPECT_THAT(refusal("safetensors", {"--fold-batch-norm"}), HasSubstr("export it again without --fold-batch-norm"));
}

TEST_F(Import, ReadsAnExportedSelfModulatedGenerator) {
  const std::vector<std::string> modulated = {"generator.norm=self_modulated", "training.total_images=64",
                                              "training.threads=1"};
  ASSERT_EQ(slopegan(smoke("train", modulated)).code, 0);
  const auto file = directory_ / "generator.safetensors";
  ASSERT_EQ(
      slopegan({"export", (outputs() / "smoke").string(), "--format", "safetensors", "--out", file.string()}).code, 0);
  const auto result = import(file, {"generator.norm=self_modulated"});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto original = load_checkpoint(outputs() / "smoke/checkpoints/64").tensors;
  const auto imported = with_prefix(load_checkpoint(outputs() / "imported/checkpoints/0").tensors, "generator.");
  EXPECT_TRUE(imported.contains("block0.modulation.output.weight"));
  for (const auto& [name, tensor] : imported) {
    if (!name.ends_with("num_batches_tracked")) {
      EXPECT_TRUE(tensor.equal(original.at("ema." + name))) << name;
    }
  }
}

TEST_F(Import, RejectsUnsuitableWeightsAndLeavesNothingBehind) {
  const auto original = trained();
  const auto good = write_weights(original.tensors, {"generator."});
  const auto refused = [&](const Result& result, int code, const std::string& hint) {
    EXPECT_EQ(result.code, code) << result.err;
    EXPECT_THAT(result.err, HasSubstr(hint));
    EXPECT_FALSE(fs::exists(outputs() / "imported"));
  };
  refused(import(good, {"run.name=smoke"}), 2, "already exists");
  refused(import(good, {"generator.width=16"}), 4, "generator.width: 8 in the weights, 16 in the configuration");
  refused(import(good, {"generator.norm=none"}), 4, "a different architecture");
  refused(import(good, {"generator.norm=self_modulated"}), 4,
          "generator.norm: batch in the weights, self_modulated in the configuration");
  refused(import(directory_ / "none"), 4, "none");
  refused(import(directory_.write("text", "no tensors")), 4, "text");
  refused(import(write_weights(original.tensors, {"discriminator."})), 4, "contains no generator");
  original.tensors.at("generator.block1.conv.weight").view(-1)[0] = std::nan("");
  refused(import(write_weights(original.tensors, {"generator."})), 4, "not finite");
}

TEST_F(Import, RejectsSlopesThatABoundedPReluCannotHave) {
  const auto original = trained({"generator.activation=prelu", "generator.prelu=shared"});
  const auto& slope = original.tensors.at("generator.block1.activation.slope");
  const auto imported = [&](double value, const std::string& prelu) {
    fs::remove_all(outputs() / "imported");
    slope.fill_(value);
    return import(write_weights(original.tensors, {"generator."}),
                  {"generator.activation=prelu", "generator.prelu=" + prelu});
  };
  for (const double value : {-0.5, 0.0, 1.0, 1.5}) {
    const auto result = imported(value, "bounded");
    EXPECT_EQ(result.code, 4) << value;
    EXPECT_THAT(result.err, HasSubstr(format_text("generator.block1.activation.slope contains the slope {:g}", value)));
    EXPECT_FALSE(fs::exists(outputs() / "imported"));
    EXPECT_EQ(imported(value, "shared").code, 0) << value;
  }
  EXPECT_EQ(imported(0.5, "bounded").code, 0);
}

}  // namespace
}  // namespace slopegan::testing
