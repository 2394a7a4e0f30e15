#include "training/run_files.h"

#include <filesystem>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/print.h"
#include "models/measured_kernels.h"
#include "run/run_info.h"
#include "scoped_variable.h"
#include "support/files.h"
#include "support/machine.h"
#include "temporary_directory.h"
#include "training/device_graph.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

MetricsRecord evaluation_at(std::int64_t images) {
  MetricsRecord record;
  record.images = images;
  record.values["fd"] = 1;
  return record;
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

  /// Whether the evaluation at `images` is missing if the evaluations at `evaluated` were written before the
  /// checkpoint, and those at `later` after it.
  bool is_missing(std::int64_t images, const std::vector<std::int64_t>& evaluated,
                  const std::vector<std::int64_t>& later = {}) {
    std::string text;
    for (const auto count : evaluated) text += metrics_line(evaluation_at(count)) + "\n";
    Checkpoint checkpoint{directory_.checkpoints_dir() / std::to_string(images), {}, {}};
    checkpoint.info.images = images;
    checkpoint.info.file_offsets = {{"history.jsonl", history_size_}, {"metrics.jsonl", text.size()}};
    for (const auto count : later) text += metrics_line(evaluation_at(count)) + "\n";
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

TEST_F(LacksEvaluation, AfterAShortenedStepOnlyIfTheStepBeforeWasNotEvaluated) {
  EXPECT_FALSE(is_missing(140, {128}));  // the run ended at 140 images, before total_images was raised
  EXPECT_TRUE(is_missing(140, {}));
}

TEST_F(LacksEvaluation, IsFalseWithoutMetricsAndForImportedWeights) {
  history_size_ = 0;
  EXPECT_FALSE(is_missing(1000, {}));
  history_size_ = 100;
  config_.metrics.every_images = 0;
  EXPECT_FALSE(is_missing(1000, {}));
}

/// A run of 1,280 images that is started several times. The training itself is omitted.
class ResumedRun : public ::testing::Test {
 protected:
  ResumedRun() : directory_(RunDirectory::create(parent_ / "run")) {
    config_.training.batch_size = 32;
    config_.training.total_images = 1280;
    std::filesystem::create_directories(directory_.checkpoints_dir());
  }

  /// Writes and returns the run.json of a start from the checkpoint at `images`, or without a checkpoint if it is 0.
  RunInfo start(std::int64_t images, const Compute& compute) {
    Dataset dataset;
    dataset.images = at::zeros({5, 1, 32, 32}, at::kByte);
    Checkpoint checkpoint{directory_.checkpoints_dir() / std::to_string(images), {}, {}};
    checkpoint.info.images = images;
    checkpoint.info.config_yaml = to_yaml(config_);
    checkpoint.info.kernels = kernels_;
    reasons_ = inexact_reasons(config_, compute, checkpoint);
    const auto resume = images > 0 ? std::optional(checkpoint) : std::nullopt;
    const RunInfo info = describe_run(config_, compute, dataset, directory_, resume, {});
    write_run_info(directory_.run_info_file(), info);
    EXPECT_EQ(inexact_reasons(config_, compute, checkpoint), reasons_) << "after run.json was written";
    return info;
  }

  const Compute node_{at::kCPU, at::kBFloat16, 1}, other_{at::kCPU, at::kFloat, 4};
  const TemporaryDirectory parent_;
  RunDirectory directory_;
  Config config_;
  std::vector<std::string> kernels_;  ///< those in the checkpoint
  std::vector<std::string> reasons_;
};

TEST_F(ResumedRun, ReportsThatItsKernelsAreChosenInADifferentWay) {
  kernels_ = {"transpose float32 32 64 128 4 4, 1 thread: tiles"};
  const RunInfo info = start(640, node_);
  EXPECT_EQ(info.kernels, "table");
  EXPECT_THAT(info.inexact_at, ElementsAre(640));
  EXPECT_THAT(reasons_, ElementsAre(HasSubstr("trained with measured kernels and continues with predetermined ones")));
  EXPECT_THAT(reasons_, ElementsAre(HasSubstr("set SLOPEGAN_KERNELS=measured")));
  const CacheDirectory cache;
  const ScopedVariable variable("SLOPEGAN_KERNELS", "measured");
  configure_kernels();
  if (measures_kernels(node_.type)) {
    EXPECT_EQ(start(640, node_).kernels, "measured");
    EXPECT_THAT(reasons_, IsEmpty());
    kernels_ = {};
    start(640, node_);
    EXPECT_THAT(reasons_, ElementsAre(HasSubstr("set SLOPEGAN_KERNELS=table")));
  }
  use_kernel_table();
}

TEST_F(ResumedRun, RecordsHowItsEarlierStepsWereComputed) {
  start(0, node_);
  EXPECT_THAT(start(640, node_).earlier_compute, IsEmpty());
  EXPECT_THAT(reasons_, IsEmpty());
  start(640, other_);
  EXPECT_THAT(reasons_, ElementsAre(HasSubstr("at 640 images was trained with cpu, bfloat16, 1 thread, and the run "
                                              "continues with cpu, float32, 4 threads, so")));
  const RunInfo later = start(960, other_);
  EXPECT_THAT(reasons_, IsEmpty());
  EXPECT_THAT(later.inexact_at, ElementsAre(640));
  ASSERT_EQ(later.earlier_compute.size(), 1u);
  EXPECT_EQ(later.earlier_compute[0].until, 640);
  EXPECT_EQ(later.earlier_compute[0].precision, "bfloat16");
  EXPECT_EQ(later.earlier_compute[0].threads, 1);
  const RunInfo earlier_checkpoint = start(320, other_);
  EXPECT_THAT(reasons_, ElementsAre(HasSubstr("at 320 images was trained with cpu, bfloat16, 1 thread, and")));
  EXPECT_THAT(earlier_checkpoint.inexact_at, ElementsAre(320));
}

TEST_F(ResumedRun, IsExactIfTheStepsThatWereComputedDifferentlyAreUndone) {
  start(0, node_);
  EXPECT_THAT(start(640, other_).inexact_at, ElementsAre(640));
  const RunInfo back = start(640, node_);
  EXPECT_THAT(reasons_, IsEmpty());
  EXPECT_THAT(back.inexact_at, IsEmpty());
  EXPECT_THAT(back.earlier_compute, IsEmpty());
}

TEST_F(ResumedRun, MayBeInexactOnAnotherProcessor) {
  auto first = start(0, node_);
  first.host.cpu = "Another processor";
  write_run_info(directory_.run_info_file(), first);
  const RunInfo later = start(640, node_);
  const auto here = processor_of(later);
  if (!here) GTEST_SKIP() << "the model of this processor is unknown";
  EXPECT_THAT(reasons_, ElementsAre(HasSubstr("at 640 images was trained on Another processor, and the run continues "
                                              "on " +
                                              *here + "; rounding")));
  EXPECT_THAT(later.inexact_at, ElementsAre(640));
  ASSERT_EQ(later.earlier_compute.size(), 1u);
  EXPECT_EQ(later.earlier_compute[0].processor, "Another processor");
  EXPECT_THAT(start(960, node_).inexact_at, ElementsAre(640));
  EXPECT_THAT(reasons_, IsEmpty());
}

TEST_F(ResumedRun, RecordsEachProcessorAndReturnsToTheFirst) {
  auto info = start(0, node_);
  const auto here = processor_of(info);
  if (!here) GTEST_SKIP() << "the model of this processor is unknown";
  info.host.cpu = "Another processor";
  write_run_info(directory_.run_info_file(), info);
  info = start(320, node_);
  info.images = 640;
  EXPECT_THAT(info.inexact_at, ElementsAre(320));
  info.earlier_compute.push_back({640, "cpu", "bfloat16", 1, *here});
  info.host.cpu = "Another processor";  // as if it had moved back at 640 images
  info.inexact_at.push_back(640);
  write_run_info(directory_.run_info_file(), info);
  const RunInfo again = start(960, node_);
  EXPECT_THAT(again.inexact_at, ElementsAre(320, 640, 960));
  EXPECT_THAT(reasons_, ElementsAre(HasSubstr("at 960 images was trained on Another processor")));
  ASSERT_EQ(again.earlier_compute.size(), 3u);
  EXPECT_EQ(again.earlier_compute[1].processor, here);
  EXPECT_THAT(start(640, node_).inexact_at, ElementsAre(320)) << "the steps on the other processor are undone";
  EXPECT_THAT(reasons_, IsEmpty());
}

TEST_F(ResumedRun, ComparesTheNamesOfGpusIfTheyAreKnown) {
  const Compute gpu{at::Device(at::kCUDA, 0), at::kBFloat16, 1};
  auto info = start(0, gpu);
  info.gpu = "An old GPU";
  write_run_info(directory_.run_info_file(), info);
  start(640, node_);
  EXPECT_THAT(reasons_, ElementsAre(HasSubstr("was trained with cuda:0, bfloat16, 1 thread, and the run continues with "
                                              "cpu")))
      << "another type of device is one reason, not two";
  write_run_info(directory_.run_info_file(), info);
  start(640, gpu);
  if (gpu_name(gpu.device).empty()) {
    EXPECT_THAT(reasons_, IsEmpty());
  } else {
    EXPECT_THAT(reasons_, ElementsAre(HasSubstr("was trained on An old GPU, and the run continues on")));
  }
}

TEST_F(ResumedRun, DescribesTheProcessorOfItsLastStepIfItEndsEarlier) {
  auto info = start(0, node_);
  info.earlier_compute = {{640, "cpu", "bfloat16", 1, "The first processor"}};
  info.device = "cuda:0";
  info.gpu = "A GPU";
  info.images = 1280;
  write_run_info(directory_.run_info_file(), info);
  config_.training.total_images = 640;
  const RunInfo shorter = start(640, node_);
  EXPECT_EQ(processor_of(shorter), "The first processor");
  EXPECT_FALSE(shorter.gpu.has_value());
}

TEST_F(ResumedRun, IsNotAffectedByAnUnknownProcessor) {
  auto first = start(0, node_);
  first.host.cpu = unknown_cpu;
  write_run_info(directory_.run_info_file(), first);
  EXPECT_THAT(start(640, node_).inexact_at, IsEmpty());
  EXPECT_THAT(reasons_, IsEmpty());
}

TEST_F(ResumedRun, KeepsItsHardwareIfNoStepsAreLeft) {
  start(0, node_);
  auto first = start(640, node_);
  first.host.cpu = "Another processor";
  first.kernels = "measured";
  write_run_info(directory_.run_info_file(), first);
  const RunInfo again = start(1280, other_);
  EXPECT_THAT(reasons_, IsEmpty());
  EXPECT_EQ(again.host.cpu, "Another processor");
  EXPECT_EQ(again.kernels, "measured");
  EXPECT_EQ(again.precision, "bfloat16");
  EXPECT_EQ(again.threads, 1);
}

TEST_F(ResumedRun, IsNotAffectedByTheNumberOfCpuThreadsIfItTrainsOnAGpu) {
  EXPECT_FALSE(start(0, {at::kCUDA, at::kBFloat16, 1}).kernels.has_value());
  start(640, {at::Device(at::kCUDA, 0), at::kBFloat16, 4});
  EXPECT_THAT(reasons_, IsEmpty());
  start(960, node_);
  EXPECT_THAT(reasons_, ElementsAre(HasSubstr("at 960 images was trained with cuda:0, bfloat16, 4 threads, and")));
}

TEST_F(ResumedRun, CausesNoWarningIfRunJsonIsMissingOrDamaged) {
  start(640, other_);
  EXPECT_THAT(reasons_, IsEmpty());
  write_file_atomic(directory_.run_info_file(), "{");
  start(640, node_);
  EXPECT_THAT(reasons_, IsEmpty());
}

TEST(TrainingDifferences, OmitOnlyKeysThatDoNotAffectTheWeights) {
  const Config before;
  Config after;
  after.data.labels = LabelUse::none;  // only metrics use labels
  after.metrics.extractor.choices = {"random"};
  after.training.total_images *= 2;
  EXPECT_TRUE(training_differences(before, after).empty());
  after.data.fit = ImageFit::crop;
  ASSERT_EQ(training_differences(before, after).size(), 1u);
  EXPECT_TRUE(training_differences(before, after)[0].starts_with("data.fit: "));
}

/// The differences between a checkpoint that was written with `before` and a run with `after` on colour images.
std::vector<std::string> differences_of(const CheckpointInfo& info, const Config& before, const Config& after) {
  Dataset colour;
  colour.images = at::zeros({5, 3, 32, 32}, at::kByte);
  colour.hash = "9f2a";
  Checkpoint checkpoint{.directory = "0", .info = info, .tensors = {}};
  checkpoint.info.config_yaml = to_yaml(before);
  return training_differences(after, colour, checkpoint);
}

TEST(TrainingDifferences, OfImportedWeightsIncludeDataKeysOnlyIfTheNetworksDoNotFit) {
  Config before, after;
  after.data.kind = DatasetKind::image_folder;
  after.data.fit = ImageFit::crop;
  after.data.flip = true;
  after.data.background = "black";
  EXPECT_THAT(differences_of({}, before, after), IsEmpty());
  before.data.channels = 3;
  EXPECT_THAT(differences_of({}, before, after), IsEmpty());
  before.data.channels = 1;
  EXPECT_THAT(differences_of({}, before, after), ElementsAre(StartsWith("data.channels: 1 -> ")));
  before.data.channels = 0;
  before.data.resolution = 64;
  after.seed = before.seed + 1;
  EXPECT_THAT(differences_of({}, before, after),
              UnorderedElementsAre(StartsWith("data.resolution: 64"), StartsWith("seed: ")));
}

TEST(TrainingDifferences, OfTrainedWeightsIncludeDataKeys) {
  const Config before;
  Config after;
  after.data.kind = DatasetKind::image_folder;
  CheckpointInfo trained;
  trained.images = 64;
  EXPECT_THAT(differences_of(trained, before, after), ElementsAre(StartsWith("data.kind: ")));
  CheckpointInfo fine_tuned;
  fine_tuned.dataset_hash = "9f2a";
  EXPECT_THAT(differences_of(fine_tuned, before, after), ElementsAre(StartsWith("data.kind: ")));
}

}  // namespace
}  // namespace slopegan
