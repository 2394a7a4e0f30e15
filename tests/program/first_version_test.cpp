#include <fstream>
#include <regex>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "images/image_file.h"
#include "program.h"
#include "run/manifest.h"
#include "support/checksums.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

/// A checkpoint from before the first release, with three images that were generated from it. The generator's slopes
/// were learned, the discriminator had a list of slopes and an R1 penalty, and the checkpoint was written after 12,800
/// images. The tests check that the current version can still read the checkpoint.
const fs::path first_version = SLOPEGAN_TEST_DATA "/checkpoint_0.1.0";

class CheckpointOfTheFirstVersion : public ProgramTest {};

TEST_F(CheckpointOfTheFirstVersion, ReproducesTheSameImages) {
  const auto result =
      slopegan({"generate", first_version.string(), "--count", "3", "--out", (directory_ / "images").string()});
  ASSERT_EQ(result.code, 0) << result.err;
  for (const char* name : {"000000.png", "000001.png", "000002.png"}) {
    const auto then = read_image(first_version / "images" / name), now = read_image((directory_ / "images") / name);
    ASSERT_EQ(then.size(), now.size());
    double darkest = 0, brightest = 0;
    cv::minMaxIdx(then.reshape(1), &darkest, &brightest);
    EXPECT_GT(brightest - darkest, 200) << "the image has no contrast";
    EXPECT_LE(cv::norm(then, now, cv::NORM_INF), 1) << name;  // rounding may differ between machines
  }
}

TEST_F(CheckpointOfTheFirstVersion, CanBeResumed) {
  // The configuration in the checkpoint does not contain newer keys, which therefore have their defaults.
  const auto manifest = nlohmann::json::parse(read_text(first_version / "manifest.json"));
  EXPECT_THAT(manifest["config"].get<std::string>(), Not(HasSubstr("sync_batch_norm")));
  const auto config = directory_.write("config.yaml", manifest["config"].get<std::string>());
  const auto result =
      slopegan({"train", config.string(), "--resume", first_version.string(), "training.total_images=12864",
                "run.output_dir=" + outputs().string(), "run.name=later"});
  ASSERT_EQ(result.code, 0) << result.err;
  std::ifstream history(outputs() / "later/history.jsonl");
  std::string line, last;
  while (std::getline(history, line)) last = line;
  const auto step = nlohmann::json::parse(last);
  EXPECT_EQ(step["images"], 12864);
  // The expected values are those of the next step in the program that wrote the checkpoint.
  EXPECT_NEAR(step["discriminator_loss"], 1.2508600, 1e-4);
  EXPECT_NEAR(step["generator_loss"], 0.8465823, 1e-4);
  EXPECT_NEAR(step["generator_gradient_norm"], 1.0217729, 1e-3);
  EXPECT_NEAR(step["generator_slope"], 0.0971765, 1e-5);
}

