#include "statistics/recommendation.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "statistics/statistics_text.h"
#include "support/random.h"
#include "support/ranges.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr auto found_better = Verdict::better, found_worse = Verdict::worse,
               found_same = Verdict::no_difference_detected, found_few = Verdict::too_few_seeds,
               found_unknown = Verdict::not_comparable;

struct Result {
  double slope;
  Verdict verdict;
  double ratio, low, high;
  std::int64_t failed = 0;
};

/// A sweep with the control 0.2. The control failed for `control_failed` of the `seeds` seeds.
SweepStatistics sweep_with(const std::vector<Result>& results, std::int64_t control_failed = 0,
                           std::int64_t seeds = 8) {
  SweepStatistics statistics;
  statistics.control = 0.2;
  const auto add_slope = [&](double slope, std::int64_t failed, double fd) {
    SlopeSummary summary;
    summary.negative_slope = slope;
    summary.scored = seeds - failed;
    summary.collapsed = failed;
    if (failed < seeds) summary.mean_fd = fd;
    statistics.slopes.push_back(summary);
  };
  add_slope(0.2, control_failed, 10);
  for (const auto& result : results) {
    const bool is_compared = result.verdict != found_unknown;
    add_slope(result.slope, result.failed, 10 * result.ratio);
    Comparison comparison;
    comparison.negative_slope = result.slope;
    comparison.pairs = is_compared ? seeds : 0;
    comparison.verdict = result.verdict;
    comparison.lost = result.failed;
    if (is_compared) comparison.median_ratio = result.ratio;
    if (is_compared) comparison.simultaneous_interval = Interval{result.low, result.high};
    statistics.comparisons.push_back(comparison);
  }
  const auto ascending = [](const auto& a, const auto& b) { return a.negative_slope < b.negative_slope; };
  std::sort(statistics.slopes.begin(), statistics.slopes.end(), ascending);
  std::sort(statistics.comparisons.begin(), statistics.comparisons.end(), ascending);
  return statistics;
}

std::string words(const SweepStatistics& statistics) { return recommendation(findings_of(statistics)); }

/// The results of the Fashion-MNIST study.
std::vector<Result> study() {
  return {{0, found_better, 0.872, 0.814, 0.972},    {0.01, found_better, 0.893, 0.815, 0.977},
          {0.05, found_better, 0.857, 0.764, 1.007}, {0.1, found_better, 0.906, 0.826, 0.947},
          {0.3, found_worse, 1.165, 1.097, 1.232},   {0.5, found_worse, 1.956, 1.653, 2.217},
          {1, found_worse, 8.065, 7.867, 8.987}};
}

