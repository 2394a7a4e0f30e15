#include "sweep/arms.h"

#include <algorithm>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"
#include "config/sweep_target.h"
#include "run/records.h"
#include "run/run_directory.h"
#include "support/errors.h"
#include "support/file_lock.h"
#include "support/files.h"
#include "sweep/results.h"
#include "sweep/sweep.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Config sweep_config() {
  Config config;
  config.sweep.negative_slope = {0, 0.01, 1};
  config.sweep.seeds = {4, 7};
  return config;
}

TEST(MakeArms, ListsAllSlopesOfTheFirstSeedFirst) {
  std::vector<std::string> names;
  for (const auto& arm : make_arms(sweep_config(), "sweep")) {
    names.push_back(arm.name);
    EXPECT_EQ(arm.directory, std::filesystem::path("sweep/runs") / arm.name);
  }
  EXPECT_THAT(names, ElementsAre("slope_0-seed_4", "slope_0.01-seed_4", "slope_1-seed_4", "slope_0-seed_7",
                                 "slope_0.01-seed_7", "slope_1-seed_7"));
}

TEST(MakeArms, SetsTheSlopeOfTheTargetNetworks) {
  auto config = sweep_config();
  const auto slopes_of = [&](SweepTarget target) {
    config.sweep.apply_to = target;
    std::vector<std::string> slopes;
    const auto arms = make_arms(config, "s");
    for (const auto& text : arms.at(1).overrides) {
      if (text.find("negative_slope") != std::string::npos) slopes.push_back(text);
    }
    return slopes;
  };
  EXPECT_THAT(slopes_of(SweepTarget::both),
              ElementsAre("generator.negative_slope=0.01", "discriminator.negative_slope=0.01"));
  EXPECT_THAT(slopes_of(SweepTarget::generator), ElementsAre("generator.negative_slope=0.01"));
  EXPECT_THAT(slopes_of(SweepTarget::discriminator), ElementsAre("discriminator.negative_slope=0.01"));
}

TEST(MakeArms, CreatesAnArmForEverySlopeUnderEveryCondition) {
  auto config = sweep_config();
  config.sweep.negative_slope = {0, 0.2};
  config.sweep.seeds = {3};
  config.loss.r1 = 0;
  config.sweep.cross.list = {{}, {{"generator.norm", "none"}, {"loss.r1", "2"}}};
  const auto arms = make_arms(config, "s");
  std::vector<std::string> names;
  for (const auto& arm : arms) names.push_back(arm.name);
  EXPECT_THAT(names, ElementsAre("slope_0-cond_1-seed_3", "slope_0.2-cond_1-seed_3", "slope_0-cond_2-seed_3",
                                 "slope_0.2-cond_2-seed_3"));
  const Setting batch{"generator.norm", "batch"}, none{"generator.norm", "none"};
  EXPECT_THAT(arms[1].settings, ElementsAre(batch, Setting{"loss.r1", "0"}));
  EXPECT_THAT(arms[2].settings, ElementsAre(none, Setting{"loss.r1", "2"}));
  const Config second = load_config({}, arms[3].overrides).config;
  EXPECT_EQ(second.generator.norm, GeneratorNorm::none);
  EXPECT_EQ(second.loss.r1, 2);
  EXPECT_EQ(second.generator.negative_slope.at(0), 0.2);
}

TEST(MakeArms, CreatesOverridesThatReadBackAsTheExactSlope) {
  auto config = sweep_config();
  config.sweep.negative_slope = {1.0 / 3, 1e-7, 0};
  for (const auto target : {SweepTarget::both, SweepTarget::generator, SweepTarget::discriminator}) {
    config.sweep.apply_to = target;
    for (const auto& arm : make_arms(config, "s")) {
      EXPECT_EQ(swept_slope(load_config({}, arm.overrides).config, target), arm.negative_slope);
    }
  }
}

TEST(Shards, PartitionTheArms) {
  const auto all = make_arms(sweep_config(), "s");
  std::multiset<std::string> names;
  for (std::int64_t index = 1; index <= 4; ++index) {
    for (const auto& arm : arms_of_shard(all, {index, 4})) names.insert(arm.name);
  }
  EXPECT_EQ(names.size(), all.size());
  for (const auto& arm : all) EXPECT_EQ(names.count(arm.name), 1u);
}

TEST(Shards, AreParsedFromIndexAndCount) {
  EXPECT_EQ(parse_shard("2/8").index, 2);
  EXPECT_EQ(parse_shard("2/8").count, 8);
  for (const char* text : {"", "1", "0/2", "3/2", "a/b", "1/2/3", "-1/2", "1/0", "1/ 2"}) {
    EXPECT_THROW(parse_shard(text), UsageError) << text;
  }
}

