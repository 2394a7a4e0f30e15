#include "evaluation/run_metrics.h"

#include <chrono>
#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/signals.h"

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

TEST(EvaluationLines, CallFdMostlyBiasOnlyIfMoreThanHalfOfItIsBias) {
  auto record = record_with(1, 70);
  record.extractor = "x@1";
  record.samples = record.real_samples = 300;
  record.features = 64;
  record.fd_bias = 0.5;
  EXPECT_TRUE(evaluation_lines(record).at(0).ends_with(" = 70 (few images for 64 features)"));
  record.fd_bias = 40;
  EXPECT_TRUE(evaluation_lines(record).at(0).ends_with(" = 70 (few images for 64 features: mostly bias)"));
}

TEST(ExtractGenerated, StopsOnASignal) {
  Config config;
  config.generator.width = 4;
  Generator generator(config.generator, 32, 1, 0);
  const StopDeadline passed(std::chrono::steady_clock::now());
  EXPECT_THROW(extract_generated({}, config, generator, {at::kCPU, at::kFloat, 1}, 0), StoppedError);
}

TEST(MetricsRow, ShowsTheLastAndTheBestEvaluation) {
  MetricsRecord earlier, last;
  earlier.images = 500;
  last.images = 1000;
  earlier.extractor = last.extractor = "e@1";
  earlier.samples = last.samples = 10;
  earlier.values = {{"fd", 4.5}};
  last.values = {{"fd", 5.25}};
  last.floors = {{"fd", 0.5}};
  BestSoFar best;
  best.add(earlier);
  best.add(last);
  EXPECT_EQ(metrics_row(last, best), "FD          5.25 at 1000 images, best 4.5 at 500, floor 0.5; FD[e@1,n=10]\n");
  EXPECT_EQ(metrics_row({}, {}), "");
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
