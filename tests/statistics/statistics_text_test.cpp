#include "statistics/statistics_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slopegan {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

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

std::string answer_of(const std::vector<ArmScore>& arms, double control = 0.2) {
  return answer(sweep_statistics(arms, control));
}

TEST(Answer, SaysThatTheSeedsAreTooFew) {
  const auto text = answer_of(arms_with(3, {{0, 1.5}, {0.1, 0.88}, {0.2, 1}}));
  EXPECT_EQ(text,
            "Of the slopes tried (0, 0.1, 0.2; compared with 0.2): 3 seeds cannot show a difference between 0.2 and 0, "
            "0.1: the smallest possible p is 0.25, but 2 comparisons require p <= 0.025, for which 7 seeds are needed; "
            "in these runs 0.1 comes out lowest (median FD 14 % lower than that of 0.2, lower in 3 of 3 seeds).");
  EXPECT_THAT(
      answer_of(arms_with(1, {{0, 1.5}, {0.2, 1}})),
      AllOf(HasSubstr("1 seed cannot show"), HasSubstr("1 comparison requires p <= 0.05, for which 6 seeds are needed"),
            HasSubstr("none has a lower median FD than 0.2")));
}

TEST(Answer, SaysIfNoNumberOfSeedsIsEnough) {
  const auto statistics =
      sweep_statistics(arms_with(21, {{0, 1.5}, {0.2, 1}}), 0.2, {.alpha = 1e-6, .resampling = {.count = 10}});
  EXPECT_THAT(answer(statistics),
              HasSubstr("but 1 comparison requires p <= 1e-06, which no number of seeds can reach"));
}

TEST(Answer, DoesNotCountSeedsInWhichBothSlopesFailed) {
  auto arms = arms_with(6, {{0, 1.5}, {0.2, 1}});
  for (auto& arm : arms) {
    if (arm.seed != 5) continue;
    arm.outcome = ArmOutcome::diverged;
    arm.fd = {};
  }
  EXPECT_THAT(answer_of(arms), AllOf(HasSubstr("5 seeds cannot show"), HasSubstr("the smallest possible p is 0.062"),
                                     HasSubstr("1 comparison requires p <= 0.05, for which 6 seeds are needed")));
}

TEST(Answer, NamesTheBetterAndTheWorseSlopes) {
  const auto text = answer_of(arms_with(8, {{0.1, 0.8}, {0.2, 1}, {1, 3}}));
  EXPECT_THAT(text, HasSubstr("0.1 is better (median FD 20 % lower, bootstrap interval 22 % lower to 18 % lower, p = "
                              "0.016 after correction, 8 seeds)"));
  EXPECT_THAT(text, HasSubstr("1 is worse (median FD 3.0 times as high"));
  EXPECT_THAT(text, Not(HasSubstr("cannot")));
  EXPECT_THAT(text, Not(HasSubstr("no detectable difference")));
}

TEST(Answer, SaysWhichDifferencesAreExcluded) {
  // Differences of ±2 % that cancel out on average. The limits are the 3rd lowest and 3rd highest subset means.
  const auto statistics = sweep_statistics(arms_with(8, {{0.1, 1}, {0.2, 1}, {1, 2}}), 0.2);
  const auto text = answer(statistics);
  EXPECT_THAT(text, HasSubstr("none is shown to be better than 0.2; 1 is worse"));
  EXPECT_THAT(text, HasSubstr("there is no detectable difference between 0.2 and 0.1 (differences in FD of more than 3 "
                              "% are excluded)"));
  const auto& limits = statistics.comparisons[0].simultaneous_interval.value();
  EXPECT_LE(limits.high, 1.03);
  EXPECT_GE(limits.low, 0.97);
}

TEST(Answer, ExcludesNoDifferenceIfFailuresLeaveNoLimit) {
  auto arms = arms_with(8, {{0.1, 1}, {0.2, 1}});
  arms[0].outcome = ArmOutcome::diverged;   // slope 0.1
  arms[12].outcome = ArmOutcome::diverged;  // slope 0.2
  EXPECT_THAT(answer_of(arms),
              HasSubstr("no detectable difference between 0.2 and 0.1 (but differences of any size are possible)"));
}

TEST(Answer, CountsFailures) {
  auto arms = arms_with(6, {{0.2, 1}, {1, 2}});
  arms[7].outcome = ArmOutcome::diverged;
  EXPECT_THAT(answer_of(arms), HasSubstr("1 is worse (failed in 1 of 6 seeds, the control in 0; median FD"));
}

TEST(Answer, OmitsTheMedianIfMostSeedsFailed) {
  auto arms = arms_with(6, {{0.2, 1}, {1, 2}});
  for (std::size_t i = 6; i < 11; ++i) arms[i].outcome = ArmOutcome::collapsed;
  EXPECT_THAT(answer_of(arms), HasSubstr("1 is worse (failed in 5 of 6 seeds, the control in 0; p = 0.031 "
                                         "after correction, 6 seeds)"));
}

TEST(Answer, NamesTheFailuresOfAControlWithoutFds) {
  auto arms = arms_with(3, {{0.1, 1}, {0.2, 1}});
  for (std::size_t i = 3; i < 6; ++i) arms[i].outcome = ArmOutcome::diverged;
  EXPECT_THAT(answer_of(arms), HasSubstr("0.1 comes out lowest (0.2 failed in 3 seeds, lower in 3 of 3 seeds)"));
}

TEST(Answer, SaysThatNothingCanBeConcluded) {
  auto arms = arms_with(2, {{0.1, 1}, {0.2, 1}});
  for (auto& arm : arms) arm.fd.reset();
  EXPECT_EQ(answer_of(arms), "No arm has an FD, so nothing can be said about the slopes.");
  arms[0].fd = 3;  // slope 0.1
  EXPECT_EQ(answer_of(arms), "No slope can be compared with 0.2, so nothing can be said about the slopes.");
  EXPECT_EQ(answer_of(arms_with(3, {{0.2, 1}})), "There is only one slope, 0.2, and nothing to compare it with.");
  auto partly = arms_with(3, {{0.1, 1}, {0.2, 1}, {1, 2}});
  for (std::size_t i = 6; i < 9; ++i) partly[i].outcome = ArmOutcome::pending;
  EXPECT_THAT(answer_of(partly), HasSubstr("; nothing is known about 1."));
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
  EXPECT_THAT(notes, Contains("1 arm diverged and 0 collapsed; such an arm counts as the worst for its seed."));
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
