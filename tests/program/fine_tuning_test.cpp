#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "program.h"
#include "run/checkpoint.h"
#include "run/records.h"

namespace slopegan::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

/// Tests new runs that start with the weights of other runs.
class FineTuning : public ProgramTest {
 protected:
  /// Trains a short run named `name`, with checkpoints after 64 and 128 images.
  Result train(const std::string& name, const std::vector<std::string>& more = {}) {
    auto arguments = smoke("train", {"training.precision=float32", "training.threads=1", "training.total_images=128",
                                     "checkpoint.every_images=64", "samples.every_images=0", "metrics.every_images=0",
                                     "diagnostics.every_images=0", "run.name=" + name});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return slopegan(arguments);
  }
  fs::path run_dir(const std::string& name) const { return outputs() / name; }
  NamedTensors tensors(const std::string& name, int images) const {
    return load_checkpoint(run_dir(name) / "checkpoints" / std::to_string(images)).tensors;
  }
  std::string log(const std::string& name) const { return read_text(run_dir(name) / "log.txt"); }
  Result import(const std::string& name, const fs::path& weights, const std::vector<std::string>& more = {}) {
    auto arguments = smoke("import", {"run.name=" + name, "--weights", weights.string()});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return slopegan(arguments);
  }
};

void expect_equal(const NamedTensors& a, const NamedTensors& b, const std::string& prefix) {
  const auto first = with_prefix(a, prefix), second = with_prefix(b, prefix);
  EXPECT_FALSE(first.empty()) << prefix;
  for (const auto& [name, tensor] : first) EXPECT_TRUE(tensor.equal(second.at(name))) << prefix << name;
}