TEST(Recommendation, IsOneShortStatement) {
  const std::pair<SweepStatistics, const char*> expected[] = {
      {sweep_with(study()),
       "Use a slope between 0 and 0.1. 0.2 and 0.3 are 10 to 36 % worse, 0.5 about twice as bad, 1 useless."},
      {sweep_with({{0.1, found_better, 0.8, 0.7, 0.9}, {1, found_worse, 3, 2, 4}}),
       "Use slope 0.1. 0.2 is 25 % worse, 1 is about 4 times as bad."},
      // Two better slopes, one of which is shown to be worse than the other.
      {sweep_with({{0, found_better, 0.5, 0.4, 0.6}, {0.1, found_better, 0.8, 0.7, 0.9}}),
       "Use slope 0. 0.1 is 60 % worse, 0.2 is about twice as bad."},
      // Better slopes do not form a range if a slope between them is not better.
      {sweep_with(
           {{0, found_better, 0.8, 0.7, 0.9}, {0.1, found_same, 0.95, 0.85, 1.1}, {0.3, found_better, 0.8, 0.7, 0.9}}),
       "Use slope 0 or 0.3. 0.2 is 25 % worse, 0.1 is undecided."},
      // The control is best.
      {sweep_with({{0, found_worse, 1.2, 1.1, 1.3}, {1, found_worse, 3, 2, 4}}),
       "Use slope 0.2. 0 is 20 % worse, 1 is about 3 times as bad."},
      {sweep_with({{0, found_worse, 2.24, 1.19, infinity, 2},
                   {0.01, found_worse, 2.34, 1.25, infinity, 1},
                   {0.1, found_worse, 1.24, 0.95, 1.44},
                   {0.5, found_same, 0.98, 0.88, 1.1}}),
       "Use slope 0.2 or 0.5: differences above 14 % are excluded. 0.1 is 24 % worse, 0 and 0.01 are about twice as "
       "bad."},
      // Nothing is significant.
      {sweep_with({{0, found_same, 0.98, 0.92, 1.05}, {0.1, found_same, 1, 0.95, 1.06}}),
       "Use a slope between 0 and 0.2: no difference is detected, and differences above 16 % are excluded."},
      {sweep_with({{0, found_same, 0.9, 0.7, 1.2}, {0.1, found_same, 1.1, 0.8, 1.3}}),
       "Keep slope 0.2: no difference from 0 or 0.1 is detected, but only differences above 43 % are excluded."},
      {sweep_with({{0, found_same, 0.9, 0, infinity, 1}}, 1),
       "Keep slope 0.2 (1 of 8 arms failed): no difference from 0 is detected, but differences of any size are "
       "possible."},
      {sweep_with({{0, found_same, 0.9, 0.3, 1.1}}),
       "Keep slope 0.2: no difference from 0 is detected, but only differences by more than a factor of 3.4 are "
       "excluded."},
      // Too few seeds.
      {sweep_with({{0, found_few, 1.5, 0, infinity}, {0.1, found_few, 0.88, 0, infinity}}, 0, 3),
       "No slope can be recommended yet: 3 seeds cannot show a difference, 7 are needed. So far 0.1 has the lowest "
       "mean FD."},
      {sweep_with({{0, found_few, 1.5, 0, infinity}}, 0, 1),
       "No slope can be recommended yet: 1 seed cannot show a difference, 6 are needed. So far 0.2 has the lowest FD."},
      // Failures.
      {sweep_with({{0, found_unknown, 0, 0, 0, 8}, {1, found_unknown, 0, 0, 0, 8}}, 8),
       "No slope can be recommended: all 24 arms failed."},
      {sweep_with({{0, found_better, 0, 0, 0, 1}}, 7),
       "Use slope 0 (1 of 8 arms failed). 0.2 is unstable (most arms failed)."},
      {sweep_with({{0, found_worse, infinity, 1, infinity, 8}, {0.3, found_unknown, 0, 0, 0, 8}}),
       "Use slope 0.2. 0 and 0.3 are unstable (most arms failed)."},
      {sweep_with({{0, found_worse, 0.9, 0.8, infinity, 3}}), "Use slope 0.2. 0 is less reliable."},
      // Nothing to compare.
      {sweep_with({}), "Only slope 0.2 was trained, so there is nothing to compare it with."},
      {sweep_with({{0, found_unknown, 1, 0, 0}}),
       "No slope can be recommended: there is no seed for which both the control 0.2 and another slope have an FD."},
      {SweepStatistics{}, "No slope can be recommended: no arm has an FD."},
  };
  for (const auto& [statistics, text] : expected) EXPECT_EQ(words(statistics), text);
}

TEST(Recommendation, CountsTheMissingArmsIfAllOthersFailed) {
  auto statistics = sweep_with({{0, found_unknown, 0, 0, 0, 1}}, 1, 1);
  statistics.missing.resize(1);
  EXPECT_EQ(words(statistics), "No slope can be recommended: all 2 arms with a result failed, and 1 is missing.");
  statistics.slopes.pop_back();
  statistics.missing.resize(2);
  EXPECT_EQ(words(statistics), "No slope can be recommended: the only arm with a result failed, and 2 are missing.");
}

/// Arms of up to ten seeds and 13 slopes, with random effects, noise, failures and missing arms.
std::vector<ArmScore> random_arms(RandomStream& random) {
  const auto seeds = static_cast<int>(1 + random.below(10)), slopes = static_cast<int>(1 + random.below(13));
  const double noise = random.below(2) == 0 ? 0.01 : 0.5;
  std::vector<ArmScore> arms;
  for (int slope = 0; slope < slopes; ++slope) {
    const double effect = std::exp(0.5 * (static_cast<double>(random.below(9)) - 3));
    const auto failures = random.below(4) == 0 ? random.below(11) : 0;
    for (int seed = 0; seed < seeds; ++seed) {
      ArmScore arm;
      arm.negative_slope = slope == 0 ? 1e-5 : 0.1 * slope;
      arm.seed = seed;
      arm.fd = 10 * effect * (1 + noise * (static_cast<double>(random.below(1000)) / 1000 - 0.5));
      if (random.below(10) < failures) arm.outcome = ArmOutcome::collapsed;
      if (random.below(20) == 0) arm.outcome = ArmOutcome::pending;
      arms.push_back(arm);
    }
  }
  return arms;
}

