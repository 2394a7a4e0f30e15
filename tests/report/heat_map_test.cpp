#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/sections.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Returns the statistics of seven seeds under three conditions. Without batch norm, slope 0 has a lower FD than the
/// control. With batch norm, it has twice the FD of the control. Under the third condition, it always collapses.
CrossStatistics crossed() {
  std::vector<ArmScore> arms;
  for (std::size_t condition = 0; condition < 3; ++condition) {
    for (int seed = 0; seed < 7; ++seed) {
      for (const double slope : {0.0, 0.2}) {
        ArmScore arm;
        arm.negative_slope = slope;
        arm.seed = seed;
        arm.condition = condition;
        arm.fd = (slope == 0 ? (condition == 0 ? 8 : 20) : 10) * (1 + 0.01 * seed);
        if (condition == 2 && slope == 0) arm.outcome = ArmOutcome::collapsed;
        arms.push_back(arm);
      }
    }
  }
  return cross_statistics({{{"generator.norm", "none"}}, {{"generator.norm", "<batch>"}}, {{"generator.norm", "x"}}},
                          arms, 0.2);
}

TEST(HeatMap, ShowsRatioAndVerdictOfEachSlopeUnderEachCondition) {
  const std::string map = heat_map(crossed());
  EXPECT_THAT(map, HasSubstr(">0.80 *</text>"));
  EXPECT_THAT(map, HasSubstr(">2.00 *</text>"));
  EXPECT_THAT(map, HasSubstr(">∞ *</text>"));
  EXPECT_THAT(map, HasSubstr("class=\"cell v-better h3\""));
  EXPECT_THAT(map, HasSubstr("class=\"cell v-worse h10\""));
  EXPECT_THAT(map, HasSubstr("data-tip=\"generator.norm=none\n0 is better than 0.2: FD 20 % lower ("));
  EXPECT_THAT(map, HasSubstr("<li>B: generator.norm=&lt;batch&gt;</li>"));
  EXPECT_THAT(map, Not(HasSubstr("style=")));
  EXPECT_THAT(map, Not(HasSubstr("inf")));
}

TEST(AnswerSection, CountsNoMoreEffectsThanThereAreSentences) {
  SweepData sweep;
  StatisticsFile& file = sweep.statistics.emplace();
  file.cross_findings.assign(5, "a sentence");
  file.cross.emplace().interactions.resize(6);  // as in a damaged file
  for (auto& interaction : file.cross->interactions) interaction.significant = true;
  EXPECT_THAT(answer_section(sweep), HasSubstr("5 effects that depend on the condition"));
}

TEST(AnswerSection, ShowsAllSentencesIfFewEffectsAreSignificant) {
  SweepData sweep;
  StatisticsFile& file = sweep.statistics.emplace();
  file.cross_findings.assign(7, "a sentence about slopes that could not be compared");
  file.cross.emplace().interactions.resize(6);
  const std::string section = answer_section(sweep);
  EXPECT_THAT(section, Not(HasSubstr("effects that depend on the condition")));
  EXPECT_THAT(section, HasSubstr("<li>a sentence about slopes"));
}

TEST(HeatMap, AppearsInTheAnswerSectionOfACrossedSweep) {
  SweepData sweep;
  auto& file = sweep.statistics.emplace();
  file.cross = crossed();
  file.cross_findings = cross_sentences(*file.cross);
  file.statistics = file.cross->conditions[0].statistics;
  const std::string section = answer_section(sweep);
  const auto question = section.find("Does the effect of the slope depend on the condition?");
  ASSERT_NE(question, std::string::npos);
  EXPECT_GT(section.find("<figure class=\"heat-map\""), question);
  EXPECT_GT(section.find("generator.norm", section.find("class=\"findings\"", question)), question);
}

}  // namespace
}  // namespace slopegan