class DefaultsOfVersion09 : public ProgramTest {
 protected:
  /// Writes a small configuration without the keys whose defaults have changed. Returns the path of the file.
  std::filesystem::path config() const {
    return directory_.write("mine.yaml",
                            "generator: {latent_dim: 16, width: 4}\ndiscriminator: {width: 4}\n"
                            "training: {total_images: 1280, precision: float32, threads: 1}\n"
                            "metrics: {every_images: 0}\nsamples: {every_images: 0}\n"
                            "sweep: {negative_slope: [0, 0.2], seeds: [0]}\n");
  }
  std::vector<std::string> command(const std::string& name, const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {name, config().string(), "run.output_dir=" + outputs().string(),
                                          "run.name=mine"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  std::vector<std::string> command_with_earlier_values(const std::string& name, std::vector<std::string> more) const {
    more.insert(more.begin(),
                {"training.batch_size=64", "optimizer.generator_lr=2e-4", "optimizer.discriminator_lr=2e-4"});
    return command(name, more);
  }
  /// Trains a run whose stored configuration looks as if version 0.9 had written it. `--arm` reads a configuration file
  /// as if the program had written it, and config() uses only keys that already existed in version 0.9.
  Result train_as_0_9(const std::string& name) {
    return slopegan(command_with_earlier_values("train", {"--arm", "run.name=" + name}));
  }
};

/// Removes all keys newer than version 0.9 from the configuration in a manifest.
void make_manifest_of_0_9(const fs::path& file) {
  auto manifest = nlohmann::json::parse(read_text(file));
  manifest.erase("manifest_sha256");
  const std::regex later_keys("\n  (fit|background|labels): [^\n]*");
  const auto config = std::regex_replace(manifest["config"].get<std::string>(), later_keys, "");
  manifest["config"] = config;
  manifest["config_sha256"] = sha256_hex(config);
  std::ofstream(file) << sealed(manifest.dump());
}

TEST_F(DefaultsOfVersion09, AreKeptByAContinuedRun) {
  ASSERT_EQ(train_as_0_9("mine").code, 0);
  const auto result = slopegan(command("train", {"training.total_images=2560", "--resume", "auto"}));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("continuing with the defaults of version 0.9: training.batch_size: 64"));
  EXPECT_THAT(read_text(outputs() / "mine/config.yaml"), HasSubstr("batch_size: 64"));

  const auto other =
      slopegan(command("train", {"training.total_images=3840", "--resume", "auto", "optimizer.generator_lr=4e-4"}));
  EXPECT_EQ(other.code, 4) << other.err;
}

TEST_F(DefaultsOfVersion09, AreKeptByARunWithImportedWeights) {
  ASSERT_EQ(slopegan(command("train", {"run.name=source"})).code, 0);
  const auto imported = slopegan(command_with_earlier_values("import", {"--weights", (outputs() / "source").string()}));
  ASSERT_EQ(imported.code, 0) << imported.err;
  make_manifest_of_0_9(outputs() / "mine/checkpoints/0/manifest.json");
  for (const char* total : {"training.total_images=640", "training.total_images=1280"}) {
    const auto result = slopegan(command("train", {total, "--resume", "auto"}));
    ASSERT_EQ(result.code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("continuing with the defaults of version 0.9: training.batch_size: 64")) << total;
  }
}

TEST_F(DefaultsOfVersion09, AreNotKeptByAnotherRunThatStartsWithImportedWeights) {
  ASSERT_EQ(slopegan(command("train", {"run.name=source"})).code, 0);
  const auto imported = slopegan(command_with_earlier_values("import", {"--weights", (outputs() / "source").string()}));
  ASSERT_EQ(imported.code, 0) << imported.err;
  make_manifest_of_0_9(outputs() / "mine/checkpoints/0/manifest.json");
  ASSERT_EQ(slopegan(command("train", {"run.name=tuned", "--resume", (outputs() / "mine").string()})).code, 0);
  const auto resumed = slopegan(command("train", {"run.name=tuned", "training.total_images=2560", "--resume", "auto"}));
  EXPECT_EQ(resumed.code, 0) << resumed.err;
}

TEST_F(DefaultsOfVersion09, AreNotAssumedForARunOfThisVersion) {
  ASSERT_EQ(slopegan(command("train", {"loss.r1=0"})).code, 0);
  const auto resumed = slopegan(command("train", {"training.total_images=2560", "--resume", "auto"}));
  EXPECT_EQ(resumed.code, 4) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("loss.r1: 0 -> "));
  const auto tuned = slopegan(command("train", {"--resume", (outputs() / "mine").string(), "run.name=tuned"}));
  ASSERT_EQ(tuned.code, 0) << tuned.err;
  EXPECT_THAT(tuned.err, HasSubstr("fine-tuning: starting a new run at 0 images"));
  EXPECT_THAT(read_text(outputs() / "tuned/config.yaml"), Not(HasSubstr("\n  r1: 0\n")));
}

TEST_F(DefaultsOfVersion09, AreNotAssumedForASweepOfThisVersion) {
  ASSERT_EQ(slopegan(command("sweep", {"loss.r1=0"})).code, 0);
  const auto continued = slopegan(command("sweep", {}));
  EXPECT_EQ(continued.code, 2) << continued.err;
  EXPECT_THAT(continued.err, HasSubstr("loss.r1: 0 -> "));
}

TEST_F(DefaultsOfVersion09, AreKeptByAContinuedSweep) {
  ASSERT_EQ(train_as_0_9("run").code, 0);
  fs::create_directories(outputs() / "mine");
  fs::copy_file(outputs() / "run/config.yaml", outputs() / "mine/sweep.yaml");
  ASSERT_EQ(slopegan(command("sweep", {})).code, 0);
  const auto result = slopegan(command("sweep", {"sweep.seeds=[0, 1]"}));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("continuing with the defaults of version 0.9: training.batch_size: 64"));
  for (const char* arm : {"slope_0-seed_0", "slope_0-seed_1"}) {
    EXPECT_THAT(read_text(outputs() / "mine/runs" / arm / "config.yaml"), HasSubstr("batch_size: 64")) << arm;
  }
  EXPECT_EQ(slopegan(command("sweep", {"run.name=new"})).code, 0);
  EXPECT_THAT(read_text(outputs() / "new/sweep.yaml"), HasSubstr("batch_size: 32"));
}

}  // namespace
}  // namespace slopegan::testing
