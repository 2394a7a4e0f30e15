#include "statistics/cross.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "statistics/inference.h"
#include "statistics_numbers.h"
#include "support/random.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::infinite;
using ::testing::Not;
using ::testing::StartsWith;

const std::vector<std::vector<Setting>> two_rates = {{{"optimizer.generator_lr", "2e-4"}},
                                                     {{"optimizer.generator_lr", "4e-4"}}};

/// Arms under two conditions with the control 0.2 and the slopes 0 and 1. In the second condition, the FD of slope 1 is
/// also multiplied by `interaction`.
std::vector<ArmScore> crossed_arms(int seeds, double interaction, double noise = 0.02) {
  std::vector<ArmScore> arms;
  for (int seed = 0; seed < seeds; ++seed) {
    for (std::size_t condition = 0; condition < 2; ++condition) {
      for (const double slope : {0.0, 0.2, 1.0}) {
        std::vector<float> normal(1);
        RandomStream(29, "crossed arm",
                     static_cast<std::uint64_t>(100 * seed) + 10 * condition + static_cast<std::uint64_t>(5 * slope))
            .fill_normal(normal);
        // The factors for seeds and conditions cancel out, because they are the same for the control.
        double fd = 10 * (1 + seed) * (condition == 1 ? 3 : 1) * (slope == 1 ? 1.3 : 1);
        if (condition == 1 && slope == 1) fd *= interaction;
        ArmScore arm{slope, seed, ArmOutcome::done, fd * std::exp(noise * static_cast<double>(normal[0])), {}};
        arm.condition = condition;
        arms.push_back(arm);
      }
    }
  }
  return arms;
}

TEST(CrossStatistics, FindADependenceOnTheCondition) {
  const auto statistics = cross_statistics(two_rates, crossed_arms(8, 1.5), 0.2);
  ASSERT_EQ(statistics.interactions.size(), 2u);
  const auto& none = statistics.interactions[0];
  const auto& found = statistics.interactions[1];
  EXPECT_EQ(none.negative_slope, 0);
  EXPECT_FALSE(none.significant);
  EXPECT_TRUE(none.can_be_significant);
  EXPECT_EQ(found.negative_slope, 1);
  EXPECT_EQ(found.pairs, 8);
  EXPECT_EQ(found.p.value(), 2.0 / 256);
  EXPECT_EQ(found.p_holm.value(), 4.0 / 256);
  EXPECT_TRUE(found.significant);
  EXPECT_NEAR(found.ratio.value(), 1 / 1.5, 0.05);
  EXPECT_LT(found.ratio_interval->high, 1);
  EXPECT_LT(found.ratio_interval->low, 1 / 1.5);
  const auto sentences = cross_sentences(statistics);
  ASSERT_EQ(sentences.size(), 2u);
  EXPECT_THAT(sentences[0], StartsWith("The effect of slope 1 depends on the condition: relative to the control 0.2, "
                                       "its FD is 1.5"));
  EXPECT_THAT(sentences[0],
              HasSubstr("times as high with optimizer.generator_lr=4e-4 as with optimizer.generator_lr=2e-4 ("));
  EXPECT_THAT(sentences[1], StartsWith("There is otherwise no evidence that the slope's effect depends on "
                                       "optimizer.generator_lr; differences above "));
}

TEST(CrossStatistics, SayWhichDifferencesAreExcludedWithoutEvidenceOfADependence) {
  const auto statistics = cross_statistics(two_rates, crossed_arms(9, 1), 0.2);
  double largest = 0;
  for (const auto& interaction : statistics.interactions) {
    EXPECT_FALSE(interaction.significant);
    EXPECT_LT(interaction.ratio_interval->low, 1);
    EXPECT_GT(interaction.ratio_interval->high, 1);
    largest = std::max({largest, interaction.ratio_interval->high - 1, 1 / interaction.ratio_interval->low - 1});
  }
  const auto sentences = cross_sentences(statistics);
  EXPECT_THAT(sentences, ElementsAre("There is no evidence that the slope's effect depends on optimizer.generator_lr; "
                                     "differences above " +
                                     std::to_string(static_cast<int>(std::ceil(100 * largest))) + " % are excluded."));
}

