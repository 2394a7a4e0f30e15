#include "sheets/score_labels.h"

#include <fstream>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "run/records.h"
#include "run/run_directory.h"
#include "support/files.h"
#include "sweep/results.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

/// A sweep over the slopes 0.1, 0.2 and 0.5. The tests write its result files themselves.
class ScoresOfSheets : public ::testing::Test {
 protected:
  ScoresOfSheets() {
    config_.sweep.negative_slope = {0.1, 0.2, 0.5};
    config_.training.total_images = 640;
  }

  ScoreLabels labels(std::int64_t seeds, const std::function<double(const Arm&)>& fd) {
    config_.sweep.seeds.clear();
    for (std::int64_t seed = 0; seed < seeds; ++seed) config_.sweep.seeds.push_back(seed);
    arms_ = make_arms(config_, directory_.path());
    for (const auto& arm : arms_) {
      const RunPaths paths(arm.directory);
      make_directories(paths.root());
      HistoryRecord history;
      history.images = 640;
      std::ofstream(paths.history_file()) << history_line(history) << "\n";
      std::ofstream(paths.run_info_file()) << R"({"status": "done"})";
      if (!fd) continue;
      MetricsRecord metrics;
      metrics.images = 640;
      metrics.extractor = "classifier@1a2b";
      metrics.samples = 10000;
      metrics.values = {{"fd", fd(arm)}};
      metrics.floors = {{"fd", 0.25}};
      std::ofstream(paths.metrics_file()) << metrics_line(metrics) << "\n";
    }
    return score_labels(config_, arms_);
  }

  TemporaryDirectory directory_;
  Config config_;
  std::vector<Arm> arms_;
};

TEST_F(ScoresOfSheets, AreEmptyWithoutMetrics) {
  const auto found = labels(2, {});
  EXPECT_THAT(found.best, IsEmpty());
  EXPECT_EQ(found.explain("Caption."), "Caption.");
  SheetRow row{.label = "x", .detail = "y"};
  found.add_to(row, arms_[0]);
  EXPECT_EQ(row.detail, "y");
  EXPECT_FALSE(row.best);
}

TEST_F(ScoresOfSheets, MarkTheLowestFdIfThereAreTooFewSeeds) {
  const auto one = labels(1, [](const Arm& arm) { return arm.negative_slope == 0.2 ? 1.5 : 2.0; });
  EXPECT_THAT(one.best, ElementsAre(Pair(0, 0.2)));
  EXPECT_EQ(one.legend, "FD: Fréchet distance of 10,000 generated images, lower is better. ★ lowest FD.");
  EXPECT_EQ(one.floor, "FD of test images 0.25");
  EXPECT_EQ(one.explain("Caption."), "Caption.\n" + one.legend);

  const auto two = labels(2, [](const Arm& arm) { return arm.negative_slope + static_cast<double>(arm.seed); });
  EXPECT_THAT(two.best, ElementsAre(Pair(0, 0.1)));
  EXPECT_THAT(two.legend, HasSubstr("mean ± standard deviation over seeds. ★ lowest mean FD."));
  SheetRow row;
  two.add_to(row, arms_[0]);
  EXPECT_TRUE(row.best);
  EXPECT_THAT(row.detail, HasSubstr("±"));
  EXPECT_THAT(row.detail, Not(HasSubstr("+/-")));
}

TEST_F(ScoresOfSheets, MarkTheRecommendedSlopeIfMostArmsOfAnotherSlopeFailed) {
  labels(3, [](const Arm& arm) { return arm.negative_slope == 0.1 ? 1.0 : arm.negative_slope == 0.2 ? 2.0 : 3.0; });
  for (const auto& arm : arms_) {  // leaves slope 0.1 with one FD, the lowest of all
    if (arm.negative_slope != 0.1 || arm.seed == 0) continue;
    std::ofstream(RunPaths(arm.directory).run_info_file()) << R"({"status": "diverged"})";
  }
  EXPECT_THAT(score_labels(config_, arms_).best, ElementsAre(Pair(0, 0.2)));
  EXPECT_THAT(write_statistics(config_, directory_.path(), arms_).recommendation,
              HasSubstr("So far 0.2 has the lowest mean FD."));
}

TEST_F(ScoresOfSheets, MarkTheSlopeThatTheStatisticsRecommend) {
  // 0.1 is better than the control 0.2 in every seed; 0.5 is worse.
  const auto found = labels(9, [](const Arm& arm) {
    return (arm.negative_slope == 0.1 ? 1 : arm.negative_slope == 0.2 ? 1.5 : 4) + 0.01 * static_cast<double>(arm.seed);
  });
  EXPECT_THAT(found.best, ElementsAre(Pair(0, 0.1)));
  EXPECT_THAT(found.legend, HasSubstr("★ recommended by the statistics."));
}

TEST_F(ScoresOfSheets, MarkNoRecommendationForARaceWithoutItsFile) {
  config_.sweep.design = SweepDesign::race;
  const auto found = labels(9, [](const Arm& arm) {
    return (arm.negative_slope == 0.1 ? 1 : arm.negative_slope == 0.2 ? 1.5 : 4) + 0.01 * static_cast<double>(arm.seed);
  });
  EXPECT_THAT(found.best, ElementsAre(Pair(0, 0.1)));
  EXPECT_THAT(found.legend, HasSubstr("★ lowest mean FD."));
}

TEST_F(ScoresOfSheets, MarkOneSlopePerConditionOfACrossedSweep) {
  config_.sweep.cross.list = {{{"generator.width", "16"}}, {{"generator.width", "32"}}};
  const auto found =
      labels(1, [](const Arm& arm) { return arm.condition == 0 ? arm.negative_slope : 1 - arm.negative_slope; });
  EXPECT_THAT(found.best, ElementsAre(Pair(0, 0.1), Pair(1, 0.5)));
}

}  // namespace
}  // namespace slopegan
