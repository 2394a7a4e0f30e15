#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "data/file_writers.h"
#include "program.h"
#include "support/text.h"
#include "temporary_directory.h"

namespace slopegan::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// Runs the program on data other than IDX files. Each test has its own cache.
class DataKinds : public ProgramTest {
 protected:
  /// Writes `count` images of several heights, numbered from `first`. Each shows a disc; its colour, size and position
  /// depend on the number.
  void write_images(const std::string& folder, int count, int first = 0) const {
    fs::create_directories(directory_ / folder);
    for (int i = first; i < first + count; ++i) {
      cv::Mat image(30 + i % 7, 34, CV_8UC3, cv::Scalar::all(255));
      const cv::Scalar colour(i * 37 % 256, i * 91 % 256, i * 13 % 256);
      cv::circle(image, {10 + i % 12, 10 + i % 9}, 4 + i % 6, colour, cv::FILLED);
      cv::imwrite(directory_ / folder / format_text("{:03}.png", i), image);
    }
  }

  Result train(const std::string& name, const std::vector<std::string>& more) {
    auto arguments = smoke("train", {"training.precision=float32", "training.threads=1", "training.total_images=640",
                                     "checkpoint.every_images=320", "metrics.samples=100", "metrics.every_images=320",
                                     "diagnostics.every_images=320", "diagnostics.probes=100", "run.name=" + name});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return slopegan(arguments);
  }

  std::string state(const std::string& name) const {
    return read_text(outputs() / name / "checkpoints/640/state.safetensors");
  }

  const CacheDirectory cache_;
};

TEST_F(DataKinds, ShippedConfigurationsOfOtherDataKindsPassADryRun) {
  write_images("photos", 3);
  for (int i = 1; i <= 5; ++i) {
    write_bytes(directory_ / format_text("data_batch_{}.bin", i), std::string(3073, '\1'));
  }
  const std::vector<std::pair<std::string, std::string>> configs = {
      {"emoji", (directory_ / "photos").string()},     {"faces_64", (directory_ / "photos").string()},
      {"faces_128", (directory_ / "photos").string()}, {"medmnist", SLOPEGAN_TEST_DATA "/npz/rgb.npz"},
      {"cifar10", directory_.path().string()},
  };
  for (const auto& [name, path] : configs) {
    const auto result = slopegan({"train", config_file(name + ".yaml"), "--dry-run", "data.path=" + path});
    EXPECT_EQ(result.code, 0) << name << ": " << result.err;
    EXPECT_THAT(result.out, HasSubstr(" images of 3 x ")) << name;
  }
}

TEST_F(DataKinds, EveryCommandAcceptsAFolderOfColourImages) {
  write_images("photos", 150);
  const std::vector<std::string> data = {"data.kind=image_folder", "data.flip=true", "metrics.extractor=random",
                                         "data.path=" + (directory_ / "photos").string()};
  const auto trained = train("run", data);
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_THAT(read_text(outputs() / "run/metrics.jsonl"), AllOf(HasSubstr("random-3-channel@"), HasSubstr("\"fd\"")));
  EXPECT_THAT(read_text(outputs() / "run/diagnostics.jsonl"), HasSubstr("generator.block"));
  const auto run = (outputs() / "run").string();
  EXPECT_EQ(slopegan({"diagnose", run}).code, 0);
  EXPECT_EQ(slopegan({"grid", run, "--out", (directory_ / "grid.png").string()}).code, 0);
  EXPECT_EQ(cv::imread(directory_ / "grid.png").channels(), 3);
  EXPECT_EQ(slopegan({"evaluate", run, "--extractor", "random"}).code, 0);
  EXPECT_EQ(slopegan({"generate", run, "--count", "1", "--out", (directory_ / "one.png").string()}).code, 0);
  EXPECT_EQ(cv::imread(directory_ / "one.png", cv::IMREAD_UNCHANGED).channels(), 3);
  for (const std::string format : {"onnx", "torchscript", "safetensors"}) {
    const auto file = (directory_ / format).string();
    const auto exported = slopegan({"export", run, "--format", format, "--out", file});
    EXPECT_EQ(exported.code, 0) << exported.err;
  }
  EXPECT_EQ(slopegan({"report", run}).code, 0);
  EXPECT_THAT(read_text(outputs() / "run/report.html"), HasSubstr("</html>"));

  const auto config =
      directory_.write("photos.yaml", "data: {kind: image_folder, path: " + (directory_ / "photos").string() + "}\n");
  EXPECT_EQ(slopegan({"evaluate", run, "--extractor", "random", "--against", config.string()}).code, 0);
  write_images("others", 120, 500);
  const auto folder =
      slopegan({"evaluate", (directory_ / "others").string(), "--against", config.string(), "--extractor", "random"});
  EXPECT_EQ(folder.code, 0) << folder.err;
  const auto looked_at = slopegan({"data", config.string(), "--out", (directory_ / "reals.png").string()});
  EXPECT_EQ(looked_at.code, 0);
  EXPECT_THAT(looked_at.out, AllOf(HasSubstr("150 of 32 x 32 pixels"), HasSubstr("RGB"), HasSubstr("labels  none")));

  auto sweep = smoke("sweep", {"training.total_images=64", "run.name=swept", "sweep.jobs=1"});
  sweep.insert(sweep.end(), data.begin(), data.end());
  const auto swept = slopegan(sweep);
  EXPECT_EQ(swept.code, 0) << swept.err;
  EXPECT_TRUE(fs::exists(outputs() / "swept/contact_sheet.png"));
}

