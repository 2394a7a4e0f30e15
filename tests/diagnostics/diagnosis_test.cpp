#include "diagnostics/diagnosis.h"

#include <algorithm>
#include <string>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/log.h"
#include "temporary_directory.h"
#include "training/gan_step.h"

namespace slopegan {
namespace {

const Compute diagnosis_compute{at::kCPU, at::kFloat, 1};

DiagnosticsRecord diagnose(const Diagnosis& diagnosis, const GanState& state) {
  return diagnosis(state.generator, state.discriminator, state.images_seen, describe_last_step(state));
}

/// Uses random images and a data directory without a test split.
class DiagnosisTest : public ::testing::Test {
 protected:
  DiagnosisTest() {
    config_.generator.width = config_.discriminator.width = 4;
    config_.generator.latent_dim = 8;
    config_.training.batch_size = 8;
    config_.diagnostics.probes = 200;
    config_.data.path = directory_.path().string();
    at::manual_seed(5);
    dataset_.name = "random";
    dataset_.images = at::randint(0, 256, {20, 1, 32, 32}, at::kByte);
  }

  at::Tensor batch(std::int64_t step) {
    at::manual_seed(static_cast<std::uint64_t>(step));
    return at::rand({8, 1, 32, 32}) * 2 - 1;
  }

  /// The state after three steps, optionally with a diagnosis after each step.
  GanState trained(bool diagnosed) {
    GanState state(config_, 1, at::kCPU);
    const Diagnosis diagnosis(config_, diagnosis_compute, dataset_);
    for (int step = 0; step < 3; ++step) {
      gan_step(state, config_, diagnosis_compute, {batch(step)});
      if (diagnosed) diagnose(diagnosis, state);
    }
    return state;
  }