TEST_F(FineTuning, CopiesTheWeightsAndCountsImagesFromZeroIfTheConfigurationDiffers) {
  ASSERT_EQ(train("a", {"optimizer.generator_lr=4e-4"}).code, 0);
  const auto result = train("b", {"--resume", run_dir("a").string(), "optimizer.generator_lr=1e-5",
                                  "discriminator.augment=[translation]", "training.batch_size=16"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(read_history(run_dir("b") / "history.jsonl").back().images, 128);
  EXPECT_THAT(log("b"), HasSubstr("fine-tuning: starting a new run at 0 images with the weights of"));
  EXPECT_THAT(log("b"), HasSubstr("optimizer.generator_lr: 4e-04 -> 1e-05"));
  EXPECT_THAT(log("b"), HasSubstr("training.batch_size: 32 -> 16"));
  ASSERT_EQ(train("c", {"--resume", run_dir("a").string(), "optimizer.generator_lr=1e-5", "checkpoint.keep=9"}).code,
            0);
  const auto before = tensors("a", 128), start = tensors("c", 0);
  for (const char* network : {"generator.", "ema.", "discriminator."}) expect_equal(before, start, network);
  EXPECT_EQ(with_prefix(start, "optimizer.generator.").begin()->second.abs().max().item<double>(), 0);
}

TEST_F(FineTuning, CopiesTheOptimizerStateOnRequest) {
  ASSERT_EQ(train("a").code, 0);
  ASSERT_EQ(train("b", {"--resume", run_dir("a").string(), "--with-optimizer", "optimizer.generator_lr=1e-5",
                        "checkpoint.keep=9"})
                .code,
            0);
  expect_equal(tensors("a", 128), tensors("b", 0), "optimizer.");
  EXPECT_EQ(train("c", {"--with-optimizer"}).code, 2);
  EXPECT_FALSE(fs::exists(run_dir("c")));
}

TEST_F(FineTuning, HasItsOwnStartTimeWhereasAResumedRunKeepsItsOriginalOne) {
  ASSERT_EQ(train("a", {"training.total_images=64"}).code, 0);
  const auto file = run_dir("a") / "run.json";
  auto info = nlohmann::json::parse(read_text(file));
  info["started"] = "2001-02-03T04:05:06Z";
  std::ofstream(file) << info;
  ASSERT_EQ(train("a", {"--resume", "auto"}).code, 0);
  ASSERT_EQ(train("b", {"--resume", run_dir("a").string(), "training.total_images=160"}).code, 0);
  EXPECT_EQ(nlohmann::json::parse(read_text(file)).at("started"), "2001-02-03T04:05:06Z");
  EXPECT_NE(nlohmann::json::parse(read_text(run_dir("b") / "run.json")).at("started"), "2001-02-03T04:05:06Z");
}

TEST_F(FineTuning, ExtensionsOfARunWithDecayingRatesAreRecordedAsInexact) {
  const auto inexact_at = [&](const std::string& total_images) {
    const auto result = train("a", {"optimizer.lr_decay=linear", "checkpoint.keep=9", "--resume", "auto",
                                    "training.total_images=" + total_images});
    EXPECT_EQ(result.code, 0) << result.err;
    const auto info = nlohmann::json::parse(read_text(run_dir("a") / "run.json"));
    return info.contains("inexact_at") ? info.at("inexact_at").get<std::vector<int>>() : std::vector<int>();
  };
  EXPECT_THAT(inexact_at("64"), ::testing::IsEmpty());
  EXPECT_THAT(inexact_at("128"), ::testing::ElementsAre(64));
  EXPECT_THAT(inexact_at("192"), ::testing::ElementsAre(64, 128));
  EXPECT_THAT(inexact_at("192"), ::testing::ElementsAre(64, 128));
  const std::string page = read_text(run_dir("a") / "report.html");
  EXPECT_THAT(page, HasSubstr("The run was resumed under different conditions at 64, 128 images"));
  EXPECT_THAT(page, Not(HasSubstr("give bit-identical results")));
}

TEST_F(FineTuning, ResumingWithADifferentThreadCountOrPrecisionIsWarnedAboutAndRecorded) {
  const auto info = [&] { return nlohmann::json::parse(read_text(run_dir("a") / "run.json")); };
  const auto resumed = [&](const std::string& total_images, const std::vector<std::string>& keys) {
    std::vector<std::string> arguments = {"--resume", "auto", "training.batch_size=32",
                                          "training.total_images=" + total_images};
    arguments.insert(arguments.end(), keys.begin(), keys.end());
    const auto result = train("a", arguments);
    EXPECT_EQ(result.code, 0) << result.err;
    return result.err;
  };
  ASSERT_EQ(train("a", {"training.batch_size=32", "training.total_images=64"}).code, 0);
  EXPECT_THAT(resumed("128", {}), Not(HasSubstr("was trained with")));
  EXPECT_FALSE(info().contains("inexact_at"));
  EXPECT_THAT(
      resumed("192", {"training.threads=2"}),
      HasSubstr("the checkpoint at 128 images was trained with cpu, float32, 1 thread, and the run continues with "
                "cpu, float32, 2 threads, so the resumed run will not be bit-identical"));
  EXPECT_THAT(resumed("256", {"training.threads=2"}), Not(HasSubstr("was trained with")));
  EXPECT_THAT(
      resumed("320", {"training.threads=2", "training.precision=bfloat16"}),
      HasSubstr("at 256 images was trained with cpu, float32, 2 threads, and the run continues with cpu, bfloat16, "
                "2 threads"));
  EXPECT_THAT(resumed("320", {}), Not(HasSubstr("was trained with"))) << "no steps are left";
  EXPECT_EQ(info().at("inexact_at"), (std::vector<int>{128, 256}));
  EXPECT_EQ(info().at("precision"), "bfloat16");
  EXPECT_EQ(info().at("threads"), 2);
  auto earlier = info().at("earlier_compute");
  for (auto& part : earlier) part.erase("processor");
  EXPECT_EQ(earlier, nlohmann::json::parse(R"([{"until": 128, "device": "cpu", "precision": "float32", "threads": 1},
                                      {"until": 256, "device": "cpu", "precision": "float32", "threads": 2}])"));
  EXPECT_THAT(read_text(run_dir("a") / "report.html"),
              AllOf(HasSubstr("under different conditions at 128, 256 images"),
                    HasSubstr("cpu, bfloat16, threads: 2; up to 128 images: cpu, float32, threads: 1; up to 256")));
}

TEST_F(FineTuning, CanBeInterruptedBeforeItsFirstCheckpoint) {
  ASSERT_EQ(train("a").code, 0);
  const auto resumed = [&](const std::string& name) {
    return std::vector<std::string>{"--resume", name, "seed=1", "checkpoint.keep=9"};
  };
  ASSERT_EQ(train("b", resumed(run_dir("a").string())).code, 0);
  // This is the state of a run that was killed before its checkpoint at 64 images.
  for (const char* images : {"64", "128"}) fs::remove_all(run_dir("b") / "checkpoints" / images);
  const auto result = train("b", resumed("auto"));
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("starting with the weights of " + (run_dir("b") / "checkpoints/0").string()));
}

TEST_F(FineTuning, ContinuesTheImageCountIfTheConfigurationIsTheSame) {
  ASSERT_EQ(train("a", {"training.total_images=64"}).code, 0);
  const auto result = train("b", {"--resume", run_dir("a").string()});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(log("b"), HasSubstr("resumed at 64 images"));
  EXPECT_THAT(log("b"), Not(HasSubstr("fine-tuning")));
}

TEST_F(FineTuning, NamesTheKeysThatDoNotMatchTheWeights) {
  ASSERT_EQ(train("a").code, 0);
  const std::string a = run_dir("a").string();
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"generator.width=16", "generator.width: 8 in the weights, 16 in the configuration"},
      {"generator.latent_dim=7", "7 in the configuration"},
      {"data.resolution=64", "data.resolution: 32 in the weights, 64 in the configuration"},
      {"generator.norm=self_modulated", "generator.norm: batch in the weights, self_modulated in the configuration"},
      {"discriminator.norm=spectral", "discriminator.norm: batch in the weights, spectral in the configuration"},
      {"generator.activation=prelu", "generator.activation: leaky_relu in the weights, prelu in the configuration"}};
  for (const auto& [override, message] : cases) {
    const auto result = train("b", {"--resume", a, override});
    EXPECT_EQ(result.code, 4) << override;
    EXPECT_THAT(result.err, HasSubstr(message)) << override;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_FALSE(fs::exists(run_dir("b"))) << override;
  }
}

