#include "metrics/features.h"

#include <limits>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "metrics/random_features.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;
using testing::normal_features;
using testing::whole_features;

TEST(Moments, MatchTheirDefinitions) {
  const Moments found = moments_of(at::tensor({1.0, 2.0, 3.0, 6.0, 5.0, 1.0}, at::kDouble).view({3, 2}));
  EXPECT_EQ(found.count, 3);
  EXPECT_TRUE(at::allclose(found.mean, at::tensor({3.0, 3.0}, at::kDouble), 1e-15));
  EXPECT_TRUE(at::allclose(found.covariance, at::tensor({4.0, -1.0, -1.0, 7.0}, at::kDouble).view({2, 2}), 1e-15));
}

TEST(Moments, OfAStreamEqualThoseOfAllSamples) {
  const at::Tensor features = normal_features(1, 5000, 7) * at::arange(1, 8) + at::arange(7);
  RunningMoments running;
  for (const at::Tensor& batch : features.split_with_sizes({1, 0, 1, 998, 3000, 1000})) running.add(batch);
  EXPECT_EQ(running.count(), 5000);
  EXPECT_TRUE(at::allclose(running.moments().mean, features.mean(0), 1e-12, 1e-12));
  EXPECT_TRUE(at::allclose(running.moments().covariance, at::cov(features.t()), 1e-12, 1e-12));
  EXPECT_TRUE(at::allclose(moments_of(features).covariance, at::cov(features.t()), 1e-12, 1e-12));
}

TEST(Moments, AreAccurateForALargeMean) {
  // Sums of squares, which are about 1e16 per sample, would lose the variance of about 2 completely.
  const at::Tensor small = whole_features(2, 1000, 3, 5);
  RunningMoments running;
  for (const at::Tensor& batch : (small + 1e8).split(64)) running.add(batch);
  EXPECT_TRUE(at::allclose(running.moments().covariance, at::cov(small.t()), 1e-7, 1e-7));
}

TEST(Moments, AreComputedInFloat64FromFloat32) {
  const at::Tensor features = whole_features(3, 10, 2, 9);
  const Moments found = moments_of(features.to(at::kFloat));
  EXPECT_EQ(found.covariance.scalar_type(), at::kDouble);
  EXPECT_TRUE(at::equal(found.covariance, moments_of(features).covariance));
}

TEST(Moments, ReturnedEarlierDoNotChange) {
  RunningMoments running;
  running.add(normal_features(4, 10, 2));
  const Moments before = running.moments();
  const at::Tensor mean = before.mean.clone(), covariance = before.covariance.clone();
  running.add(normal_features(5, 10, 2));
  EXPECT_TRUE(at::equal(before.mean, mean));
  EXPECT_TRUE(at::equal(before.covariance, covariance));
}

TEST(Moments, RejectInvalidFeatures) {
  EXPECT_EQ(message_of<std::invalid_argument>([] { moments_of(at::ones({1, 3})); }),
            "a covariance needs at least two samples");
  EXPECT_THROW(RunningMoments().moments(), std::invalid_argument);
  RunningMoments running;
  running.add(at::ones({4, 3}));
  EXPECT_THAT(message_of<std::invalid_argument>([&] { running.add(at::ones({4, 2})); }),
              HasSubstr("different numbers of features, 2 and 3"));
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    EXPECT_EQ(message_of<std::invalid_argument>([&] { moments_of(at::full({4, 3}, bad)); }),
              "the features: a value is not finite");
  }
  EXPECT_THROW(moments_of(at::ones({4})), std::invalid_argument);
  EXPECT_THROW(moments_of(at::ones({4, 0})), std::invalid_argument);
  EXPECT_THROW(moments_of(at::ones({4, 3}, at::kLong)), std::invalid_argument);
  EXPECT_THROW(moments_of({}), std::invalid_argument);
}

}  // namespace
}  // namespace slopegan
