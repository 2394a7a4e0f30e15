#include "statistics/race_text.h"

#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "statistics/recommendation.h"
#include "support/ranges.h"

namespace slopegan {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// A race with `repeats` arms of the control 0.2 and of each of four slopes: 0.1 is better, 0.3 is equal, 0.5 is worse,
/// and 1 is hopeless and has at most two arms. `wobble` sets the spread of the FDs of a slope.
RaceFile race_with(std::int64_t repeats, double wobble = 0.01) {
  RaceFile race;
  race.planned = {plan_race(0.2, {0.1, 0.3, 0.5, 1}), 0, 1280, 640, "random@12345678", 100, "abc"};
  std::vector<RaceArm> arms;
  for (std::int64_t repeat = 0; repeat < repeats; ++repeat) {
    for (const auto& [slope, ratio] : {std::pair{0.1, 0.8}, {0.2, 1.0}, {0.3, 1.0}, {0.5, 1.3}, {1.0, 3.0}}) {
      if (slope == 1 && repeat >= 2) continue;
      const double scatter = slope == 0.1 ? 3 * wobble : wobble;
      const double fd = ratio * (1 + scatter * static_cast<double>(repeat % 5));
      arms.push_back({slope, repeat, ArmOutcome::done, fd, fd});
    }
  }
  race.state = follow_race(race.planned.plan, arms);
  return race;
}

TEST(RaceText, UsesTheSentencesOfAFixedSweep) {
  const RaceFile race = race_with(6);
  ASSERT_EQ(race.state.looks.size(), 1u);
  const Findings findings = findings_of(race);
  EXPECT_EQ(recommendation(findings), "Use slope 0.1. 0.2 and 0.3 are 21 % worse, 0.5 is 57 % worse, 1 is given up.");
  EXPECT_THAT(finding_sentences(findings),
              ElementsAre(StartsWith("0.1 is better than 0.2: FD 17 % lower ("), "0.2 is the control.",
                          StartsWith("0.3 does not differ detectably from 0.2: FD less than 1 % higher ("),
                          StartsWith("0.5 is worse than 0.2: FD 30 % higher ("),
                          "1 was given up after 2 arms, without a test: during training, its FD was at least 3.0 times "
                          "as high."));
}

TEST(RaceText, SaysWhatLimitsItsClaims) {
  EXPECT_THAT(
      race_caveats(race_with(6)),
      ElementsAre("The error rate of 5 % does not cover the decision to give up on slope 1: it was made without a "
                  "test, because FD during training was at least 1.5 times the control's in the first two seeds.",
                  StartsWith("The FDs of slope 0.1 scatter more than twice or less than half as much as the "
                             "control's; "),
                  "This holds after 1280 training images; after more images, other slopes may be better."));
  RaceFile two = race_with(6);
  for (auto& slope : two.state.slopes) {
    if (slope.negative_slope == 0.5) slope.decision = Verdict::given_up;
  }
  EXPECT_THAT(race_caveats(two), Contains(HasSubstr("the decision to give up on slopes 0.5 and 1: it was made")));
  EXPECT_THAT(method_sentence(race_with(6)), HasSubstr("95 % confidence for 4 slopes and all looks simultaneously"));
  EXPECT_THAT(method_sentence(race_with(6)), HasSubstr("at looks with 6, 8, 10 arms per slope"));
  RaceFile single = race_with(6);
  single.planned.plan.slopes.resize(1);
  EXPECT_THAT(method_sentence(single), HasSubstr("95 % confidence for 1 slope and all looks simultaneously"));
}

TEST(RaceText, MakesNoClaimBeforeTheFirstLook) {
  const RaceFile race = race_with(3);
  EXPECT_THAT(race.state.looks, IsEmpty());
  const Findings findings = findings_of(race);
  EXPECT_EQ(recommendation(findings), "No slope can be recommended yet: the first look needs 6 arms of every slope.");
  EXPECT_THAT(finding_sentences(findings), Contains("0.1 has not been compared yet."));
  EXPECT_THAT(recommended_slopes(findings), IsEmpty());
}

TEST(RaceText, KeepsTheControlIfTheRaceGivesUpOnAllOtherSlopes) {
  RaceFile race;
  race.planned = {plan_race(0.2, {0.5, 1}), 0, 1280, 640, "random@12345678", 100, "abc"};
  std::vector<RaceArm> arms;
  for (std::int64_t repeat = 0; repeat < 2; ++repeat) {
    arms.push_back({0.2, repeat, ArmOutcome::done, 1, 1.0});
    arms.push_back({0.5, repeat, ArmOutcome::done, 2, 2.0});
    arms.push_back({1, repeat, ArmOutcome::diverged, std::nullopt, std::nullopt});
  }
  race.state = follow_race(race.planned.plan, arms);
  EXPECT_TRUE(race.state.is_over);
  EXPECT_EQ(recommendation(findings_of(race)), "Use slope 0.2. 0.5 and 1 are given up.");
}

/// A race of slope 0 against 0.2 after its first look. The arms of the slopes in `failing` diverged.
RaceFile race_with_failures(const std::vector<double>& failing) {
  RaceFile race;
  race.planned = {plan_race(0.2, {0}, {.give_up = 0}), 0, 1280, 640, "random@12345678", 100, "abc"};
  std::vector<RaceArm> arms;
  for (std::int64_t repeat = 0; repeat < race.planned.plan.looks.front(); ++repeat) {
    for (const double slope : {0.0, 0.2}) {
      const bool fails = contains(failing, slope);
      const std::optional<double> fd = 10 + 0.1 * static_cast<double>(repeat);
      arms.push_back({slope, repeat, fails ? ArmOutcome::diverged : ArmOutcome::done, fails ? std::nullopt : fd, {}});
    }
  }
  race.state = follow_race(race.planned.plan, arms);
  return race;
}

TEST(RaceText, StatesOnlyTheFailuresOfASlopeWithoutFds) {
  const Findings findings = findings_of(race_with_failures({0}));
  EXPECT_THAT(finding_sentences(findings), Contains("0 is worse than 0.2: 4 of 4 arms failed."));
  EXPECT_EQ(recommendation(findings), "Use slope 0.2. 0 is unstable (most arms failed).");
  EXPECT_FALSE(has_limits(findings.slopes[0]));
  EXPECT_TRUE(was_compared(findings.slopes[0]));
}

TEST(RaceText, StatesOnlyTheFailuresOfAControlWithoutFds) {
  const Findings findings = findings_of(race_with_failures({0.2}));
  EXPECT_THAT(finding_sentences(findings), Contains("0 is better than 0.2: 4 of 4 arms of the control failed."));
  EXPECT_EQ(recommendation(findings), "Use slope 0. 0.2 is unstable (most arms failed).");
}

TEST(RaceText, ComparesNothingIfAllArmsFailed) {
  const Findings findings = findings_of(race_with_failures({0, 0.2}));
  EXPECT_THAT(finding_sentences(findings),
              Contains("0 cannot be compared with 0.2: 4 of 4 arms failed; 4 of 4 arms of the control failed."));
  EXPECT_EQ(recommendation(findings), "No slope can be recommended: all 8 arms failed.");
}

TEST(RaceText, StatesNoLimitsIfArmsOfTheSlopeAndOfTheControlFailed) {
  for (const bool was_written_by_an_earlier_version : {false, true}) {
    RaceFile race;
    race.planned = {plan_race(0.2, {0}, {.give_up = 0}), 0, 1280, 640, "random@12345678", 100, "abc"};
    std::vector<RaceArm> arms;
    for (std::int64_t repeat = 0; repeat < race.planned.plan.looks.front(); ++repeat) {
      const auto outcome = repeat == 0 ? ArmOutcome::done : ArmOutcome::diverged;
      arms.push_back({0, repeat, outcome, 10, {}});
      arms.push_back({0.2, repeat, outcome, 10.2, {}});
    }
    race.state = follow_race(race.planned.plan, arms);
    if (was_written_by_an_earlier_version) {
      race.state.slopes[0].decision = Verdict::equivalent;
      race.state.slopes[0].comparison->ratio_interval = {0.97, 1.03};
    }
    const Findings findings = findings_of(race);
    EXPECT_FALSE(is_equivalent(findings, findings.slopes[0]));
    EXPECT_THAT(finding_sentences(findings)[0], HasSubstr("(no limits); 3 of 4 arms failed"));
    EXPECT_THAT(recommendation(findings), HasSubstr("differences of any size are possible"));
  }
}

TEST(RaceText, ReplacesTheTextsOfTheStatistics) {
  StatisticsFile file;
  file.recommendation = "of the fixed design";
  file.notes = {"about the comparisons"};
  file.metric = FdMetric{"FD[x@1,n=100]", "x@1", 100, 1280, std::nullopt, std::nullopt, "The labels are unrelated."};
  const RaceFile race = race_with(6);
  describe_race(file, race);
  EXPECT_THAT(file.recommendation, StartsWith("Use slope 0.1."));
  EXPECT_THAT(file.answer, HasSubstr("1 was given up after 2 arms, without a test"));
  EXPECT_THAT(file.findings, Contains(HasSubstr("does not cover the decision to give up on slope 1")));
  EXPECT_EQ(file.findings.back(), "The labels are unrelated.");
  EXPECT_THAT(file.notes, ElementsAre(HasSubstr("only describe the arms"), "about the comparisons"));
}

TEST(RaceText, ReplacesTheVerdictsOfTheStatistics) {
  StatisticsFile file;
  for (const double slope : {0.1, 0.3, 0.5, 1.0}) {
    Comparison comparison;
    comparison.negative_slope = slope;
    comparison.median_ratio = 0.9;
    comparison.p = comparison.p_holm = 0.01;
    comparison.simultaneous_interval = Interval{0.8, 0.95};
    comparison.significant = comparison.can_be_significant = true;
    comparison.verdict = Verdict::better;
    file.statistics.comparisons.push_back(comparison);
  }
  file.methods = {{"p_holm", "Holm's correction over the slopes"}, {"verdict", "by p_holm"}, {"rulers", "Kendall"}};
  describe_race(file, race_with(6));
  const std::string text = statistics_json(file);
  const auto read = parse_statistics(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(nlohmann::json::parse(statistics_json(*read)), nlohmann::json::parse(text));
  std::vector<Verdict> verdicts;
  for (const auto& comparison : read->statistics.comparisons) {
    verdicts.push_back(comparison.verdict);
    EXPECT_EQ(comparison.significant, is_decided(comparison.verdict));
    EXPECT_FALSE(comparison.p || comparison.p_holm || comparison.simultaneous_interval);
    EXPECT_EQ(comparison.median_ratio, 0.9);
  }
  EXPECT_EQ(verdicts.front(), Verdict::better);
  EXPECT_EQ(verdicts.back(), Verdict::given_up);
  for (const char* key : {"p", "p_holm", "smallest_p_holm", "simultaneous_interval"}) {
    EXPECT_THAT(text, HasSubstr("\"" + std::string(key) + "\": null")) << key;
  }
  EXPECT_THAT(file.methods, ElementsAre(::testing::Pair("verdict", HasSubstr("the decision of the race")),
                                        ::testing::Pair("rulers", "Kendall")));
  describe_race(file, race_with(6));
  EXPECT_THAT(file.notes, ElementsAre(HasSubstr("only describe the arms")));
}

}  // namespace
}  // namespace slopegan
