#include "statistics/statistics_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slopegan {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// One arm per seed and slope, with FD = 10 · ratio · (1 ± wobble). Seed and slope determine the sign.
std::vector<ArmScore> arms_with(int seeds, const std::vector<std::pair<double, double>>& slopes, double wobble = 0.01) {
  std::vector<ArmScore> arms;
  for (const auto& [slope, ratio] : slopes) {
    for (int seed = 0; seed < seeds; ++seed) {
      const double sign = (seed + static_cast<int>(10 * slope)) % 2 == 0 ? 1 : -1;
      arms.push_back({slope, seed, ArmOutcome::done, 10 * ratio * (1 + sign * wobble), {}});
    }
  }
  return arms;
}

TEST(StatisticsNotes, ListTheCaveats) {
  auto arms = arms_with(3, {{0.1, 1}, {0.25, 1}});
  arms[0].outcome = ArmOutcome::diverged;
  arms[1].outcome = ArmOutcome::error;
  SweepScores scores;
  scores.metric.emplace().samples = 5000;
  scores.notes = {"from the files"};
  const auto notes = statistics_notes(sweep_statistics(arms, 0.2), scores);
  EXPECT_THAT(notes, Contains("from the files"));
  EXPECT_THAT(notes, Contains("The control 0.2 is not among the slopes; the nearest one, 0.25, is used instead."));
  EXPECT_THAT(notes, Contains("1 of 6 arms is missing: not trained to the end, or without an FD (slope 0.1 seed 1)."));
  EXPECT_THAT(notes, Contains("1 arm diverged; a failed arm counts as the worst for its seed."));
  EXPECT_THAT(notes, Contains(HasSubstr("the bootstrap is overconfident: its 95 % intervals contain the true median")));
  EXPECT_THAT(statistics_notes(sweep_statistics(arms, 0.2, {.alpha = 0.2, .resampling = {}}), scores),
              Contains(HasSubstr("the bootstrap is unreliable: its 80 % intervals may contain the true median")));
  EXPECT_THAT(notes, Contains(HasSubstr("FD computed from 5000 images is biased upwards, about equally")));
  scores.metric->bias = 0.084;
  EXPECT_THAT(statistics_notes(sweep_statistics(arms, 0.2), scores), Contains(HasSubstr("here by about 0.084,")));
  EXPECT_THAT(statistics_notes(sweep_statistics(arms_with(24, {{0.1, 1}, {0.2, 1}}), 0.2), {}),
              Contains(HasSubstr("524287 random sign flips")));
  EXPECT_THAT(statistics_notes(sweep_statistics(arms_with(12, {{0.1, 1}, {0.2, 1}}), 0.2), {}), IsEmpty());
}

TEST(RulersText, ComparesTheRankingsOrStatesWhyItCannot) {
  FdMetric metric;
  metric.name = "FD[x]";
  RulerComparison other;
  other.metric.name = "FD[y]";
  other.slopes = {{0.1, 2, 3, 5}};
  EXPECT_EQ(rulers_text(metric, other), "FD[x] and FD[y] cannot be compared: fewer than two slopes have both.");
  other.slopes.push_back({0.2, 2, 4, 5});
  EXPECT_EQ(rulers_text(metric, other),
            "FD[x] and FD[y] cannot be compared: all slopes have the same mean according to one of them.");
  other.slopes[1].other_mean_fd = 6;
  other.kendall_tau = 1;
  EXPECT_EQ(rulers_text(metric, other),
            "Kendall's tau between the rankings of 2 slopes by mean FD[x] and by mean FD[y] is 1.00 (1: the same "
            "ranking, -1: the reverse); slope 0.1 is best in both.");
}

TEST(ScoreText, HasMeanDeviationSeedsAndFailures) {
  SlopeSummary summary;
  EXPECT_EQ(score_text(summary), "");
  summary.scored = 1;
  summary.mean_fd = 12.345;
  EXPECT_EQ(score_text(summary), "FD 12.3");
  summary.scored = 3;
  summary.fd_deviation = 0.44;
  EXPECT_EQ(score_text(summary), "FD 12.3 +/- 0.4 (3 seeds)");
  summary.diverged = 1;
  EXPECT_EQ(score_text(summary), "FD 12.3 +/- 0.4, 1 of 4 diverged");
  EXPECT_EQ(score_number(1234.5), "1234");
  EXPECT_EQ(score_number(0.12345), "0.123");
}

}  // namespace
}  // namespace slopegan
