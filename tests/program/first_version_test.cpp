#include <fstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "images/image_file.h"
#include "program.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;
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
    EXPECT_GT(cv::norm(then, cv::NORM_INF), 200) << "the image has no contrast";
    EXPECT_LE(cv::norm(then, now, cv::NORM_INF), 1) << name;  // rounding may differ between machines
  }
}

TEST_F(CheckpointOfTheFirstVersion, CanBeResumed) {
  // The configuration in the checkpoint does not contain newer keys, which therefore have their defaults.
  const auto manifest = nlohmann::json::parse(read_text(first_version / "manifest.json"));
  EXPECT_THAT(manifest["config"].get<std::string>(), ::testing::Not(HasSubstr("sync_batch_norm")));
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
  const std::vector<std::string> earlier_ = {"training.batch_size=64", "optimizer.generator_lr=2e-4",
                                             "optimizer.discriminator_lr=2e-4"};
};

TEST_F(DefaultsOfVersion09, AreKeptByAContinuedRun) {
  auto start = command("train", earlier_);
  ASSERT_EQ(slopegan(start).code, 0);
  const auto result = slopegan(command("train", {"training.total_images=2560", "--resume", "auto"}));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("continuing with the defaults of version 0.9: training.batch_size: 64"));
  EXPECT_THAT(read_text(outputs() / "mine/config.yaml"), HasSubstr("batch_size: 64"));

  const auto other =
      slopegan(command("train", {"training.total_images=3840", "--resume", "auto", "optimizer.generator_lr=4e-4"}));
  EXPECT_EQ(other.code, 4) << other.err;
}

TEST_F(DefaultsOfVersion09, AreKeptByAContinuedSweep) {
  ASSERT_EQ(slopegan(command("sweep", earlier_)).code, 0);
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
