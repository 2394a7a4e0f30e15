#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/sections.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Returns a race that starts with seed 5. Slope 0.1 is better at look 1, 0.2 is the control, and the race gives up on
/// slope 1 after two arms.
SweepData raced_sweep() {
  SweepData sweep;
  RaceFile race;
  race.planned = {plan_race(0.2, {0.1, 1}), 5, 1280, 640, "random@12345678", 100, "abc"};
  std::vector<RaceArm> results;
  for (std::int64_t repeat = 0; repeat < 5; ++repeat) {
    for (const auto& [slope, fd] : {std::pair{0.1, 8.0}, {0.2, 10.0}, {1.0, 30.0}}) {
      if (slope == 1 && repeat >= 2) continue;
      results.push_back({slope, repeat, ArmOutcome::done, fd + 0.01 * static_cast<double>(repeat), fd});
      ArmData arm{slope, 5 + repeat, {}};
      arm.run.status = slope == 1 && repeat == 1 ? "diverged" : "done";
      sweep.arms.push_back(arm);
    }
  }
  race.state = follow_race(race.planned.plan, results);
  sweep.race = race;
  return sweep;
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(RaceStrip, ShowsWhichArmsWereTrainedAndWhenTheirSlopesWereDecided) {
  const SweepData sweep = raced_sweep();
  ASSERT_TRUE(sweep.race->state.is_over);
  const std::string strip = race_strip(sweep);
  EXPECT_EQ(occurrences(strip, "class=\"arm done\""), 11u);
  EXPECT_EQ(occurrences(strip, "class=\"arm bad\""), 1u);
  EXPECT_EQ(occurrences(strip, "class=\"arm none\""), 3u * 9 - 12);
  EXPECT_EQ(occurrences(strip, "class=\"mark"), 2u);
  EXPECT_THAT(strip, HasSubstr("data-tip=\"Look 1: 0.1 is better than 0.2"));
  EXPECT_THAT(strip, HasSubstr("data-tip=\"1 was given up after 2 arms, without a test"));
  EXPECT_THAT(strip, HasSubstr("data-tip=\"slope 1, seed 6: diverged\""));
  EXPECT_THAT(strip, HasSubstr("12 of at most 27 arms trained."));
  EXPECT_THAT(strip, Not(HasSubstr("style=")));
}

TEST(RaceStrip, IsOmittedForAFixedSweep) { EXPECT_EQ(race_strip({}), ""); }

TEST(AnswerSection, OfARaceNeedsNoStatistics) {
  SweepData sweep = raced_sweep();
  const std::string section = answer_section(sweep);
  EXPECT_THAT(section, HasSubstr("Use slope 0.1. 0.2 is 25 % worse, 1 is given up."));
  EXPECT_THAT(section, HasSubstr("The error rate of 5 % does not cover the decision to give up on slope 1"));
  sweep.race->state = follow_race(sweep.race->planned.plan, {});
  EXPECT_THAT(answer_section(sweep), HasSubstr("the first look needs 5 arms of every slope"));
}

/// Returns statistics as an earlier version wrote them for a race: with the results of the sign-flip test.
StatisticsFile earlier_statistics() {
  StatisticsFile file;
  file.statistics.control = 0.2;
  Comparison comparison;
  comparison.negative_slope = 0.1;
  comparison.pairs = comparison.both_scored = comparison.wins = 5;
  comparison.median_ratio = 0.8;
  comparison.median_ratio_interval = Interval{0.7, 0.9};
  comparison.simultaneous_interval = Interval{0.123, 4.56};
  comparison.p = 0.0678;
  comparison.p_holm = 0.0789;
  comparison.verdict = Verdict::too_few_seeds;
  file.statistics.comparisons = {comparison};
  file.notes = {"The race decides (race.json); the comparisons in statistics.json only describe the arms."};
  file.methods = {{"p", "paired sign-flip permutation test"}, {"verdict", "by p_holm"}};
  return file;
}

TEST(AnswerSection, OfARaceShowsNoVerdictOfTheTestForFixedSeeds) {
  SweepData sweep = raced_sweep();
  sweep.config.sweep.design = SweepDesign::race;
  sweep.statistics = earlier_statistics();
  for (const bool is_readable : {true, false}) {
    if (!is_readable) sweep.race.reset();
    const std::string section = answer_section(sweep);
    EXPECT_THAT(section, HasSubstr("5 of 5"));
    EXPECT_THAT(section, HasSubstr("0.7 … 0.9"));
    for (const char* text : {"too few seeds to tell", "0.0678", "0.0789", "0.123", "4.56", "p (Holm)", "test interval"})
      EXPECT_THAT(section, Not(HasSubstr(text))) << is_readable;
    EXPECT_EQ(section.find("class=\"forest\"") != std::string::npos, is_readable);
  }
  sweep = raced_sweep();
  sweep.statistics = earlier_statistics();
  const std::string section = answer_section(sweep);
  EXPECT_EQ(occurrences(section, "only describe the arms"), 1u);
  EXPECT_THAT(section, Not(HasSubstr("sign-flip")));
}

TEST(Comparison, OfARaceUsesItsDecisionsOnly) {
  SweepData sweep = raced_sweep();
  sweep.statistics = earlier_statistics();
  const auto verdict_of_first = [&] {
    const ComparedResult result = compared_results({sweep}).front();
    const auto* finding = finding_of(result, 0.1);
    return finding == nullptr ? std::string("none") : verdict_words(compared_verdict(result.findings, *finding));
  };
  EXPECT_EQ(verdict_of_first(), "better");
  sweep.race.reset();
  sweep.config.sweep.design = SweepDesign::race;
  EXPECT_EQ(verdict_of_first(), "none");
}

}  // namespace
}  // namespace slopegan