TEST(Recommendation, IsShortAndNeverRecommendsAWorseSlopeOrContainsAnInvalidNumber) {
  RandomStream random(0, "recommendations");
  StatisticsOptions options;
  options.resampling.count = 10;
  for (int round = 0; round < 1500; ++round) {
    const auto statistics = sweep_statistics(random_arms(random), 0.2, options);
    const Findings findings = findings_of(statistics);
    const std::string text = recommendation(findings);
    std::istringstream stream(text);
    const auto count = std::distance(std::istream_iterator<std::string>(stream), {});
    EXPECT_LE(count, static_cast<std::ptrdiff_t>(most_recommendation_words)) << text;
    auto sentences = finding_sentences(findings);
    EXPECT_GE(sentences.size(), findings.slopes.size());
    sentences.push_back(text);
    for (const auto& sentence : sentences) {
      for (const char* impossible : {"nan", "inf", "e+", "--", "-0 ", "  ", " ,", ":.", ": ."}) {
        EXPECT_THAT(sentence, Not(HasSubstr(impossible)));
      }
    }
    const auto chosen = recommended_slopes(findings);
    for (const auto& comparison : statistics.comparisons) {
      const bool is_chosen = contains(chosen, comparison.negative_slope);
      EXPECT_FALSE(is_chosen && comparison.verdict == Verdict::worse) << text;
      for (const auto& other : statistics.comparisons) {
        if (!is_chosen || !comparison.simultaneous_interval || !other.simultaneous_interval) continue;
        const bool is_separated = comparison.simultaneous_interval->low > other.simultaneous_interval->high;
        EXPECT_FALSE(is_separated && other.verdict == Verdict::better) << text;
      }
      const bool has_control = contains(chosen, statistics.control);
      EXPECT_FALSE(has_control && comparison.verdict == Verdict::better) << text;
    }
  }
}

TEST(Recommendation, NamesTheSlopesThatItRecommends) {
  EXPECT_THAT(recommended_slopes(findings_of(sweep_with(study()))), ElementsAre(0, 0.01, 0.05, 0.1));
  EXPECT_THAT(recommended_slopes(findings_of(sweep_with({{0, found_few, 1, 0, infinity}}))), IsEmpty());
}

TEST(Recommendation, SaysIfNoNumberOfSeedsIsEnough) {
  auto statistics = sweep_with({{0, found_few, 0.9, 0, infinity}});
  statistics.alpha = 1e-7;
  EXPECT_EQ(
      words(statistics),
      "No slope can be recommended: no number of seeds can show a difference at this sweep.alpha. So far 0 has the "
      "lowest mean FD.");
}

TEST(Recommendation, OfALargeGroupStaysShort) {
  std::vector<Result> results;
  for (int i = 0; i < 30; ++i) {
    results.push_back(
        {0.03 + 0.05 * i, i % 2 == 0 ? found_better : found_worse, i % 2 == 0 ? 0.8 + 0.001 * i : 1.5, 0.7, 2.5, 1});
  }
  EXPECT_EQ(
      words(sweep_with(results)),
      "Use slope 0.03, or one of 14 others that do not differ detectably (15 of 120 arms failed). The other 16 are "
      "worse.");
}

TEST(FindingSentences, StateTheVerdictsTheIntervalsAndTheRecommendedGroup) {
  EXPECT_THAT(finding_sentences(findings_of(sweep_with(study()))),
              ElementsAre("0 is better than 0.2: FD 13 % lower (2 to 19 % lower).",
                          "0.01 is better than 0.2: FD 11 % lower (2 to 19 % lower).",
                          "0.05 is better than 0.2: FD 14 % lower (0 to 24 % lower).",
                          "0.1 is better than 0.2: FD 9 % lower (5 to 18 % lower).", "0.2 is the control: FD 10.0.",
                          "0.3 is worse than 0.2: FD 17 % higher (9 to 24 % higher).",
                          "0.5 is worse than 0.2: FD 96 % higher (65 % higher to 2.3 times as high).",
                          "1 is worse than 0.2: FD 8.1 times as high (7.8 to 9.0 times as high).",
                          "0 to 0.1 do not differ detectably from each other; differences above 28 % are "
                          "excluded."));
  EXPECT_THAT(
      finding_sentences(findings_of(sweep_with({{0, found_few, 1.5, 0, infinity},
                                                {0.1, found_same, 1.02, 0.876, 1.101},
                                                {0.3, found_worse, infinity, 0.9, infinity, 6},
                                                {0.5, found_unknown, 0, 0, 0, 8}},
                                               1))),
      ElementsAre("0 is undecided, because 8 seeds are too few: FD 50 % higher.",
                  "0.1 does not differ detectably from 0.2: FD 2 % higher (between 13 % lower and 11 % higher).",
                  "0.2 is the control: FD 10.0, 1 of 8 collapsed.", "0.3 is worse than 0.2: 6 of 8 arms failed.",
                  "0.5 cannot be compared with 0.2: 8 of 8 arms failed.",
                  "0.1 and 0.2 do not differ detectably from each other; differences above 15 % are "
                  "excluded."));
}