TEST(CrossStatistics, TestTheDifferenceOfTheEffectsWithinSeeds) {
  const auto arms = crossed_arms(7, 1.1, 0.1);
  const auto statistics = cross_statistics(two_rates, arms, 0.2);
  std::vector<double> d;
  const auto log_fd = [&](int seed, std::size_t condition, double slope) {
    return std::log(*std::find_if(arms.begin(), arms.end(), [&](const ArmScore& arm) {
                       return arm.seed == seed && arm.condition == condition && arm.negative_slope == slope;
                     })->fd);
  };
  for (int seed = 0; seed < 7; ++seed) {
    d.push_back((log_fd(seed, 0, 1) - log_fd(seed, 0, 0.2)) - (log_fd(seed, 1, 1) - log_fd(seed, 1, 0.2)));
  }
  const auto& interaction = statistics.interactions[1];
  EXPECT_EQ(interaction.p.value(), sign_flip_p(d));
  EXPECT_NEAR(interaction.ratio.value(), std::exp(mean(d)), 1e-12);
  const auto interval = symmetric_centre_interval(d, 1 - 0.05 / 2);
  EXPECT_NEAR(interaction.ratio_interval->low, std::exp(interval.low), 1e-12);
  EXPECT_NEAR(interaction.ratio_interval->high, std::exp(interval.high), 1e-12);
}

TEST(CrossStatistics, OmitAndNameSeedsWithAFailedArm) {
  auto arms = crossed_arms(8, 1.5);
  for (auto& arm : arms) {
    if (arm.seed == 3 && arm.condition == 1 && arm.negative_slope == 1) arm.outcome = ArmOutcome::collapsed;
    if (arm.seed == 5 && arm.condition == 0 && arm.negative_slope == 0.2) arm.outcome = ArmOutcome::diverged;
    if (arm.seed == 6 && arm.condition == 0 && arm.negative_slope == 0) arm.outcome = ArmOutcome::pending;
  }
  const auto statistics = cross_statistics(two_rates, arms, 0.2);
  EXPECT_EQ(statistics.interactions[0].pairs, 6);
  EXPECT_THAT(statistics.interactions[0].failed_seeds, ElementsAre(5));
  EXPECT_EQ(statistics.interactions[1].pairs, 6);
  EXPECT_THAT(statistics.interactions[1].failed_seeds, ElementsAre(3, 5));
  EXPECT_EQ(statistics.interactions[1].p.value(), 2.0 / 64);
}

/// Marks the arms of a slope under a condition as collapsed, for all seeds below `end`.
void collapse(std::vector<ArmScore>& arms, double slope, std::size_t condition, std::int64_t end) {
  for (auto& arm : arms) {
    const bool is_affected = arm.negative_slope == slope && arm.condition == condition && arm.seed < end;
    if (is_affected) arm.outcome = ArmOutcome::collapsed;
  }
}

const std::string between_rates = "Between optimizer.generator_lr=2e-4 and optimizer.generator_lr=4e-4, ";

TEST(CrossSentences, NameASlopeThatAlwaysFailedUnderOneCondition) {
  auto arms = crossed_arms(8, 1);
  collapse(arms, 0, 1, 8);
  EXPECT_THAT(
      cross_sentences(cross_statistics(two_rates, arms, 0.2)),
      ElementsAre(StartsWith("For slope 1, there is no evidence that the slope's effect depends on "
                             "optimizer.generator_lr; differences above "),
                  between_rates + "the effect of slope 0 could not be compared: slope 0 failed in 0 of 8 and 8 of 8 "
                                  "seeds, respectively."));
}

TEST(CrossSentences, NameTheSeedsThatAreLeftOut) {
  auto arms = crossed_arms(9, 1);
  collapse(arms, 0, 1, 3);
  EXPECT_THAT(
      cross_sentences(cross_statistics(two_rates, arms, 0.2)),
      ElementsAre(StartsWith("There is no evidence that the slope's effect depends on optimizer.generator_lr in the "
                             "seeds without failures; "),
                  between_rates + "the effect of slope 0 could only be compared in 6 seeds, without seeds 0, 1 and 2: "
                                  "slope 0 failed in 0 of 9 and 3 of 9 seeds, respectively."));
}

