#include "training/run_metrics.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace slopegan {
namespace {

MetricsRecord record_with(std::int64_t images, double fd) {
  MetricsRecord record;
  record.images = images;
  record.values["fd"] = fd;
  return record;
}

std::optional<std::int64_t> best_of(const std::vector<MetricsRecord>& records) {
  BestSoFar best;
  for (const auto& record : records) best.add(record);
  return best.images();
}

TEST(BestSoFar, IsTheFirstRecordWithTheLowestFd) {
  EXPECT_EQ(best_of({record_with(1, 5), record_with(2, 3), record_with(3, 3), record_with(4, 4)}), 2);
}

TEST(BestSoFar, IgnoresRecordsWithoutAFiniteFd) {
  EXPECT_EQ(best_of({}), std::nullopt);
  EXPECT_EQ(best_of({MetricsRecord{}, record_with(2, NAN)}), std::nullopt);
  EXPECT_EQ(best_of({record_with(1, NAN), record_with(2, 7)}), 2);
}

TEST(BestSoFar, ComparesOnlyRecordsWithTheLastExtractorAndNumberOfSamples) {
  auto other = record_with(1, 0.1);
  other.extractor = "another@1";
  auto fewer = record_with(2, 0.2);
  fewer.samples = 500;
  EXPECT_EQ(best_of({other, fewer, record_with(3, 5), record_with(4, 6)}), 3);
}

TEST(MakeEvaluators, OmitsMetricsIfThereAreTooFewImages) {
  Dataset five;
  five.images = at::zeros({5, 1, 32, 32}, at::kByte);
  EXPECT_TRUE(make_evaluators(Config(), five).empty());
  Config needs_weights;
  needs_weights.metrics.extractor.choices = {"missing.pt"};
  check_metrics(needs_weights, five);  // the extractor is not needed
}

}  // namespace
}  // namespace slopegan