/// Nine seeds of slope 0 and of the control 0.2. For each of the two, every arm from the seed of the first failure
/// onwards diverged.
SweepStatistics sweep_with_failures(int slope_first_failure, int control_first_failure) {
  std::vector<ArmScore> arms;
  for (int seed = 0; seed < 9; ++seed) {
    for (const auto& [slope, first_failure] : {std::pair{0.0, slope_first_failure}, {0.2, control_first_failure}}) {
      const auto outcome = seed < first_failure ? ArmOutcome::done : ArmOutcome::diverged;
      arms.push_back({slope, seed, outcome, 10 + 0.1 * seed, {}});
    }
  }
  return sweep_statistics(arms, 0.2);
}

TEST(FindingSentences, StateOnlyTheFailuresIfNoFdCanBeCompared) {
  const auto sentence_of = [](const SweepStatistics& statistics) {
    const Findings findings = findings_of(statistics);
    EXPECT_FALSE(has_limits(findings.slopes[0]));
    return finding_sentence(findings, findings.slopes[0]);
  };
  EXPECT_EQ(sentence_of(sweep_with_failures(0, 9)), "0 is worse than 0.2: 9 of 9 arms failed.");
  EXPECT_EQ(sentence_of(sweep_with_failures(9, 0)), "0 is better than 0.2: 9 of 9 arms of the control failed.");
  EXPECT_EQ(sentence_of(sweep_with_failures(0, 0)),
            "0 cannot be compared with 0.2: 9 of 9 arms failed; 9 of 9 arms of the control failed.");
}

TEST(FindingSentences, DoNotNameAnInfiniteLimitIfMostArmsFailed) {
  const auto worse = findings_of(sweep_with_failures(1, 9)), better = findings_of(sweep_with_failures(9, 1));
  EXPECT_EQ(finding_sentence(worse, worse.slopes[0]), "0 is worse than 0.2: 8 of 9 arms failed.");
  EXPECT_EQ(finding_sentence(better, better.slopes[0]), "0 is better than 0.2: 8 of 9 arms of the control failed.");
}

/// A slope and the control 0.2, whose FD is 10 for each seed. `ratios` contains one FD ratio per seed; an infinite
/// ratio means that the slope collapsed, 0 that the control did.
SweepStatistics sweep_with_ratios(const std::vector<double>& ratios) {
  std::vector<ArmScore> arms;
  for (std::size_t i = 0; i < ratios.size(); ++i) {
    const auto seed = static_cast<std::int64_t>(i);
    arms.push_back({0, seed, std::isinf(ratios[i]) ? ArmOutcome::collapsed : ArmOutcome::done, 10 * ratios[i], {}});
    arms.push_back({0.2, seed, ratios[i] == 0 ? ArmOutcome::collapsed : ArmOutcome::done, 10, {}});
    if (ratios[i] == 0) arms[2 * i].fd = 10;
  }
  return sweep_statistics(arms, 0.2);
}

TEST(Recommendation, DoesNotCountSeedsInWhichBothSlopesFailed) {
  // Both slopes failed in the last four of nine seeds.
  EXPECT_THAT(words(sweep_with_failures(5, 5)),
              StartsWith("No slope can be recommended yet: 5 seeds cannot show a difference, 6 are needed."));
}

TEST(Recommendation, ExcludesNoDifferenceIfFailuresLeaveNoLimit) {
  // In the first two seeds, only the slope and only the control failed.
  EXPECT_EQ(words(sweep_with_ratios({infinity, 0, 1.02, 0.98, 1.02, 0.98, 1.02, 0.98})),
            "Keep slope 0.2 (1 of 8 arms failed): no difference from 0 is detected, but differences of any size are "
            "possible.");
}

