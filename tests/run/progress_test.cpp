#include "run/progress.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/log.h"

namespace slopegan {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

ProgressView half_way() {
  ProgressView view;
  view.images = 30000;
  view.total_images = 60000;
  view.phase = Phase::metrics;
  view.images_per_second = 1034.4;
  view.seconds_left = 83;
  view.stats.discriminator_loss = 1.203;
  view.stats.generator_loss = 0.8;
  view.stats.d_real = 0.61;
  view.stats.d_fake = 0.39;
  view.last_fd = 12.345;
  view.memory_mib = 640.2;
  return view;
}

TEST(Progress, ShowsEverythingOnAWideTerminal) {
  EXPECT_EQ(status_text(half_way(), 200),
            "[#####.....]  50 %  ETA 01:23  metrics  1034/s  FD 12.35  loss D 1.20 G 0.80  30000/60000 images  "
            "D(real) 0.61 D(fake) 0.39  640 MiB");
  EXPECT_EQ(plain_text(half_way()),
            " 50 %, ETA 01:23, metrics, 1034/s, FD 12.35, loss D 1.20 G 0.80, 30000/60000 images, "
            "D(real) 0.61 D(fake) 0.39, 640 MiB");
}

TEST(Progress, OmitsLessImportantPartsOnANarrowTerminal) {
  EXPECT_EQ(status_text(half_way(), 50), "[#####.....]  50 %  ETA 01:23  metrics  1034/s");
  EXPECT_EQ(status_text(half_way(), 30), " 50 %  ETA 01:23  metrics");
  EXPECT_EQ(status_text(half_way(), 3), "");
  for (std::size_t columns = 0; columns < 200; ++columns) {
    EXPECT_LE(status_text(half_way(), columns).size(), columns);
  }
}

TEST(Progress, OmitsUnknownParts) {
  auto view = half_way();
  view.phase.reset();
  view.last_fd.reset();
  view.seconds_left = std::numeric_limits<double>::infinity();
  EXPECT_THAT(status_text(view, 200), AllOf(HasSubstr("50 %  ETA --:--  1034/s  loss"), Not(HasSubstr("FD"))));
}

TEST(Progress, HasABarFromEmptyToFullForAnyFraction) {
  EXPECT_EQ(progress_bar(0), "[..........] ");
  EXPECT_EQ(progress_bar(0.19), "[#.........] ");
  EXPECT_EQ(progress_bar(1), "[##########] ");
  EXPECT_EQ(progress_bar(1.5), "[##########] ");
  EXPECT_EQ(progress_bar(-1), "[..........] ");
}

TEST(Progress, MeasuresTheTimeOfEachPhase) {
  log::init({.level = log::Level::off});
  Progress progress(0, 1000);
  const int answer = progress.during(Phase::metrics, [&] {
    while (progress.seconds_in(Phase::metrics) < 0.01) continue;
    return 42;
  });
  EXPECT_EQ(answer, 42);
  const double metrics = progress.seconds_in(Phase::metrics);
  EXPECT_GE(metrics, 0.01);
  progress.update(100, {});
  EXPECT_EQ(progress.seconds_in(Phase::metrics), metrics);
  double sum = 0;
  for (const Phase phase : enum_values<Phase>) sum += progress.seconds_in(phase);
  EXPECT_LE(sum, progress.seconds());
  // The remaining 900 images take nine times as long as the first 100, including the metrics.
  EXPECT_GE(progress.view().seconds_left, 9 * 0.01);
  EXPECT_GE(progress.images_per_second(), 100 / (progress.seconds() - metrics));
}

TEST(ProgressSummary, ShowsTheTimeOfThePhasesAndTheLastStep) {
  log::init({.level = log::Level::off});
  Progress progress(0, 1000);
  progress.update(1000, half_way().stats);
  EXPECT_THAT(
      progress_summary(progress),
      AllOf(HasSubstr("images      1000 of 1000\n"), ContainsRegex("time        [0-9:]+ \\(train [0-9.]+ s\\)\n"),
            HasSubstr("last step   loss D 1.203, G 0.800; D(real) 0.61, D(fake) 0.39\n")));
}

}  // namespace
}  // namespace slopegan
