#include <fstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "images/image_file.h"
#include "program.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// A checkpoint from before the first release, written after 12,800 images, with learned slopes, a list of slopes and
/// R1, and three images generated from it. The tests check that every version reads the files of earlier versions with
/// the same format version.
const fs::path first_version = SLOPEGAN_TEST_DATA "/checkpoint_0.1.0";

class CheckpointOfTheFirstVersion : public ProgramTest {};

TEST_F(CheckpointOfTheFirstVersion, GivesTheSameImages) {
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
  // The configuration is unchanged; newer keys have their defaults.
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
  // This was the result of the next step in the original program.
  EXPECT_NEAR(step["discriminator_loss"], 1.2508600, 1e-4);
  EXPECT_NEAR(step["generator_loss"], 0.8465823, 1e-4);
  EXPECT_NEAR(step["generator_gradient_norm"], 1.0217729, 1e-3);
  EXPECT_NEAR(step["generator_slope"], 0.0971765, 1e-5);
}

}  // namespace
}  // namespace slopegan::testing
