#include "statistics/statistics_json.h"

#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/enum_values.h"
#include "support/text.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;

/// Eight seeds: slope 0.1 is better, slope 1 is worse and fails twice, and slope 2 is missing.
SweepScores example_scores() {
  SweepScores scores;
  scores.metric = FdMetric{"FD[x@1,n=100]", "x@1", 100, 640, 0.5, std::nullopt};
  for (int seed = 0; seed < 8; ++seed) {
    for (const auto& [slope, fd] : {std::pair{0.1, 8.0}, {0.2, 10.0}, {1.0, 30.0}}) {
      const auto outcome = slope == 1 && seed < 2 ? ArmOutcome::diverged : ArmOutcome::done;
      scores.arms.push_back({slope, seed, outcome, fd * (1 + 0.01 * seed), {}});
    }
    scores.arms.push_back({2, seed, ArmOutcome::pending, {}, {}});
  }
  return scores;
}

TEST(StatisticsJson, ReadsBackWhatItWrites) {
  const auto written = statistics_json(evaluate_scores(example_scores(), 0.2));
  const auto file = parse_statistics(written);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->metric->images, 640);
  EXPECT_EQ(file->metric->floor, 0.5);
  EXPECT_FALSE(file->metric->bias);
  EXPECT_EQ(file->statistics.seeds.size(), 8u);
  EXPECT_THAT(file->statistics.missing.front(), (MissingArm{2, 0}));
  std::vector<Verdict> verdicts;
  for (const auto& comparison : file->statistics.comparisons) verdicts.push_back(comparison.verdict);
  EXPECT_THAT(verdicts, ElementsAre(Verdict::better, Verdict::worse, Verdict::not_comparable));
  EXPECT_EQ(nlohmann::json::parse(statistics_json(*file)), nlohmann::json::parse(written));
}

TEST(StatisticsJson, TheAnswerAgreesWithTheFindings) {
  // Slope 0.1 is better, although its FD is slightly higher in 7 of 13 seeds and the median ratio is therefore above 1.
  SweepScores scores;
  for (int seed = 0; seed < 13; ++seed) {
    scores.arms.push_back({0.1, seed, ArmOutcome::done, 10 * std::exp(seed < 7 ? 0.005 : -0.3), {}});
    scores.arms.push_back({0.2, seed, ArmOutcome::done, 10, {}});
  }
  const auto file = evaluate_scores(scores, 0.2);
  const auto& comparison = file.statistics.comparisons.at(0);
  ASSERT_EQ(comparison.verdict, Verdict::better);
  ASSERT_GT(comparison.median_ratio.value(), 1);
  EXPECT_EQ(file.answer, file.recommendation + " " + join(file.findings, " "));
  EXPECT_THAT(file.answer, ::testing::HasSubstr("0.1 is better than 0.2: FD 13 % lower ("));
  EXPECT_THAT(file.answer, ::testing::Not(::testing::HasSubstr("higher")));
}

TEST(StatisticsJson, ComparesTheRankingsOfTheSlopesByTwoExtractors) {
  auto scores = example_scores();
  RulerScores ruler{{"FD[y@2,n=100]", "y@2", 100, 640, std::nullopt, std::nullopt}, {}};
  for (const auto& arm : scores.arms) {  // reverses the order of 0.1 and 0.2
    ruler.fds.push_back(arm.fd ? std::optional(arm.negative_slope == 1 ? 50 : 20 - *arm.fd) : std::nullopt);
  }
  scores.rulers.push_back(ruler);
  const auto file = parse_statistics(statistics_json(evaluate_scores(scores, 0.2)));
  ASSERT_TRUE(file);
  ASSERT_EQ(file->rulers.size(), 1u);
  EXPECT_EQ(file->rulers[0].metric.name, "FD[y@2,n=100]");
  ASSERT_EQ(file->rulers[0].slopes.size(), 3u);
  EXPECT_EQ(file->rulers[0].slopes[2].other_mean_fd, 50);
  EXPECT_NEAR(*file->rulers[0].kendall_tau, 1.0 / 3, 1e-12);
  EXPECT_THAT(file->notes, ::testing::Contains(::testing::HasSubstr(
                               "between the rankings of 3 slopes by mean FD[x@1,n=100] and by mean FD[y@2,n=100] is "
                               "0.33 (1: the same ranking, -1: the reverse); the best slopes are 0.1 and 0.2, "
                               "respectively.")));
}