TEST(CrossSentences, NameTheSeedsThatAreLeftOutOfADetectedDependence) {
  auto arms = crossed_arms(14, 1.5);
  collapse(arms, 1, 0, 6);
  const auto sentences = cross_sentences(cross_statistics(two_rates, arms, 0.2));
  ASSERT_EQ(sentences.size(), 3u);
  EXPECT_THAT(sentences[0], StartsWith("The effect of slope 1 depends on the condition"));
  EXPECT_THAT(sentences[1], StartsWith("There is otherwise no evidence"));
  EXPECT_THAT(sentences[1], Not(HasSubstr("without failures")));
  EXPECT_EQ(sentences[2],
            between_rates +
                "the effect of slope 1 could only be compared in 8 seeds, without seeds 0, 1, 2, 3, 4 and "
                "1 other: slope 1 failed in 6 of 14 and 0 of 14 seeds, respectively.");
}

TEST(CrossSentences, BlameTheControlIfItFailed) {
  auto arms = crossed_arms(8, 1);
  collapse(arms, 0.2, 0, 8);
  EXPECT_THAT(cross_sentences(cross_statistics(two_rates, arms, 0.2)),
              ElementsAre("It is unknown whether the slope's effect depends on optimizer.generator_lr.",
                          between_rates + "the effects of slopes 0 and 1 could not be compared: the control 0.2 failed "
                                          "in 8 of 8 and 0 of 8 seeds, respectively."));
}

TEST(CrossSentences, NameASlopeThatLacksArms) {
  auto arms = crossed_arms(8, 1);
  for (auto& arm : arms) {
    if (arm.negative_slope == 0 && arm.condition == static_cast<std::size_t>(arm.seed % 2)) {
      arm.outcome = ArmOutcome::pending;
    }
  }
  EXPECT_THAT(cross_sentences(cross_statistics(two_rates, arms, 0.2)),
              ElementsAre(StartsWith("For slope 1, there is no evidence"),
                          between_rates + "the effect of slope 0 could not be compared: no seed has the results of all "
                                          "four arms."));
}

TEST(CrossStatistics, EvaluateEachConditionSeparately) {
  const auto arms = crossed_arms(8, 1.5);
  const auto statistics = cross_statistics(two_rates, arms, 0.2);
  ASSERT_EQ(statistics.conditions.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    std::vector<ArmScore> own;
    std::copy_if(arms.begin(), arms.end(), std::back_inserter(own),
                 [&](const auto& arm) { return arm.condition == i; });
    const auto alone = sweep_statistics(own, 0.2);
    EXPECT_EQ(statistics.conditions[i].settings, two_rates[i]);
    EXPECT_EQ(statistics.conditions[i].statistics.comparisons[1].p, alone.comparisons[1].p);
    EXPECT_EQ(statistics.conditions[i].statistics.comparisons[1].median_ratio, alone.comparisons[1].median_ratio);
  }
}

TEST(CrossStatistics, CompareAllPairsOfConditions) {
  const std::vector<std::vector<Setting>> conditions = {
      {}, {{"generator.norm", "none"}}, {{"ema.half_life_images", "0"}}};
  auto arms = crossed_arms(9, 1);
  for (const auto& arm : crossed_arms(9, 1)) {
    if (arm.condition == 0) continue;
    arms.push_back(arm);
    arms.back().condition = 2;
  }
  const auto statistics = cross_statistics(conditions, arms, 0.2);
  ASSERT_EQ(statistics.interactions.size(), 6u);
  EXPECT_EQ(statistics.interactions[2].first, 1);
  EXPECT_EQ(statistics.interactions[2].second, 2);
  EXPECT_EQ(statistics.interactions[2].ratio.value(), 1);  // the same arms
  EXPECT_EQ(statistics.interactions[2].p.value(), 1);
  EXPECT_EQ(statistics.interactions[0].smallest_p_holm, 6 * std::pow(2, -8));
  EXPECT_EQ(cross_seeds_needed(3, 3, 0.05), 8u);  // 6 interactions: 6/128
  EXPECT_EQ(cross_seeds_needed(3, 2, 0.05), 7u);  // 2/64
  EXPECT_EQ(condition_text(conditions[0]), "base");
  EXPECT_THAT(cross_sentences(statistics)[0], HasSubstr("depends on generator.norm or ema.half_life_images; "));
}

