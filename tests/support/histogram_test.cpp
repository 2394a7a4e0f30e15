#include "support/histogram.h"

#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

namespace slopegan {
namespace {

bool belongs(double value, const Histogram::Bucket& bucket) {
  return value < 0 || std::signbit(value) ? value > bucket.left && value <= bucket.right
                                          : value >= bucket.left && value < bucket.right;
}

TEST(Histogram, CountsEachNumberInItsBucket) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> values(10'000);
  for (auto& value : values) value = normal(random) * std::exp(normal(random));
  Histogram histogram;
  histogram.add(values);
  std::int64_t counted = 0;
  double end = std::numeric_limits<double>::lowest();
  for (const auto& bucket : histogram.buckets()) {
    EXPECT_GE(bucket.left, end);
    end = bucket.right;
    const double wide = std::max(std::abs(bucket.left), std::abs(bucket.right));
    EXPECT_LE(wide, 1.125 * std::min(std::abs(bucket.left), std::abs(bucket.right)));
    std::int64_t expected = 0;
    for (const float value : values) expected += belongs(value, bucket) ? 1 : 0;
    EXPECT_EQ(bucket.count, expected) << bucket.left;
    counted += bucket.count;
  }
  EXPECT_EQ(counted, 10'000);
  EXPECT_EQ(histogram.count(), 10'000);
}

TEST(Histogram, HasSumsAndRange) {
  Histogram histogram;
  const std::vector<float> values = {-2, 0.5f, 3};
  histogram.add(values);
  histogram.add(std::vector<float>{4});
  EXPECT_EQ(histogram.min(), -2);
  EXPECT_EQ(histogram.max(), 4);
  EXPECT_EQ(histogram.sum(), 5.5);
  EXPECT_EQ(histogram.sum_of_squares(), 29.25);
}

TEST(Histogram, IgnoresNonFiniteNumbersAndCountsTheExtremes) {
  using Limits = std::numeric_limits<float>;
  Histogram histogram;
  EXPECT_TRUE(histogram.buckets().empty());
  EXPECT_EQ(histogram.min(), 0);
  histogram.add(std::vector<float>{Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()});
  EXPECT_EQ(histogram.count(), 0);
  histogram.add(std::vector<float>{Limits::lowest(), -Limits::denorm_min(), 0, Limits::denorm_min(), Limits::max()});
  const auto buckets = histogram.buckets();
  ASSERT_EQ(buckets.size(), 4u);
  EXPECT_EQ(buckets.front().left, static_cast<double>(Limits::lowest()));
  EXPECT_EQ(buckets[1].right, 0);
  EXPECT_EQ(buckets[2].count, 2);  // 0 and the smallest positive number
  EXPECT_EQ(buckets.back().right, static_cast<double>(Limits::max()));
}

}  // namespace
}  // namespace slopegan
