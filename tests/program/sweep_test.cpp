#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "images/image_file.h"
#include "poison.h"
#include "program.h"

namespace slopegan::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Sweep : public ProgramTest {
 protected:
  Result sweep(const std::vector<std::string>& more = {}) {
    auto arguments =
        smoke("sweep", {"training.total_images=640", "samples.every_images=320", "training.precision=float32"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return slopegan(arguments);
  }
  std::filesystem::path sweep_dir() const { return outputs() / "smoke"; }
  std::vector<std::vector<std::string>> results() const {
    std::vector<std::vector<std::string>> rows;
    std::istringstream lines(read_text(sweep_dir() / "results.csv"));
    for (std::string line; std::getline(lines, line);) {
      std::istringstream cells(line);
      rows.emplace_back();
      for (std::string cell; std::getline(cells, cell, ',');) rows.back().push_back(cell);
    }
    return rows;
  }
  std::string state(const std::string& arm) const {
    return read_text(sweep_dir() / "runs" / arm / "checkpoints/640/state.safetensors");
  }
};

TEST_F(Sweep, TrainsEverySlopeAndSeedAndWritesResultsAndSheets) {
  const auto result = sweep({"sweep.seeds=[0, 1]"});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto rows = results();
  ASSERT_EQ(rows.size(), 5u);
  EXPECT_EQ(rows[0][0], "arm");
  std::set<std::string> arms;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    arms.insert(rows[i][0]);
    EXPECT_EQ(rows[i][3], "done");
    EXPECT_EQ(rows[i][4], "640");
    const auto info = nlohmann::json::parse(read_text(sweep_dir() / "runs" / rows[i][0] / "run.json"));
    EXPECT_NE(info.at("threads_reason"), "training.threads") << "the sweep chose the number of threads, not the user";
  }
  EXPECT_EQ(arms, (std::set<std::string>{"slope_0-seed_0", "slope_0-seed_1", "slope_0.2-seed_0", "slope_0.2-seed_1"}));
  EXPECT_THAT(result.out, HasSubstr("contact_sheet.png"));
  // The sheet has three rows (real images and two slopes) and twelve columns (latents).
  const auto sheet = read_image(sweep_dir() / "contact_sheet.png");
  EXPECT_GT(sheet.rows, 3 * 64);
  EXPECT_GT(sheet.cols, 12 * 64);
  EXPECT_FALSE(read_image(sweep_dir() / "time_sheet.png").empty());
}

TEST_F(Sweep, TrainsAnArmExactlyLikeASingleRun) {
  ASSERT_EQ(sweep({"training.threads=1"}).code, 0);
  auto alone = smoke("train", {"training.total_images=640", "samples.every_images=320", "training.precision=float32",
                               "training.threads=1", "run.name=alone", "generator.negative_slope=0",
                               "discriminator.negative_slope=0"});
  ASSERT_EQ(slopegan(alone).code, 0);
  EXPECT_TRUE(state("slope_0-seed_0") == read_text(outputs() / "alone/checkpoints/640/state.safetensors"));
  EXPECT_FALSE(state("slope_0-seed_0") == state("slope_0.2-seed_0"));
  const auto info = nlohmann::json::parse(read_text(sweep_dir() / "runs/slope_0-seed_0/run.json"));
  EXPECT_EQ(info.at("threads_reason"), "training.threads");
}

TEST_F(Sweep, TrainsOnlyNewSlopesWhenRepeated) {
  ASSERT_EQ(sweep().code, 0);
  const auto file = sweep_dir() / "runs/slope_0-seed_0/run.json";
  const auto written = std::filesystem::last_write_time(file);
  const auto again = sweep({"sweep.negative_slope=[0, 0.1, 0.2]"});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("2 of 3 arms need no more training"));
  EXPECT_EQ(std::filesystem::last_write_time(file), written);
  EXPECT_EQ(results().size(), 4u);
}

TEST_F(Sweep, ResumesAfterAKill) {
  // The first checkpoint is written early, so that the first arm is killed long before its end.
  auto arguments = smoke(
      "sweep", {"training.precision=float32", "--jobs", "1", "training.threads=1", "checkpoint.every_images=160"});
  Program program(directory_.path(), arguments);
  const auto first_arm = sweep_dir() / "runs/slope_0-seed_0";
  ASSERT_TRUE(wait_for(first_arm / "checkpoints/latest"));
  program.send(SIGKILL);
  ASSERT_EQ(program.wait(), -SIGKILL);
  // When the sweep is killed, the kernel sends SIGTERM to its arm, but the arm holds the lock on its directory until it
  // has stopped. The second sweep waits for this lock.
  const auto result = slopegan(arguments);
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(read_text(first_arm / "log.txt"), HasSubstr("resumed at "));
  for (const auto& row : results()) {
    if (row[0] != "arm") {
      EXPECT_EQ(row[4], "2560");
    }
  }
}

