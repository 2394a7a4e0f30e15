#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "images/convert.h"
#include "images/image_file.h"
#include "process_states.h"
#include "program.h"
#include "run/checkpoint.h"
#include "run/manifest.h"
#include "sampling/latents.h"
#include "sampling/samples.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

bool equal(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && a.type() == b.type() && cv::norm(a, b, cv::NORM_INF) == 0;
}

/// Returns whether two images differ by at most 1 in each value. Images that were computed in different ways may be
/// rounded differently.
bool nearly_equal(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && a.type() == b.type() && cv::norm(a, b, cv::NORM_INF) <= 1;
}

/// Returns the content of each file below `directory`, by path; the content of directories and symlinks is empty.
std::map<std::string, std::string> files_below(const fs::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    files[entry.path()] = fs::is_regular_file(entry.symlink_status()) ? read_text(entry.path()) : "";
  }
  return files;
}

std::set<std::string> names_in(const fs::path& directory) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) names.insert(entry.path().filename());
  return names;
}

class Generate : public ProgramTest {
 protected:
  void train(const std::vector<std::string>& more = {}) {
    auto arguments = smoke("train", {"training.total_images=640", "training.threads=1", "checkpoint.every_images=320"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto result = slopegan(arguments);
    ASSERT_EQ(result.code, 0) << result.err;
  }
  Result generate(const std::string& out, const std::vector<std::string>& more, const fs::path& of = {}) {
    std::vector<std::string> arguments = {"generate", (of.empty() ? run() : of).string(), "--out", path(out).string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return slopegan(arguments);
  }
  fs::path run() const { return outputs() / "smoke"; }
  fs::path path(const std::string& name) const { return directory_ / name; }
  /// Runs a Python script with the interpreter in .venv. Returns its exit code.
  int python(const std::string& script) const {
    const auto file = directory_.write("check.py", script);
    const int status = std::system((SLOPEGAN_SOURCE_DIR "/.venv/bin/python " + file.string()).c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  bool has_numpy() const { return python("import numpy, PIL.Image") == 0; }
};

TEST_F(Generate, UsesTheAveragedGenerator) {
  train();
  const auto result = generate("images", {"--count", "5", "--seed", "11"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, path("images").string() + "\n");
  EXPECT_EQ(names_in(path("images")),
            (std::set<std::string>{"000000.png", "000001.png", "000002.png", "000003.png", "000004.png"}));
  auto loaded = load_generator(load_checkpoint(run() / "checkpoints/640"));
  const at::NoGradGuard no_gradients;
  const auto images = loaded.generator->forward(numbered_latents(11, 16)(0, 64));
  for (int i = 0; i < 5; ++i) {
    const auto png = read_image(path("images") / ("00000" + std::to_string(i) + ".png"));
    EXPECT_TRUE(nearly_equal(png, to_mat(images[i]))) << i;
  }
}

TEST_F(Generate, GivesTheSameImagesForAnyCountAndFormat) {
  train();
  ASSERT_EQ(generate("few", {"--count", "3"}).code, 0);
  ASSERT_EQ(generate("many", {"--count", "70"}).code, 0);
  ASSERT_EQ(generate("other", {"--count", "3", "--seed", "1"}).code, 0);
  ASSERT_EQ(generate("early", {"--count", "3"}, run() / "checkpoints/320").code, 0);
  ASSERT_EQ(generate("many.npz", {"--count", "70"}).code, 0);
  EXPECT_EQ(names_in(path("many")).size(), 70u);
  for (const std::string name : {"000000.png", "000001.png", "000002.png"}) {
    EXPECT_TRUE(read_text(path("few") / name) == read_text(path("many") / name)) << name;
    EXPECT_FALSE(read_text(path("few") / name) == read_text(path("other") / name)) << name;
    EXPECT_FALSE(read_text(path("few") / name) == read_text(path("early") / name)) << name;
  }
  if (!has_numpy()) GTEST_SKIP() << "numpy and Pillow are not installed in .venv";
  EXPECT_EQ(python("import numpy, PIL.Image\n"
                   "with numpy.load('" +
                   path("many.npz").string() +
                   "') as file:\n"
                   "    assert file.files == ['arr_0']\n"
                   "    images = file['arr_0']\n"
                   "assert images.dtype == numpy.uint8 and images.shape == (70, 32, 32, 1), images.shape\n"
                   "for i in range(70):\n"
                   "    png = numpy.array(PIL.Image.open('" +
                   path("many").string() +
                   "/%06d.png' % i))\n"
                   "    assert (png == images[i, :, :, 0]).all(), i\n"),
            0);
}

TEST_F(Generate, OverwritesFilesOnlyOnRequest) {
  train();
  fs::create_directory(path("images"));
  std::ofstream(path("images") / "000001.png") << "precious";
  std::ofstream(path("array.npz")) << "precious";
  for (const std::string out : {"images", "array.npz"}) {
    const auto refused = generate(out, {"--count", "2"});
    EXPECT_EQ(refused.code, 2);
    EXPECT_THAT(refused.err, HasSubstr("--overwrite"));
    EXPECT_THAT(refused.err, HasSubstr(path(out).string()));
  }
  EXPECT_EQ(read_text(path("images") / "000001.png"), "precious");
  EXPECT_EQ(read_text(path("array.npz")), "precious");
  EXPECT_EQ(names_in(path("images")).size(), 1u);
  std::ofstream(path("images") / "notes.txt") << "mine";
  for (const std::string out : {"images", "array.npz"}) {
    EXPECT_EQ(generate(out, {"--count", "2", "--overwrite"}).code, 0);
  }
  EXPECT_FALSE(read_image(path("images") / "000001.png").empty());
  EXPECT_EQ(read_text(path("images") / "notes.txt"), "mine");
  EXPECT_EQ(generate("images/", {"--count", "2"}).code, 2);
}

TEST_F(Generate, DoesNotChangeTheRun) {
  train();
  const auto before = files_below(run());
  for (const auto& [file, content] : before) ::chmod(file.c_str(), fs::is_directory(file) ? 0555 : 0444);
  ::chmod(run().c_str(), 0555);
  EXPECT_EQ(generate("images", {"--count", "2"}).code, 0);
  EXPECT_TRUE(files_below(run()) == before);
  for (const auto& [file, content] : before) ::chmod(file.c_str(), 0755);
  ::chmod(run().c_str(), 0755);
}

TEST_F(Generate, WalksThroughTheLatentsAndBack) {
  train();
  ASSERT_EQ(generate("walk", {"--count", "3", "--walk", "4", "--seed", "2"}).code, 0);
  ASSERT_EQ(generate("walk.gif", {"--count", "3", "--walk", "4", "--seed", "2"}).code, 0);
  ASSERT_EQ(generate("walk.npz", {"--count", "3", "--walk", "4", "--seed", "2"}).code, 0);
  const auto names = names_in(path("walk"));
  EXPECT_EQ(names.size(), 13u);  // 3 x 4 frames and walk.gif
  EXPECT_TRUE(names.contains("walk.gif") && names.contains("000011.png"));
  EXPECT_TRUE(read_text(path("walk") / "walk.gif") == read_text(path("walk.gif")));
  auto loaded = load_generator(load_checkpoint(run() / "checkpoints/640"));
  const at::NoGradGuard no_gradients;
  const LatentWalk walk(numbered_latents(2, 16)(0, 3), 4);
  const auto images = loaded.generator->forward(walk.latents(0, 64));
  EXPECT_TRUE(nearly_equal(read_image(path("walk/000004.png")), to_mat(images[4])));
  EXPECT_TRUE(nearly_equal(read_image(path("walk/000011.png")), to_mat(images[11])));
  if (!has_numpy()) GTEST_SKIP() << "numpy and Pillow are not installed in .venv";
  EXPECT_EQ(python("import numpy, PIL.Image\n"
                   "frames = numpy.load('" +
                   path("walk.npz").string() +
                   "')['arr_0']\n"
                   "gif = PIL.Image.open('" +
                   path("walk.gif").string() +
                   "')\n"
                   "assert frames.shape == (12, 32, 32, 1) and gif.n_frames == 12 and gif.size == (64, 64)\n"
                   "assert gif.info['loop'] == 0\n"
                   "for i in range(12):\n"
                   "    gif.seek(i)\n"
                   "    shown = numpy.array(gif.convert('RGB'))[::2, ::2]\n"
                   "    assert (shown == frames[i]).all(), i\n"),
            0);
}

TEST_F(Generate, MemoryDoesNotGrowWithTheNumberOfImages) {
  train();
  const auto few = generate("few.npz", {"--count", "64"});
  const auto many = generate("many.npz", {"--count", "20000"});
  ASSERT_EQ(many.code, 0) << many.err;
  EXPECT_GT(fs::file_size(path("many.npz")), 20'000'000u);
  EXPECT_LT(many.peak_mib, few.peak_mib + 12);
}

TEST_F(Generate, ReportsInvalidArguments) {
  train();
  EXPECT_THAT(generate("a.gif", {"--count", "3"}).err, HasSubstr("--walk"));
  EXPECT_EQ(generate("a.gif", {"--count", "3"}).code, 2);
  EXPECT_EQ(generate("a", {"--count", "0"}).code, 2);
  EXPECT_EQ(generate("a", {"--count", "20000", "--walk", "2"}).code, 2);
  EXPECT_EQ(generate("a", {"--count", "3"}, path("nowhere")).code, 4);
  EXPECT_FALSE(fs::exists(path("a")));
}

TEST_F(Generate, ReadsIntegersAsDecimalNumbers) {
  train();
  ASSERT_EQ(generate("a", {"--count", "010", "--seed", "010"}).code, 0);
  ASSERT_EQ(generate("b", {"--count", "1e1", "--seed", "10"}).code, 0);
  EXPECT_EQ(names_in(path("a")).size(), 10U);
  for (const auto& name : names_in(path("a"))) EXPECT_EQ(read_text(path("a") / name), read_text(path("b") / name));
  EXPECT_EQ(generate("c", {"--count", "08"}).code, 0);
  // The options are parsed before the files are read.
  const std::vector<std::vector<std::string>> commands = {
      {"generate", "x", "--out", "y", "--count"},
      {"generate", "x", "--out", "y", "--count", "1", "--seed"},
      {"generate", "x", "--out", "y", "--count", "1", "--walk"},
      {"sweep", "x", "--jobs"},
      {"diagnose", "x", "--probes"},
      {"evaluate", "x", "--samples"},
      {"evaluate", "x", "--resolution"},
      {"grid", "x", "--rows"},
      {"grid", "x", "--columns"},
      {"grid", "x", "--scale"},
      {"grid", "x", "--seed"},
      {"grid", "x", "--walk"},
      {"grid", "x", "--pixel-ratio"},
      {"demo", "dying-relu", "--seed"},
      {"bench", "step", "--busy"},
      {"bench", "step", "--channels"},
      {"bench", "sweep", "--arms"},
      {"bench", "sweep", "--rounds"},
  };
  for (auto command : commands) {
    const std::string option = command.back();
    command.emplace_back("0x1");
    const auto result = slopegan(command);
    EXPECT_EQ(result.code, 2) << option;
    EXPECT_THAT(result.err, HasSubstr(option + ": 0x1 is not a whole number")) << command.front();
  }
}

TEST_F(Generate, WritesASingleImageToAFileButRejectsSeveral) {
  train();
  const auto one = generate("pictures/one.PNG", {"--count", "1"});
  ASSERT_EQ(one.code, 0) << one.err;
  EXPECT_EQ(one.out, path("pictures/one.PNG").string() + "\n");
  ASSERT_EQ(generate("many", {"--count", "2"}).code, 0);
  EXPECT_TRUE(equal(read_image(path("pictures/one.PNG")), read_image(path("many/000000.png"))));
  for (const auto& more : {std::vector<std::string>{"--count", "2"}, {"--count", "1", "--walk", "3"}}) {
    const auto several = generate("several.png", more);
    EXPECT_EQ(several.code, 2);
    EXPECT_THAT(several.err, HasSubstr("several.png can hold only one image"));
  }
  for (const std::string name : {"a.jpg", "a.npy", "a.MP4"}) {
    const auto other = generate(name, {"--count", "1"});
    EXPECT_EQ(other.code, 2) << name;
    EXPECT_THAT(other.err, HasSubstr("images are written as PNG files"));
  }
  EXPECT_EQ(generate("one.PNG", {"--count", "1"}).code, 0);
  EXPECT_EQ(generate("one.PNG", {"--count", "1"}).code, 2);  // the file exists
  EXPECT_EQ(generate("folder.png/", {"--count", "2"}).code, 0);
  EXPECT_TRUE(fs::exists(path("folder.png/000001.png")));
  EXPECT_EQ(names_in(directory_.path()).count("several.png"), 0u);
}

TEST_F(Generate, AllCommandsCreateTheDirectoryOfTheirOutput) {
  train();
  const auto run_path = run().string();
  const auto new_file = [&](const std::string& name) { return path("new/of/" + name).string(); };
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"generate", run_path, "--count", "1", "--out", new_file("a/a.npz")},
           {"generate", run_path, "--count", "2", "--walk", "2", "--out", new_file("b/a.gif")},
           {"generate", run_path, "--count", "2", "--out", new_file("c/images")},
           {"grid", run_path, "--out", new_file("d/grid.png")},
           {"grid", run_path, "--animate", "--out", new_file("e/training.gif")},
           {"report", run_path, "--out", new_file("f/report.html")},
           {"export", run_path, "--format", "onnx", "--out", new_file("g/a.onnx"), "--reference", new_file("h/r.st")},
           {"data", config_file("smoke.yaml"), "--out", new_file("i/reals.png")}}) {
    const auto result = slopegan(arguments);
    EXPECT_EQ(result.code, 0) << arguments[0] << ": " << result.err;
    EXPECT_TRUE(fs::exists(arguments.back())) << arguments.back();
  }
}

TEST_F(Generate, StopsOnASignalAndLeavesOnlyCompleteFiles) {
  train();
  Program program(directory_.path(), {"generate", run().string(), "--count", "100000000", "--out", path("a").string()});
  ASSERT_TRUE(wait_for(path("a/00000010.png")));
  program.send(SIGINT);
  EXPECT_EQ(program.wait(), 130);
  EXPECT_THAT(program.err(), HasSubstr("of 100000000 images"));
  for (const auto& name : names_in(path("a"))) ASSERT_FALSE(name.starts_with(".tmp-"));
  Program array(directory_.path(),
                {"generate", run().string(), "--count", "100000000", "--out", path("a.npz").string()});
  const auto is_being_written = [&] {  // under a temporary name
    return std::ranges::any_of(names_in(directory_.path()), [&](const std::string& name) {
      std::error_code gone;
      return name.find(".npz") != std::string::npos && !fs::is_empty(path(name), gone) && !gone;
    });
  };
  ASSERT_TRUE(wait_until(is_being_written)) << array.err();
  array.send(SIGTERM);
  EXPECT_EQ(array.wait(), 143);
  for (const auto& name : names_in(directory_.path())) EXPECT_EQ(name.find(".npz"), std::string::npos) << name;
}

TEST_F(Generate, ACheckpointOfANewerVersionIsRejectedWithAOneLineMessage) {
  train();
  const auto file = run() / "checkpoints/640/manifest.json";
  auto manifest = nlohmann::json::parse(read_text(file));
  manifest.erase("manifest_sha256");
  manifest["format_version"] = 2;
  manifest["slopegan"] = "9.0.0";
  std::ofstream(file) << sealed(manifest.dump());
  const auto arguments = smoke("train", {"training.total_images=960", "training.threads=1", "--resume", "auto"});
  for (const auto& result : {slopegan(arguments), generate("images", {"--count", "1"}),
                             generate("images", {"--count", "1"}, run() / "checkpoints/640")}) {
    EXPECT_EQ(result.code, 4);
    EXPECT_THAT(result.err,
                HasSubstr("format version 2, written by slopegan 9.0.0; this slopegan reads versions up to 1"));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
  EXPECT_FALSE(fs::exists(path("images")));
}

TEST_F(Generate, WritesColourImagesInRgbOrder) {
  train();
  // Triples the output channels of the last layer: green is the negative of red, and blue is 0.
  auto checkpoint = load_checkpoint(run() / "checkpoints/640");
  for (const std::string prefix : {"ema.", "generator."}) {
    auto& weight = checkpoint.tensors.at(prefix + "block3.conv.weight");  // [in, out, k, k]
    weight = at::cat({weight, -weight, weight * 0}, 1).contiguous();
  }
  save_checkpoint(path("colour/checkpoints"), checkpoint.info, checkpoint.tensors, 2);
  ASSERT_EQ(generate("png", {"--count", "1"}, path("colour")).code, 0);
  ASSERT_EQ(generate("a.npz", {"--count", "1"}, path("colour")).code, 0);
  const auto pixel = read_image(path("png/000000.png")).at<cv::Vec3b>(16, 16);
  EXPECT_NEAR(pixel[0], 127.5, 1);           // blue: tanh(0)
  EXPECT_NEAR(pixel[1] + pixel[2], 255, 1);  // green is the negative of red
  if (!has_numpy()) GTEST_SKIP() << "numpy and Pillow are not installed in .venv";
  EXPECT_EQ(python("import numpy, PIL.Image\n"
                   "images = numpy.load('" +
                   path("a.npz").string() +
                   "')['arr_0']\n"
                   "png = numpy.array(PIL.Image.open('" +
                   path("png/000000.png").string() +
                   "'))\n"
                   "assert images.shape == (1, 32, 32, 3) and (png == images[0]).all()\n"),
            0);
}

}  // namespace
}  // namespace slopegan::testing
