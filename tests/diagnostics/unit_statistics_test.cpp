#include "diagnostics/unit_statistics.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "layers/leaky_relu.h"

namespace slopegan {
namespace {

/// [2, 4, 1, 2]: a dead channel, one that is always positive, a mixed one, and a mixed one that is a hundred times
/// smaller.
at::Tensor four_units() {
  const auto values =
      at::tensor({-1., -2., -3., 0., /**/ 1., 2., 3., 4., /**/ -1., 1., -2., 2., /**/ -.01, .01, -.02, .02});
  return values.view({4, 2, 1, 2}).transpose(0, 1).contiguous().to(at::kFloat);
}

UnitStatistics statistics_of(const at::Tensor& x, double slope) {
  UnitStatistics statistics;
  statistics.add(x, slopegan::leaky_relu(x, slope));
  return statistics;
}

TEST(UnitStatistics, CountsTheUnitsThatAreNeverAndAlwaysPositive) {
  const auto statistics = statistics_of(four_units(), 0);
  EXPECT_EQ(statistics.units(), 4);
  EXPECT_EQ(statistics.values(), 4);
  EXPECT_EQ(statistics.never_positive(), 1.0 / 4);
  EXPECT_EQ(statistics.always_positive(), 1.0 / 4);
  EXPECT_EQ(statistics.negative_fraction(), 7.0 / 16);  // 0 is not negative
  EXPECT_EQ(statistics.positive_fraction(0), 0);
  EXPECT_EQ(statistics.positive_fraction(1), 1);
  EXPECT_EQ(statistics.positive_fraction(2), 0.5);
}

TEST(UnitStatistics, CallsAUnitDormantByItsShareOfTheLayersMeanOutput) {
  // Mean |f| of the units at slope 0: 0, 2.5, 0.75, 0.0075; the limit is 0.025 · their mean, 0.0203.
  EXPECT_EQ(statistics_of(four_units(), 0).dormant(), 2.0 / 4);
  // At slope 1: 1.5, 2.5, 1.5, 0.015; the limit is 0.034.
  EXPECT_EQ(statistics_of(four_units(), 1).dormant(), 1.0 / 4);
  EXPECT_EQ(statistics_of(at::zeros({1, 3, 2, 2}), 0.2).dormant(), 1.0);
}

TEST(UnitStatistics, SharesOutTheEnergyBetweenTheTwoSides) {
  const double positive = 30 + 5 + 0.0005, negative = 14 + 5 + 0.0005;
  for (const double slope : {0.0, 0.2, 1.0, -0.5}) {
    const double of_slope = slope * slope * negative;
    EXPECT_NEAR(statistics_of(four_units(), slope).slope_energy(), of_slope / (of_slope + positive), 1e-6) << slope;
  }
  EXPECT_EQ(statistics_of(at::zeros({1, 3, 2, 2}), 0.2).slope_energy(), 0);
}

TEST(UnitStatistics, OfPartsAreThoseOfTheWholeInAnyMemoryFormat) {
  at::manual_seed(1);
  const auto x = at::randn({40, 5, 3, 7});  // 840 values a unit: more than are summed up at once
  const auto whole = statistics_of(x, 0.3);
  UnitStatistics parts;
  for (const auto& part : x.split(7)) {
    const auto moved = part.contiguous(at::MemoryFormat::ChannelsLast);
    parts.add(moved, slopegan::leaky_relu(moved, 0.3));
  }
  EXPECT_EQ(parts.values(), 40 * 21);
  EXPECT_EQ(parts.negative_fraction(), (x < 0).to(at::kDouble).mean().item<double>());
  EXPECT_EQ(parts.negative_fraction(), whole.negative_fraction());
  EXPECT_NEAR(parts.slope_energy(), whole.slope_energy(), 1e-6);
  for (int unit = 0; unit < 5; ++unit) {
    EXPECT_EQ(parts.positive_fraction(unit), (x.select(1, unit) > 0).to(at::kDouble).mean().item<double>());
  }
}

TEST(UnitStatistics, RefusesAnotherNumberOfChannels) {
  UnitStatistics statistics;
  statistics.add(at::ones({1, 3, 2, 2}), at::ones({1, 3, 2, 2}));
  EXPECT_THROW(statistics.add(at::ones({1, 4, 2, 2}), at::ones({1, 4, 2, 2})), c10::Error);
}

}  // namespace
}  // namespace slopegan