TEST_F(Sweep, GetsTheExitCodesOfItsArmsEvenIfItInheritsAnIgnoredSigchld) {
  const auto arguments = smoke("sweep", {"training.total_images=64", "training.threads=1", "samples.every_images=0"});
  const auto result = run(directory_.path(), arguments, [] { ::signal(SIGCHLD, SIG_IGN); });
  EXPECT_EQ(result.code, 0) << result.err;
}

TEST_F(Sweep, StopsItsArmsOnASignalAndResumes) {
  // No machine trains this many images before the signal arrives.
  Program program(directory_.path(), smoke("sweep", {"training.total_images=10000000", "--jobs", "2"}));
  const std::string arms[] = {"runs/slope_0-seed_0", "runs/slope_0.2-seed_0"};
  for (const auto& arm : arms) ASSERT_TRUE(wait_for_content(sweep_dir() / arm / "history.jsonl")) << program.err();
  program.send(SIGINT);
  EXPECT_EQ(program.wait(), 130) << program.err();
  std::vector<std::int64_t> images;
  for (const auto& arm : arms) {
    const auto info = nlohmann::json::parse(read_text(sweep_dir() / arm / "run.json"));
    EXPECT_EQ(info.at("status"), "stopped") << arm;
    images.push_back(info.at("images").get<std::int64_t>());
  }
  const std::string total = std::to_string(std::ranges::max(images) + 320);
  const auto resumed = slopegan(smoke("sweep", {"training.total_images=" + total}));
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  for (const std::size_t arm : {0u, 1u}) {
    EXPECT_THAT(read_text(sweep_dir() / arms[arm] / "log.txt"),
                HasSubstr("resumed at " + std::to_string(images[arm]) + " images"));
    EXPECT_EQ(results().at(arm + 1).at(4), total);
  }
}

TEST_F(Sweep, KeepsEarlierResultsAndDecidesWithThePlannedSeeds) {
  const std::vector<std::string> measured = {"metrics.every_images=64",  "metrics.samples=100",
                                             "metrics.extractor=random", "metrics.names=[fd]",
                                             "training.total_images=64", "sweep.seeds=[0]"};
  ASSERT_EQ(sweep(measured).code, 0);
  auto more = measured;
  more.back() = "sweep.seeds=[1]";
  const auto result = sweep(more);
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("2 arms that this command does not name are kept in the results"));
  EXPECT_THAT(result.out, HasSubstr("The error rate applies to the 1 seed planned before the first results (0)"));
  EXPECT_EQ(results().size(), 5u);
  EXPECT_THAT(read_text(sweep_dir() / "statistics.json"), HasSubstr("first results: 1. They are in the pictures"));
  EXPECT_THAT(read_text(sweep_dir() / "sweep.yaml"), HasSubstr("seeds: [1, 0]"));
}

TEST_F(Sweep, ReportsAnArmThatFailsAndFinishesTheOthers) {
  // The path of an arm is a file instead of a directory.
  std::filesystem::create_directories(sweep_dir() / "runs");
  std::ofstream(sweep_dir() / "runs/slope_0-seed_0") << "in the way";
  std::ofstream(sweep_dir() / "sweep.yaml")
      << slopegan(smoke("train", {"training.total_images=640", "samples.every_images=320", "training.precision=float32",
                                  "--print-config"}))
             .out;
  const auto result = sweep();
  EXPECT_NE(result.code, 0);
  EXPECT_NE(result.code, 70) << result.err;
  EXPECT_THAT(result.err, HasSubstr("slope_0-seed_0 failed with exit code"));
  const auto rows = results();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[1][3], "pending");
  EXPECT_EQ(rows[2][3], "done");
  EXPECT_TRUE(std::filesystem::exists(sweep_dir() / "contact_sheet.png"));
}

