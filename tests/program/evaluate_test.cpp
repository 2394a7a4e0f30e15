#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "data/dataset.h"
#include "data/file_writers.h"
#include "images/image_file.h"
#include "program.h"
#include "run/records.h"
#include "support/random.h"
#include "temporary_directory.h"

namespace slopegan::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Json = nlohmann::json;
namespace fs = std::filesystem;

/// Evaluates runs on a small set of gray images without labels, for which the feature extractor needs no training.
class Evaluate : public ProgramTest {
 protected:
  Evaluate() {
    fs::create_directory(data());
    write_images("train-images-idx3-ubyte", 300, 0);
    write_images("t10k-images-idx3-ubyte", 150, 7);
  }
  void write_images(const std::string& name, std::uint32_t count, std::size_t shift) const {
    std::string bytes;
    for (std::size_t i = 0; i < count * 784u; ++i) {
      bytes += static_cast<char>((i % 784 * 3 + (i / 784 + shift) * (i / 784 + 5) % 97 + i * i % 31) % 256);
    }
    write_bytes(data() / name, idx_header({count, 28, 28}) + bytes);
  }
  fs::path data() const { return directory_ / "data"; }
  fs::path run_dir(const std::string& name) const { return outputs() / name; }

  Result train(const std::string& name, const std::vector<std::string>& more = {}) {
    auto arguments = smoke(
        "train", {"training.precision=float32", "training.threads=1", "training.total_images=640",
                  "checkpoint.every_images=320", "checkpoint.keep=9", "metrics.every_images=160", "metrics.samples=120",
                  "diagnostics.every_images=0", "data.path=" + data().string(), "run.name=" + name});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return slopegan(arguments);
  }
  std::vector<MetricsRecord> records(const std::string& name) const {
    auto all = read_metrics(run_dir(name) / "metrics.jsonl");
    for (auto& record : all) record.seconds = 0;
    return all;
  }
  std::string config_with_data() const {
    return directory_.write("data.yaml", "data: {path: " + data().string() + "}\n");
  }
};