TEST(CrossStatistics, SayIfNoNumberOfSeedsIsEnough) {
  const auto statistics = cross_statistics(two_rates, crossed_arms(5, 10), 0.2, {.alpha = 1e-7, .resampling = {}});
  EXPECT_THAT(cross_sentences(statistics),
              ElementsAre("No number of seeds can show whether the slope's effect depends on optimizer.generator_lr: "
                          "sweep.alpha is too small."));
  EXPECT_EQ(cross_seeds_needed(3, 2, 1e-7), std::nullopt);
}

TEST(CrossStatistics, SayWhenTheSeedsAreTooFew) {
  const auto statistics = cross_statistics(two_rates, crossed_arms(5, 10), 0.2);
  for (const auto& interaction : statistics.interactions) {
    EXPECT_FALSE(interaction.can_be_significant);
    EXPECT_EQ(interaction.ratio_interval->high, infinite);
  }
  EXPECT_THAT(cross_sentences(statistics),
              ElementsAre("These seeds cannot show whether the slope's effect depends on optimizer.generator_lr: 7 are "
                          "needed."));
}

TEST(CrossStatistics, NeverCombineAnUndetectedDependenceWithAnIntervalThatExcludesOne) {
  const auto found = testing::contradictory_fds();
  ASSERT_TRUE(found);
  std::vector<ArmScore> arms;
  for (std::size_t seed = 0; seed < found->fds.size(); ++seed) {
    for (const double slope : {0.2, 1.0}) {
      for (const std::size_t condition : {0u, 1u}) {
        const double fd = slope == 1 && condition == 0 ? found->fds[seed] : 1;
        arms.push_back({slope, static_cast<std::int64_t>(seed), ArmOutcome::done, fd, {}, condition});
      }
    }
  }
  const auto statistics = cross_statistics(two_rates, arms, 0.2, {.alpha = found->alpha, .resampling = {}});
  const auto& interaction = statistics.interactions.at(0);
  EXPECT_FALSE(interaction.significant);
  EXPECT_TRUE(interaction.can_be_significant);
  EXPECT_LE(interaction.ratio_interval->low, 1);
  EXPECT_GE(interaction.ratio_interval->high, 1);
}

TEST(CrossStatistics, RejectMissingAndUnknownConditions) {
  EXPECT_THROW(cross_statistics({{}}, crossed_arms(2, 1), 0.2), std::invalid_argument);
  EXPECT_THROW(cross_statistics({{}, {}, {}}, crossed_arms(2, 1), 0.2), std::invalid_argument);
  auto arms = crossed_arms(2, 1);
  arms.back().condition = 2;
  EXPECT_THROW(cross_statistics(two_rates, arms, 0.2), std::invalid_argument);
}

TEST(CrossStatistics, MakeAFalseClaimInAtMostOneOfTwentySweeps) {
  constexpr int sweeps = 500;
  int claims = 0;
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    std::vector<ArmScore> arms;
    RandomStream stream(31, "crossed sweep", static_cast<std::uint64_t>(sweep));
    std::vector<float> normal(8);
    for (int seed = 0; seed < 9; ++seed) {
      stream.fill_normal(normal);
      for (std::size_t i = 0; i < 8; ++i) {
        const double slope = std::vector{0.0, 0.1, 0.2, 1.0}[i % 4];
        arms.push_back({slope, seed, ArmOutcome::done, std::exp(slope + static_cast<double>(normal[i])), {}});
        arms.back().condition = i / 4;
      }
    }
    const auto statistics = cross_statistics(two_rates, arms, 0.2, {.alpha = 0.05, .resampling = {10, 0}});
    claims += std::any_of(statistics.interactions.begin(), statistics.interactions.end(),
                          [](const Interaction& interaction) { return interaction.significant; });
  }
  EXPECT_LE(claims, 0.05 * sweeps + testing::hits_tolerance(sweeps, 0.05));
  EXPECT_GT(claims, 0);
}

}  // namespace
}  // namespace slopegan
