#include "sweep/sweep_progress.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "temporary_directory.h"

namespace slopegan {
namespace {

TEST(SweepProgress, DescribesTheSweep) {
  SweepView view;
  view.over = 3;
  view.total = 12;
  view.images_left = 2'000'000;
  view.share = 0.27;
  view.images_per_second = 2000;
  view.memory_mib = 1280;
  EXPECT_EQ(progress_text(view), "[##........]  27 %  ETA 16:40  3 of 12 arms done  2000/s  1280 MiB");
  view.failed = 1;
  view.images_per_second = 0;
  EXPECT_EQ(progress_text(view), "[##........]  27 %  ETA --:--  3 of 12 arms done  1 failed  0/s  1280 MiB");
}

class ArmProgress : public ::testing::Test {
 protected:
  ArmProgress() {
    arm_.name = "slope_0.2-seed_0";
    arm_.directory = directory_.path();
  }
  void history(const std::string& text) { std::ofstream(directory_ / "history.jsonl") << text; }

  TemporaryDirectory directory_;
  Arm arm_;
};

TEST_F(ArmProgress, IsEmptyBeforeTheFirstLine) {
  EXPECT_FALSE(arm_progress(arm_, 1000));
  history("");
  EXPECT_FALSE(arm_progress(arm_, 1000));
  history("{\"images\": 1");
  EXPECT_FALSE(arm_progress(arm_, 1000));
}

TEST_F(ArmProgress, ReadsTheLastCompleteLines) {
  HistoryRecord record;
  record.images = 250;
  record.generator_loss = 1.5;
  record.images_per_second = 50;
  record.memory_mib = 300;
  history("garbage\n" + history_line(record) + "\n{\"images\": 30");
  auto view = arm_progress(arm_, 1000);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->images, 250);
  EXPECT_EQ(view->total_images, 1000);
  EXPECT_EQ(view->stats.generator_loss, 1.5);
  EXPECT_EQ(view->seconds_left, 15);
  EXPECT_EQ(view->memory_mib, 300);
  EXPECT_FALSE(view->last_fd);
  MetricsRecord metrics;
  metrics.values = {{"fd", 7}};
  std::ofstream(directory_ / "metrics.jsonl") << metrics_line(metrics) << "\n";
  EXPECT_EQ(arm_progress(arm_, 1000)->last_fd, 7);
}

TEST_F(ArmProgress, IsEmptyIfAFileCannotBeRead) {
  std::filesystem::create_directory(directory_ / "history.jsonl");
  EXPECT_FALSE(arm_progress(arm_, 1000));
}

}  // namespace
}  // namespace slopegan