TEST_F(Sweep, ReportsADivergedArmAndDoesNotTrainItAgain) {
  ASSERT_EQ(sweep({"training.total_images=320"}).code, 0);
  poison_newest_checkpoint(sweep_dir() / "runs/slope_0.2-seed_0");
  const auto result = sweep();
  EXPECT_EQ(result.code, 5) << result.err;
  EXPECT_THAT(result.err, HasSubstr("slope_0.2-seed_0 failed with exit code 5"));
  EXPECT_EQ(results().at(1).at(3), "done");
  EXPECT_EQ(results().at(1).at(4), "640");
  EXPECT_EQ(results().at(2).at(3), "diverged");
  EXPECT_TRUE(std::filesystem::exists(sweep_dir() / "contact_sheet.png"));
  // The arm would diverge again, so it is not trained again, and the exit code stays the same.
  const auto again = sweep();
  EXPECT_THAT(again.err, HasSubstr("2 of 2 arms need no more training"));
  EXPECT_EQ(again.code, 5);
}

TEST_F(Sweep, FinishesTheOtherArmsIfOneIsDamaged) {
  ASSERT_EQ(sweep({"training.total_images=320"}).code, 0);
  const auto damaged = sweep_dir() / "runs/slope_0-seed_0";
  std::ofstream(damaged / "history.jsonl", std::ios::app) << "garbage\n";
  std::ofstream(damaged / "checkpoints/320/state.safetensors") << "garbage";
  const auto result = sweep();
  EXPECT_EQ(result.code, 4) << result.err;
  EXPECT_EQ(results().at(2).at(3), "done");
  EXPECT_EQ(results().at(2).at(4), "640");
  EXPECT_TRUE(std::filesystem::exists(sweep_dir() / "contact_sheet.png"));
}

TEST_F(Sweep, AcceptsADirectoryThatAnotherShardIsCreating) {
  std::filesystem::create_directories(sweep_dir());
  std::ofstream(sweep_dir() / ".tmp-sweep.yaml-1-0") << "half";
  EXPECT_EQ(sweep().code, 0);
}

TEST_F(Sweep, DerivesItsAnswerFromTheMetricsOfItsArms) {
  const auto unscored = sweep({"sweep.seeds=[0, 1]", "metrics.every_images=0"});
  EXPECT_THAT(unscored.out, StartsWith("No slope can be recommended: no arm has an FD.\n"));
  const auto unlabelled = read_text(sweep_dir() / "contact_sheet.png");
  for (const auto& run : std::filesystem::directory_iterator(sweep_dir() / "runs")) {
    const bool is_relu = run.path().filename().string().starts_with("slope_0-");
    std::ofstream(run.path() / "metrics.jsonl")
        << R"({"images": 640, "extractor": "e@1", "samples": 100, "values": {"fd": )" << (is_relu ? 5 : 4)
        << R"(}, "floors": {"fd": 0.5}, "seconds": 1})" << "\n";
  }
  const auto scored = sweep({"sweep.seeds=[0, 1]", "metrics.every_images=0"});
  EXPECT_THAT(scored.out, StartsWith("No slope can be recommended yet: 2 seeds cannot show a difference, 6 are needed. "
                                     "So far 0.2 has the lowest mean FD.\n"));
  EXPECT_THAT(scored.out, HasSubstr("\n  0 is undecided, because 2 seeds are too few: FD 25 % higher.\n"));
  EXPECT_THAT(scored.out, HasSubstr("contact_sheet.png\n"));
  EXPECT_THAT(read_text(sweep_dir() / "statistics.json"),
              AllOf(HasSubstr("\"recommendation\": \"No slope can be recommended yet"),
                    HasSubstr("\"answer\": \"No slope can be recommended yet")));
  EXPECT_THAT(results().at(0), ::testing::Contains("fd"));
  EXPECT_THAT(results().at(1), ::testing::Contains("e@1"));
  // The rows of the sheet now show scores, and `grid` draws the same sheet.
  const auto labelled = read_text(sweep_dir() / "contact_sheet.png");
  EXPECT_NE(labelled, unlabelled);
  std::filesystem::remove(sweep_dir() / "contact_sheet.png");
  EXPECT_EQ(slopegan({"grid", sweep_dir().string()}).code, 0);
  EXPECT_EQ(read_text(sweep_dir() / "contact_sheet.png"), labelled);
}