TEST(StatisticsJson, CutsIntervalsOfEarlierVersionsThatContradictTheVerdict) {
  std::ifstream stream(SLOPEGAN_SOURCE_DIR "/outputs/study/study_fashion_mnist/statistics.json");
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  const auto raw = nlohmann::json::parse(text);
  const auto file = parse_statistics(text);
  ASSERT_TRUE(file);
  int cut = 0;
  for (std::size_t i = 0; i < file->statistics.comparisons.size(); ++i) {
    const auto& comparison = file->statistics.comparisons[i];
    if (!comparison.significant) continue;
    const auto& limits = *comparison.simultaneous_interval;
    EXPECT_TRUE(limits.high <= 1 || limits.low >= 1) << comparison.negative_slope;
    cut += limits.high != raw.at("comparisons").at(i).at("simultaneous_interval").at(1).get<double>();
  }
  EXPECT_EQ(cut, 1);  // slope 0.05: 0.764 to 1.007
}

TEST(StatisticsJson, EvaluatesEachConditionOfACrossedSweep) {
  auto scores = example_scores();
  scores.conditions = {{{"optimizer.generator_lr", "2e-4"}}, {{"optimizer.generator_lr", "4e-4"}}};
  for (ArmScore arm : example_scores().arms) {
    arm.condition = 1;
    if (arm.fd && arm.negative_slope == 0.1) *arm.fd *= 2 + 0.01 * static_cast<double>(arm.seed);
    scores.arms.push_back(arm);
  }
  const auto written = statistics_json(evaluate_scores(scores, 0.2));
  const auto file = parse_statistics(written);
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->cross);
  EXPECT_EQ(file->cross->conditions.at(1).settings, scores.conditions[1]);
  EXPECT_EQ(file->cross->conditions.at(0).statistics.comparisons.at(0).verdict, Verdict::better);
  EXPECT_EQ(file->cross->conditions.at(1).statistics.comparisons.at(0).verdict, Verdict::worse);
  EXPECT_EQ(file->statistics.comparisons.at(0).verdict, Verdict::better);  // the first condition
  EXPECT_TRUE(file->cross->interactions.at(0).significant);
  EXPECT_EQ(file->cross->interactions.at(1).failed_seeds.size(), 2u);
  EXPECT_THAT(file->cross_findings.at(0), ::testing::StartsWith("The effect of slope 0.1 depends on the condition"));
  EXPECT_EQ(nlohmann::json::parse(statistics_json(*file)), nlohmann::json::parse(written));
}

TEST(StatisticsJson, NotesTheMissingAndFailedArmsOfEachCondition) {
  SweepScores scores;
  scores.conditions = {{}, {{"generator.norm", "none"}}};
  for (int seed = 0; seed < 8; ++seed) {
    for (const double slope : {0.1, 0.2}) {
      for (const std::size_t condition : {0u, 1u}) {
        const bool is_missing = condition == 1 && slope == 0.1 && seed == 3;
        const bool has_failed = (condition == 1 && seed == 5) || (condition == 0 && slope == 0.2 && seed == 6);
        scores.arms.push_back({slope, seed, is_missing ? ArmOutcome::pending : ArmOutcome::done, 10 + slope, {}});
        if (has_failed) scores.arms.back().outcome = ArmOutcome::collapsed;
        scores.arms.back().condition = condition;
      }
    }
  }
  std::vector<std::string> about_arms;
  for (const auto& note : evaluate_scores(scores, 0.2).notes) {
    if (note.find("missing") != std::string::npos || note.find("collapsed") != std::string::npos) {
      about_arms.push_back(note);
    }
  }
  EXPECT_THAT(about_arms,
              ElementsAre("In the base condition, 1 arm collapsed; a failed arm counts as the worst for its seed.",
                          "With generator.norm=none, 1 of 16 arms is missing: not trained to the end, or without an FD "
                          "(slope 0.1 seed 3).",
                          "With generator.norm=none, 2 arms collapsed; a failed arm counts as the worst for its "
                          "seed."));
}

