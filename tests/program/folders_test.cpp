#include <gmock/gmock.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "program.h"
#include "support/text.h"
#include "temporary_directory.h"

namespace slopegan::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

/// Runs the program on realistic folders of images. Each test has its own cache.
class Folders : public ProgramTest {
 protected:
  /// Writes images of different discs on a background whose brightness depends on `kind`. If `kind` is negative, all
  /// images are identical.
  void write_images(const std::string& folder, int count, int kind = 0) const {
    fs::create_directories(directory_ / folder);
    for (int i = 0; i < count; ++i) {
      cv::Mat image(32, 32, CV_8UC3, cv::Scalar::all(40 + 60 * std::max(kind, 0)));
      const int step = kind < 0 ? 0 : i;
      cv::circle(image, {10 + step % 12, 10 + step % 9}, 4 + step % 6, cv::Scalar(step * 37 % 256, 90, 200),
                 cv::FILLED);
      cv::imwrite(directory_ / folder / format_text("{:03}.png", i), image);
    }
  }

  /// Trains a short run with metrics and diagnostics.
  Result train(const std::string& folder, const std::vector<std::string>& more = {}) {
    auto arguments =
        smoke("train", {"training.total_images=128", "checkpoint.every_images=0", "metrics.samples=100",
                        "metrics.every_images=128", "metrics.names=[fd, kd, precision_recall, memorisation]",
                        "metrics.extractor=auto", "diagnostics.every_images=128", "diagnostics.probes=100",
                        "run.name=run", "data.kind=image_folder", "data.path=" + (directory_ / folder).string()});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return slopegan(arguments);
  }
  Result look(const std::string& folder) {
    return slopegan({"data", config_file("smoke.yaml"), "data.kind=image_folder",
                     "data.path=" + (directory_ / folder).string(), "--out", (directory_ / "reals.png").string()});
  }

  /// Expects that neither the log of the run nor the output of `diagnose` contains NaN or infinity.
  void expect_finite(const Result& trained) {
    const std::string run = (outputs() / "run").string();
    const auto not_finite = ContainsRegex("(^|[^a-z])-?(inf|nan)([^a-z]|$)");
    EXPECT_THAT(trained.err, Not(not_finite));
    const auto diagnosed = slopegan({"diagnose", run});
    EXPECT_EQ(diagnosed.code, 0);
    EXPECT_THAT(diagnosed.err + diagnosed.out, Not(not_finite));
  }

  const CacheDirectory cache_;
};

TEST_F(Folders, CanBeTrainedOnIfTheTestSplitHasNoLabels) {
  write_images("pets/train/cat", 20, 0);
  write_images("pets/train/dog", 20, 3);
  write_images("pets/test", 10);
  const auto trained = train("pets");
  EXPECT_EQ(trained.code, 0) << trained.err;
  EXPECT_THAT(trained.err,
              AllOf(HasSubstr("labels: the 2 directories cat, dog"),
                    HasSubstr("test images: labels: none, because 000.png is not in any of the class directories")));
  EXPECT_THAT(read_text(outputs() / "run/metrics.jsonl"), HasSubstr("classifier-pets@"));
  EXPECT_THAT(read_text(outputs() / "run/log.txt"), HasSubstr("labels: the 2 directories cat, dog"));
}

TEST_F(Folders, CanBeMeasuredWithoutTheirLabelsWhenARunIsResumed) {
  write_images("albums/spring", 60);
  write_images("albums/summer", 60);  // the same images, so the labels carry no information about them
  const auto first = train("albums", {"metrics.extractor=classifier"});
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.err, HasSubstr("set data.labels to none to compute the metrics without labels"));
  EXPECT_THAT(read_text(outputs() / "run/report.html"), HasSubstr("The labels seem to be unrelated to the images"));
  const auto resumed = train(
      "albums", {"metrics.extractor=random", "data.labels=none", "training.total_images=256", "--resume", "auto"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("resumed at 128 images"));
  const auto metrics = read_text(outputs() / "run/metrics.jsonl");
  EXPECT_LT(metrics.find("classifier-"), metrics.find("random-"));
  EXPECT_THAT(read_text(outputs() / "run/report.html"), Not(HasSubstr("unrelated to the images")));
}

TEST_F(Folders, CanBeTrainedOnIfTheTestSplitIsUnreadable) {
  write_images("pets/train", 20);
  fs::create_directories(directory_ / "pets/test");
  directory_.write("pets/test/a.jpg", "no image");
  EXPECT_THAT(look("pets").out, HasSubstr("warning not used: "));
  const auto trained = train("pets");
  EXPECT_EQ(trained.code, 0) << trained.err;
  EXPECT_THAT(trained.err, HasSubstr("the test images are not used: "));
}

TEST_F(Folders, OfFiveImagesCanBeTrainedOnWithoutMetrics) {
  write_images("five", 5);
  const auto trained = train("five");
  EXPECT_EQ(trained.code, 0) << trained.err;
  EXPECT_THAT(trained.err, AllOf(HasSubstr("metrics.names"), HasSubstr("at least 6 images and five has only 5")));
  expect_finite(trained);
}

TEST_F(Folders, OfOneImageCanBeTrainedOn) {
  write_images("one", 1);
  const auto trained = train("one");
  EXPECT_EQ(trained.code, 0) << trained.err;
  EXPECT_THAT(trained.err, HasSubstr("there is only one image"));
  expect_finite(trained);
}

