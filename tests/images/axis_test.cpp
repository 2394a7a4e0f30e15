#include "images/axis.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slopegan {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Gt;
using ::testing::Le;
using ::testing::SizeIs;

TEST(AxisTicks, AreRoundValuesInsideTheRange) {
  EXPECT_THAT((Axis{{0, 1}}.ticks(5)), ElementsAre(0, 0.2, 0.4, 0.6000000000000001, 0.8, 1));
  EXPECT_THAT((Axis{{0, 100}}.ticks(6)), ElementsAre(0, 20, 40, 60, 80, 100));
  EXPECT_THAT((Axis{{-2.2, 0.4}}.ticks(5)), ElementsAre(-2, -1, 0));
  EXPECT_THAT((Axis{{7, 23}}.ticks(4)), ElementsAre(10, 15, 20));
  EXPECT_THAT((Axis{{0, 60000}}.ticks(5)), ElementsAre(0, 20000, 40000, 60000));
}

TEST(AxisTicks, ArePowersOfTenOrSimpleMultiplesOfThemOnALogarithmicAxis) {
  EXPECT_THAT((Axis{{0.5, 2000}, true}.ticks(5)), ElementsAre(1, 10, 100, 1000));
  EXPECT_THAT((Axis{{0.9, 60}, true}.ticks(5)), ElementsAre(1, 2, 5, 10, 20, 50));
  EXPECT_GE((Axis{{1.3, 1.7}, true}.ticks(5)).size(), 2U);  // the range contains no power of ten
}

TEST(AxisTicks, HaveShortLabels) {
  EXPECT_EQ(tick_text(20000), "20k");
  EXPECT_EQ(tick_text(1.5e6), "1.5M");
  EXPECT_EQ(tick_text(0.05), "0.05");
  EXPECT_EQ(tick_text(-3), "−3");
}

TEST(Axis, FitsOnlyTheValuesThatCanBeShown) {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> values = {1, 3, std::nan(""), infinity};
  EXPECT_EQ(Axis::fit(values, false).range.low, 1);
  EXPECT_EQ(Axis::fit(values, false).range.high, 3);
  const Range padded = Axis::fit_padded(values, false).range;
  EXPECT_LE(padded.low, 1);
  EXPECT_GT(padded.high, 3);
  EXPECT_LT(padded.high, 4);
  EXPECT_GT(Axis::fit_padded({0, 5, 7}, true).range.low, 0);  // 0 has no logarithm
}

TEST(AxisTicks, AreFewIfTheEndsOfTheRangeAreAdjacentDoubles) {
  for (const double low : {0.1, -0.1, 1e300, 1e17}) {
    const Axis axis{{low, std::nextafter(low, 1e308)}, false};
    EXPECT_LE(axis.ticks(5).size(), 11u) << low;
  }
}

TEST(Axis, HasFinitePositionsAndTicksForExtremeValues) {
  const std::vector<double> values = {0, 5e-324, 1e-310, 1e-300, 1e-120, 1, 1e8, 1e120, 1e300};
  for (const auto& axis : {Axis::fit(values, true), Axis::fit_padded(values, true)}) {
    EXPECT_GT(axis.range.low, 0);
    EXPECT_TRUE(std::isfinite(axis.range.high));
    for (const double value : values) {
      if (!axis.can_show(value)) continue;
      EXPECT_GE(axis.position(value), 0) << value;
      EXPECT_LE(axis.position(value), 1) << value;
    }
    EXPECT_TRUE(axis.can_show(1));
    EXPECT_NEAR(axis.position(1), 0.5, 1e-9);
    EXPECT_THAT(axis.ticks(5), AllOf(SizeIs(Ge(2U)), SizeIs(Le(11U)), Each(Gt(0))));
  }
}

TEST(Axis, HasAPositiveWidthForAnyValues) {
  for (const bool logarithmic : {false, true}) {
    for (const auto& axis : {Axis::fit({}, logarithmic), Axis::fit_padded({}, logarithmic)}) {
      EXPECT_LT(axis.range.low, axis.range.high);
    }
    const Range single = Axis::fit_padded({5, 5}, logarithmic).range;
    EXPECT_LT(single.low, 5);
    EXPECT_GT(single.high, 5);
    for (const double value : {5.0, 1e17}) EXPECT_GT(Axis::fit({value}, logarithmic).range.high, value);
  }
}

}  // namespace
}  // namespace slopegan