TEST(StatisticsJson, DerivesTheVerdictForOlderFiles) {
  auto json = nlohmann::json::parse(statistics_json(evaluate_scores(example_scores(), 0.2)));
  for (auto& comparison : json.at("comparisons")) comparison.erase("verdict");
  const auto file = parse_statistics(json.dump());
  ASSERT_TRUE(file);
  EXPECT_EQ(file->statistics.comparisons[0].verdict, Verdict::better);
  EXPECT_EQ(file->statistics.comparisons[1].verdict, Verdict::worse);
  EXPECT_EQ(file->statistics.comparisons[2].verdict, Verdict::not_comparable);
}

TEST(StatisticsJson, ReadsTheFilesOfTheStudy) {
  for (const auto& [name, control] : {std::pair{"study_fashion_mnist", 0.2}, {"study_longer", 0.2}}) {
    std::ifstream stream(std::string(SLOPEGAN_SOURCE_DIR "/outputs/study/") + name + "/statistics.json");
    std::stringstream text;
    text << stream.rdbuf();
    const auto file = parse_statistics(text.str());
    ASSERT_TRUE(file) << name;
    EXPECT_EQ(file->statistics.control, control);
    EXPECT_EQ(file->statistics.comparisons.front().verdict, Verdict::better);
  }
}

TEST(StatisticsJson, ReadsANullLimitAsUnbounded) {
  const auto file = parse_statistics(R"({"answer": "", "comparisons": [{"simultaneous_interval": [0, null]}]})");
  ASSERT_TRUE(file);
  const auto& limits = file->statistics.comparisons.at(0).simultaneous_interval;
  EXPECT_EQ(limits->low, 0);
  EXPECT_EQ(limits->high, std::numeric_limits<double>::infinity());
}

TEST(StatisticsJson, ReadsBackEveryVerdictButControl) {
  auto file = evaluate_scores(example_scores(), 0.2);
  for (const auto verdict : enum_values<Verdict>) {
    file.statistics.comparisons.at(0).verdict = verdict;
    const auto again = parse_statistics(statistics_json(file));
    ASSERT_EQ(again.has_value(), verdict != Verdict::control) << name_of(verdict);
    if (again) {
      EXPECT_EQ(again->statistics.comparisons.at(0).verdict, verdict) << name_of(verdict);
    }
  }
}

TEST(StatisticsJson, RejectsDamagedFiles) {
  for (const char* text :
       {"", "[]", "{}", R"({"answer": 1})", R"({"answer": "", "slopes": {}})", R"({"answer": "", "slopes": [1]})",
        R"({"answer": "", "comparisons": [{"verdict": "unheard of"}]})",
        R"({"answer": "", "comparisons": [{"simultaneous_interval": [1]}]})", R"({"answer": "", "methods": {"p": 1}})",
        R"({"answer": "", "alpha": -1})", R"({"answer": "", "alpha": 0})", R"({"answer": "", "alpha": 1.5})",
        R"({"answer": "", "alpha": null})", R"({"answer": "", "cross": {"alpha": -1}})",
        R"({"answer": "", "cross": {"conditions": [{"alpha": -1}]}})"}) {
    EXPECT_FALSE(parse_statistics(text)) << text;
  }
}

}  // namespace
}  // namespace slopegan
