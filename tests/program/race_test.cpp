#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "live_program.h"
#include "process_states.h"
#include "program.h"
#include "slow_check.h"
#include "support/text.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;

/// Races of short training runs on real images. A large alpha keeps the races short: the looks take place after 3, 5
/// and 7 runs of each slope.
class Race : public ProgramTest {
 protected:
  std::vector<std::string> race(const std::string& name, const std::vector<std::string>& more = {}) const {
    auto arguments =
        smoke("sweep",
              {"run.name=" + name, "sweep.design=race", "sweep.negative_slope=[0.2, 1]", "sweep.alpha=0.5",
               "generator.width=4", "discriminator.width=4", "training.total_images=256", "training.precision=float32",
               "training.threads=1", "samples.every_images=0", "diagnostics.every_images=0", "metrics.every_images=128",
               "metrics.samples=100", "metrics.extractor=random", "metrics.names=[fd]", "events.tensorboard=false"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  std::string race_text(const std::string& name) const { return read_text(outputs() / name / "race.json"); }

  /// Runs a race without interruption and returns the content of its race.json.
  std::string whole_race() {
    const auto result = slopegan(race("whole"));
    EXPECT_EQ(result.code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("race: 1 against the control 0.2"));
    return race_text("whole");
  }
};

TEST_F(Race, EndsWithADecisionAndTrainsNothingWhenStartedAgain) {
  const auto text = whole_race();
  const auto file = nlohmann::json::parse(text);
  EXPECT_TRUE(file["is_over"]);
  EXPECT_EQ(file["plan"]["looks"], (std::vector<int>{3, 5, 7}));
  EXPECT_EQ(file["plan"]["interim_images"], 128);
  const auto again = slopegan(race("whole"));
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.err.find("started"), std::string::npos) << again.err;
  EXPECT_EQ(race_text("whole"), text);

  const auto other = slopegan(race("whole", {"training.total_images=512"}));
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("a different plan ("));
  EXPECT_THAT(other.err, HasSubstr("images: 256 -> 512"));
  EXPECT_EQ(race_text("whole"), text);
  EXPECT_EQ(slopegan(race("whole", {"sweep.design=fixed"})).code, 2);
}

class RaceSlowCheck : public Race {};

TEST_F(RaceSlowCheck, ReachesTheSameDecisionsIfItIsKilledAtRandomTimes) {
  const auto expected = whole_race();
  std::mt19937 random(3);
  const int kills = check_count(2, 100);
  int killed = 0, races = 0, same = 0;
  while (killed < kills) {
    const auto name = format_text("race{}", races++);
    std::optional<int> code;
    while (code != 0) {
      Program program(directory_.path(), race(name));
      if (killed < kills) {
        std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution(500, 6000)(random)));
        program.send(SIGKILL);
      }
      code = program.wait();
      ASSERT_THAT(*code, ::testing::AnyOf(0, -SIGKILL)) << program.err();
      killed += code != 0;
    }
    same += race_text(name) == expected;
  }
  EXPECT_EQ(same, races);
  report_check(format_text("kill -9 at {} random times in {} races", killed, races),
               format_text("{} of {} races end with the same race.json", same, races));
}

TEST_F(Race, TwoParallelShardsReachTheSameDecisionsAsOneProcess) {
  const auto expected = whole_race();
  const TemporaryDirectory scratch;
  Program first(directory_.path(), race("both", {"--shard", "1/2", "--jobs", "1"}));
  Program second(scratch.path(), race("both", {"--shard", "2/2", "--jobs", "1"}));
  EXPECT_EQ(first.wait(), 0) << first.err();
  EXPECT_EQ(second.wait(), 0) << second.err();
  EXPECT_EQ(race_text("both"), expected);
  // A shard does not wait for another shard that never starts.
  const auto alone = slopegan(race("alone", {"--shard", "2/2"}));
  EXPECT_EQ(alone.code, 0) << alone.err;
  EXPECT_EQ(race_text("alone"), expected);
}