TEST_F(DataKinds, EvaluateComparesWithAConfigurationAtTheResolutionOfTheRun) {
  write_images("photos", 150);
  const std::string photos = (directory_ / "photos").string();
  ASSERT_EQ(
      train("run", {"data.kind=image_folder", "data.resolution=32", "metrics.every_images=0", "data.path=" + photos})
          .code,
      0);
  const auto values_against = [&](const std::string& resolution) {
    const auto config =
        directory_.write("photos_" + resolution + ".yaml",
                         "data: {kind: image_folder, resolution: " + resolution + ", path: " + photos + "}\n");
    const auto result = slopegan({"evaluate", (outputs() / "run").string(), "--extractor", "random", "--samples", "100",
                                  "--against", config.string()});
    EXPECT_EQ(result.code, 0) << result.err;
    return nlohmann::json::parse(result.out).at("values").dump();
  };
  EXPECT_EQ(values_against("64"), values_against("32"));
}

TEST_F(DataKinds, ARunOnFlippedImagesResumesExactly) {
  write_images("photos", 150);  // an uninterrupted run lasts a little more than four epochs
  const std::vector<std::string> data = {"data.kind=image_folder", "data.flip=true", "metrics.every_images=0",
                                         "data.path=" + (directory_ / "photos").string()};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), data.begin(), data.end());
    return more;
  };
  ASSERT_EQ(train("straight", data).code, 0);
  ASSERT_EQ(train("resumed", with({"training.total_images=320"})).code, 0);
  fs::remove_all(cache_.path());  // the images are packed again
  ASSERT_EQ(train("resumed", with({"--resume", "auto"})).code, 0);
  EXPECT_TRUE(state("straight") == state("resumed"));
  ASSERT_EQ(train("unflipped", with({"data.flip=false"})).code, 0);
  EXPECT_FALSE(state("straight") == state("unflipped"));
}

TEST_F(DataKinds, TheClassifierForMetricsIsTrainedOnLabelsFromDirectories) {
  for (const std::string split : {"train", "test"}) {
    write_images("sorted/" + split + "/round", 60);
    write_images("sorted/" + split + "/other", 60, 60);
  }
  const std::vector<std::string> data = {"data.kind=image_folder", "metrics.every_images=640",
                                         "data.path=" + (directory_ / "sorted").string()};
  const auto result = train("run", data);
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(read_text(outputs() / "run/metrics.jsonl"),
              AllOf(HasSubstr("classifier-sorted@"), HasSubstr("class_kl"), HasSubstr("\"floor_samples\":100")));
  EXPECT_THAT(slopegan({"data", config_file("smoke.yaml"), data[0], data[2], "--out", "/dev/null/x.png"}).out,
              HasSubstr("other: 60, round: 60"));
}

TEST_F(DataKinds, DataChannelsConvertsColourToGrayOnlyOnRequest) {
  const std::string rgb = "data.path=" SLOPEGAN_TEST_DATA "/npz/rgb.npz";
  for (const auto& [channels, text] : {std::pair("1", "1 x 4 x 5"), {"3", "3 x 4 x 5"}, {"0", "3 x 4 x 5"}}) {
    const auto result =
        slopegan(smoke("train", {"--dry-run", "data.kind=npz", rgb, std::string("data.channels=") + channels}));
    EXPECT_EQ(result.code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr(std::string("7 images of ") + text));
  }
}

