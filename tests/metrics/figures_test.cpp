#include "metrics/figures.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metrics/metrics.h"
#include "metrics/random_features.h"

namespace slopegan {
namespace {

TEST(Figures, HaveUniqueKeys) {
  std::set<std::string> keys;
  for (const auto& figure : figures) EXPECT_TRUE(keys.insert(figure.key).second) << figure.key;
  EXPECT_EQ(find_figure("recall")->title, std::string("Recall"));
  EXPECT_EQ(find_figure("unknown"), nullptr);
}

TEST(Figures, AreExactlyTheValuesThatTheirMetricComputes) {
  const auto features = [](std::uint64_t seed) { return testing::normal_features(seed, 64, 4).to(at::kFloat); };
  RealReference real;
  real.train = features(1);
  real.moments = moments_of(real.train);
  real.subset = real.train;
  real.manifold = manifold_of(real.subset);
  real.test = features(2);
  real.test_logits = real.test;
  const auto generated = features(3);
  for (const auto metric : enum_values<MetricName>) {
    std::vector<std::string> expected, found;
    for (const auto& figure : figures_of(metric)) expected.emplace_back(figure.key);
    for (const auto& [key, value] : compute_figures({metric}, real, generated, generated)) found.push_back(key);
    EXPECT_THAT(found, ::testing::UnorderedElementsAreArray(expected)) << name_of(metric);
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