  const TemporaryDirectory directory_;
  Config config_;
  Dataset dataset_;
};

using Variant = void (*)(Config&);

TEST_F(DiagnosisTest, LeavesTheTrainingStateBitIdentical) {
  for (const Variant variant : {
           Variant{[](Config&) {}},
           Variant{[](Config& c) { c.discriminator.norm = DiscriminatorNorm::spectral; }},
           Variant{[](Config& c) { c.generator.norm = GeneratorNorm::self_modulated; }},
           Variant{[](Config& c) { c.generator.activation = c.discriminator.activation = ActivationKind::rrelu; }},
           Variant{[](Config& c) { c.generator.activation = c.discriminator.activation = ActivationKind::prelu; }},
           Variant{[](Config& c) { c.generator.negative_slope.schedule = SlopeSchedule{0.9, 0.1, 20}; }},
       }) {
    config_.generator = {};
    config_.discriminator = {};
    config_.generator.width = config_.discriminator.width = 4;
    config_.generator.latent_dim = 8;
    variant(config_);
    const auto with = trained(true), without = trained(false);
    for (const auto& [name, tensor] : without.tensors()) {
      EXPECT_TRUE(at::equal(tensor, with.tensors().at(name))) << name;
    }
    for (std::size_t i = 0; i < with.generator_optimizer.slots().size(); ++i) {
      EXPECT_TRUE(at::equal(with.generator_optimizer.slots()[i].parameter.grad(),
                            without.generator_optimizer.slots()[i].parameter.grad()));
    }
  }
}

TEST_F(DiagnosisTest, MeasuresEveryUnitOnAtLeastTheConfiguredNumberOfValues) {
  const Diagnosis diagnosis(config_, diagnosis_compute, dataset_);
  EXPECT_EQ(diagnosis.probes(), 16);  // 200 / (4 × 4), rounded up to whole batches of 8
  GanState state(config_, 1, at::kCPU);
  const auto record = diagnose(diagnosis, state);
  ASSERT_EQ(record.layers.size(), 6u);
  EXPECT_EQ(record.layers[0].name, "generator.block0");
  EXPECT_EQ(record.layers[0].values, 16 * 4 * 4);
  EXPECT_EQ(record.layers[2].values, 16 * 16 * 16);
  EXPECT_EQ(record.layers[5].name, "discriminator.block2");
  EXPECT_EQ(record.layers[5].values, 2 * 16 * 4 * 4);  // real and generated
  config_.diagnostics.probes = 10000;
  EXPECT_EQ(Diagnosis(config_, diagnosis_compute, dataset_).probes(), 632);
  EXPECT_EQ(Diagnosis(config_, diagnosis_compute, dataset_, 21).probes(), 24);
}

TEST_F(DiagnosisTest, UsesAtLeastTwoImages) {
  config_.training.batch_size = 1;
  GanState state(config_, 1, at::kCPU);
  for (const std::int64_t probes : {1, 2, 3}) {
    const Diagnosis diagnosis(config_, diagnosis_compute, dataset_, probes);
    EXPECT_EQ(diagnosis.probes(), std::max<std::int64_t>(2, probes));
    EXPECT_TRUE(diagnose(diagnosis, state).samples.diversity.has_value()) << probes;
  }
}

TEST(UnsettledShares, AreThoseThatDecreaseWithMoreProbes) {
  DiagnosticsRecord fewer, more;
  fewer.probes = 640;
  more.probes = 1280;
  fewer.layers = {{.name = "a", .never_positive = 0.5, .always_positive = 0.94}, {.name = "b", .never_positive = 0.3}};
  more.layers = {{.name = "a", .never_positive = 0.49, .always_positive = 0.7}, {.name = "b", .never_positive = 0.2}};
  EXPECT_THAT(unsettled_shares(fewer, more),
              ::testing::ElementsAre("a: 94 % of the units were always positive in 640 probes, and 70 % in 1280; more "
                                     "probes would lower this fraction further",
                                     "b: 30 % of the units were never positive in 640 probes, and 20 % in 1280; more "
                                     "probes would lower this fraction further"));
  EXPECT_TRUE(unsettled_shares(more, more).empty());
}

TEST_F(DiagnosisTest, IsRepeatable) {
  auto state = trained(false);
  const Diagnosis diagnosis(config_, diagnosis_compute, dataset_);
  auto first = diagnose(diagnosis, state), second = diagnose(diagnosis, state);
  first.seconds = second.seconds = 0;
  EXPECT_EQ(first, second);
}

TEST_F(DiagnosisTest, FindsDeadUnitsAndZeroGradients) {
  config_.generator.norm = GeneratorNorm::none;
  config_.discriminator.norm = DiscriminatorNorm::none;
  config_.discriminator.negative_slope = NegativeSlope(0.0);
  GanState state(config_, 1, at::kCPU);
  {
    const at::NoGradGuard no_gradients;
    state.discriminator->blocks[2]->conv->bias.fill_(-1e3);
    state.discriminator->blocks[3]->conv->bias.fill_(0.5);  // with 0, the gradients for real and fake would cancel out
    state.generator->blocks[1]->conv->bias[3].fill_(-1e3);
  }
  gan_step(state, config_, diagnosis_compute, {batch(0)});
  const auto record = diagnose(Diagnosis(config_, diagnosis_compute, dataset_), state);
  EXPECT_EQ(record.layers[5].never_positive, 1);
  EXPECT_TRUE(record.layers[5].is_dead_kind());
  EXPECT_EQ(record.layers[5].dormant, 1);
  EXPECT_EQ(record.layers[1].never_positive, 1.0 / 8);
  EXPECT_FALSE(record.layers[1].is_dead_kind());
  EXPECT_EQ(record.discriminator.image_gradient_norm, 0);
  for (const auto& parameter : record.parameters) {
    // Only the last bias learns, because the layer before it is dead.
    const bool learns = parameter.name == "discriminator.block3.conv.bias";
    EXPECT_EQ(parameter.zero_gradients, learns ? 0 : 1) << parameter.name;
    EXPECT_EQ(parameter.update_ratio > 0, learns) << parameter.name;
  }
}

TEST_F(DiagnosisTest, MeasuresTheUpdateOfEachParameter) {
  GanState state(config_, 1, at::kCPU);
  gan_step(state, config_, diagnosis_compute, {batch(0)});
  NamedTensors before;
  for (const auto& [name, tensor] : state.tensors()) before.emplace(name, tensor.detach().clone());
  gan_step(state, config_, diagnosis_compute, {batch(1)});
  const auto record = diagnose(Diagnosis(config_, diagnosis_compute, dataset_), state);
  ASSERT_EQ(record.parameters.size(), state.generator->parameters().size() + state.discriminator->parameters().size());
  for (const auto& parameter : record.parameters) {
    const auto now = state.tensors().at(parameter.name).detach();
    const double moved = (now - before.at(parameter.name)).norm().item<double>();
    EXPECT_NEAR(parameter.update_ratio, moved / now.norm().item<double>(), 1e-3 * parameter.update_ratio)
        << parameter.name;
    EXPECT_GT(parameter.update_ratio, 0);
  }
}

TEST_F(DiagnosisTest, DetectsACollapsedGenerator) {
  GanState state(config_, 1, at::kCPU);
  {
    const at::NoGradGuard no_gradients;
    state.generator->blocks.back()->conv->weight.zero_();
  }
  state.images_seen = 20000;
  const auto record = diagnose(Diagnosis(config_, diagnosis_compute, dataset_), state);
  EXPECT_EQ(record.samples.diversity, 0);
  EXPECT_THAT(record.sentinels, ::testing::Contains("collapse"));
  EXPECT_FALSE(record.discriminator.accuracy_held_out.has_value());
}

TEST_F(DiagnosisTest, HasNoDiversityIfAllRealImagesAreEqual) {
  dataset_.images = dataset_.images.slice(0, 0, 1).repeat({9, 1, 1, 1});
  GanState state(config_, 1, at::kCPU);
  const auto record = diagnose(Diagnosis(config_, diagnosis_compute, dataset_), state);
  EXPECT_FALSE(record.samples.diversity.has_value());
  EXPECT_THAT(record.sentinels, ::testing::Contains("equal_images"));
}

TEST(SentinelWarnings, AreLoggedOncePerSentinel) {
  SentinelWarnings warnings;
  DiagnosticsRecord record;
  record.images = 640;
  record.sentinels = {"collapse"};
  ::testing::internal::CaptureStderr();
  log::init({});
  warnings.warn(record);
  warnings.warn(record);
  record.images = 1280;
  record.sentinels = {"collapse", "saturation"};
  warnings.warn(record);
  const std::string logged = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(logged.begin(), logged.end(), '\n'), 2) << logged;
  EXPECT_THAT(logged, ::testing::HasSubstr("at 640 images: collapse: "));
  EXPECT_THAT(logged, ::testing::HasSubstr("at 1280 images: saturation: "));
}

}  // namespace
}  // namespace slopegan