TEST_F(DataKinds, SetsWith16BitsAreComparedWithoutHidingDifferencesInBrightness) {
  const auto write_deep = [&](const std::string& folder, int divisor, int hot_pixel) {
    fs::create_directories(directory_ / folder);
    for (int i = 0; i < 120; ++i) {
      cv::Mat image(32, 32, CV_16UC1);
      for (int y = 0; y < 32; ++y) {
        for (int x = 0; x < 32; ++x) {
          image.at<std::uint16_t>(y, x) = static_cast<std::uint16_t>((x * 37 + y * 91 + x * y * i) % 4000 / divisor);
        }
      }
      if (i == 0 && hot_pixel > 0) image.at<std::uint16_t>(0, 0) = static_cast<std::uint16_t>(hot_pixel);
      cv::imwrite(directory_ / folder / format_text("{:03}.png", i), image);
    }
    return (directory_ / folder).string();
  };
  const auto real = write_deep("real", 1, 0), dark = write_deep("dark", 4, 0), hot = write_deep("hot", 1, 4100);
  const auto fd = [&](const std::string& path, const std::string& against) {
    const auto result = slopegan({"evaluate", path, "--against", against});
    EXPECT_EQ(result.code, 0) << result.err;
    return result.code == 0 ? nlohmann::json::parse(result.out).at("values").at("fd").get<double>() : -1;
  };
  const double dark_fd = fd(dark, real);
  EXPECT_GT(dark_fd, 1e-3);
  EXPECT_LT(fd(hot, real), dark_fd / 10);
  const auto bytes = write_deep("bytes", 16, 0);  // values that fit into 8 bits do not determine the range
  EXPECT_LT(fd(real, bytes), dark_fd / 10);
  EXPECT_THAT(slopegan({"evaluate", real, "--against", bytes}).err,
              HasSubstr("has more than 8 bits per channel: its value 4095 is treated as equal to white in " + bytes));
  ASSERT_EQ(train("run", {"data.kind=image_folder", "data.channels=1", "data.path=" + real}).code, 0);
  const auto run = slopegan({"evaluate", (outputs() / "run").string(), "--against", dark});
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr("values up to 999; 0 to 4095 is scaled to 0 to 255"));
}

TEST_F(DataKinds, UnreadableFilesAreNamedAndSkippedUpToTheAllowedNumber) {
  write_images("photos", 99);
  directory_.write("photos/zz.jpg", "no image");
  const std::vector<std::string> look = {"data",
                                         config_file("smoke.yaml"),
                                         "data.kind=image_folder",
                                         "data.path=" + (directory_ / "photos").string(),
                                         "--out",
                                         (directory_ / "reals.png").string()};
  const auto one = slopegan(look);
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_THAT(one.out, AllOf(HasSubstr("images  99 of"), HasSubstr("zz.jpg: not a PNG")));
  for (int i = 0; i < 5; ++i) directory_.write(format_text("photos/z{}.jpg", i), "no image");
  const auto six = slopegan(look);
  EXPECT_EQ(six.code, 3);
  EXPECT_THAT(six.err, AllOf(HasSubstr("6 of 105 files"), HasSubstr("zz.jpg"), HasSubstr("z4.jpg")));
}

TEST_F(DataKinds, PackingContinuesAfterTheProcessWasKilled) {
  write_images("photos", 1200);
  const std::vector<std::string> look = {"data",
                                         config_file("smoke.yaml"),
                                         "data.kind=image_folder",
                                         "data.path=" + (directory_ / "photos").string(),
                                         "data.resolution=128",
                                         "--out",
                                         (directory_ / "reals.png").string()};
  const auto progress = [&] {
    for (const auto& entry : fs::recursive_directory_iterator(cache_.path())) {
      if (entry.path().extension() == ".progress" && read_text(entry.path()).find("sha256") != std::string::npos) {
        return true;
      }
    }
    return false;
  };
  const auto is_killed_while_packing = [&] {
    fs::remove_all(cache_.path() / "packed");
    Program first(directory_.path(), look);
    while (!first.poll() && !progress()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    first.send(SIGKILL);
    return first.wait() == -SIGKILL && progress();
  };
  bool is_killed = false;
  for (int i = 0; i < 5 && !is_killed; ++i) is_killed = is_killed_while_packing();
  ASSERT_TRUE(is_killed) << "packing finished before each of the 5 kills";
  const auto second = slopegan(look);
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_THAT(second.err, HasSubstr("continuing after the first"));
  const auto hash = [](const Result& result) { return result.out.substr(result.out.find("sha256")); };
  fs::remove_all(cache_.path() / "packed");
  const auto undisturbed = slopegan(look);
  EXPECT_THAT(undisturbed.err, Not(HasSubstr("continuing after")));
  EXPECT_EQ(hash(undisturbed), hash(second));
}

}  // namespace
}  // namespace slopegan::testing
