#include <algorithm>
#include <cstdlib>
#include <map>
#include <stdexcept>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "commands/program.h"
#include "program.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// Tests runs and sweeps that fail to start, mistyped arguments, invalid environment variables, and paths with `~` or
/// variables that the shell has not expanded.
class FailedStart : public ProgramTest {
 protected:
  std::vector<std::string> short_run(const std::string& command, const std::vector<std::string>& more = {}) const {
    auto arguments =
        smoke(command, {"training.total_images=64", "samples.every_images=0", "diagnostics.every_images=0"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
};

TEST_F(FailedStart, LeavesNothingThatBlocksTheCorrectedCommand) {
  for (const std::string command : {"train", "sweep"}) {
    for (const std::string& bad :
         {"data.path=" + (directory_ / "missing").string(), std::string("metrics.extractor=missing.pt")}) {
      const auto failed = slopegan(short_run(command, {bad, "metrics.every_images=64"}));
      EXPECT_EQ(failed.code, 3) << failed.err;
      EXPECT_FALSE(fs::exists(outputs())) << command << " " << bad;
    }
    const auto corrected = slopegan(short_run(command));
    EXPECT_EQ(corrected.code, 0) << corrected.err;
    fs::remove_all(outputs());
  }
}

TEST_F(FailedStart, LeavesNoDirectoryBehindWithResumeAuto) {
  EXPECT_EQ(
      slopegan(short_run("train", {"metrics.extractor=missing.pt", "metrics.every_images=64", "--resume", "auto"}))
          .code,
      3);
  EXPECT_FALSE(fs::exists(outputs()));
}

/// Returns the content of all files in `run` except the lock and the report, by relative path.
std::map<std::string, std::string> contents_of(const fs::path& run) {
  std::map<std::string, std::string> contents;
  for (const auto& entry : fs::recursive_directory_iterator(run)) {
    const auto name = entry.path().filename();
    if (entry.is_regular_file() && name != ".lock" && name != "report.html") {
      contents[fs::relative(entry.path(), run)] = read_text(entry.path());
    }
  }
  return contents;
}

TEST_F(FailedStart, LeavesTheFilesOfAResumedRunUnchanged) {
  const auto resumed = [&](const std::vector<std::string>& more) {
    auto arguments = smoke("train", {"training.threads=1", "training.batch_size=32", "training.total_images=192",
                                     "diagnostics.every_images=64", "diagnostics.probes=100", "--resume", "auto"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return slopegan(arguments);
  };
  ASSERT_EQ(resumed({}).code, 0);
  auto before = contents_of(outputs() / "smoke");
  const auto shorter = resumed({"training.total_images=96"});
  EXPECT_EQ(shorter.code, 0);
  EXPECT_THAT(shorter.err, HasSubstr("nothing to do: the run has already seen 192 images"));
  EXPECT_EQ(contents_of(outputs() / "smoke"), before);
  fs::remove(outputs() / "smoke/diagnostics.jsonl");
  before.erase("diagnostics.jsonl");
  const auto incomplete = resumed({"training.total_images=256"});
  EXPECT_EQ(incomplete.code, 6);
  EXPECT_THAT(incomplete.err, HasSubstr("diagnostics.jsonl is incomplete"));
  EXPECT_EQ(contents_of(outputs() / "smoke"), before);
}

TEST_F(FailedStart, IsNotCausedByLoweringTheTotalOfAnInterruptedRun) {
  const auto resumed = [&](const std::string& total) {
    return slopegan(smoke("train", {"training.threads=1", total, "--resume", "auto"}));
  };
  ASSERT_EQ(resumed("training.total_images=128").code, 0);
  const fs::path file = outputs() / "smoke/run.json";
  std::string info = read_text(file);
  const auto place = info.find("\"done\"");
  ASSERT_NE(place, std::string::npos);
  std::ofstream(file) << info.replace(place, 6, "\"stopped\"");
  const auto result = resumed("training.total_images=64");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(read_text(file), HasSubstr("\"done\""));
}

TEST_F(FailedStart, LetsTheNextSweepUseDifferentValues) {
  fs::create_directories(outputs() / "smoke/runs");
  std::ofstream(outputs() / "smoke/sweep.yaml") << slopegan(short_run("train", {"--print-config", "seed=5"})).out;
  const auto result = slopegan(short_run("sweep", {"training.threads=1"}));
  EXPECT_EQ(result.code, 0) << result.err;
}

TEST_F(FailedStart, PathsInKeysAndOptionsAreExpanded) {
  const auto with_home = [this] { ::setenv("HOME", directory_.path().c_str(), 1); };
  const auto run_there = [&](const std::vector<std::string>& arguments) {
    return run(directory_.path(), arguments, with_home);
  };
  const auto trained =
      run_there({"train", config_file("smoke.yaml"), "run.output_dir=~/runs", "training.total_images=64"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_EQ(trained.out, (directory_ / "runs/smoke").string() + "\n");
  EXPECT_THAT(read_text(directory_ / "runs/smoke/config.yaml"), HasSubstr("output_dir: " + directory_.path().string()));
  EXPECT_THAT(read_text(directory_ / "runs/smoke/overrides.yaml"), HasSubstr("~/runs"));
  const auto generated = run_there({"generate", "$HOME/runs/smoke", "--count=1", "--out=${HOME}/images"});
  EXPECT_EQ(generated.code, 0) << generated.err;
  EXPECT_TRUE(fs::exists(directory_ / "images/000000.png"));
  EXPECT_EQ(run_there({"train", config_file("smoke.yaml"), "run.output_dir=~/runs", "--resume=~/runs/smoke",
                       "run.name=more", "training.total_images=128"})
                .code,
            0);
}

TEST_F(FailedStart, DoesNotChangeARunWhoseCheckpointsWereRemoved) {
  ASSERT_EQ(slopegan(short_run("train", {"samples.every_images=32"})).code, 0);
  const auto run = outputs() / "smoke";
  fs::remove_all(run / "checkpoints");
  auto info = nlohmann::json::parse(read_text(run / "run.json"));
  for (const char* status : {"done", "stopped", "running"}) {  // run.json records 64 images, so there was a checkpoint
    info["status"] = status;
    std::ofstream(run / "run.json") << info;
    const auto before = contents_of(run);
    for (const char* total : {"training.total_images=64", "training.total_images=128"}) {
      const auto refused = slopegan(short_run("train", {"--resume", "auto", total}));
      EXPECT_EQ(refused.code, 4) << status;
      EXPECT_THAT(refused.err,
                  HasSubstr("64 images, but " + (run / "checkpoints").string() + " contains no checkpoint"));
      EXPECT_EQ(std::count(refused.err.begin(), refused.err.end(), '\n'), 1) << refused.err;
    }
    EXPECT_EQ(contents_of(run), before) << status;
  }
}

TEST_F(FailedStart, DoesNotStartFromRandomWeightsIfOtherWeightsWereRequested) {
  ASSERT_EQ(slopegan(short_run("train")).code, 0);
  const auto run = outputs() / "smoke";
  fs::remove_all(run / "checkpoints");
  auto info = nlohmann::json::parse(read_text(run / "run.json"));
  info["status"] = "running";
  info["images"] = 0;
  const std::vector<std::vector<std::string>> commands = {
      {"slopegan", "train", "a.yaml", "--resume", "outputs/other"},
      {"slopegan", "train", "--resume=outputs/other", "a.yaml"},
      {"slopegan", "import", "a.yaml", "--weights", "b.safetensors"},
      {"slopegan", "--quiet", "--log-format", "json", "import", "a.yaml", "--weights", "b.safetensors"}};
  for (const auto& command : commands) {
    info["argv"] = command;
    std::ofstream(run / "run.json") << info;
    const auto refused = slopegan(short_run("train", {"--resume", "auto"}));
    EXPECT_EQ(refused.code, 4) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("should have started from imported weights or from another run"));
  }
  info["argv"] = {"slopegan", "train", "a.yaml", "--resume", "auto"};
  std::ofstream(run / "run.json") << info;
  EXPECT_EQ(slopegan(short_run("train", {"--resume", "auto"})).code, 0);
}

TEST_F(FailedStart, SuggestsCorrectionsForMistypedCommandsAndOptions) {
  const std::string config = config_file("smoke.yaml"), photos = (directory_ / "photos").string();
  const std::vector<std::pair<std::vector<std::string>, std::string>> commands = {
      {{"genrate", photos, "--count", "3", "--out", "x"}, "unknown command: genrate; did you mean generate?"},
      {{"xyzzy"}, "unknown command: xyzzy; allowed: train, sweep, "},
      {{"bench", "stpe"}, "unknown command: stpe; did you mean step?"},
      {{"generate", photos, "--cuont", "3", "--out", "x"}, "unknown option: --cuont; did you mean --count?"},
      {{"generate", "--cuont=3", photos}, "unknown option: --cuont=3; did you mean --count?"},
      {{"train", config, "--quite"}, "unknown option: --quite; did you mean --quiet?"},
      {{"train", config, "--total_images", "2000"}, "did you mean training.total_images=2000?"},
      {{"train", config, "--total-images=2000"}, "did you mean training.total_images=2000?"},
      {{"sweep", "--batch_sise", "16", config}, "did you mean training.batch_size=16?"},
      {{"train", config, "--metrics.every_images"}, "did you mean metrics.every_images=...?"},
      {{"grid", photos, "--total_images", "2000"}, "unknown option: --total_images; see slopegan --help"},
      {{"grid", photos, "more"}, "unexpected argument: more; see slopegan --help"},
      {{"generate", photos}, "--count is required"},
      {{"train"}, "config is required"},
  };
  for (const auto& [arguments, message] : commands) {
    const auto result = slopegan(arguments);
    EXPECT_EQ(result.code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr(message));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
}

TEST_F(FailedStart, NamesTheUnsetVariableAndTheOptionThatContainsIt) {
  const auto option = slopegan({"generate", "outputs/x", "--count", "1", "--out", "$SLOPEGAN_TEST_NONE/images"});
  EXPECT_EQ(option.code, 2);
  EXPECT_EQ(option.err,
            "slopegan: --out $SLOPEGAN_TEST_NONE/images: the environment variable "
            "SLOPEGAN_TEST_NONE is not set\n");
  const auto key = slopegan(short_run("train", {"run.output_dir=$SLOPEGAN_TEST_NONE/runs"}));
  EXPECT_EQ(key.code, 2);
  EXPECT_THAT(key.err, HasSubstr("run.output_dir = $SLOPEGAN_TEST_NONE/runs: the environment variable"));
}

TEST_F(FailedStart, ListsTheKnownInstructionSetsIfTheGivenOneIsUnknown) {
  const auto result =
      run(directory_.path(), short_run("train", {"--dry-run"}), [] { ::setenv("SLOPEGAN_CPU", "sse9", 1); });
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(result.err, "slopegan: SLOPEGAN_CPU = sse9: expected default, avx2, avx512 or avx512_bf16\n");
}

TEST_F(FailedStart, IsNotCausedByADollarSignInTheDirectoryOfASweep) {
  const auto result = slopegan(short_run("sweep", {"run.output_dir=" + (directory_ / "5$$HOME").string()}));
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(fs::exists(directory_ / "5$HOME/smoke/runs/slope_0-seed_0/checkpoints"));
}

TEST(ReportBug, PrintsTheFirstLineOfTheMessageAndReturns70) {
  ::testing::internal::CaptureStderr();
  log::init({});
  const int code = report_bug(std::logic_error("the tensors differ\nException raised from check at file.cpp:5"));
  EXPECT_EQ(
      ::testing::internal::GetCapturedStderr(),
      "slopegan: internal error: the tensors differ; this is a bug, so please report it together with the command "
      "and the configuration\n");
  EXPECT_EQ(code, 70);
}

}  // namespace
}  // namespace slopegan::testing