TEST_F(FineTuning, IsNotPossibleWithinTheSameRun) {
  ASSERT_EQ(train("a").code, 0);
  const auto result = train("a", {"--resume", run_dir("a").string(), "seed=5"});
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(result.err, HasSubstr("run.name=..."));
}

TEST_F(FineTuning, ImportsRunsCheckpointsAndTheirFiles) {
  ASSERT_EQ(train("a").code, 0);
  const auto checkpoint = run_dir("a") / "checkpoints/128";
  for (const auto& [name, weights] :
       {std::pair{"run", run_dir("a")}, {"checkpoint", checkpoint}, {"file", checkpoint / "state.safetensors"}}) {
    const auto result = import(name, weights);
    ASSERT_EQ(result.code, 0) << result.err;
    for (const char* network : {"generator.", "ema.", "discriminator."}) {
      expect_equal(tensors("a", 128), tensors(name, 0), network);
    }
  }
  const auto diagnosed = slopegan({"diagnose", run_dir("run").string()});
  ASSERT_EQ(diagnosed.code, 0) << diagnosed.err;
  EXPECT_THAT(diagnosed.err, ::testing::Not(HasSubstr("not those that the run was trained on")));
  EXPECT_EQ(import("wide", checkpoint, {"generator.width=16"}).code, 4);
  EXPECT_FALSE(fs::exists(run_dir("wide")));
}

TEST_F(FineTuning, ImportsAnExportedGenerator) {
  for (const std::string activation : {"leaky_relu", "prelu"}) {
    const std::vector<std::string> keys = {"generator.activation=" + activation, "generator.prelu=bounded_channel",
                                           "generator.negative_slope=0.3"};
    ASSERT_EQ(train(activation, keys).code, 0);
    const auto file = directory_ / (activation + ".safetensors");
    ASSERT_EQ(
        slopegan({"export", run_dir(activation).string(), "--format", "safetensors", "--out", file.string()}).code, 0);
    const auto result = import(activation + "_back", file, keys);
    ASSERT_EQ(result.code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("has no discriminator"));
    const auto written = with_prefix(tensors(activation, 128), "ema.");
    for (const auto& [name, tensor] : with_prefix(tensors(activation + "_back", 0), "generator.")) {
      if (name.ends_with("num_batches_tracked")) continue;
      EXPECT_TRUE(tensor.allclose(written.at(name), 1e-5, 1e-6)) << name;
    }
  }
}

