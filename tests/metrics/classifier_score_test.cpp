#include "metrics/classifier_score.h"

#include <cmath>
#include <limits>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "metrics/random_features.h"

namespace slopegan {
namespace {

TEST(ClassifierScore, IsOneIfAllSamplesHaveTheSameProbabilities) {
  EXPECT_NEAR(classifier_score(at::zeros({50, 10})), 1, 1e-14);
  const at::Tensor judgement = testing::normal_features(1, 1, 10) * 5;
  EXPECT_NEAR(classifier_score(judgement.repeat({50, 1})), 1, 1e-13);
  EXPECT_NEAR(classifier_score(judgement), 1, 1e-14);
}

TEST(ClassifierScore, IsTheNumberOfClassesForCertainAndBalancedPredictions) {
  for (const double certainty : {60.0, 1e4, 1e300}) {
    EXPECT_NEAR(classifier_score(at::eye(10, at::kDouble).repeat({3, 1}) * certainty), 10, 1e-12);
  }
  // A class with probability exactly 0 does not change the score.
  const at::Tensor of_four = at::eye(5, at::kDouble).slice(0, 0, 4) * 1e4;
  EXPECT_NEAR(classifier_score(of_four), 4, 1e-12);
}

TEST(ClassifierScore, MatchesTheClosedFormForTwoSamples) {
  // p = (s, 1 − s) and p = (1 − s, s); their mean is (½, ½).
  const double logit = 1.7, s = 1 / (1 + std::exp(-logit));
  const double divergence = s * std::log(2 * s) + (1 - s) * std::log(2 * (1 - s));
  const at::Tensor logits = at::tensor({logit, 0.0, 0.0, logit}, at::kDouble).view({2, 2});
  EXPECT_NEAR(classifier_score(logits), std::exp(divergence), 1e-14);
  EXPECT_NEAR(classifier_score(logits + 300), std::exp(divergence), 1e-13);
}

TEST(ClassifierScore, RejectsInvalidLogits) {
  EXPECT_THROW(classifier_score(at::zeros({0, 10})), std::invalid_argument);
  EXPECT_THROW(classifier_score(at::zeros({10})), std::invalid_argument);
  EXPECT_THROW(classifier_score(at::full({2, 2}, std::numeric_limits<float>::infinity())), std::invalid_argument);
}

at::Tensor classes(std::initializer_list<std::int64_t> values) { return at::tensor(values, at::kLong); }

TEST(ClassHistogramKl, MatchesItsDefinition) {
  // The distributions are (¾, ¼) and (½, ½).
  const at::Tensor generated = classes({0, 0, 1, 0}), real = classes({1, 0, 0, 1, 1, 0});
  const double expected = 0.75 * std::log(1.5) + 0.25 * std::log(0.5);
  EXPECT_NEAR(class_histogram_kl(generated, real, 2), expected, 1e-15);
  EXPECT_NEAR(class_histogram_kl(generated, real, 5), expected, 1e-15) << "classes in neither set have no effect";
  EXPECT_NEAR(class_histogram_kl(real, generated, 2), 0.5 * std::log(2.0 / 3) + 0.5 * std::log(2.0), 1e-15);
}

TEST(ClassHistogramKl, IsZeroForEqualDistributionsAndLogKForOneOfKClasses) {
  const at::Tensor all = at::arange(10).repeat({4});
  EXPECT_EQ(class_histogram_kl(at::arange(10), all, 10), 0);
  EXPECT_NEAR(class_histogram_kl(classes({7, 7, 7}), all, 10), std::log(10.0), 1e-15);
}

TEST(ClassHistogramKl, IsInfiniteForAClassWithoutRealImages) {
  EXPECT_EQ(class_histogram_kl(classes({0, 1}), classes({0, 0}), 2), std::numeric_limits<double>::infinity());
}

TEST(ClassHistogramKl, RejectsInvalidClasses) {
  const at::Tensor good = classes({0, 1});
  EXPECT_THROW(class_histogram_kl(good, classes({}), 2), std::invalid_argument);
  EXPECT_THROW(class_histogram_kl(classes({}), good, 2), std::invalid_argument);
  EXPECT_THROW(class_histogram_kl(good, classes({0, 2}), 2), std::invalid_argument);
  EXPECT_THROW(class_histogram_kl(classes({-1}), good, 2), std::invalid_argument);
  EXPECT_THROW(class_histogram_kl(at::ones({3}), good, 2), std::invalid_argument);
}

}  // namespace
}  // namespace slopegan
