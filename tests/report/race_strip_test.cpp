#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/sections.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A race of slopes 0.1 (better at look 1), 0.2 (control) and 1 (given up after two arms) that starts with seed 5.
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
  EXPECT_THAT(section, HasSubstr("The error rate of 5 % does not cover the decision to give up slope 1"));
  sweep.race->state = follow_race(sweep.race->planned.plan, {});
  EXPECT_THAT(answer_section(sweep), HasSubstr("the first look needs 5 arms of every slope"));
}

}  // namespace
}  // namespace slopegan