TEST_F(Folders, OfEqualImagesCanBeTrainedOnAndRaiseAnAlarm) {
  write_images("copies", 100, -1);
  EXPECT_THAT(look("copies").out, HasSubstr("warning all 100 images are identical"));
  const auto trained = train("copies", {"metrics.extractor=auto"});
  EXPECT_EQ(trained.code, 0) << trained.err;
  EXPECT_THAT(trained.err, AllOf(HasSubstr("all 100 images are identical"), HasSubstr("equal_images")));
  expect_finite(trained);
  EXPECT_THAT(slopegan({"diagnose", (outputs() / "run").string()}).err,
              HasSubstr("diversity of generated images: unknown, because all real images are identical"));
}

TEST_F(Folders, CanBeTrainedOnIfAFewFilesAreDamaged) {
  write_images("sixty", 59);
  directory_.write("sixty/empty.png", "");
  EXPECT_THAT(look("sixty").out, AllOf(HasSubstr("images  59 of"), HasSubstr("empty.png")));
  const auto trained = train("sixty", {"metrics.every_images=0"});
  EXPECT_EQ(trained.code, 0) << trained.err;
  EXPECT_THAT(trained.err, HasSubstr("1 file cannot be read and is skipped: "));
  const auto strict = train("sixty", {"metrics.every_images=0", "data.max_unreadable=0", "run.name=strict"});
  EXPECT_EQ(strict.code, 3);
  EXPECT_THAT(strict.err, HasSubstr("data.max_unreadable = 0"));
}

TEST_F(Folders, AreReadWithoutTheRunsThatTheyContain) {
  write_images("photos", 40);
  const auto in_photos = [&](const std::string& command, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {command, config_file("smoke.yaml"), "data.kind=image_folder", "data.path=.",
                                          "training.total_images=64"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(directory_.path(), arguments, [&] { static_cast<void>(::chdir((directory_ / "photos").c_str())); });
  };
  ASSERT_EQ(in_photos("train", {}).code, 0);
  ASSERT_TRUE(fs::exists(directory_ / "photos/outputs/smoke/reals.png"));
  const auto resumed = in_photos("train", {"training.total_images=128", "--resume", "auto"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err,
              HasSubstr("1 directory is skipped, because it is a run or sweep of slopegan: outputs/smoke"));
  const auto swept = in_photos("sweep", {"run.name=swept", "--jobs", "1"});
  EXPECT_EQ(swept.code, 0) << swept.err;
  EXPECT_THAT(look("photos").out, HasSubstr("images  40 of"));
}

TEST_F(Folders, CannotContainTheOutputOfTheDataCommand) {
  write_images("photos", 6);
  const auto in_photos = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"data", config_file("smoke.yaml"), "data.kind=image_folder", "data.path=."};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(directory_.path(), arguments, [&] { static_cast<void>(::chdir((directory_ / "photos").c_str())); });
  };
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{}, {"--out", "000.png"}, {"--out", "x/y.png"}}) {
    const auto result = in_photos(more);
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, AllOf(HasSubstr("in data.path"), HasSubstr("choose a file outside this folder")));
  }
  EXPECT_EQ(in_photos({"--out", "../reals.png"}).code, 0);
  EXPECT_THAT(look("photos").out, HasSubstr("images  6 of"));
  const auto wrong = slopegan({"data", config_file("smoke.yaml"), "--out", (directory_ / "reals.jpg").string()});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("--out must have the extension .png"));
}

TEST_F(Folders, ThatChangeDuringASweepAreNotUsedForFurtherArms) {
  write_images("photos", 40);
  const auto sweep =
      smoke("sweep", {"data.kind=image_folder", "data.path=" + (directory_ / "photos").string(),
                      "sweep.negative_slope=[0, 0.1, 0.2]", "training.total_images=6400", "--jobs", "1"});
  Program program(directory_.path(), sweep);
  const auto arms = outputs() / "smoke/runs";
  ASSERT_TRUE(wait_for(arms / "slope_0-seed_0/run.json")) << program.err();
  fs::rename(directory_ / "photos/000.png", directory_ / "away.png");
  EXPECT_EQ(program.wait(), 3);
  EXPECT_THAT(program.err(), AllOf(HasSubstr("slope_0.1-seed_0 failed with exit code 3: "),
                                   HasSubstr("changed after the sweep was prepared"),
                                   HasSubstr("no more arms are started"), Not(HasSubstr("slope_0.2-seed_0 started"))));
  EXPECT_FALSE(fs::exists(arms / "slope_0.1-seed_0/config.yaml"));
  fs::rename(directory_ / "away.png", directory_ / "photos/000.png");
  const auto resumed = slopegan(sweep);
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("1 of 3 arms needs no more training"));
}

TEST_F(Folders, AreDescribedWithTheirUsedAndUnusedFiles) {
  write_images("mixed/cat", 3);
  write_images("mixed/dog", 3);
  directory_.write("mixed/cat/a.heic", std::string("\0\0\0\x18", 4) + "ftypheic....");
  directory_.write("mixed/notes.txt", "text");
  cv::imwrite(directory_ / "mixed/cover.png", cv::Mat(32, 32, CV_8UC3, cv::Scalar(1, 2, 3)));
  fs::create_directories(directory_ / "mixed/@eaDir");
  const auto seen = look("mixed");
  EXPECT_EQ(seen.code, 0) << seen.err;
  EXPECT_THAT(seen.out, AllOf(HasSubstr("images  6 of"), HasSubstr("labels: the 2 directories cat, dog"),
                              HasSubstr("2 other files are not read: 1 .heic, 1 .txt"),
                              HasSubstr("1 image is left out"), HasSubstr("cover.png"), HasSubstr("@eaDir")));
  EXPECT_THAT(seen.err, Not(HasSubstr("left out")));
}

}  // namespace
}  // namespace slopegan::testing