TEST_F(Race, ThePlanIsPrintedWithoutTraining) {
  const auto plan = slopegan(race("planned", {"--plan"}));
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("6 if the first look decides every slope, 4 if the race gives up on every slope"));
  EXPECT_THAT(plan.out, HasSubstr("14 at most; each with 256 images"));
  EXPECT_THAT(plan.out, HasSubstr("can show"));
  EXPECT_FALSE(std::filesystem::exists(outputs() / "planned"));
  EXPECT_EQ(lines_of(slopegan(race("planned", {"--list"})).out).size(), 14u);

  const auto fixed = slopegan(race("planned", {"sweep.design=fixed", "sweep.alpha=0.05", "--plan"}));
  EXPECT_EQ(fixed.code, 0) << fixed.err;
  EXPECT_THAT(fixed.out, HasSubstr("nothing can be significant at 0.05; significance takes at least 6 seeds"));
  EXPECT_FALSE(std::filesystem::exists(outputs() / "planned"));
}

TEST_F(Race, ListingTheArmsNeitherMeasuresNorRemovesAnything) {
  const auto left = outputs() / ".tmp-within-1-killed";
  std::filesystem::create_directories(left / "runs");
  for (const char* option : {"--list", "--plan"}) EXPECT_EQ(slopegan(race("timed", {option})).code, 0) << option;
  const auto result = slopegan(race("timed", {"--within", "1h", "--list"}));
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("contains no race with this plan"));
  EXPECT_THAT(result.err, HasSubstr("use --plan instead of --list"));
  EXPECT_THAT(result.err, ::testing::Not(HasSubstr("measuring the time of an arm")));
  EXPECT_TRUE(std::filesystem::exists(left / "runs"));
}

TEST_F(Race, TheOptionWithinMeasuresTheSpeedThenPlansAndKeepsThePlan) {
  std::filesystem::create_directories(outputs() / ".tmp-within-1-killed/runs");
  const auto planned = slopegan(race("timed", {"sweep.design=fixed", "--within", "1h", "--plan"}));
  EXPECT_EQ(planned.code, 0) << planned.err;
  EXPECT_THAT(planned.out, HasSubstr(" at a time"));
  EXPECT_TRUE(std::filesystem::is_empty(outputs())) << "the leftovers of a killed measurement are also removed";

  // The data and the extractor are already prepared, so the time limit can only be too short for the race itself.
  const auto short_time = slopegan(race("timed", {"sweep.design=fixed", "--within", "1s"}));
  EXPECT_EQ(short_time.code, 2) << short_time.err;
  EXPECT_THAT(short_time.err, HasSubstr("but the smallest race (slope 1 against 0.2"));
  EXPECT_TRUE(std::filesystem::is_empty(outputs())) << "the measurement leaves nothing behind";

  const auto shard = slopegan(race("timed", {"--within", "1h", "--shard", "1/2"}));
  EXPECT_EQ(shard.code, 2) << shard.err;
  EXPECT_THAT(shard.err, HasSubstr("start the race without --shard"));

  const auto first = slopegan(race("timed", {"--within", "1h"}));
  EXPECT_EQ(first.code, 0) << first.err;
  const auto text = race_text("timed");
  EXPECT_TRUE(nlohmann::json::parse(text)["is_over"]);
  const std::vector<std::vector<std::string>> later = {
      race("timed", {"--within", "10s"}),
      race("timed", {"--within", "1h", "--shard", "2/2"}),
      {"sweep", (outputs() / "timed/sweep.yaml").string(), "--shard", "1/2"},
  };
  for (const auto& arguments : later) {
    const auto again = slopegan(arguments);
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(again.err.find("started"), std::string::npos) << again.err;
    EXPECT_EQ(race_text("timed"), text);
  }
  const auto repeats = nlohmann::json::parse(text)["plan"]["looks"].back().get<std::size_t>();
  EXPECT_EQ(lines_of(slopegan(race("timed", {"--within", "1h", "--list"})).out).size(), 2 * repeats);
}

