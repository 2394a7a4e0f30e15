#include <fstream>

#include <gtest/gtest.h>

#include "diagnostics/layer_probe.h"
#include "evaluation/random_extractor.h"
#include "layers/leaky_relu.h"
#include "run/records.h"
#include "temporary_directory.h"
#include "training/emulated_device.h"
#include "training/trainer.h"

namespace slopegan {
namespace {

/// Writes an IDX file of `count` images of 16 × 16 pixels.
void write_images(const std::filesystem::path& file, int count) {
  std::ofstream out(file, std::ios::binary);
  for (const int number : {0x803, count, 16, 16}) {
    for (int shift = 24; shift >= 0; shift -= 8) out.put(static_cast<char>(number >> shift));
  }
  for (int i = 0; i < count * 256; ++i) out.put(static_cast<char>(i * 2654435761U >> 13));
}

/// A short run with samples, metrics, diagnostics and checkpoints.
Config eventful_config(const std::filesystem::path& data) {
  Config config;
  config.data.path = data.string();
  config.generator.width = config.discriminator.width = 4;
  config.generator.latent_dim = 8;
  config.training.batch_size = 8;
  config.training.total_images = 96;
  config.samples.every_images = config.metrics.every_images = config.diagnostics.every_images = 48;
  config.checkpoint.every_images = 32;
  config.checkpoint.keep = 4;
  config.metrics.samples = 100;
  return config;
}

TEST(TrainingOnADevice, EvaluatesDiagnosesSavesAndResumesBitForBit) {
  if (!emulated::is_possible()) GTEST_SKIP() << "LibTorch was built with CUDA, so no other device can be emulated";
  emulated::provide_graphs();
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory / "data");
  write_images(directory / "data" / "train-images-idx3-ubyte", 120);
  write_images(directory / "data" / "t10k-images-idx3-ubyte", 110);
  const auto config = eventful_config(directory / "data");
  const auto dataset = load_dataset(config.data, Split::train);
  const Compute compute{emulated::device, at::kFloat, 1};

  const auto whole = RunDirectory::create(directory / "whole");
  EXPECT_EQ(train(config, compute, *dataset, whole, {}, {}), TrainEnd::done);
  const auto metrics = read_metrics(whole.metrics_file());
  ASSERT_EQ(metrics.size(), 2);
  EXPECT_GT(metrics.back().values.at("fd"), 0);
  EXPECT_TRUE(std::filesystem::exists(whole.samples_file(96)));
  EXPECT_TRUE(std::filesystem::file_size(whole.diagnostics_file()) > 100);

  const auto resumed = RunDirectory::create(directory / "resumed");
  const auto earlier = load_checkpoint(whole.checkpoints_dir() / "32");
  EXPECT_EQ(train(config, compute, *dataset, resumed, earlier, {}), TrainEnd::done);
  const auto a = load_checkpoint(whole.checkpoints_dir() / "96"), b = load_checkpoint(resumed.checkpoints_dir() / "96");
  for (const auto& [name, tensor] : a.tensors) EXPECT_TRUE(at::equal(tensor, b.tensors.at(name))) << name;
}

TEST(FeaturesOnADevice, EqualThoseOfTheCpuUpToRounding) {
  if (!emulated::is_possible()) GTEST_SKIP() << "LibTorch was built with CUDA, so no other device can be emulated";
  RandomExtractor extractor(1), on_device(1);
  on_device.move_to(emulated::device);
  EXPECT_EQ(on_device.device(), emulated::device);
  const auto images = at::randn({200, 1, 16, 16}).clamp(-1, 1);  // more than one batch
  const auto features = extractor.extract(images).features, others = on_device.extract(images).features;
  EXPECT_TRUE(others.is_cpu());
  EXPECT_TRUE(at::allclose(features, others, 1e-4, 1e-5));
}

TEST(UnitStatisticsOnADevice, EqualThoseOfTheCpu) {
  const bool has_gpu = at::hasCUDA() && at::getNumGPUs() > 0;
  if (!has_gpu && !emulated::is_possible()) GTEST_SKIP() << "there is no device other than the CPU";
  const at::Device device = has_gpu ? at::Device(at::kCUDA) : emulated::device;
  at::manual_seed(1);
  auto x = at::randn({6, 5, 3, 7});
  x.select(1, 0).abs_().add_(0.1);
  x.narrow(1, 1, 2).abs_().neg_();
  x.select(1, 4).zero_();
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    const auto before = x.to(type), after = slopegan::leaky_relu(before, 0.3);
    UnitStatistics here, there;
    for (int call = 0; call < 2; ++call) {
      here.add(before, after);
      there.add(before.to(device), after.to(device));
    }
    EXPECT_EQ(there.units(), 5);
    EXPECT_EQ(there.values(), here.values());
    EXPECT_EQ(there.never_positive(), 3.0 / 5);
    EXPECT_EQ(there.always_positive(), 1.0 / 5);
    EXPECT_EQ(there.dormant(), 1.0 / 5);
    EXPECT_EQ(there.negative_fraction(), here.negative_fraction());
    EXPECT_NEAR(there.slope_energy(), here.slope_energy(), 1e-6);
  }
}

}  // namespace
}  // namespace slopegan
