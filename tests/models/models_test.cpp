#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "models/dcgan.h"
#include "models/named_tensors.h"

namespace slopegan {
namespace {

struct Shape {
  std::int64_t resolution, channels, width, latent;
};

const Shape shapes[] = {{32, 1, 4, 10}, {32, 3, 8, 16},  {64, 1, 4, 10},
                        {64, 3, 8, 20}, {128, 1, 2, 10}, {128, 3, 4, 7}};

GeneratorConfig generator_config(const Shape& shape, GeneratorNorm norm = GeneratorNorm::batch) {
  GeneratorConfig config;
  config.latent_dim = shape.latent;
  config.width = shape.width;
  config.norm = norm;
  return config;
}

DiscriminatorConfig discriminator_config(const Shape& shape, DiscriminatorNorm norm = DiscriminatorNorm::batch) {
  DiscriminatorConfig config;
  config.width = shape.width;
  config.norm = norm;
  return config;
}

Generator make_generator(const GeneratorConfig& config, const Shape& shape, const InitConfig& init = {},
                         std::uint64_t seed = 0) {
  Generator generator(config, shape.resolution, shape.channels, seed);
  generator->initialise(init, seed);
  return generator;
}

Discriminator make_discriminator(const DiscriminatorConfig& config, const Shape& shape, const InitConfig& init = {},
                                 std::uint64_t seed = 0) {
  Discriminator discriminator(config, shape.resolution, shape.channels, seed);
  discriminator->initialise(init, seed);
  return discriminator;
}

// The number of channels of each stage, starting with the stage next to the image.
std::vector<std::int64_t> stage_channels(const Shape& shape) {
  std::vector<std::int64_t> channels;
  for (std::int64_t size = 4, width = shape.width; size < shape.resolution; size *= 2, width *= 2) {
    channels.push_back(width);
  }
  return channels;
}

TEST(Generator, ReturnsImagesOfTheConfiguredShapeBetweenMinusOneAndOne) {
  for (const auto& shape : shapes) {
    auto generator = make_generator(generator_config(shape), shape);
    const auto images = generator->forward(at::randn({3, shape.latent}));
    EXPECT_EQ(images.sizes(), (std::vector<std::int64_t>{3, shape.channels, shape.resolution, shape.resolution}));
    EXPECT_EQ(images.scalar_type(), at::kFloat);
    EXPECT_LE(images.abs().max().item<double>(), 1.0);
  }
}

TEST(Discriminator, ReturnsOneLogitPerImage) {
  for (const auto& shape : shapes) {
    for (const auto norm : {DiscriminatorNorm::batch, DiscriminatorNorm::spectral, DiscriminatorNorm::none}) {
      auto discriminator = make_discriminator(discriminator_config(shape, norm), shape);
      const auto logits = discriminator->forward(at::randn({3, shape.channels, shape.resolution, shape.resolution}));
      EXPECT_EQ(logits.sizes(), std::vector<std::int64_t>{3});
    }
  }
}

TEST(Networks, ComputeInBfloat16AndReturnFloat32) {
  const auto& shape = shapes[0];
  for (const auto norm : {GeneratorNorm::batch, GeneratorNorm::self_modulated, GeneratorNorm::none}) {
    auto generator = make_generator(generator_config(shape, norm), shape);
    auto discriminator = make_discriminator(discriminator_config(shape), shape);
    const auto images = generator->forward(at::randn({4, shape.latent}).to(at::kBFloat16));
    const auto logits = discriminator->forward(images.to(at::kBFloat16));
    EXPECT_EQ(images.scalar_type(), at::kFloat);
    EXPECT_EQ(logits.scalar_type(), at::kFloat);
    logits.sum().backward();
    for (const auto& parameter : generator->parameters()) {
      ASSERT_TRUE(parameter.grad().defined());
      EXPECT_EQ(parameter.grad().scalar_type(), at::kFloat);
    }
  }
}

TEST(Generator, HasTheExpectedNumberOfParameters) {
  for (const auto& shape : shapes) {
    for (const auto norm : {GeneratorNorm::batch, GeneratorNorm::self_modulated, GeneratorNorm::none}) {
      const auto channels = stage_channels(shape);
      // A convolution has 16 weights per pair of input and output channels. Depending on the norm, each block except
      // the last also has two batch norm parameters per channel, one bias per channel, or two linear layers: from the
      // latent to 32 units, and from these units to two values per channel. Without a norm, the last block has biases
      // as well.
      std::int64_t expected = 16 * shape.latent * channels.back();
      for (std::size_t i = 0; i + 1 < channels.size(); ++i) expected += 16 * channels[i] * channels[i + 1];
      expected += 16 * channels.front() * shape.channels;
      for (const auto c : channels) {
        const std::int64_t modulation = 32 * (shape.latent + 1) + 2 * c * (32 + 1);
        expected += norm == GeneratorNorm::batch ? 2 * c : norm == GeneratorNorm::none ? c : modulation;
      }
      if (norm == GeneratorNorm::none) expected += shape.channels;
      EXPECT_EQ(make_generator(generator_config(shape, norm), shape)->parameter_count(), expected);
    }
  }
}

TEST(Discriminator, HasTheExpectedNumberOfParameters) {
  for (const auto& shape : shapes) {
    for (const auto norm : {DiscriminatorNorm::batch, DiscriminatorNorm::spectral, DiscriminatorNorm::none}) {
      const bool batch = norm == DiscriminatorNorm::batch;
      const auto channels = stage_channels(shape);
      std::int64_t expected = 16 * shape.channels * channels.front() + 16 * channels.back();
      for (std::size_t i = 0; i + 1 < channels.size(); ++i) expected += 16 * channels[i] * channels[i + 1];
      for (std::size_t i = 0; i < channels.size(); ++i) expected += batch ? (i > 0 ? 2 * channels[i] : 0) : channels[i];
      if (!batch) expected += 1;
      EXPECT_EQ(make_discriminator(discriminator_config(shape, norm), shape)->parameter_count(), expected);
    }
  }
}

TEST(Networks, HaveAsManyParametersAsPyTorchsDcganExample) {
  const Shape shape{64, 3, 64, 100};
  EXPECT_EQ(make_generator(generator_config(shape), shape)->parameter_count(), 3576704);
  EXPECT_EQ(make_discriminator(discriminator_config(shape), shape)->parameter_count(), 2765568);
}

TEST(Networks, ListAllTheirParametersInTheSummary) {
  for (const auto& shape : shapes) {
    auto generator = make_generator(generator_config(shape), shape);
    auto modulated = make_generator(generator_config(shape, GeneratorNorm::self_modulated), shape);
    auto discriminator = make_discriminator(discriminator_config(shape), shape);
    EXPECT_EQ(modulated->summary()[1].kind, "transposed conv 4x4/2, self-modulated batch norm, slope 0.2");
    for (const BlockChainImpl* network :
         std::initializer_list<const BlockChainImpl*>{generator.get(), modulated.get(), discriminator.get()}) {
      std::int64_t sum = 0;
      for (const auto& line : network->summary()) sum += line.parameters;
      EXPECT_EQ(sum, network->parameter_count());
    }
    EXPECT_EQ(generator->summary().back().output_shape,
              (std::vector<std::int64_t>{shape.channels, shape.resolution, shape.resolution}));
    EXPECT_EQ(discriminator->summary().back().output_shape, (std::vector<std::int64_t>{1, 1, 1}));
  }
}

TEST(Networks, UseTheConfiguredSlopeInEachLayer) {
  const auto& shape = shapes[2];  // 64 px: four activations
  auto config = discriminator_config(shape);
  config.negative_slope.values = {0.1, 0.2, 0.3, 0.4};
  EXPECT_EQ(make_discriminator(config, shape)->negative_slopes(), (std::vector<double>{0.1, 0.2, 0.3, 0.4}));
  config.negative_slope = NegativeSlope(0.37);
  EXPECT_EQ(make_discriminator(config, shape)->negative_slopes(), (std::vector<double>{0.37, 0.37, 0.37, 0.37}));
  config.activation = ActivationKind::relu;
  EXPECT_EQ(make_discriminator(config, shape)->negative_slopes(), (std::vector<double>{0, 0, 0, 0}));

  auto scheduled = generator_config(shape);
  scheduled.negative_slope.schedule = SlopeSchedule{0.4, 0.2, 100, SlopeShape::linear};
  auto generator = make_generator(scheduled, shape);
  generator->set_images(50);
  for (const double slope : generator->negative_slopes()) EXPECT_DOUBLE_EQ(slope, 0.3);
}

TEST(Networks, LearnTheSlopesOfEveryLayerWithPrelu) {
  const auto& shape = shapes[0];
  for (const auto kind : {PReluKind::shared, PReluKind::channel, PReluKind::bounded, PReluKind::bounded_channel}) {
    auto config = discriminator_config(shape);
    config.activation = ActivationKind::prelu;
    config.prelu = kind;
    auto discriminator = make_discriminator(config, shape);
    discriminator->forward(at::randn({4, 1, 32, 32})).sum().backward();
    const bool shared = kind == PReluKind::shared || kind == PReluKind::bounded;
    std::int64_t slopes = 0;
    for (const auto& parameter : discriminator->named_parameters()) {
      if (parameter.key().find(".slope") == std::string::npos) continue;
      slopes += parameter.value().numel();
      EXPECT_TRUE(parameter.value().grad().abs().sum().item<double>() > 0) << parameter.key();
    }
    EXPECT_EQ(slopes, shared ? 3 : 4 + 8 + 16);
  }
}

TEST(Networks, StartFromTheSameRandomDrawsForEverySlope) {
  const auto& shape = shapes[0];
  auto low = discriminator_config(shape), high = discriminator_config(shape);
  low.negative_slope = NegativeSlope(0.0);
  high.negative_slope = NegativeSlope(0.5);
  auto a = make_discriminator(low, shape), b = make_discriminator(high, shape);
  for (std::size_t i = 0; i < a->parameters().size(); ++i) {
    EXPECT_TRUE(at::equal(a->parameters()[i], b->parameters()[i]));
  }
  const auto images = at::randn({4, 1, 32, 32});
  EXPECT_FALSE(at::allclose(a->forward(images), b->forward(images)));
}

TEST(Initialisation, NormalWeightsHaveTheConfiguredDeviationAndBatchNormWeightsAreNearOne) {
  const Shape shape{64, 3, 32, 100};
  auto generator = make_generator(generator_config(shape), shape);
  const auto& weight = generator->blocks[1]->conv->weight;
  EXPECT_NEAR(weight.std().item<double>(), 0.02, 0.0005);
  EXPECT_NEAR(weight.mean().item<double>(), 0, 0.0005);
  EXPECT_NEAR(generator->blocks[0]->norm->weight.mean().item<double>(), 1.0, 0.01);
  EXPECT_EQ(generator->blocks[0]->norm->bias.abs().max().item<double>(), 0.0);
}

// --- Self-modulation

const Shape modulated_shape{64, 3, 16, 100};

Generator modulated_generator(const InitConfig& init = {}) {
  return make_generator(generator_config(modulated_shape, GeneratorNorm::self_modulated), modulated_shape, init);
}

TEST(SelfModulation, AddsNamedLayersToEveryBlockButTheLast) {
  std::vector<std::string> names;
  auto generator = modulated_generator();
  for (const auto& [name, tensor] : named_tensors(*generator)) {
    if (name.starts_with("block0.") || name.starts_with("block4.")) names.push_back(name);
  }
  EXPECT_EQ(names,
            (std::vector<std::string>{"block0.conv.weight", "block0.modulation.hidden.bias",
                                      "block0.modulation.hidden.weight", "block0.modulation.output.bias",
                                      "block0.modulation.output.weight", "block0.norm.num_batches_tracked",
                                      "block0.norm.running_mean", "block0.norm.running_var", "block4.conv.weight"}));
  EXPECT_EQ(generator->blocks[0]->modulation->hidden->weight.sizes(), (std::vector<std::int64_t>{32, 100}));
  EXPECT_EQ(generator->blocks[0]->modulation->output->weight.sizes(), (std::vector<std::int64_t>{2 * 128, 32}));
}

TEST(SelfModulation, StartsFromTheSameConvolutionsAsBatchNorm) {
  auto plain = make_generator(generator_config(modulated_shape), modulated_shape), modulated = modulated_generator();
  for (std::size_t i = 0; i < plain->blocks.size(); ++i) {
    EXPECT_TRUE(modulated->blocks[i]->conv->weight.equal(plain->blocks[i]->conv->weight)) << i;
  }
}

TEST(SelfModulation, StartsNearBatchNormWithSmallRandomWeights) {
  for (const auto mode : {InitMode::normal, InitMode::slope_matched}) {
    auto generator = modulated_generator({mode, 0.02});
    auto& modulation = generator->blocks[0]->modulation;
    EXPECT_NEAR(modulation->hidden->weight.std().item<double>(), 0.1, 0.005);
    EXPECT_NEAR(modulation->output->weight.std().item<double>(), 0.02, 0.001);
    EXPECT_EQ(modulation->hidden->bias.abs().max().item<double>(), 0);
    EXPECT_EQ(modulation->output->bias.abs().max().item<double>(), 0);
    const auto [scale, shift] = modulation->forward(at::randn({64, 100}));
    EXPECT_NEAR(scale.mean().item<double>(), 1, 0.05);
    EXPECT_LT(scale.std().item<double>(), 0.2);
    EXPECT_LT(shift.abs().mean().item<double>(), 0.2);
  }
}

TEST(SelfModulation, MapsTheLatentToAScaleAndShiftPerChannel) {
  LatentModulation modulation(7, 5);
  const auto z = at::randn({3, 7});
  const auto [scale, shift] = modulation->forward(z);
  const auto hidden = at::relu(at::linear(z, modulation->hidden->weight, modulation->hidden->bias));
  const auto output = at::linear(hidden, modulation->output->weight, modulation->output->bias);
  EXPECT_TRUE(at::allclose(scale, 1 + output.narrow(1, 0, 5)));
  EXPECT_TRUE(at::allclose(shift, output.narrow(1, 5, 5)));
  EXPECT_EQ(modulation->forward(z.to(at::kBFloat16)).scale.scalar_type(), at::kFloat);
}

TEST(SelfModulation, IsAppliedPerImage) {
  auto generator = modulated_generator();
  generator->eval();
  {
    const at::NoGradGuard no_gradients;
    for (auto& block : generator->blocks) {
      if (block->modulation) block->modulation->output->weight.normal_(0, 0.3);
    }
  }
  const auto latents = at::randn({3, 100});
  const auto images = generator->forward(latents);
  for (std::int64_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(at::allclose(generator->forward(latents.narrow(0, i, 1)), images.narrow(0, i, 1), 1e-3, 1e-5));
  }
}

TEST(Initialisation, SlopeMatchedPreservesTheScaleWithoutBatchNorm) {
  const Shape shape{64, 3, 32, 100};
  for (const double slope : {0.0, 0.2, 0.5}) {
    auto config = discriminator_config(shape, DiscriminatorNorm::none);
    config.negative_slope = NegativeSlope(slope);
    const InitConfig matched{InitMode::slope_matched, 0.02};
    auto discriminator = make_discriminator(config, shape, matched);
    auto images = at::empty({64, 3, 64, 64});
    images.normal_(0, 1, at::make_generator<at::CPUGeneratorImpl>(1));
    auto x = discriminator->blocks[0]->conv->forward(images);
    // Because of the padding, outputs at the borders are sums of fewer products. In a 4×4 map, an output has on average
    // about a quarter fewer products than an inner output.
    EXPECT_NEAR(x.pow(2).mean().item<double>(), 1.0, 0.15) << slope;
    for (std::size_t i = 1; i + 1 < discriminator->blocks.size(); ++i) {
      x = discriminator->blocks[i]->conv->forward(discriminator->blocks[i - 1]->activation->forward(x));
      EXPECT_GT(x.pow(2).mean().item<double>(), 0.35) << slope << " block " << i;
      EXPECT_LT(x.pow(2).mean().item<double>(), 1.4) << slope << " block " << i;
    }
  }
}

TEST(Convolution, FanInIsTheNumberOfProductsPerOutput) {
  // With weights and inputs of 1, an inner output equals the number of its products.
  for (const auto& options : {ConvolutionOptions{.in_channels = 3, .out_channels = 2, .transposed = true},
                              ConvolutionOptions{.in_channels = 5, .out_channels = 2}}) {
    Convolution convolution(options);
    {
      const at::NoGradGuard no_gradients;
      convolution->weight.fill_(1);
    }
    const auto y = convolution->forward(at::ones({1, options.in_channels, 8, 8}));
    EXPECT_EQ(y.max().item<std::int64_t>(), convolution->fan_in());
    EXPECT_EQ(y.size(2), convolution->output_size(8));
  }
}

TEST(SpectralNorm, NormalisesTheLargestSingularValueToOne) {
  Convolution convolution(ConvolutionOptions{.in_channels = 6, .out_channels = 8, .spectral_norm = true});
  {
    const at::NoGradGuard no_gradients;
    convolution->weight.normal_(0, 3);
    convolution->u.normal_();
  }
  const auto images = at::randn({2, 6, 8, 8});
  for (int i = 0; i < 200; ++i) convolution->forward(images);
  convolution->eval();
  const auto u_before = convolution->u.clone();
  const auto sigma = at::linalg_matrix_norm(convolution->weight.detach().flatten(1), 2).item<double>();
  EXPECT_TRUE(at::allclose(convolution->forward(images),
                           at::conv2d(images, convolution->weight / sigma, {}, /*stride=*/2, /*padding=*/1), 1e-4,
                           1e-5));
  EXPECT_TRUE(at::equal(u_before, convolution->u)) << "evaluation must not change the estimate";
}

TEST(SpectralNorm, DifferentiatesThroughTheNorm) {
  Convolution convolution(ConvolutionOptions{
      .in_channels = 1, .out_channels = 1, .kernel = 1, .stride = 1, .padding = 0, .spectral_norm = true});
  {
    const at::NoGradGuard no_gradients;
    convolution->weight.fill_(2);
    convolution->u.fill_(1);
  }
  // A 1×1 weight is normalised to its sign, which is constant, so the gradient is 0.
  convolution->forward(at::ones({1, 1, 1, 1})).sum().backward();
  EXPECT_NEAR(convolution->weight.grad().item<double>(), 0.0, 1e-7);
}

TEST(StageCount, RejectsResolutionsThatAreBelow16OrNotAPowerOfTwo) {
  EXPECT_EQ(stage_count(32), 3);
  EXPECT_EQ(stage_count(128), 5);
  EXPECT_THROW(stage_count(48), c10::ValueError);
  EXPECT_THROW(stage_count(8), c10::ValueError);
}

TEST(MakeActivation, DrawsRandomNumbersInTrainingIfAndOnlyIfTheKindIsRandom) {
  const at::NoGradGuard no_gradients;
  for (const auto kind : enum_values<ActivationKind>) {
    ActivationConfig config;
    config.activation = kind;
    const auto activation = make_activation(config, 0, 2, 0, "generator");
    const auto output = [&] { return activation->forward(at::full({4, 2, 3, 3}, -1.0)); };
    EXPECT_EQ(!at::equal(output(), output()), traits_of(kind).is_random) << name_of(kind);
  }
}

TEST(Networks, ReportThePropertiesOfTheirActivations) {
  const auto& shape = shapes[0];
  auto fixed = generator_config(shape), scheduled = fixed, learned = fixed, random = fixed;
  scheduled.negative_slope.schedule = SlopeSchedule{0.4, 0.2, 100, SlopeShape::linear};
  learned.activation = ActivationKind::prelu;
  random.activation = ActivationKind::rrelu;
  EXPECT_TRUE(make_generator(fixed, shape)->is_repeatable());
  EXPECT_EQ(make_generator(fixed, shape)->moving_slope(), std::nullopt);
  EXPECT_FALSE(make_generator(scheduled, shape)->is_repeatable());
  EXPECT_DOUBLE_EQ(make_generator(scheduled, shape)->moving_slope().value(), 0.4);
  EXPECT_TRUE(make_generator(learned, shape)->is_repeatable());
  EXPECT_NEAR(make_generator(learned, shape)->moving_slope().value(), 0.2, 1e-7);
  EXPECT_FALSE(make_generator(random, shape)->is_repeatable());
  EXPECT_EQ(make_generator(random, shape)->moving_slope(), std::nullopt);
}

}  // namespace
}  // namespace slopegan
