#include "statistics/race_json.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "support/enum_values.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

RaceFile some_race() {
  RaceFile file;
  file.planned = {plan_race(0.2, {0, 0.5, 1}), 5, 1280, 640, "random@12345678", 100, "abc"};
  std::vector<RaceArm> arms;
  for (std::int64_t repeat = 0; repeat < 5; ++repeat) {
    const auto jitter = 0.01 * static_cast<double>(repeat);
    arms.push_back({0.2, repeat, ArmOutcome::done, 1 + jitter, 1.0});
    arms.push_back({0, repeat, ArmOutcome::diverged, std::nullopt, 1.0});
    arms.push_back({0.5, repeat, ArmOutcome::done, 1.2 + jitter, 1.0});
    if (repeat < 2) arms.push_back({1, repeat, ArmOutcome::diverged, std::nullopt, std::nullopt});
  }
  file.state = follow_race(file.planned.plan, arms);
  return file;
}

TEST(RaceJson, ReadsBackAsTheSameText) {
  const RaceFile file = some_race();
  ASSERT_EQ(file.state.looks.size(), 1u);
  const std::string text = race_json(file);
  const auto again = parse_race(text);
  ASSERT_TRUE(again);
  EXPECT_EQ(race_json(*again), text);
  EXPECT_EQ(again->state.slopes.back().decision, Verdict::given_up);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(again->state.looks[0].comparisons[0].ratio_interval.high, infinity);
  EXPECT_THAT(again->state.slopes.back().interim_ratios, ElementsAre(infinity, infinity));
}

TEST(RaceJson, ReadsBackEveryDecisionButNoOtherVerdict) {
  RaceFile file = some_race();
  for (const auto decision : enum_values<Verdict>) {
    file.state.slopes[0].decision = decision;
    const auto again = parse_race(race_json(file));
    ASSERT_EQ(again.has_value(), decision <= Verdict::given_up) << name_of(decision);
    if (again) {
      EXPECT_EQ(again->state.slopes[0].decision, decision) << name_of(decision);
    }
  }
}

TEST(RaceJson, RejectsAnEditedPlan) {
  std::string text = race_json(some_race());
  text.replace(text.find("1280"), 4, "1281");
  EXPECT_FALSE(parse_race(text));
  EXPECT_FALSE(parse_race("{}"));
  EXPECT_FALSE(parse_race(""));
}

TEST(RaceJson, NamesTheDifferencesBetweenPlans) {
  const PlannedRace before = some_race().planned;
  PlannedRace after = before;
  EXPECT_THAT(plan_differences(before, after), ElementsAre());
  after.images = 2560;
  after.plan = plan_race(0.2, {0, 0.5});
  after.plan.alphas = before.plan.alphas;
  EXPECT_THAT(plan_differences(before, after),
              ElementsAre("slopes: [0.0,0.5,1.0] -> [0.0,0.5]", "images: 1280 -> 2560"));
  EXPECT_NE(plan_hash(before), plan_hash(after));
}

}  // namespace
}  // namespace slopegan
