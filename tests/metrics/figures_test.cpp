#include "metrics/figures.h"

#include <set>

#include <gtest/gtest.h>

namespace slopegan {
namespace {

TEST(Figures, HaveUniqueKeys) {
  std::set<std::string> keys;
  for (const auto& figure : figures) EXPECT_TRUE(keys.insert(figure.key).second) << figure.key;
  EXPECT_EQ(find_figure("recall")->title, std::string("Recall"));
  EXPECT_EQ(find_figure("unknown"), nullptr);
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