TEST(ArmState, IsOverIfTrainedToTheEndOrDiverged) {
  const Config config;
  EXPECT_TRUE(is_over({RunStatus::done, config.training.total_images}, config));
  EXPECT_TRUE(is_over({RunStatus::diverged, 5}, config));
  // The arm was trained to the end before the total was raised.
  EXPECT_FALSE(is_over({RunStatus::done, 1000}, config));
  EXPECT_FALSE(is_over({RunStatus::running, config.training.total_images}, config));
  EXPECT_FALSE(is_over({RunStatus::stopped, 1000}, config));
  EXPECT_FALSE(is_over({std::nullopt, 0}, config));
}

TEST(WriteResults, HasOneLinePerArmWithItsLastValues) {
  const TemporaryDirectory directory;
  const auto arms = make_arms(sweep_config(), directory.path());
  make_directories(arms[1].directory);
  HistoryRecord record;
  record.images = 640;
  record.discriminator_loss = 0.25;
  record.d_fake = 0.125;
  std::ofstream(RunPaths(arms[1].directory).history_file()) << history_line({}) << "\n" << history_line(record) << "\n";
  std::ofstream(RunPaths(arms[1].directory).run_info_file()) << "{\"status\": \"stopped\"}";
  write_results(sweep_config(), directory.path(), arms);
  const auto text = read_file(directory / "results.csv", 1 << 20);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 7);
  EXPECT_THAT(text, HasSubstr("\nslope_0.01-seed_4,0.01,4,stopped,640,0.25,0,0,0.125,"));
  EXPECT_THAT(text, HasSubstr("\nslope_0-seed_4,0,4,pending,0,,,,,,,,,,"));
}

TEST(OpenSweep, AllowsOnlyHarmlessChangesOnceAnArmIsTrained) {
  const TemporaryDirectory directory;
  auto config = sweep_config();
  config.run.output_dir = directory.path();
  config.run.name = "sweep";
  EXPECT_EQ(open_sweep(config), directory / "sweep");
  config.sweep.negative_slope.push_back(0.5);
  config.sweep.seeds = {1};
  config.training.total_images *= 2;
  EXPECT_NO_THROW(open_sweep(config));
  config.discriminator.width = 16;
  EXPECT_NO_THROW(open_sweep(config)) << "no arm has been trained yet, for example because the first start failed";
  const RunPaths arm(directory / "sweep/runs/slope_0-seed_1");
  make_directories(arm.root());
  {
    const FileLock in_training(arm.lock_file(), arm.root());
    auto other = config;
    other.sweep.design = SweepDesign::race;
    EXPECT_THROW(open_sweep(other), UsageError) << "an arm is being trained";
    EXPECT_NO_THROW(open_sweep(config));
  }
  std::ofstream(directory / "sweep/runs/slope_0-seed_1/history.jsonl") << "{}\n";
  EXPECT_NO_THROW(open_sweep(config));
  config.discriminator.width = 32;
  EXPECT_THROW(open_sweep(config), UsageError);
}

TEST(OpenSweep, AllowsNewConditionsOnlyAtTheEnd) {
  const TemporaryDirectory directory;
  auto config = sweep_config();
  config.run.output_dir = directory.path();
  config.run.name = "sweep";
  const std::vector<Setting> none = {{"generator.norm", "none"}}, penalty = {{"loss.r1", "2"}};
  config.sweep.cross.list = {none, penalty};
  open_sweep(config);
  make_directories(directory / "sweep/runs/slope_0-cond_1-seed_4");
  std::ofstream(directory / "sweep/runs/slope_0-cond_1-seed_4/history.jsonl") << "{}\n";
  config.sweep.cross.list = {none, penalty, {}};
  EXPECT_NO_THROW(open_sweep(config));
  config.sweep.cross.list = {penalty, none, {}};
  EXPECT_THROW(open_sweep(config), UsageError);
  config.sweep.cross.list = {none};
  EXPECT_THROW(open_sweep(config), UsageError);
}

TEST(OpenSweep, LoadsARenamedSweepUnderItsNewName) {
  const TemporaryDirectory directory;
  auto config = sweep_config();
  config.run.output_dir = directory.path();
  config.run.name = "before";
  open_sweep(config);
  std::filesystem::rename(directory / "before", directory / "after");
  EXPECT_EQ(load_sweep(directory / "after").run.name, "after");
  EXPECT_EQ(load_sweep(directory / "after/").run.name, "after");
  config.run.name = "after";
  EXPECT_NO_THROW(open_sweep(config));
}

TEST(OpenSweep, RejectsADirectoryThatIsNotASweep) {
  const TemporaryDirectory directory;
  Config config;
  config.run.output_dir = directory.path();
  config.run.name = "mine";
  make_directories(directory / "mine");
  std::ofstream(directory / "mine/mine.txt") << "mine";
  EXPECT_THROW(open_sweep(config), UsageError);
}

}  // namespace
}  // namespace slopegan
