#include "statistics/summaries.h"

#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "statistics_numbers.h"

namespace slopegan {
namespace {

using Values = std::vector<double>;
using testing::infinite;

TEST(Median, IsTheMiddleValueOrTheMeanOfTheMiddleTwo) {
  EXPECT_EQ(median(Values{3, 1, 2}), 2);
  EXPECT_EQ(median(Values{4, 1, 3, 2}), 2.5);
  EXPECT_EQ(median(Values{7}), 7);
  EXPECT_THROW(median({}), std::invalid_argument);
}

TEST(Median, AcceptsInfiniteValues) {
  EXPECT_EQ(median(Values{infinite, 1, 2}), 2);
  EXPECT_EQ(median(Values{infinite, infinite, 2}), infinite);
  EXPECT_EQ(median(Values{infinite, infinite, 2, 1}), infinite);
  EXPECT_EQ(median(Values{infinite, -infinite}), 0);
}

TEST(SampleVariance, DividesByTheCountMinusOne) {
  EXPECT_DOUBLE_EQ(sample_variance(Values{1, 2, 6}).value(), (4.0 + 1.0 + 9.0) / 2);
  EXPECT_FALSE(sample_variance(Values{1}));
  EXPECT_EQ(sample_variance(Values{0.1, 0.1, 0.1}), 0) << "the mean is rounded to 0.10000000000000002";
}

TEST(KendallTau, CountsConcordantPairs) {
  // Only one of the 6 pairs of points is discordant: the points (2, 3) and (3, 2).
  EXPECT_DOUBLE_EQ(kendall_tau(Values{1, 2, 3, 4}, Values{1, 3, 2, 4}).value(), 4.0 / 6);
  EXPECT_DOUBLE_EQ(kendall_tau(Values{1, 2, infinite}, Values{5, 6, infinite}).value(), 1);
  EXPECT_FALSE(kendall_tau(Values{1, 1}, Values{1, 2}));
  EXPECT_FALSE(kendall_tau(Values{1}, Values{1}));
  EXPECT_THROW(kendall_tau(Values{1}, Values{1, 2}), std::invalid_argument);
}

TEST(Correlation, RequiresThreePairsThatVary) {
  EXPECT_DOUBLE_EQ(correlation(Values{1, 2, 3}, Values{2, 4, 6}).value(), 1);
  EXPECT_FALSE(correlation(Values{1, 2}, Values{2, 4}));
  EXPECT_FALSE(correlation(Values{1, 2, 3}, Values{4, 4, 4}));
  EXPECT_FALSE(correlation(Values{1, 2, 3}, Values{0.1, 0.1, 0.1}));
  EXPECT_FALSE(correlation(Values{0.1, 0.1, 0.1}, Values{1, 2, 3}));
  EXPECT_FALSE(correlation(Values{0.1, 0.1, 0.1}, Values{0.1, 0.1, 0.1}));
}

TEST(KendallTauAndCorrelation, MatchSciPy) {
  for (const auto& golden : testing::golden_statistics("correlation")) {
    const auto a = golden.at("a").get<Values>(), b = golden.at("b").get<Values>();
    EXPECT_NEAR(kendall_tau(a, b).value(), golden.at("kendall").get<double>(), 1e-12);
    EXPECT_NEAR(correlation(a, b).value(), golden.at("pearson").get<double>(), 1e-12);
  }
}

}  // namespace
}  // namespace slopegan