TEST(FindingSentences, UseTheMeanIfTheMedianContradictsTheVerdict) {
  // In 7 of 13 seeds, the FDs are nearly equal.
  std::vector<double> ratios = {0.985, 0.99, 0.993, 0.996, 0.998, 0.999, 1.0001};
  for (int i = 0; i < 6; ++i) ratios.push_back(1.8 + 0.01 * i);
  const auto statistics = sweep_with_ratios(ratios);
  const auto& comparison = statistics.comparisons.at(0);
  ASSERT_EQ(comparison.verdict, Verdict::worse);
  ASSERT_LT(*comparison.median_ratio, comparison.simultaneous_interval->low);
  const auto findings = findings_of(statistics);
  const auto& slope = findings.slopes[0];
  EXPECT_NEAR(slope.ratio.value(), std::exp(*comparison.mean_log_ratio), 1e-12);
  EXPECT_TRUE(slope.has_mean_ratio);
  const std::string percent = std::to_string(std::lround(100 * (*slope.ratio - 1)));
  EXPECT_THAT(finding_sentence(findings, slope), HasSubstr("FD " + percent + " % higher ("));
  EXPECT_EQ(recommendation(findings), "Use slope 0.2. 0 is " + percent + " % worse.");
  EXPECT_THAT(method_sentence(statistics),
              HasSubstr("Ratios are medians over 13 seeds (for 0, ratios of geometric means, because the "
                        "median lies outside the interval); "));
}

TEST(FindingSentences, HaveNoEstimateIfMedianAndMeanContradictTheVerdict) {
  // The slope is slightly better unless it fails, which it does in 6 of 13 seeds.
  std::vector<double> ratios = {0.95, 0.955, 0.96, 0.965, 0.97, 0.975, 0.98};
  for (int i = 0; i < 6; ++i) ratios.push_back(infinity);
  const auto worse = findings_of(sweep_with_ratios(ratios));
  ASSERT_EQ(worse.slopes[0].verdict, Verdict::worse);
  EXPECT_EQ(worse.slopes[0].ratio, std::nullopt);
  EXPECT_EQ(finding_sentence(worse, worse.slopes[0]), "0 is worse than 0.2: 6 of 13 arms failed.");
  EXPECT_EQ(recommendation(worse), "Use slope 0.2. 0 is less reliable.");
  for (auto& ratio : ratios) ratio = 1 / ratio;
  const auto better = findings_of(sweep_with_ratios(ratios));
  ASSERT_EQ(better.slopes[0].verdict, Verdict::better);
  EXPECT_EQ(better.slopes[0].ratio, std::nullopt);
  EXPECT_EQ(finding_sentence(better, better.slopes[0]), "0 is better than 0.2: 6 of 13 arms of the control failed.");
  EXPECT_EQ(recommendation(better), "Use slope 0. 0.2 is less reliable.");
}

TEST(Recommendation, DoesNotStateHowMuchWorseASlopeIsWithoutAnEstimate) {
  // The medians contradict the verdicts, and there are no means.
  EXPECT_EQ(words(sweep_with({{0, found_worse, 0.9, 1.2, 1.5}})), "Use slope 0.2. 0 is worse.");
  EXPECT_EQ(words(sweep_with({{0, found_better, 0.5, 0.4, 0.6}, {0.1, found_better, 1.1, 0.4, 0.6}})),
            "Use slope 0 or 0.1. 0.2 is about twice as bad.");
}

TEST(Findings, HaveEstimatesThatAgreeWithTheirLimits) {
  // In about half of the seeds, the FD of the slope is 1.8 times as high; in the others, it is about equal.
  RandomStream random(1, "estimates");
  int means = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<double> ratios;
    const auto failures = random.below(3);
    for (int seed = 0; seed < 13; ++seed) {
      const bool fails = random.below(20) < failures;
      const double noise = 0.98 + 0.00004 * static_cast<double>(random.below(1000));
      ratios.push_back(fails ? (random.below(2) == 0 ? 0 : infinity) : (random.below(2) == 0 ? 1 : 1.8) * noise);
    }
    const auto slope = findings_of(sweep_with_ratios(ratios)).slopes[0];
    means += slope.has_mean_ratio;
    if (!slope.ratio) continue;
    EXPECT_GE(*slope.ratio, slope.limits.low);
    EXPECT_LE(*slope.ratio, slope.limits.high);
  }
  EXPECT_GT(means, 0);
}

TEST(LimitsWords, AreRoundedOutwards) {
  const std::pair<Interval, const char*> expected[] = {
      {{0, infinity}, "no limits"},
      {{0, 0.953}, "at least 4 % lower"},
      {{0, 1.101}, "at worst 11 % higher"},
      {{0.909, infinity}, "at best 10 % lower"},
      {{1.199, infinity}, "at least 19 % higher"},
      {{1.199, 12.2}, "19 % higher to 13 times as high"},
      {{3000, 5000}, "over 1000 times as high"},
      {{1, 1}, "equal"},
      {{1, 1.2}, "0 to 20 % higher"},
  };
  for (const auto& [limits, text] : expected) EXPECT_EQ(limits_words(limits), text);
}

}  // namespace
}  // namespace slopegan
