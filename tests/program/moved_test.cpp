#include <cstdlib>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "images/image_file.h"
#include "program.h"
#include "run/checkpoint.h"
#include "run/records.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

/// Tests runs and sweeps that were copied, moved or renamed, or whose data was moved.
class Moved : public ProgramTest {
 protected:
  Moved() {
    fs::create_directories(directory_ / "photos");
    for (int i = 0; i < 40; ++i) {
      write_png(directory_ / "photos" / (std::to_string(i) + ".png"), cv::Mat(40, 40, CV_8UC3, cv::Scalar(i, 90, 200)));
    }
  }

  /// Runs the program with `place` as its working directory.
  Result slopegan_in(const fs::path& place, const std::vector<std::string>& arguments) {
    return run(directory_.path(), arguments, [place] {
      if (::chdir(place.c_str()) != 0) ::_exit(126);
    });
  }

  std::vector<std::string> short_run(const std::string& command, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {command,
                                          config_file("smoke.yaml"),
                                          "run.output_dir=outputs",
                                          "data.kind=image_folder",
                                          "data.path=photos",
                                          "training.total_images=128",
                                          "checkpoint.every_images=64",
                                          "samples.every_images=64",
                                          "diagnostics.every_images=0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  fs::path run_dir() const { return outputs() / "smoke"; }
};

void expect_own_images(const Result& result) {
  EXPECT_THAT(result.err, Not(HasSubstr("are not those that the run was trained on")));
  EXPECT_THAT(result.err, Not(HasSubstr("no row of real images")));
}

TEST_F(Moved, ACopyWithoutSymlinksCanBeUsedAndResumed) {
  ASSERT_EQ(slopegan_in(directory_.path(), short_run("train", {"training.total_images=64"})).code, 0);
  const fs::path copy = directory_ / "elsewhere/smoke";
  fs::create_directories(copy.parent_path());
  fs::copy(run_dir(), copy, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  fs::remove(copy / "checkpoints/latest");
  fs::copy(copy / "checkpoints/64", copy / "checkpoints/latest");
  const auto generated = slopegan(
      {"generate", (copy / "checkpoints/latest").string(), "--count", "2", "--out", (directory_ / "images").string()});
  EXPECT_EQ(generated.code, 0) << generated.err;
  const auto resumed =
      slopegan_in(directory_.path(), short_run("train", {"--resume", "auto", "run.output_dir=elsewhere"}));
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("resumed at 64 images"));
  EXPECT_EQ(fs::read_symlink(copy / "checkpoints/latest"), "128");
  EXPECT_EQ(read_history(copy / "history.jsonl").back().images, 128);
}

TEST_F(Moved, DataAtARelativePathIsFoundFromAnotherDirectory) {
  ASSERT_EQ(slopegan_in(directory_.path(), short_run("train")).code, 0);
  const auto manifest = nlohmann::json::parse(read_text(run_dir() / "checkpoints/latest/manifest.json"));
  EXPECT_EQ(manifest["data_path"], fs::canonical(directory_ / "photos").string());
  fs::create_directories(directory_ / "other");
  for (const char* command : {"diagnose", "grid"}) {
    const auto result = slopegan_in(directory_ / "other", {command, run_dir().string()});
    EXPECT_EQ(result.code, 0) << result.err;
    expect_own_images(result);
  }
}

TEST_F(Moved, TheDataOptionLocatesMovedData) {
  ASSERT_EQ(slopegan_in(directory_.path(), short_run("train")).code, 0);
  fs::rename(directory_ / "photos", directory_ / "pictures");
  EXPECT_EQ(slopegan({"diagnose", run_dir().string()}).code, 3);
  const std::string data = (directory_ / "pictures").string();
  for (const char* command : {"diagnose", "grid"}) {
    const auto result = slopegan({command, run_dir().string(), "--data", data});
    EXPECT_EQ(result.code, 0) << result.err;
    expect_own_images(result);
  }
  EXPECT_EQ(slopegan({"evaluate", data, "--against", data, "--data", data}).code, 2);
}

TEST_F(Moved, ARenamedSweepCanBeShownAndContinued) {
  const std::vector<std::string> keys = {"training.threads=1", "training.total_images=64"};
  ASSERT_EQ(slopegan_in(directory_.path(), short_run("sweep", keys)).code, 0);
  fs::create_directories(directory_ / "archive");
  fs::rename(run_dir(), directory_ / "archive/slopes");
  const auto sweep = (directory_ / "archive/slopes").string();
  fs::create_directories(directory_ / "other");
  const auto grid = slopegan_in(directory_ / "other", {"grid", sweep});
  EXPECT_EQ(grid.code, 0) << grid.err;
  EXPECT_THAT(grid.err, Not(HasSubstr("no row of real images")));
  EXPECT_EQ(slopegan({"report", sweep}).code, 0);
  EXPECT_THAT(read_text(directory_ / "archive/slopes/report.html"), HasSubstr("<title>slopes"));
  auto again = short_run("sweep", keys);
  again.insert(again.end(), {"run.output_dir=archive", "run.name=slopes", "sweep.negative_slope=[0, 0.2, 0.3]"});
  const auto result = slopegan_in(directory_.path(), again);
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("2 of 3 arms need no more training"));
}

TEST_F(Moved, ASweepIsNotContinuedOnDifferentImages) {
  const std::vector<std::string> keys = {"training.threads=1", "training.total_images=64"};
  ASSERT_EQ(slopegan_in(directory_.path(), short_run("sweep", keys)).code, 0);
  write_png(directory_ / "photos/one_more.png", cv::Mat(40, 40, CV_8UC3, cv::Scalar(1, 2, 3)));
  const auto result = slopegan_in(directory_.path(), short_run("sweep", keys));
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("the images at data.path have a different SHA-256"));
}

