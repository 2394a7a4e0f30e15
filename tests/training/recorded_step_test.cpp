#include "training/recorded_step.h"

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/enums.h"
#include "expect_error.h"
#include "layers/leaky_relu.h"
#include "scoped_variable.h"
#include "support/errors.h"
#include "training/emulated_device.h"
#include "training/gan_step.h"

namespace slopegan {
namespace {

constexpr std::int64_t steps = 20;

Config narrow_config() {
  Config config;
  config.generator.width = config.discriminator.width = 4;
  config.generator.latent_dim = 8;
  config.data.resolution = 16;
  config.loss.r1 = 0;
  config.training.total_images = 2 * 8 * steps;
  return config;
}

at::Tensor images_of_step(std::int64_t step, std::int64_t count = 8) {
  at::manual_seed(static_cast<std::uint64_t>(step));
  return at::rand({count, 1, 16, 16}) * 2 - 1;
}

NamedTensors on_host(const GanState& state) {
  NamedTensors tensors;
  for (const auto& [name, tensor] : state.tensors()) tensors.emplace(name, tensor.detach().to(at::kCPU));
  return tensors;
}

struct TakenSteps {
  std::vector<StepStats> stats;
  std::int64_t replayed_batches = 0;
};

/// Takes 20 steps, the fifth with a smaller batch. With `separately`, each step has its own GanStep, so nothing is
/// recorded.
TakenSteps take_steps(GanState& state, const Config& config, const Compute& compute, bool separately) {
  GanStep together(state, config, compute);
  std::vector<StepStats> stats;
  for (std::int64_t step = 0; step < steps; ++step) {
    std::vector<RealImages> batches;
    for (std::int64_t i = 0; i < config.optimizer.discriminator_steps; ++i) {
      batches.emplace_back(images_of_step(10 * step + i, step == 4 ? 5 : 8));
    }
    stats.push_back(separately ? gan_step(state, config, compute, batches) : together.take(batches));
  }
  return {std::move(stats), together.replayed_batches()};
}

/// Runs tests on the emulated device or, if LibTorch was built with CUDA, on a GPU.
class RecordedSteps : public ::testing::Test {
 protected:
  void SetUp() override {
    if (emulated::is_possible()) {
      emulated::provide_graphs();
      compute_.device = emulated::device;
    } else if (at::hasCUDA() && at::getNumGPUs() > 0) {
      compute_.device = at::kCUDA;
      apply_compute(compute_);
    } else {
      GTEST_SKIP() << "there is no device other than the CPU";
    }
  }

  /// Expects equal bits on the emulated device, and close values on a GPU, which sums the gradients of translated
  /// images in an arbitrary order.
  void expect_equal(const at::Tensor& a, const at::Tensor& b, const std::string& name) const {
    const bool same = compute_.device.is_cuda() ? at::allclose(a.to(at::kCPU), b.to(at::kCPU), 1e-3, 1e-4)
                                                : at::equal(a.to(at::kCPU), b.to(at::kCPU));
    EXPECT_TRUE(same) << name;
  }

  /// Expects that replayed steps train like steps that are not recorded, and that `replayed` batches are replayed.
  void expect_same(const Config& config, std::int64_t replayed) const {
    GanState recorded(config, 1, compute_.device), plain(config, 1, compute_.device);
    const auto [with, replayed_batches] = take_steps(recorded, config, compute_, false);
    if (make_device_graph(compute_.device.type()) || replayed == 0) {  // no graphs with CUDA before LibTorch 2.13
      EXPECT_EQ(replayed_batches, replayed);
    }
    const auto without = take_steps(plain, config, compute_, true).stats;
    const auto a = on_host(recorded), b = on_host(plain);
    for (const auto& [name, tensor] : a) expect_equal(tensor, b.at(name), name);
    const auto parameters = recorded.generator->named_parameters(), others = plain.generator->named_parameters();
    for (const auto& parameter : parameters) {
      expect_equal(parameter.value().grad(), others[parameter.key()].grad(), "gradient of " + parameter.key());
    }
    for (std::size_t i = 0; i < with.size(); ++i) {
      const auto numbers = [](const StepStats& stats) {
        return at::tensor(
            {stats.discriminator_loss, stats.generator_loss, stats.d_real, stats.d_fake,
             stats.discriminator_gradient_norm, stats.generator_gradient_norm, stats.gradient_penalty.value_or(-1)},
            at::kDouble);
      };
      expect_equal(numbers(with[i]), numbers(without[i]), "results of step " + std::to_string(i));
    }
  }

