#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "program.h"
#include "run/manifest.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
namespace fs = std::filesystem;

/// Tests runs whose kernels are measured (SLOPEGAN_KERNELS=measured), with their own cache.
class RunWithMeasuredKernels : public ProgramTest {
 protected:
  Result train(const std::string& name, int images, const std::string& kernels = "measured") {
    const fs::path cache = directory_ / "cache";
    return run(
        directory_.path(),
        smoke("train", {"training.precision=float32", "training.threads=1", "checkpoint.every_images=64",
                        "samples.every_images=0", "metrics.every_images=0", "diagnostics.every_images=0",
                        "run.name=" + name, "training.total_images=" + std::to_string(images), "--resume", "auto"}),
        [&] {
          ::setenv("SLOPEGAN_KERNELS", kernels.c_str(), 1);
          ::setenv("SLOPEGAN_CACHE", cache.c_str(), 1);
        });
  }
  fs::path checkpoint(const std::string& name, int images) const {
    return outputs() / name / "checkpoints" / std::to_string(images);
  }
  std::vector<std::string> kernels(const std::string& name, int images) const {
    return read_manifest(checkpoint(name, images)).info.kernels;
  }
  std::string state(const std::string& name, int images) const {
    return read_text(checkpoint(name, images) / "state.safetensors");
  }

  /// Replaces every stored choice by the opposite one.
  void flip_stored_choices() const {
    for (const auto& file : fs::directory_iterator(directory_ / "cache/kernels")) {
      if (file.path().extension() != ".txt") continue;
      std::istringstream lines(read_text(file.path()));
      std::ofstream flipped(file.path());
      for (std::string line; std::getline(lines, line);) {
        const auto colon = line.find(": ");
        flipped << line.substr(0, colon) << (line.ends_with("tiles") ? ": library\n" : ": tiles\n");
      }
    }
  }
};

TEST_F(RunWithMeasuredKernels, ResumesWithTheKernelsInItsCheckpoint) {
  ASSERT_EQ(train("whole", 128).code, 0);
  const auto chosen = kernels("whole", 128);
  if (chosen.empty()) GTEST_SKIP() << "this processor does not support tiled products";
  ASSERT_EQ(train("resumed", 64).code, 0);
  EXPECT_EQ(kernels("resumed", 64), chosen) << "runs with the same cache choose alike";
  flip_stored_choices();
  const auto resumed = train("resumed", 128);
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(kernels("resumed", 128), chosen);
  EXPECT_EQ(state("resumed", 128), state("whole", 128));
  ASSERT_EQ(train("other", 64).code, 0);
  EXPECT_NE(kernels("other", 64), chosen) << "a new run uses the stored choices";
}

TEST_F(RunWithMeasuredKernels, SaysInItsReportWhatARepetitionNeeds) {
  ASSERT_EQ(train("measured", 64).code, 0);
  ASSERT_EQ(train("table", 64, "table").code, 0);
  if (kernels("measured", 64).empty()) GTEST_SKIP() << "this processor does not support tiled products";
  const auto page = [&](const char* name) { return read_text(outputs() / name / "report.html"); };
  EXPECT_THAT(page("measured"), HasSubstr("number of threads and kernels give bit-identical results."));
  EXPECT_THAT(page("measured"), HasSubstr("threads: 1, measured kernels"));
  EXPECT_THAT(page("table"), HasSubstr("precision and number of threads give bit-identical results."));
  EXPECT_THAT(page("table"), Not(HasSubstr("measured kernels")));
}

TEST_F(RunWithMeasuredKernels, WorksWithACacheThatIsNotWritable) {
  std::ofstream(directory_ / "cache") << "a file, not a directory";
  const auto result = train("run", 64);
  EXPECT_EQ(result.code, 0) << result.err;
}

TEST_F(RunWithMeasuredKernels, StoresNothingIfTheTableIsUsed) {
  ASSERT_EQ(train("run", 64, "table").code, 0);
  EXPECT_FALSE(fs::exists(directory_ / "cache/kernels"));
  EXPECT_THAT(kernels("run", 64), IsEmpty());
  const auto refused = train("run", 64, "fastest");
  EXPECT_EQ(refused.code, 2);
  EXPECT_EQ(refused.err, "slopegan: SLOPEGAN_KERNELS = fastest: expected measured or table\n");
}

}  // namespace
}  // namespace slopegan::testing
