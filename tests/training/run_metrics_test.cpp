#include "training/run_metrics.h"

#include <chrono>
#include <cmath>
#include <filesystem>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"
#include "support/signals.h"
#include "temporary_directory.h"
#include "training/run_files.h"

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

TEST(ExtractGenerated, StopsOnASignal) {
  Config config;
  config.generator.width = 4;
  Generator generator(config.generator, 32, 1, 0);
  const StopDeadline passed(std::chrono::steady_clock::now());
  EXPECT_THROW(extract_generated({}, config, generator, {at::kCPU, at::kFloat, 1}, 0), StoppedError);
}

/// Metrics are due every 128 images; a step has 2 x 32 images.
class LacksEvaluation : public ::testing::Test {
 protected:
  LacksEvaluation() : directory_(RunDirectory::create(parent_ / "run")) {
    config_.metrics.every_images = 128;
    config_.training.total_images = 1000;
    config_.training.batch_size = 32;
    config_.optimizer.discriminator_steps = 2;
    std::filesystem::create_directories(directory_.checkpoints_dir());
  }

  /// Whether the evaluation at `images` is missing if the evaluations at `evaluated` had been written before the
  /// checkpoint, and those at `later` after it.
  bool is_missing(std::int64_t images, const std::vector<std::int64_t>& evaluated,
                  const std::vector<std::int64_t>& later = {}) {
    std::string text;
    for (const auto count : evaluated) text += metrics_line(record_with(count, 1)) + "\n";
    Checkpoint checkpoint{directory_.checkpoints_dir() / std::to_string(images), {}, {}};
    checkpoint.info.images = images;
    checkpoint.info.file_offsets = {{"history.jsonl", history_size_}, {"metrics.jsonl", text.size()}};
    for (const auto count : later) text += metrics_line(record_with(count, 1)) + "\n";
    write_file_atomic(directory_.metrics_file(), text);
    return lacks_evaluation(checkpoint, config_, directory_);
  }

  const TemporaryDirectory parent_;
  RunDirectory directory_;
  Config config_;
  std::uint64_t history_size_ = 100;
};

TEST_F(LacksEvaluation, IfItIsDueAndNotInTheFileAtTheTimeOfTheCheckpoint) {
  EXPECT_TRUE(is_missing(128, {}));
  EXPECT_TRUE(is_missing(256, {128}));
  EXPECT_TRUE(is_missing(256, {128}, {256}));  // the line will be removed when the run resumes
  EXPECT_FALSE(is_missing(256, {128, 256}));
  EXPECT_FALSE(is_missing(256, {128, 256}, {384}));
  EXPECT_FALSE(is_missing(192, {128}));
  EXPECT_FALSE(is_missing(0, {}));
}

TEST_F(LacksEvaluation, AtTheEndOfTheRun) {
  EXPECT_TRUE(is_missing(1000, {896}));
  EXPECT_FALSE(is_missing(1000, {896, 1000}));
}

TEST_F(LacksEvaluation, OnlyOnceIfTheLastStepWasShortened) {
  EXPECT_FALSE(is_missing(140, {128}));  // a run of 140 images whose total_images was raised
  EXPECT_TRUE(is_missing(140, {}));
}

TEST_F(LacksEvaluation, IsFalseWithoutMetricsAndForImportedWeights) {
  history_size_ = 0;
  EXPECT_FALSE(is_missing(1000, {}));
  history_size_ = 100;
  config_.metrics.every_images = 0;
  EXPECT_FALSE(is_missing(1000, {}));
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