  Compute compute_;
};

/// Runs tests that only the emulated device supports.
class EmulatedDevice : public RecordedSteps {
 protected:
  void SetUp() override {
    RecordedSteps::SetUp();
    if (!emulated::is_possible()) GTEST_SKIP() << "LibTorch was built with CUDA, so no other device can be emulated";
  }
};

TEST_F(RecordedSteps, TrainBitForBitLikeStepsThatAreNotRecorded) { expect_same(narrow_config(), steps - 3); }

TEST_F(RecordedSteps, TrainASelfModulatedGeneratorBitForBitLikeStepsThatAreNotRecorded) {
  auto config = narrow_config();
  config.generator.norm = GeneratorNorm::self_modulated;
  expect_same(config, steps - 3);
}

TEST_F(RecordedSteps, UseTheLearningRateAndRandomNumbersOfEachStep) {
  auto config = narrow_config();
  config.discriminator.norm = DiscriminatorNorm::spectral;
  config.discriminator.augment = {Augmentation::color, Augmentation::translation, Augmentation::cutout};
  config.loss.label_noise = 0.1;
  config.loss.gradient_penalty = 1;
  config.optimizer.lr_warmup_images = 16;
  config.optimizer.lr_decay = LearningRateDecay::cosine;
  expect_same(config, steps - 3);
}

TEST_F(RecordedSteps, RecordBatchesWithDifferentTermsSeparately) {
  auto config = narrow_config();
  config.discriminator.norm = DiscriminatorNorm::none;
  config.loss.kind = LossKind::relativistic;
  config.loss.r1 = config.loss.r2 = 0.5;
  config.loss.r1_every = 3;
  config.optimizer.discriminator_steps = 2;
  // The two batches of the fifth step are smaller, so they are not replayed. Batches of each of the four other kinds
  // are computed twice before they are recorded.
  expect_same(config, 2 * (steps - 1) - 4 * 2);
}

TEST_F(RecordedSteps, TrainLikeTheCpu) {
  for (const auto norm : {GeneratorNorm::batch, GeneratorNorm::self_modulated}) {
    auto config = narrow_config();
    config.generator.norm = norm;
    GanState there(config, 1, compute_.device), here(config, 1, at::kCPU);
    take_steps(there, config, compute_, false);
    take_steps(here, config, {at::kCPU, at::kFloat, 1}, false);
    const auto a = on_host(there), b = on_host(here);
    for (const auto& [name, tensor] : a) {
      if (name.starts_with("optimizer")) continue;
      EXPECT_TRUE(at::allclose(tensor, b.at(name), 1e-2, 1e-3)) << name << ' ' << (tensor - b.at(name)).abs().max();
    }
  }
}

TEST_F(EmulatedDevice, LaunchesDozensOfOperatorsInsteadOfHundreds) {
  const auto config = narrow_config();
  GanState state(config, 1, compute_.device);
  GanStep step(state, config, compute_);
  std::vector<std::int64_t> operators;
  for (std::int64_t i = 0; i < 5; ++i) {
    const auto before = emulated::operators_launched();
    step.take({images_of_step(i)});
    operators.push_back(emulated::operators_launched() - before);
  }
  EXPECT_GT(operators[1], 150);
  EXPECT_LT(operators[4], 60) << "these copy the inputs, replay the graph, average the weights and read the results";
}

TEST_F(EmulatedDevice, TrainsOperatorByOperatorIfRecordingFails) {
  emulated::provide_graphs(/*fail=*/true);
  const auto config = narrow_config();
  GanState refused(config, 1, compute_.device), plain(config, 1, compute_.device);
  ::testing::internal::CaptureStderr();
  take_steps(refused, config, compute_, false);
  EXPECT_THAT(
      ::testing::internal::GetCapturedStderr(),
      ::testing::HasSubstr("could not be recorded as a graph and is computed operator by operator: this emulated "
                           "device records no more than 20 operators"));
  take_steps(plain, config, compute_, true);
  const auto a = on_host(refused), b = on_host(plain);
  for (const auto& [name, tensor] : a) EXPECT_TRUE(at::equal(tensor, b.at(name))) << name;
  for (const auto& parameter : refused.discriminator->parameters()) EXPECT_TRUE(parameter.requires_grad());
}

TEST_F(RecordedSteps, AreNotUsedForScheduledSlopes) {
  auto config = narrow_config();
  config.discriminator.negative_slope.schedule = SlopeSchedule{.from = 0.5, .to = 0, .over_images = 64};
  expect_same(config, 0);
}

TEST_F(RecordedSteps, DoNotChangeTheWeightsIfTrainingDiverges) {
  const auto config = narrow_config();
  GanState state(config, 1, compute_.device);
  GanStep step(state, config, compute_);
  for (std::int64_t i = 0; i < 4; ++i) step.take({images_of_step(i)});
  const auto before = on_host(state);
  auto images = images_of_step(4);
  images.view(-1)[5] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(message_of<DivergedError>([&] { step.take({images}); }),
            "training diverged at step 4 (32 images): the discriminator's loss is NaN; the real images are not finite");
  const auto after = on_host(state);
  for (const auto& [name, tensor] : before) {
    if (name.find("norm.running") == std::string::npos && name.find("num_batches") == std::string::npos) {
      EXPECT_TRUE(at::equal(tensor, after.at(name))) << name;
    }
  }
}

TEST_F(EmulatedDevice, LaunchesOneOperatorPerActivationAndDerivative) {
  const auto x = at::randn({2, 3, 4, 4}), on_device = x.to(emulated::device);
  for (const double slope : {0.0, 0.2, 1.0}) {
    const auto input = on_device.detach().clone().requires_grad_(true), reference = x.clone().requires_grad_(true);
    auto before = emulated::operators_launched();
    const auto output = leaky_relu(input, slope);
    EXPECT_LE(emulated::operators_launched() - before, 2) << "the operator, and its output";
    const auto expected = leaky_relu(reference, slope);
    EXPECT_TRUE(at::equal(output.detach().to(at::kCPU), expected.detach())) << slope;
    const auto gradient = at::ones_like(output);
    before = emulated::operators_launched();
    output.backward(gradient);
    EXPECT_LE(emulated::operators_launched() - before, 4) << "the operator, and storing its result";
    expected.sum().backward();
    EXPECT_TRUE(at::equal(input.grad().to(at::kCPU), reference.grad())) << slope;
  }
}

TEST_F(RecordedSteps, CanBeRecordedAfterAFailedRecording) {
  const auto tensor = at::ones({3}, compute_.device);
  auto failed = make_device_graph(compute_.device.type());
  if (!failed) GTEST_SKIP() << "this program was built without CUDA graphs";
  failed->begin();
  const auto kept = tensor * 2;
  EXPECT_THROW(tensor.sum().item(), c10::Error);
  try {
    failed->end();
  } catch (const c10::Error&) {  // CUDA rejects the recording; the emulated device omits the operator that failed
  }
  failed.reset();
  const auto graph = make_device_graph(compute_.device.type());
  graph->begin();
  tensor.add_(1);
  graph->end();
  graph->replay();
  EXPECT_EQ(tensor.sum().item<float>(), 6);
}

TEST_F(EmulatedDevice, RecordsNothingIfTheEnvironmentDisablesGraphs) {
  const ScopedVariable disabled("SLOPEGAN_CUDA_GRAPHS", "0");
  expect_same(narrow_config(), 0);
}

TEST_F(EmulatedDevice, IsAsStrictAsAGpu) {
  const auto tensor = at::ones({3}, emulated::device);
  EXPECT_THROW(tensor + at::ones({3}), c10::Error);
  const auto host_number = at::full({}, 2.0f);
  const auto graph = make_device_graph(emulated::device.type());
  graph->begin();
  EXPECT_THROW(tensor.sum().item(), c10::Error);
  EXPECT_THROW(tensor.to(at::kCPU), c10::Error);
  const auto doubled = tensor * host_number;
  tensor.add_(1);
  graph->end();
  EXPECT_EQ(tensor.sum().item<float>(), 3) << "operators are not executed while they are recorded";
  EXPECT_TRUE(std::isnan(doubled.sum().item<float>()));
  graph->replay();
  host_number.fill_(100);
  graph->replay();
  EXPECT_EQ(tensor.sum().item<float>(), 9);
  EXPECT_EQ(doubled.sum().item<float>(), 12)
      << "a replay uses the current value of the tensor and the recorded value of the host number";
}

}  // namespace
}  // namespace slopegan