TEST_F(FineTuning, AcceptsAFileInPlaceOfTheSymlinkToACheckpoint) {
  ASSERT_EQ(train("a").code, 0);
  const auto latest = run_dir("a") / "checkpoints/latest";
  fs::remove(latest);  // on a file system without symlinks, `latest` is a file that contains the checkpoint's name
  std::ofstream(latest) << "128\n";
  const auto imported = import("b", latest);
  ASSERT_EQ(imported.code, 0) << imported.err;
  expect_equal(tensors("a", 128), tensors("b", 0), "generator.");
  const auto evaluated = slopegan({"evaluate", latest.string(), "--samples", "50", "--extractor", "random"});
  EXPECT_EQ(evaluated.code, 0) << evaluated.err;
}

TEST_F(FineTuning, ImportNamesTheSlopesThatTheConfigurationReplaces) {
  ASSERT_EQ(train("a", {"generator.negative_slope=1", "discriminator.negative_slope=0.1"}).code, 0);
  const std::vector<std::string> same = {"generator.negative_slope=1", "discriminator.negative_slope=0.1"};
  const std::vector<std::string> other = {"generator.negative_slope=0.3", "discriminator.negative_slope=0.1"};
  EXPECT_THAT(import("same", run_dir("a"), same).err, Not(HasSubstr("differences from the run")));
  EXPECT_THAT(import("other", run_dir("a"), other).err,
              HasSubstr("differences from the run that the weights come from: generator.negative_slope: 1 -> 0.3"));

  const auto file = directory_ / "a.safetensors";
  ASSERT_EQ(slopegan({"export", run_dir("a").string(), "--format", "safetensors", "--out", file.string()}).code, 0);
  EXPECT_THAT(import("same_export", file, same).err, Not(HasSubstr("the negative slope")));
  const auto warned = import("other_export", file, other);
  EXPECT_EQ(warned.code, 0) << warned.err;
  EXPECT_THAT(warned.err, HasSubstr("was exported with the negative slope 1, but the configuration has 0.3"));
  EXPECT_THAT(warned.err, HasSubstr("set generator.negative_slope=1"));
  EXPECT_THAT(import("relu", file, {"generator.activation=relu"}).err,
              HasSubstr("set generator.activation=leaky_relu generator.negative_slope=1"));
}

TEST_F(FineTuning, NamesTheSlopeThatARestartedScheduleHadReached) {
  const std::string schedule = "{from: 0.5, to: 0.25, over_images: 256}";
  const std::vector<std::string> scheduled = {"generator.negative_slope=" + schedule,
                                              "discriminator.negative_slope=" + schedule};
  ASSERT_EQ(train("a", scheduled).code, 0);
  const auto message = [](const std::string& network) {
    return HasSubstr("the negative slope of the " + network +
                     " was 0.375 after 128 images and is 0.5 at the start of the new run; to keep the old slope, set " +
                     network + ".negative_slope=0.375\n");
  };
  const auto imported = import("b", run_dir("a"), scheduled);
  ASSERT_EQ(imported.code, 0) << imported.err;
  EXPECT_THAT(imported.err, AllOf(message("generator"), message("discriminator")));
  const std::vector<std::string> kept = {"generator.negative_slope=0.375", "discriminator.negative_slope=0.375"};
  EXPECT_THAT(import("c", run_dir("a"), kept).err, Not(HasSubstr("the negative slope of")));
  auto tuned = scheduled;
  tuned.insert(tuned.end(), {"--resume", run_dir("a").string(), "optimizer.generator_lr=1e-5"});
  ASSERT_EQ(train("d", tuned).code, 0);
  EXPECT_THAT(log("d"), AllOf(message("generator"), message("discriminator")));
}

TEST_F(FineTuning, ImportExplainsHowToConvertAPyTorchPickle) {
  for (const std::string start : {"PK\x03\x04zip archive", "\x80\x02}q\x01pickle"}) {
    const auto result = import("x", directory_.write("netG.pth", start));
    EXPECT_EQ(result.code, 4);
    EXPECT_THAT(result.err, HasSubstr("scripts/import_dcgan.py"));
  }
  EXPECT_FALSE(fs::exists(run_dir("x")));
}

}  // namespace
}  // namespace slopegan::testing