TEST_F(Race, IsRejectedIfTheTimeIsUpBeforeTheDataIsReady) {
  const auto result = run(directory_.path(), race("timed", {"--within", "1s"}),
                          [this] { ::setenv("SLOPEGAN_CACHE", (directory_ / "empty_cache").c_str(), 1); });
  EXPECT_EQ(result.code, 2) << result.err;
  EXPECT_THAT(result.err, HasSubstr("--within: the time was up after 00:"));
  EXPECT_THAT(result.err, HasSubstr("(stopped after computing features of 0 of "));
  EXPECT_FALSE(std::filesystem::exists(outputs()));
}

TEST_F(Race, IsSuspendedTogetherWithTheArmsThatItMeasures) {
  // The steps are large, so that the measurement takes longer than the test.
  Program program(directory_.path(),
                  race("timed", {"--within", "1h", "training.batch_size=512", "discriminator.width=32"}));
  const auto all_arms = [&](auto&& condition) {
    const auto children = children_of(program.pid());
    return !children.empty() && std::ranges::all_of(children, condition);
  };
  ASSERT_TRUE(wait_until([&] {
    return all_arms([](pid_t child) {
      return read_text(format_text("/proc/{}/cmdline", child)).find("--arm") != std::string::npos;
    });
  })) << program.err();
  program.send(SIGTSTP);
  EXPECT_TRUE(wait_until([&] {
    return state_of_process(program.pid()) == 'T' && all_arms([](pid_t arm) { return state_of_process(arm) == 'T'; });
  })) << program.err();
  program.send(SIGCONT);
  EXPECT_TRUE(wait_until([&] {
    return state_of_process(program.pid()) != 'T' && all_arms([](pid_t arm) { return state_of_process(arm) != 'T'; });
  })) << program.err();
  program.send(SIGTERM);
  EXPECT_EQ(program.wait(), 128 + SIGTERM) << program.err();
  EXPECT_TRUE(std::filesystem::is_empty(outputs())) << "the measurement leaves nothing behind";
}

TEST_F(Race, ContinuesWithATimeLimitAndStopsCleanlyWhenTheTimeIsUp) {
  const std::vector<std::string> large = {"training.total_images=1000000", "checkpoint.every_images=320",
                                          "metrics.every_images=500000"};
  auto arguments = race("late", large);
  Program program(directory_.path(), arguments);
  ASSERT_TRUE(wait_for_content(outputs() / "late/runs/slope_0.2-seed_0/history.jsonl"));
  program.send(SIGTERM);
  EXPECT_EQ(program.wait(), 128 + SIGTERM) << program.err();
  arguments.insert(arguments.end(), {"--within", "8s"});
  const auto result = slopegan(arguments);
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("the time is up: the arms are writing their checkpoints"));
  EXPECT_THAT(result.err, HasSubstr("run the same command again to continue it"));
  EXPECT_THAT(read_text(outputs() / "late/runs/slope_0.2-seed_0/run.json"), HasSubstr("\"stopped\""));
  EXPECT_FALSE(nlohmann::json::parse(race_text("late"))["is_over"]);
}

TEST_F(Race, RequiresTheControlToBeOneOfTheSlopes) {
  const auto result = slopegan(race("x", {"sweep.control=0.1"}));
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("command line: 'sweep.control=0.1': sweep.control = 0.1 is not in"));
  // If sweep.control is not set, the error message names the line of the slopes.
  const auto file = directory_.write("race.yaml", "sweep:\n  design: race\n  negative_slope: [0.3, 1]\n").string();
  EXPECT_THAT(slopegan({"sweep", file, "--list"}).err,
              HasSubstr(file + ":3: sweep.control = 0.2 is not in sweep.negative_slope"));
}

}  // namespace
}  // namespace slopegan::testing