TEST_F(Moved, AComparisonWithOtherImagesUsesTheExtractorOfTheRun) {
  // The images have labels, so the extractor of the run is a classifier; the other images have no labels.
  for (int i = 0; i < 40; ++i) {
    const std::string name = std::to_string(i) + ".png";
    fs::create_directories(directory_ / "photos" / (i % 2 == 0 ? "red" : "blue"));
    fs::rename(directory_ / "photos" / name, directory_ / "photos" / (i % 2 == 0 ? "red" : "blue") / name);
    fs::create_directories(directory_ / "others");
    write_png(directory_ / "others" / name, cv::Mat(32, 32, CV_8UC3, cv::Scalar(200, i, 90)));
  }
  ASSERT_EQ(
      slopegan_in(directory_.path(), short_run("train", {"metrics.every_images=128", "metrics.samples=100"})).code, 0);
  const auto others = (directory_ / "others").string();
  const auto measured = slopegan({"evaluate", run_dir().string(), "--against", others, "--samples", "30"});
  ASSERT_EQ(measured.code, 0) << measured.err;
  EXPECT_THAT(measured.out, HasSubstr("classifier-photos@"));
  EXPECT_THAT(measured.err, Not(HasSubstr("not comparable")));
  fs::remove_all(directory_ / "photos");
  const auto without_data = slopegan({"evaluate", run_dir().string(), "--against", others, "--samples", "30"});
  ASSERT_EQ(without_data.code, 0) << without_data.err;
  EXPECT_THAT(without_data.err, HasSubstr("the data of the run cannot be read"));
  EXPECT_THAT(without_data.err, HasSubstr("but the metrics of the run were computed with classifier-photos@"));
}

/// A run from version 0.9 has a configuration without the keys of later versions. `--arm` reads a configuration file as
/// if the program had written it, so the test can start such a run.
TEST_F(Moved, ARunFromVersion09KeepsReadingImagesInTheSameWay) {
  for (int i = 0; i < 40; ++i) {  // version 0.9 pads them to 32 pixels; later versions resize them
    write_png(directory_ / "photos" / (std::to_string(i) + ".png"), cv::Mat(28, 28, CV_8UC3, cv::Scalar(i, 90, 200)));
  }
  const auto old = directory_.write("old.yaml",
                                    "data: {kind: image_folder, path: photos}\ngenerator: {width: 8}\n"
                                    "discriminator: {width: 8}\nmetrics: {every_images: 0}\n"
                                    "diagnostics: {every_images: 0}\ntraining: {batch_size: 32}\n");
  const std::vector<std::string> keys = {"run.output_dir=outputs", "training.total_images=64"};
  const auto train = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"train", old.string()};
    arguments.insert(arguments.end(), keys.begin(), keys.end());
    arguments.insert(arguments.end(), more.begin(), more.end());
    return slopegan_in(directory_.path(), arguments);
  };
  ASSERT_EQ(train({"--arm", "run.name=old"}).code, 0);
  EXPECT_THAT(read_text(outputs() / "old/config.yaml"), Not(HasSubstr("background")));
  const auto resumed = train({"run.name=old", "--resume", "auto", "training.total_images=128"});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("resumed at 64 images"));
  EXPECT_THAT(read_text(outputs() / "old/config.yaml"), Not(HasSubstr("background")));
  const auto explicit_key = train({"run.name=old", "--resume", "auto", "data.fit=stretch"});
  EXPECT_EQ(explicit_key.code, 4);
  EXPECT_THAT(explicit_key.err, HasSubstr("data.fit: as in 0.9 -> stretch"));
  ASSERT_EQ(train({"run.name=new"}).code, 0);
  EXPECT_THAT(read_text(outputs() / "new/config.yaml"), HasSubstr("background: white"));
  const auto branch = train({"run.name=branch", "--resume", "outputs/old", "training.total_images=192"});
  ASSERT_EQ(branch.code, 0) << branch.err;
  EXPECT_THAT(branch.err, HasSubstr("resumed at 128 images"));
}

}  // namespace
}  // namespace slopegan::testing
