#include "metrics/figures.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metrics/metrics.h"
#include "metrics/random_features.h"

namespace slopegan {
namespace {

using ::testing::UnorderedElementsAreArray;

TEST(Figures, HaveUniqueKeys) {
  std::set<std::string> keys;
  for (const auto& figure : figures) EXPECT_TRUE(keys.insert(figure.key).second) << figure.key;
  EXPECT_EQ(find_figure("recall")->title, std::string("Recall"));
  EXPECT_EQ(find_figure("unknown"), nullptr);
}

at::Tensor random_features(std::uint64_t seed) { return testing::normal_features(seed, 64, 4).to(at::kFloat); }

RealReference random_reference() {
  RealReference real;
  real.train = random_features(1);
  real.moments = moments_of(real.train);
  real.subset = real.train;
  real.manifold = manifold_of(real.subset);
  real.test = random_features(2);
  real.test_logits = real.test;
  return real;
}

std::vector<std::string> computed_keys(MetricName metric, RealReference real, const at::Tensor& logits) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : compute_figures({metric}, real, random_features(3), logits)) keys.push_back(key);
  return keys;
}

TEST(Figures, AreExactlyTheValuesThatTheirMetricComputes) {
  for (const auto metric : enum_values<MetricName>) {
    std::vector<std::string> expected;
    for (const auto& figure : traits_of(metric).figures) expected.emplace_back(figure.key);
    EXPECT_THAT(computed_keys(metric, random_reference(), random_features(3)), UnorderedElementsAreArray(expected))
        << name_of(metric);
  }
}

TEST(Figures, UseTestImagesIfAndOnlyIfTheyAreNotComputedWithoutTestImages) {
  RealReference without_test = random_reference();
  without_test.test = without_test.test_logits = at::Tensor();
  for (const auto metric : enum_values<MetricName>) {
    std::vector<std::string> expected;
    for (const auto& figure : traits_of(metric).figures) {
      if (!figure.uses_test_images) expected.emplace_back(figure.key);
    }
    EXPECT_THAT(computed_keys(metric, without_test, random_features(3)), UnorderedElementsAreArray(expected))
        << name_of(metric);
    EXPECT_EQ(missing_input(metric, true, false, "any").empty(), !expected.empty()) << name_of(metric);
  }
}

TEST(MetricTraits, NeedClassesIfAndOnlyIfNothingIsComputedWithoutLogits) {
  for (const auto metric : enum_values<MetricName>) {
    const bool needs_classes = traits_of(metric).needs_classes;
    EXPECT_EQ(computed_keys(metric, random_reference(), {}).empty(), needs_classes) << name_of(metric);
    EXPECT_EQ(missing_input(metric, false, true, "any").empty(), !needs_classes) << name_of(metric);
  }
}

TEST(MetricTraits, UseTheManifoldIfAndOnlyIfNothingCanBeComputedWithoutIt) {
  RealReference without_manifold = random_reference();
  without_manifold.manifold = {};
  for (const auto metric : enum_values<MetricName>) {
    if (traits_of(metric).uses_manifold) {
      EXPECT_THROW(computed_keys(metric, without_manifold, random_features(3)), std::invalid_argument);
    } else {
      EXPECT_NO_THROW(computed_keys(metric, without_manifold, random_features(3))) << name_of(metric);
    }
  }
}

TEST(MetricTitle, NamesTheExtractorAndTheNumberOfSamples) {
  EXPECT_EQ(metric_title("fd", "classifier-x@1a2b", 10000), "FD[classifier-x@1a2b,n=10000]");
  EXPECT_EQ(metric_title("recall", "classifier-x@1a2b", 10000), "recall[classifier-x@1a2b,n=10000]");
  EXPECT_EQ(metric_title("\n", "\x1b[2J", 10000), "?[?[2J,n=10000]");
}

TEST(MetricTitle, UsesTheNamesFidKidAndInceptionScoreOnlyForInception) {
  EXPECT_EQ(metric_title("fd", "inception@f58cb9b6", 10000), "FID[inception@f58cb9b6,n=10000]");
  EXPECT_EQ(metric_title("kd", "inception@f58cb9b6", 10000), "KID[inception@f58cb9b6,n=10000]");
  EXPECT_EQ(metric_title("classifier_score", "inception@f58cb9b6", 10000), "IS[inception@f58cb9b6,n=10000]");
  EXPECT_EQ(metric_title("classifier_score", "inception_of_mine@f58cb9b6", 10000),
            "classifier_score[inception_of_mine@f58cb9b6,n=10000]");
}

}  // namespace
}  // namespace slopegan
