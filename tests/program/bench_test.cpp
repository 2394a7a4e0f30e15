#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "process_states.h"
#include "program.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;

class Bench : public ProgramTest {};

TEST_F(Bench, PrintsJsonOnStdoutAndATableOnStderr) {
  const auto ended = slopegan({"bench", "step", "--seconds", "0", "training.threads=1", "training.batch_size=4",
                               "generator.width=8", "discriminator.width=8", "--vary",
                               "discriminator.negative_slope=0,0.2", "--vary", "training.precision=float32"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  const auto json = nlohmann::json::parse(ended.out);
  ASSERT_EQ(json["rows"].size(), 4u);
  EXPECT_EQ(json["rows"][3]["name"], "step, discriminator.negative_slope=0.2 training.precision=float32");
  EXPECT_GT(json["rows"][3]["images_per_second"], 0);
  EXPECT_EQ(json["rows"][3]["rounds"], 5);
  EXPECT_THAT(ended.err, HasSubstr("step, discriminator.negative_slope=0 training.precision=float32"));
}

TEST_F(Bench, MeasuresTheStepOnAQuietAndOnABusyMachine) {
  const auto ended =
      slopegan({"bench", "step", "--seconds", "0", "--busy", "2", "training.threads=2", "training.batch_size=4",
                "generator.width=8", "discriminator.width=8", "--vary", "training.precision=float32"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  const auto json = nlohmann::json::parse(ended.out);
  ASSERT_EQ(json["rows"].size(), 4u);
  EXPECT_EQ(json["rows"][3]["name"], "step, training.precision=float32, 2 busy processes");
  EXPECT_GT(json["rows"][3]["ratio_to_quiet"], 0);
  EXPECT_FALSE(json["rows"][3].contains("share_of_peak"));
  EXPECT_THAT(ended.err, HasSubstr("times the rate on a quiet machine"));
}

TEST_F(Bench, LeavesNoBusyProcessBehindWhenItIsInterrupted) {
  Program program(directory_.path(), {"bench", "step", "--seconds", "5", "--busy", "1", "training.batch_size=4",
                                      "generator.width=8", "discriminator.width=8"});
  std::vector<pid_t> busy;
  ASSERT_TRUE(wait_until([&] { return !(busy = children_of(program.pid())).empty(); }));
  program.send(SIGINT);
  EXPECT_EQ(program.wait(), 128 + SIGINT);
  EXPECT_TRUE(wait_until([&] { return children_of(program.pid()).empty() && state_of_process(busy[0]) != 'R'; }));
}

TEST_F(Bench, TimesTheArmsOfASweep) {
  const auto ended =
      slopegan({"bench", "sweep", "--arms", "2", "--rounds", "1", "training.total_images=128", "generator.width=8",
                "discriminator.width=8", "metrics.every_images=0", "diagnostics.every_images=0"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  const auto json = nlohmann::json::parse(ended.out);
  ASSERT_EQ(json["rows"].size(), 3u);
  EXPECT_GT(json["rows"][0]["images_per_second"], 0);
}

TEST_F(Bench, PassesOnTheExitCodeOfAnArm) {
  const auto ended = slopegan({"bench", "sweep", "--arms", "1", "--rounds", "1", "training.total_images=64",
                               "data.path=" + (directory_ / "missing").string()});
  EXPECT_EQ(ended.code, 3) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("an arm of the benchmark failed with exit code 3"));
}

TEST_F(Bench, RemovesItsTemporaryDirectoryWhenItIsInterrupted) {
  const auto temporary = directory_ / "tmp";
  std::filesystem::create_directories(temporary);
  const auto has_arm = [&] {
    for (const auto& entry : std::filesystem::directory_iterator(temporary)) {
      if (std::filesystem::exists(entry.path() / "bench/runs")) return true;
    }
    return false;
  };
  Program program(directory_.path(), {"bench", "sweep", "--arms", "1", "--rounds", "1"},
                  [&] { ::setenv("TMPDIR", temporary.c_str(), 1); });
  ASSERT_TRUE(wait_until(has_arm));
  program.send(SIGINT);
  EXPECT_EQ(program.wait(), 128 + SIGINT) << program.err();
  EXPECT_TRUE(std::filesystem::is_empty(temporary));
}

TEST_F(Bench, RejectsInvalidArgumentsWithAOneLineMessage) {
  const auto refused = [&](const std::vector<std::string>& arguments) {
    const auto ended = slopegan(arguments);
    EXPECT_EQ(ended.code, 2);
    EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
    return ended.err;
  };
  EXPECT_THAT(refused({"bench"}), HasSubstr("subcommand"));
  EXPECT_THAT(refused({"bench", "step", "--vary", "training.batch_size"}), HasSubstr("KEY=VALUE"));
  EXPECT_THAT(refused({"bench", "step", "--vary", "training.batch_siz=1,2"}), HasSubstr("training.batch_size"));
  EXPECT_THAT(refused({"bench", "step", "--channels", "2"}), HasSubstr("--channels"));
  EXPECT_THAT(refused({"bench", "activation", "--slope", "2"}), HasSubstr("--slope"));
  EXPECT_THAT(refused({"bench", "sweep", "--arms", "0"}), HasSubstr("--arms"));
}

}  // namespace
}  // namespace slopegan::testing