TEST_F(Sweep, CrossesTheSlopesWithConditions) {
  const auto result =
      sweep({"sweep.cross={optimizer.beta1: [0.5, 0], generator.norm: [batch, none]}", "training.total_images=64",
             "metrics.every_images=64", "metrics.samples=100", "metrics.extractor=random", "metrics.names=[fd]"});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto rows = results();
  ASSERT_EQ(rows.size(), 9u);
  EXPECT_EQ(rows[0][rows[0].size() - 2], "generator.norm");
  EXPECT_EQ(rows[0].back(), "optimizer.beta1");
  EXPECT_EQ(rows[8][0], "slope_0.2-cond_4-seed_0");
  EXPECT_EQ(rows[8][rows[8].size() - 2], "none");
  EXPECT_EQ(rows[8].back(), "0");
  EXPECT_THAT(read_text(sweep_dir() / "runs/slope_0-cond_2-seed_0/config.yaml"), HasSubstr("norm: none"));
  EXPECT_THAT(read_text(sweep_dir() / "sweep.yaml"),
              HasSubstr("cross: [{optimizer.beta1: 0.5, generator.norm: batch}, {optimizer.beta1: 0.5, "));
  // The sheet has a row of real images and two rows (slopes) for each of the four conditions.
  EXPECT_GT(read_image(sweep_dir() / "contact_sheet.png").rows, 9 * 64);
  // For each condition, the picture shows the two slopes and their difference.
  const auto difference = slopegan({"grid", sweep_dir().string(), "--difference", "0,0.2"});
  ASSERT_EQ(difference.code, 0) << difference.err;
  EXPECT_GT(read_image(sweep_dir() / "difference_0_0.2.png").rows, 12 * 64);
  const auto plan = sweep({"sweep.cross=[{}, {loss.r1: 1}]", "run.name=other", "--plan"});
  EXPECT_THAT(plan.out, HasSubstr("sweep of 2 slopes x 1 seed x 2 conditions"));
  EXPECT_THAT(plan.out, HasSubstr("seeds to show that a slope's effect depends on the condition"));
  const auto refused = sweep({"sweep.cross={seed: [1, 2]}"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("sweep.cross: seed cannot vary within a sweep"));
}

TEST_F(Sweep, RejectsADirectoryThatIsNotASweepBeforeItReadsTheImages) {
  std::filesystem::create_directories(sweep_dir());
  std::ofstream(sweep_dir() / "config.yaml") << "seed: 0\n";
  const std::vector<std::vector<std::string>> all = {
      {}, {"--plan"}, {"--list"}, {"--within", "1h", "metrics.every_images=320", "metrics.extractor=random"}};
  for (auto more : all) {
    more.push_back("data.path=missing");
    const auto result = sweep(more);
    EXPECT_EQ(result.code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr("exists and is not a sweep; choose another name with run.name="));
  }
  std::filesystem::remove_all(sweep_dir());
  std::ofstream(sweep_dir()) << "a file";
  EXPECT_EQ(sweep({"data.path=missing"}).code, 2);
}

TEST_F(Sweep, ReportsAtTheStartWhetherADifferenceCanBeSignificant) {
  const auto result = sweep({"sweep.seeds=[0, 1]", "training.total_images=64", "metrics.every_images=64",
                             "metrics.samples=100", "metrics.names=[fd]", "metrics.extractor=random"});
  EXPECT_EQ(result.code, 0) << result.err;
  const auto plan = result.err.find("so nothing can be significant at 0.05; significance takes at least 6 seeds");
  ASSERT_NE(plan, std::string::npos) << result.err;
  EXPECT_LT(plan, result.err.find("slope_0-seed_0"));
}

TEST_F(Sweep, RejectsDifferentValuesUnderTheSameName) {
  ASSERT_EQ(sweep({"sweep.negative_slope=[0.2]"}).code, 0);
  const auto result = sweep({"sweep.negative_slope=[0.2]", "generator.width=4"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("generator.width: 8 -> 4"));
}

TEST_F(Sweep, ListsItsArmsAndTheirShardsWithoutTraining) {
  EXPECT_EQ(sweep({"--list"}).out, "slope_0-seed_0\nslope_0.2-seed_0\n");
  EXPECT_EQ(sweep({"--list", "--shard", "2/2"}).out, "slope_0.2-seed_0\n");
  EXPECT_EQ(sweep({"--list", "--shard", "3/2"}).code, 2);
  EXPECT_EQ(sweep({"--list", "--jobs", "0"}).code, 0);  // 0: chosen from the number of cores, as --help states
  const auto twice = sweep({"sweep.negative_slope=[0.2, 0.2]"});
  EXPECT_EQ(twice.code, 2);
  EXPECT_THAT(twice.err, HasSubstr("command line: 'sweep.negative_slope=[0.2, 0.2]': sweep.negative_slope contains"));
  EXPECT_FALSE(std::filesystem::exists(sweep_dir()));
}

TEST_F(Sweep, TrainsShardsOneAfterTheOtherInOneDirectory) {
  ASSERT_EQ(sweep({"--shard", "1/2"}).code, 0);
  EXPECT_EQ(results().at(2).at(3), "pending");
  ASSERT_EQ(sweep({"--shard", "2/2"}).code, 0);
  EXPECT_EQ(results().at(2).at(3), "done");
}

class Grid : public Sweep {};

TEST_F(Grid, DrawsARunACheckpointAndASweep) {
  ASSERT_EQ(sweep().code, 0);
  const auto arm = sweep_dir() / "runs/slope_0.2-seed_0";
  const auto of_run = slopegan({"grid", arm.string(), "--rows", "2", "--columns", "5"});
  EXPECT_EQ(of_run.code, 0) << of_run.err;
  EXPECT_EQ(of_run.out, (arm / "grid.png").string() + "\n");
  // The grid has one row of real images and two rows of generated images, each at least 64 pixels high.
  EXPECT_GE(read_image(arm / "grid.png").rows, 3 * 64);
  EXPECT_EQ(slopegan({"grid", (arm / "checkpoints/640").string()}).out, (arm / "grid_640.png").string() + "\n");
  const auto before = read_text(sweep_dir() / "contact_sheet.png");
  std::filesystem::remove(sweep_dir() / "contact_sheet.png");
  EXPECT_EQ(slopegan({"grid", sweep_dir().string()}).code, 0);
  EXPECT_EQ(read_text(sweep_dir() / "contact_sheet.png"), before);
  EXPECT_EQ(slopegan({"grid", sweep_dir().string(), "--columns", "3", "--out", (directory_ / "x.png").string()}).code,
            0);
  EXPECT_LT(read_image(directory_ / "x.png").cols, read_image(sweep_dir() / "contact_sheet.png").cols);
}

TEST_F(Grid, ReportsMissingInput) {
  EXPECT_EQ(slopegan({"grid", directory_.path().string()}).code, 4);
  EXPECT_EQ(slopegan({"grid", (directory_ / "nothing").string()}).code, 4);
  ASSERT_EQ(sweep({"--shard", "1/2"}).code, 0);
  EXPECT_EQ(slopegan({"grid", sweep_dir().string(), "--seed", "9"}).code, 2);
}

class Data : public ProgramTest {};

TEST_F(Data, DescribesTheDataSetAndDrawsIt) {
  const auto picture = (directory_ / "reals.png").string();
  const auto result = slopegan({"data", config_file("fashion_mnist.yaml"), "--out", picture});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("60000"));
  EXPECT_THAT(result.out, HasSubstr("10000"));
  EXPECT_THAT(result.out, HasSubstr("28 x 28"));
  const auto usual = read_image(picture);
  EXPECT_FALSE(usual.empty());
  ASSERT_EQ(
      slopegan({"data", config_file("fashion_mnist.yaml"), "--out", picture, "--dark", "--pixel-ratio", "2"}).code, 0);
  const auto dark = read_image(picture);
  EXPECT_NEAR(dark.cols, 2 * usual.cols, 8);  // widths of text are rounded
  EXPECT_GT(cv::mean(usual.row(0))[0], 200);
  EXPECT_LT(cv::mean(dark.row(0))[0], 60);
}

class Help : public ProgramTest {};

TEST_F(Help, TheMainCommandsHaveHelp) {
  const auto all = slopegan({"--help"});
  EXPECT_EQ(all.code, 0);
  for (const std::string command : {"train", "sweep", "grid", "data"}) {
    EXPECT_THAT(all.out, HasSubstr(command));
    EXPECT_EQ(slopegan({command, "--help"}).code, 0);
  }
  const auto version = slopegan({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.out, HasSubstr("LibTorch 2."));
}

TEST_F(Help, FailsIfStdoutCannotBeWritten) {
  const auto to_full = [] { ::dup2(::open("/dev/full", O_WRONLY), STDOUT_FILENO); };
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--help"}, {"--version"}, {"train", "--help"}, {"train", "--print-schema"}}) {
    const auto result = run(directory_.path(), arguments, to_full);
    EXPECT_EQ(result.code, 6) << arguments.back();
    EXPECT_THAT(result.err, HasSubstr("cannot write the results to stdout"));
  }
}

TEST_F(Help, LogFormatJsonWritesJson) {
  const auto result = slopegan(smoke("train", {"--log-format", "json", "training.total_images=64"}));
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.err, HasSubstr("{\"time\":"));
  EXPECT_EQ(slopegan(smoke("train", {"--log-format", "xml"})).code, 2);
}

}  // namespace
}  // namespace slopegan::testing