TEST_F(Evaluate, WritesOneLinePerEvaluationAndDoesNotAffectTraining) {
  ASSERT_EQ(train("never", {"metrics.every_images=0"}).code, 0);
  ASSERT_EQ(train("often").code, 0);
  EXPECT_TRUE(records("never").empty());
  EXPECT_FALSE(fs::exists(run_dir("never") / "checkpoints/best"));
  const auto found = records("often");
  ASSERT_EQ(found.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(found[i].images, 160 * static_cast<std::int64_t>(i + 1));
  EXPECT_THAT(found[0].extractor, HasSubstr("random-1-channel@"));
  EXPECT_EQ(found[0].samples, 120);
  EXPECT_EQ(found[0].floor_samples, 120);
  EXPECT_FALSE(found[2].fd_repeat.has_value());
  EXPECT_NEAR(found[3].fd_repeat.value(), found[3].values.at("fd"), 0.2 * found[3].values.at("fd"));
  const auto state = [&](const char* name) { return read_text(run_dir(name) / "checkpoints/640/state.safetensors"); };
  EXPECT_TRUE(state("never") == state("often"));
}

TEST_F(Evaluate, KeepsTheCheckpointWithTheLowestFd) {
  ASSERT_EQ(train("run").code, 0);
  const auto all = records("run");
  const auto best = std::min_element(
      all.begin(), all.end(), [](const auto& a, const auto& b) { return a.values.at("fd") < b.values.at("fd"); });
  EXPECT_EQ(fs::read_symlink(run_dir("run") / "checkpoints/best"), std::to_string(best->images));
  EXPECT_EQ(slopegan({"grid", (run_dir("run") / "checkpoints/best").string()}).code, 0);
  ASSERT_EQ(train("no_best", {"checkpoint.keep_best=false"}).code, 0);
  EXPECT_FALSE(fs::exists(run_dir("no_best") / "checkpoints/best"));
}

TEST_F(Evaluate, AResumedRunWritesTheSameMetrics) {
  ASSERT_EQ(train("whole").code, 0);
  ASSERT_EQ(train("parts", {"training.total_images=320"}).code, 0);
  ASSERT_EQ(train("parts", {"--resume", "auto"}).code, 0);
  auto parts = records("parts");
  ASSERT_EQ(parts.size(), 4u);
  parts[1].fd_repeat.reset();  // set because the first part ended with this evaluation
  EXPECT_EQ(parts, records("whole"));
  EXPECT_EQ(fs::read_symlink(run_dir("parts") / "checkpoints/best"),
            fs::read_symlink(run_dir("whole") / "checkpoints/best"));
}

TEST_F(Evaluate, ARejectedResumeChangesNothing) {
  ASSERT_EQ(train("run").code, 0);
  const auto from = (run_dir("run") / "checkpoints/320").string();
  const auto before = read_text(run_dir("run") / "history.jsonl");
  EXPECT_EQ(train("run", {"--resume", from, "metrics.extractor=" + (directory_ / "typo.pt").string()}).code, 3);
  EXPECT_TRUE(fs::exists(run_dir("run") / "checkpoints/640"));
  EXPECT_EQ(read_text(run_dir("run") / "history.jsonl"), before);
  fs::resize_file(run_dir("run") / "history.jsonl", 10);
  const auto result = train("run", {"--resume", from});
  EXPECT_EQ(result.code, 6);
  EXPECT_THAT(result.err, HasSubstr("history.jsonl is incomplete"));
  EXPECT_TRUE(fs::exists(run_dir("run") / "checkpoints/640"));
}

TEST_F(Evaluate, AnUnreadableLineInTheMetricsDoesNotPreventResuming) {
  ASSERT_EQ(train("run", {"training.total_images=320"}).code, 0);
  auto lines = read_text(run_dir("run") / "metrics.jsonl");
  lines[0] = '!';
  std::ofstream(run_dir("run") / "metrics.jsonl") << lines;
  const auto result = train("run", {"--resume", "auto"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("the best checkpoint is chosen from later evaluations only"));
}

TEST_F(Evaluate, ReproducesTheLastMetricsOfARun) {
  ASSERT_EQ(train("run").code, 0);
  const auto result = slopegan({"evaluate", run_dir("run").string()});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto json = Json::parse(result.out);
  const auto last = records("run").back();
  EXPECT_EQ(json["images"], 640);
  EXPECT_EQ(json["extractor"], last.extractor);
  for (const auto& [name, value] : last.values) EXPECT_EQ(json["values"][name].get<double>(), value) << name;
  EXPECT_EQ(json["fd_repeat"].get<double>(), *last.fd_repeat);
  EXPECT_TRUE(json["values"].contains("copied_share"));
  EXPECT_THAT(result.err, HasSubstr("distance between the feature distributions"));
  const auto earlier = slopegan({"evaluate", (run_dir("run") / "checkpoints/320").string(), "--samples", "50"});
  ASSERT_EQ(earlier.code, 0) << earlier.err;
  EXPECT_EQ(Json::parse(earlier.out)["samples"], 50);
}

TEST_F(Evaluate, AFolderOfRealImagesReachesTheFloor) {
  // Writes the test images as PNG files.
  const auto dataset = load_dataset({.path = data().string()}, Split::test);
  fs::create_directory(directory_ / "pngs");
  for (std::int64_t i = 0; i < dataset->size(); ++i) {
    const cv::Mat image(28, 28, CV_8UC1, dataset->images[i].mutable_data_ptr<std::uint8_t>());
    write_png(directory_ / "pngs" / (std::to_string(1000 + i) + ".png"), image);
  }
  const auto against_data = slopegan({"evaluate", (directory_ / "pngs").string(), "--against", config_with_data()});
  ASSERT_EQ(against_data.code, 0) << against_data.err;
  const auto json = Json::parse(against_data.out);
  EXPECT_EQ(json["samples"], 150);
  for (const char* name : {"fd", "kd", "precision", "recall", "density", "coverage"}) {
    const double floor = json["floors"][name];
    EXPECT_NEAR(json["values"][name].get<double>(), floor, 1e-2 * std::abs(floor)) << name;
  }
  const auto itself =
      slopegan({"evaluate", (directory_ / "pngs").string(), "--against", (directory_ / "pngs").string()});
  ASSERT_EQ(itself.code, 0) << itself.err;
  EXPECT_NEAR(Json::parse(itself.out)["values"]["fd"].get<double>(), 0, 1e-6);
  EXPECT_EQ(Json::parse(itself.out)["values"]["precision"], 1);
}

TEST_F(Evaluate, TakesARandomSampleOfAFolder) {
  // The first 60 files by name contain the same image, so a sample of only these files would be useless.
  const auto dataset = load_dataset({.path = data().string()}, Split::test);
  fs::create_directory(directory_ / "sorted");
  for (std::int64_t i = 0; i < 120; ++i) {
    const cv::Mat image(28, 28, CV_8UC1, dataset->images[i < 60 ? 0 : i].mutable_data_ptr<std::uint8_t>());
    write_png(directory_ / "sorted" / (std::to_string(1000 + i) + ".png"), image);
  }
  const std::vector<std::string> command = {
      "evaluate", (directory_ / "sorted").string(), "--against", config_with_data(), "--samples", "60"};
  const auto first = slopegan(command), second = slopegan(command);
  ASSERT_EQ(first.code, 0) << first.err;
  const auto json = Json::parse(first.out);
  EXPECT_EQ(json["samples"], 60);
  EXPECT_GT(json["values"]["recall"].get<double>(), 0.1);
  EXPECT_EQ(json["values"], Json::parse(second.out)["values"]);
  EXPECT_EQ(json["real_subset"], 60);
  EXPECT_THAT(first.err, HasSubstr("kd, precision, recall, density, coverage: 60 of the 300 real images"));
  EXPECT_EQ(json["fd_bias_is_reliable"], false);
  EXPECT_THAT(first.err, HasSubstr("unreliable: fewer than twice as many images as features"));
}

TEST_F(Evaluate, ChoosesAResolutionForComparingFoldersAndReportsIt) {
  const CacheDirectory cache;
  const auto write = [&](const std::string& folder, int side) {
    fs::create_directories(directory_ / folder);
    for (int i = 0; i < 30; ++i) {
      cv::Mat image(side, side, CV_8UC1);
      cv::randu(image, cv::Scalar::all(0), cv::Scalar::all(256));
      write_png(directory_ / folder / (std::to_string(100 + i) + ".png"), image);
    }
  };
  write("large", 70);
  write("others", 140);
  const auto compare = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"evaluate", (directory_ / "large").string(), "--against",
                                          (directory_ / "others").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return slopegan(arguments);
  };
  const auto result = compare({});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(Json::parse(result.out)["resolution"], 64);
  EXPECT_THAT(result.err, HasSubstr("comparing at 64 x 64 pixels"));
  EXPECT_THAT(result.err, HasSubstr("30 generated images at 64 x 64 pixels"));
  EXPECT_EQ(Json::parse(compare({"--resolution", "32"}).out)["resolution"], 32);
  directory_.write("large/broken.png", "not an image");
  directory_.write("large/notes.txt", "not an image either");
  const auto tolerant = compare({});
  ASSERT_EQ(tolerant.code, 0) << tolerant.err;
  EXPECT_THAT(tolerant.err, HasSubstr("broken.png"));
  EXPECT_EQ(Json::parse(tolerant.out)["values"], Json::parse(result.out)["values"]);
}

TEST_F(Evaluate, AcceptsTheNpzFilesThatGenerateWrites) {
  const CacheDirectory cache;
  ASSERT_EQ(train("run", {"metrics.every_images=0"}).code, 0);
  const auto generate = [&](const std::string& out) {
    const auto path = (directory_ / out).string();
    EXPECT_EQ(slopegan({"generate", run_dir("run").string(), "--count", "40", "--out", path}).code, 0);
    return path;
  };
  const auto folder = generate("folder"), npz = generate("images.npz");
  const auto of_folder = slopegan({"evaluate", folder, "--against", config_with_data()});
  const auto of_npz = slopegan({"evaluate", npz, "--against", config_with_data()});
  ASSERT_EQ(of_folder.code, 0) << of_folder.err;
  ASSERT_EQ(of_npz.code, 0) << of_npz.err;
  EXPECT_EQ(Json::parse(of_npz.out)["values"], Json::parse(of_folder.out)["values"]);
  const auto itself = slopegan({"evaluate", folder, "--against", npz});
  ASSERT_EQ(itself.code, 0) << itself.err;
  EXPECT_EQ(Json::parse(itself.out)["resolution"], 32);
  EXPECT_NEAR(Json::parse(itself.out)["values"]["fd"].get<double>(), 0, 1e-6);
}

TEST_F(Evaluate, ComparesWithTheDataOfARunAndNotWithItsPictures) {
  const CacheDirectory cache;
  ASSERT_EQ(train("run", {"metrics.every_images=0"}).code, 0);
  const auto folder = (directory_ / "folder").string();
  ASSERT_EQ(slopegan({"generate", run_dir("run").string(), "--count", "40", "--out", folder}).code, 0);
  const auto values = [&](const std::string& against) {
    const auto result = slopegan({"evaluate", folder, "--against", against});
    EXPECT_EQ(result.code, 0) << result.err;
    return result.code == 0 ? Json::parse(result.out).at("values") : Json();
  };
  const auto expected = values(config_with_data());
  EXPECT_EQ(values(run_dir("run").string()), expected);
  EXPECT_EQ(values((run_dir("run") / "checkpoints/320").string()), expected);
  fs::remove_all(run_dir("run") / "checkpoints");
  EXPECT_EQ(values(run_dir("run").string()), expected);
  const auto untrained = slopegan({"evaluate", run_dir("run").string(), "--against", config_with_data()});
  EXPECT_EQ(untrained.code, 4);
  EXPECT_THAT(untrained.err, HasSubstr("is a run that has no checkpoints yet"));
}

TEST_F(Evaluate, DoesNotExecuteAnExtractorNamedInACheckpoint) {
  const std::string extractor = SLOPEGAN_TEST_DATA "/torchscript/plain.pt";
  ASSERT_EQ(train("run", {"metrics.extractor=" + extractor}).code, 0);
  EXPECT_THAT(records("run").back().extractor, HasSubstr("file-plain@"));
  const auto result = slopegan({"evaluate", run_dir("run").string()});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(Json::parse(result.out)["extractor"].get<std::string>(), HasSubstr("random-1-channel@"));
  const auto asked = slopegan({"evaluate", run_dir("run").string(), "--extractor", extractor});
  EXPECT_EQ(Json::parse(asked.out)["extractor"], records("run").back().extractor);
}

TEST_F(Evaluate, SeveralExtractorsMeasureTheSameImages) {
  const std::string plain = SLOPEGAN_TEST_DATA "/torchscript/plain.pt";
  ASSERT_EQ(train("run", {"metrics.extractor=[random, " + plain + "]"}).code, 0);
  ASSERT_EQ(train("one").code, 0);
  const auto all = records("run"), alone = records("one");
  ASSERT_EQ(all.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    ASSERT_EQ(all[i].others.size(), 1u);
    EXPECT_THAT(all[i].others[0].extractor, HasSubstr("file-plain@"));
    EXPECT_EQ(all[i].values, alone[i].values);
  }
  EXPECT_TRUE(all[3].others[0].fd_repeat.has_value());
  EXPECT_EQ(fs::read_symlink(run_dir("run") / "checkpoints/best"),
            fs::read_symlink(run_dir("one") / "checkpoints/best"));
  const auto result = slopegan({"evaluate", "--extractor", plain, "random", run_dir("run").string()});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto json = Json::parse(result.out);
  EXPECT_EQ(json["extractor"], all[3].others[0].extractor);
  EXPECT_EQ(json["others"][0]["extractor"], all[3].extractor);
  EXPECT_EQ(json["others"][0]["values"]["fd"].get<double>(), all[3].values.at("fd"));
  EXPECT_THAT(result.err, AllOf(HasSubstr(all[3].extractor + ", 120 generated images"),
                                HasSubstr(all[3].others[0].extractor + ", 120 generated images")));
}

/// Evaluates runs on colour images without labels, with and without the weights of EfficientNet-Lite0.
class ColourEvaluate : public ProgramTest {
 protected:
  ColourEvaluate() {
    std::vector<float> numbers(40 * 32 * 32 * 3);
    RandomStream(0, "tests/colours").fill_uniform(numbers, 0, 256);
    fs::create_directory(directory_ / "photos");
    for (int i = 0; i < 40; ++i) {
      cv::Mat image(32, 32, CV_8UC3);
      for (int j = 0; j < 32 * 32 * 3; ++j) {
        image.data[j] = static_cast<std::uint8_t>(numbers[static_cast<std::size_t>(i * 32 * 32 * 3 + j)] / 2 +
                                                  static_cast<float>(i));
      }
      write_png(directory_ / "photos" / (std::to_string(i) + ".png"), image);
    }
  }
  std::vector<std::string> arguments(const std::string& command, const std::vector<std::string>& more) const {
    auto all =
        smoke(command, {"training.precision=float32", "training.threads=1", "training.total_images=128",
                        "metrics.samples=100", "metrics.every_images=128", "diagnostics.every_images=0",
                        "data.kind=image_folder", "data.path=" + (directory_ / "photos").string(), "run.name=run"});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// Runs a copy of the program in a directory where it does not find the weights.
  Result without_weights(const std::vector<std::string>& arguments) const {
    fs::create_directories(directory_ / "bin");
    fs::copy_file(SLOPEGAN_BINARY, directory_ / "bin/slopegan", fs::copy_options::skip_existing);
    return run(directory_.path(), arguments, {}, directory_ / "bin/slopegan");
  }
  const CacheDirectory cache_;
};

TEST_F(ColourEvaluate, FailsBeforeTheRunDirectoryIsCreatedIfTheWeightsAreMissing) {
  for (const std::string command : {"train", "sweep"}) {
    const auto missing = without_weights(arguments(command, {}));
    EXPECT_EQ(missing.code, 3) << missing.err;
    EXPECT_THAT(missing.err, AllOf(HasSubstr("weights of EfficientNet-Lite0"), HasSubstr("scripts/install_ruler.py"),
                                   HasSubstr("metrics.extractor=random")));
    EXPECT_FALSE(fs::exists(outputs() / "run"));
  }
  const auto looked_at = without_weights(arguments("data", {"--out", (directory_ / "reals.png").string()}));
  EXPECT_EQ(looked_at.code, 0) << looked_at.err;
  EXPECT_THAT(looked_at.out, HasSubstr("metrics\n  warning the weights of EfficientNet-Lite0"));
  const auto unmeasured = without_weights(arguments("train", {"metrics.every_images=0"}));
  EXPECT_EQ(unmeasured.code, 0) << unmeasured.err;
  fs::remove_all(outputs());
  const auto random = without_weights(arguments("train", {"metrics.extractor=random"}));
  EXPECT_EQ(random.code, 0) << random.err;
  EXPECT_EQ(without_weights({"evaluate", (outputs() / "run").string()}).code, 3);
}

TEST_F(ColourEvaluate, MeasuresWithEfficientNet) {
  if (!fs::exists(fs::path(SLOPEGAN_SOURCE_DIR) / "build/rulers/efficientnet_lite0.safetensors")) {
    GTEST_SKIP() << "the weights of EfficientNet-Lite0 are not installed; install them with scripts/install_ruler.py";
  }
  const auto trained = slopegan(arguments("train", {}));
  ASSERT_EQ(trained.code, 0) << trained.err;
  const auto record = read_metrics(outputs() / "run/metrics.jsonl").back();
  EXPECT_THAT(record.extractor, HasSubstr("efficientnet-lite0-128@7880d583"));
  EXPECT_EQ(record.features, 1280);
  EXPECT_EQ(record.real_samples, 40);
  EXPECT_THAT(trained.err, HasSubstr("KD[efficientnet-lite0-128@7880d583,n=100]"));
  const auto result = slopegan({"evaluate", (outputs() / "run").string()});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("40 images are too few for 1280 features"));
  EXPECT_LT(result.err.find("\nkd "), result.err.find("\nfd "));
}

TEST_F(Evaluate, ReportsInvalidArguments) {
  const auto refused = [&](const std::vector<std::string>& more, int code) {
    std::vector<std::string> arguments = {"evaluate"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto result = slopegan(arguments);
    EXPECT_EQ(result.code, code) << result.err;
    return result.err;
  };
  EXPECT_THAT(refused({}, 2), HasSubstr("path is required"));
  EXPECT_THAT(refused({"--extractor", "random"}, 2), HasSubstr("path is required"));
  EXPECT_THAT(refused({(directory_ / "none").string()}, 2), HasSubstr("none does not exist"));
  EXPECT_THAT(refused({data().string()}, 2), HasSubstr("--against CONFIG, --against IMAGE_DIR or --against NPZ"));
  EXPECT_THAT(refused({data().string(), "--against", config_with_data()}, 3), HasSubstr("contains IDX files"));
  EXPECT_THAT(refused({data().string(), "--against", config_with_data(), "--resolution", "64"}, 2),
              HasSubstr("data.resolution = 32"));
  fs::create_directory(directory_ / "few");
  for (const char* name : {"a.png", "b.png"}) write_png(directory_ / "few" / name, cv::Mat(28, 28, CV_8UC1, 9));
  EXPECT_THAT(refused({(directory_ / "few").string(), "--against", config_with_data()}, 3),
              HasSubstr("few: 2 images; metrics need at least 6"));
  directory_.write("sweep.yaml", "seed: 0\n");
  EXPECT_THAT(refused({directory_.path().string()}, 2), HasSubstr("is a sweep"));
  const auto bad = train("run", {"metrics.extractor=" + (directory_ / "missing.pt").string()});
  EXPECT_EQ(bad.code, 3);
  EXPECT_THAT(bad.err, HasSubstr("missing.pt is not a file"));
}

}  // namespace
}  // namespace slopegan::testing
