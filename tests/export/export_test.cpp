#include "export/export.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"
#include "expect_error.h"
#include "export/onnx_model.h"
#include "layers/initialisation.h"
#include "run/safetensors.h"
#include "sampling/generator_checkpoint.h"
#include "support/errors.h"
#include "support/files.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A small generator with random weights, running statistics and learned slopes. The weights are large enough that the
/// images reach the nonlinear range of tanh.
Checkpoint sample_generator(const std::string& yaml, std::int64_t channels = 1) {
  auto config = parse_config(yaml, "test");
  config.generator.latent_dim = 5;
  config.generator.width = 2;
  config.training.threads = 1;
  auto checkpoint = testing::generator_checkpoint(config, channels);
  for (auto& [name, tensor] : checkpoint.tensors) {
    if (!tensor.is_floating_point()) continue;
    const bool near_one = name.ends_with("norm.weight") || name.ends_with("running_var");
    const bool slope = name.find(".slope") != std::string::npos;
    const bool modulation = name.find(".modulation.") != std::string::npos;
    fill_normal(tensor, near_one ? 1 : slope ? 0.2 : 0, near_one || modulation ? 0.1 : 0.3, 1, name);
  }
  return checkpoint;
}

struct Sample {
  std::string yaml;
  std::int64_t channels = 1;
  /// The slope after each convolution except the last one; empty if the slopes are learned.
  std::vector<double> slopes{};
};

const std::vector<Sample>& samples() {
  static const std::vector<Sample> all = {
      {"generator: {negative_slope: 0.2}", 3, {0.2, 0.2, 0.2}},
      {"generator: {negative_slope: 0}", 1, {0, 0, 0}},
      {"generator: {negative_slope: [0.1, 0, 1]}", 1, {0.1, 0, 1}},
      {"generator: {negative_slope: [-0.5, 1.5, 0.3333333333333333]}", 1, {-0.5, 1.5, 1.0 / 3}},
      // The checkpoint was written after 64 of 128 images.
      {"generator: {negative_slope: {from: 0.3, to: 0.1, over_images: 128, shape: linear}}", 1, {0.2, 0.2, 0.2}},
      {"generator: {activation: relu}", 1, {0, 0, 0}},
      {"generator: {activation: rrelu}", 1, {11.0 / 48, 11.0 / 48, 11.0 / 48}},
      {"generator: {activation: rrelu, rrelu: divisor}", 1, {2.0 / 11, 2.0 / 11, 2.0 / 11}},
      {"generator: {activation: prelu, prelu: shared}"},
      {"generator: {activation: prelu, prelu: channel, norm: none}"},
      {"generator: {activation: prelu, prelu: bounded}"},
      {"generator: {activation: prelu, prelu: bounded_channel}"},
      {"generator: {norm: none}", 1, {0.2, 0.2, 0.2}},
      {"generator: {norm: self_modulated}", 1, {0.2, 0.2, 0.2}},
      {"generator: {norm: self_modulated, negative_slope: [0, -0.5, 0.1]}", 3, {0, -0.5, 0.1}},
      {"generator: {norm: self_modulated, activation: prelu, prelu: channel}\ndata: {resolution: 64}", 3},
      {"data: {resolution: 64}", 3, {0.2, 0.2, 0.2, 0.2}},
      {"data: {resolution: 128}", 3, {0.2, 0.2, 0.2, 0.2, 0.2}},
  };
  return all;
}

std::vector<double> fixed_slopes(const ExportedNetwork& network) {
  std::vector<double> slopes;
  for (const auto& layer : network.layers) {
    if (const auto* leaky = std::get_if<LeakyLayer>(&layer)) slopes.push_back(leaky->negative_slope);
  }
  return slopes;
}

/// The images that the program's own layers compute.
at::Tensor images_of(const Checkpoint& checkpoint, const at::Tensor& latents) {
  const at::NoGradGuard no_gradients;
  return load_generator(checkpoint).generator->forward(latents);
}

/// The images that LibTorch's operators compute.
at::Tensor torch_images_of(const Checkpoint& checkpoint, const at::Tensor& latents) {
  return run_network(exported_network(load_generator(checkpoint)), latents);
}

at::Tensor some_latents(std::int64_t count) {
  auto latents = at::empty({count, 5}, at::TensorOptions(at::kFloat));
  fill_normal(latents, 0, 1, 7, "latents");
  return latents;
}

class Exported : public ::testing::Test {
 protected:
  double export_to(const Checkpoint& checkpoint, const std::string& format, bool folded = false) {
    return export_generator(checkpoint, {.format = format, .out = file_, .fold_batch_norm = folded, .overwrite = true});
  }
  at::Tensor run(const std::string& format, const at::Tensor& latents) const {
    return export_format(format).run(file_, latents);
  }
  ExportedNetwork read_onnx() const { return parse_onnx_model(read_file(file_, 1 << 26)); }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_ / "generator";
};

/// The exported generator and this program's layers may each differ from LibTorch's operators by the tolerance.
constexpr double largest_rounding = 2 * export_tolerance;

TEST_F(Exported, FilesOfEveryFormatReproduceTheImagesOfEveryGenerator) {
  const auto latents = some_latents(3);
  for (const auto& sample : samples()) {
    const auto checkpoint = sample_generator(sample.yaml, sample.channels);
    for (const auto& format : export_format_names()) {
      for (const bool folded : {false, true}) {
        SCOPED_TRACE(sample.yaml + " as " + format + (folded ? ", folded" : ""));
        EXPECT_LE(export_to(checkpoint, format, folded), largest_rounding);
        const auto expected = images_of(checkpoint, latents);  // uses the same number of threads
        ASSERT_GT(expected.std().item<double>(), 0.05);
        const auto images = run(format, latents);
        EXPECT_LE((images - expected).abs().max().item<double>(), largest_rounding);
        // Without folding, the images equal those of LibTorch's operators bit for bit, except in ONNX, which rounds
        // epsilon and the slopes to float32.
        EXPECT_TRUE(folded || format == "onnx" || images.equal(torch_images_of(checkpoint, latents)));
      }
    }
  }
}

TEST_F(Exported, OnnxFilesContainTheCurrentSlopesAndTheShapes) {
  for (const auto& sample : samples()) {
    SCOPED_TRACE(sample.yaml);
    const auto checkpoint = sample_generator(sample.yaml, sample.channels);
    export_to(checkpoint, "onnx");
    const auto network = read_onnx();
    EXPECT_EQ(network.latent_dim, 5);
    EXPECT_EQ(network.channels, sample.channels);
    EXPECT_EQ(network.resolution, parse_config(sample.yaml, "test").data.resolution);
    const auto slopes = fixed_slopes(network);
    ASSERT_EQ(slopes.size(), sample.slopes.size());
    for (std::size_t i = 0; i < slopes.size(); ++i) {
      EXPECT_EQ(static_cast<float>(slopes[i]), static_cast<float>(sample.slopes[i]));
    }
  }
}

template <typename Layer>
std::int64_t count_layers(const ExportedNetwork& network) {
  return std::ranges::count_if(network.layers, [](const auto& layer) { return std::holds_alternative<Layer>(layer); });
}

TEST_F(Exported, FoldingRemovesEveryBatchNorm) {
  const auto checkpoint = sample_generator("generator: {negative_slope: 0.2}");
  export_to(checkpoint, "onnx");
  EXPECT_EQ(count_layers<BatchNormLayer>(read_onnx()), 3);
  export_to(checkpoint, "onnx", /*folded=*/true);
  EXPECT_EQ(count_layers<BatchNormLayer>(read_onnx()), 0);
}

TEST_F(Exported, FoldingKeepsSelfModulation) {
  const auto checkpoint = sample_generator("generator: {norm: self_modulated}");
  for (const bool folded : {false, true}) {
    export_to(checkpoint, "onnx", folded);
    EXPECT_EQ(count_layers<BatchNormLayer>(read_onnx()), folded ? 0 : 3);
    EXPECT_EQ(count_layers<ModulationLayer>(read_onnx()), 3);
  }
}

TEST_F(Exported, SafetensorsFilesUseTheTensorNamesOfASequential) {
  export_to(sample_generator("generator: {activation: prelu}"), "safetensors");
  std::vector<std::string> names;
  for (const auto& [name, tensor] : read_safetensors(file_).tensors) names.push_back(name);
  EXPECT_THAT(names,
              ElementsAre("0.weight", "1.bias", "1.running_mean", "1.running_var", "1.weight", "2.weight", "3.weight",
                          "4.bias", "4.running_mean", "4.running_var", "4.weight", "5.weight", "6.weight", "7.bias",
                          "7.running_mean", "7.running_var", "7.weight", "8.weight", "9.weight"));
}

TEST_F(Exported, SafetensorsFilesDescribeSelfModulationAsASeparateLayer) {
  export_to(sample_generator("generator: {norm: self_modulated}"), "safetensors");
  const auto content = read_safetensors(file_);
  std::vector<std::string> names;
  for (const auto& [name, tensor] : content.tensors) {
    if (name[1] == '.' && name < "3") names.push_back(name);
  }
  EXPECT_THAT(names, ElementsAre("0.weight", "1.running_mean", "1.running_var", "2.hidden.bias", "2.hidden.weight",
                                 "2.output.bias", "2.output.weight"));
  EXPECT_THAT(content.metadata.at("layers"),
              HasSubstr(R"(["BatchNorm2d",{"num_features":8,"eps":1e-05,"affine":false}],)"
                        R"(["SelfModulation",{"latent_dim":5,"hidden_size":32,"num_features":8}])"));
}

TEST_F(Exported, ReferenceFilesContainLatentsAndImages) {
  const auto checkpoint = sample_generator("data: {resolution: 32}");
  export_generator(checkpoint, {.format = "onnx", .out = file_, .reference = directory_ / "reference"});
  const auto reference = read_safetensors(directory_ / "reference").tensors;
  EXPECT_THAT(reference.at("latents").sizes(), ElementsAre(64, 5));
  EXPECT_TRUE(reference.at("slopegan_images").equal(images_of(checkpoint, reference.at("latents"))));
  EXPECT_TRUE(reference.at("images").equal(torch_images_of(checkpoint, reference.at("latents"))));
}

TEST_F(Exported, FilesAreReproducible) {
  const auto checkpoint = sample_generator("generator: {activation: prelu}");
  for (const auto& format : export_format_names()) {
    export_to(checkpoint, format);
    const auto first = read_file(file_, 1 << 26);
    export_to(checkpoint, format);
    EXPECT_TRUE(read_file(file_, 1 << 26) == first) << format;
  }
}

// Away from the edges, the output of the second convolution is exactly 2^20, regardless of the order of summation.
// Batch norm subtracts this value as the mean, so only the rounding errors in the folded weights remain.
TEST_F(Exported, FilesThatComputeDifferentImagesAreRejectedAndRemoved) {
  auto checkpoint = sample_generator("generator: {negative_slope: 0}");
  checkpoint.tensors.at("generator.block0.norm.weight").fill_(0);
  checkpoint.tensors.at("generator.block0.norm.bias").fill_(1 << 16);
  checkpoint.tensors.at("generator.block1.conv.weight").fill_(0.25).narrow(0, 0, 4).fill_(0.75);
  checkpoint.tensors.at("generator.block1.norm.running_mean").fill_(1 << 20);
  for (const auto& format : export_format_names()) {
    EXPECT_LE(export_to(checkpoint, format), largest_rounding);
    std::filesystem::remove(file_);
    EXPECT_THAT(message_of<UsageError>([&] { export_to(checkpoint, format, /*folded=*/true); }),
                HasSubstr("omit --fold-batch-norm"));
    EXPECT_TRUE(std::filesystem::is_empty(directory_.path())) << format;
  }
}

TEST_F(Exported, GeneratorsThatDependOnTheOrderOfSummationAreRejected) {
  auto checkpoint = sample_generator("generator: {negative_slope: 0.2}");
  checkpoint.tensors.at("generator.block3.conv.weight").mul_(1e5);  // pixels are black or white, depending on rounding
  EXPECT_THAT(message_of<CheckpointError>([&] { export_to(checkpoint, "onnx"); }),
              HasSubstr("if float32 sums are computed in a different order"));
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(Exported, GeneratorsWithNonFiniteImagesAreRejected) {
  auto checkpoint = sample_generator("generator: {negative_slope: 0.2}");
  checkpoint.tensors.at("generator.block1.conv.weight").view(-1)[0] = std::nan("");
  EXPECT_THAT(message_of<CheckpointError>([&] { export_to(checkpoint, "onnx"); }), HasSubstr("not finite"));
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(Exported, ExistingFilesAreKeptAndInvalidArgumentsAreRejected) {
  const auto checkpoint = sample_generator("generator: {negative_slope: 0.2}");
  const auto precious = directory_.write("precious", "mine");
  EXPECT_THAT(message_of<UsageError>([&] { export_generator(checkpoint, {.format = "onnx", .out = precious}); }),
              HasSubstr("--overwrite"));
  EXPECT_THAT(message_of<UsageError>(
                  [&] { export_generator(checkpoint, {.format = "onnx", .out = file_, .reference = precious}); }),
              HasSubstr("--overwrite"));
  EXPECT_THAT(message_of<UsageError>([&] {
                export_generator(checkpoint, {.format = "onnx", .out = file_, .reference = directory_ / "./generator"});
              }),
              HasSubstr("same file"));
  EXPECT_THAT(message_of<UsageError>([&] { export_generator(checkpoint, {.format = "tf", .out = file_}); }),
              HasSubstr("allowed: onnx, torchscript, safetensors"));
  EXPECT_EQ(read_file(precious, 100), "mine");
  EXPECT_FALSE(std::filesystem::exists(file_));
}

std::string sample_onnx_model(const std::string& yaml) {
  return onnx_model(exported_network(load_generator(sample_generator(yaml))));
}

TEST(OnnxParser, RejectsTruncatedFiles) {
  const auto bytes = sample_onnx_model("generator: {activation: prelu}");
  const auto whole = parse_onnx_model(bytes);
  EXPECT_TRUE(run_network(whole, some_latents(2)).equal(run_network(parse_onnx_model(bytes), some_latents(2))));
  const auto last_key = bytes.rfind("images");  // in the metadata, which follows the graph
  for (std::size_t size = 0; size < last_key; size += 1 + size / 50) {
    EXPECT_THROW(parse_onnx_model(std::string_view(bytes).substr(0, size)), std::runtime_error) << size;
  }
}

TEST(OnnxParser, ReturnsANetworkOrThrowsForEveryChangedByte) {
  for (const char* yaml : {"generator: {negative_slope: 0.2}", "generator: {norm: self_modulated}"}) {
    const auto bytes = sample_onnx_model(yaml);
    int refused = 0;
    for (std::size_t at = 0; at < bytes.size(); at += 1 + bytes.size() / 2000) {
      auto changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ 0x41);
      try {
        parse_onnx_model(changed);
      } catch (const std::runtime_error&) {
        ++refused;
      }
    }
    EXPECT_GT(refused, 10);
  }
}

// Names and operators are replaced by others of the same length, so that the file remains valid protobuf.
TEST(OnnxParser, RejectsInconsistentSelfModulation) {
  const auto bytes = sample_onnx_model("generator: {norm: self_modulated}");
  EXPECT_NO_THROW(parse_onnx_model(bytes));
  const auto error_after = [&](const std::string& from, const std::string& to) {
    EXPECT_EQ(from.size(), to.size());
    auto changed = bytes;
    for (auto at = changed.find(from); at != std::string::npos; at = changed.find(from, at + to.size())) {
      changed.replace(at, from.size(), to);
    }
    EXPECT_NE(changed, bytes) << from;
    return message_of<std::runtime_error>([&] { parse_onnx_model(changed); });
  };
  EXPECT_THAT(error_after("Mul", "Sub"), HasSubstr("self-modulation with an unexpected operator Sub"));
  EXPECT_THAT(error_after("Gemm", "Conv"), HasSubstr("not a chain"));
  EXPECT_THAT(error_after("transB", "transA"), HasSubstr("unexpected operator Gemm"));
  EXPECT_THAT(error_after("nearest", "nearesT"), HasSubstr("unexpected operator Resize"));
  EXPECT_THAT(error_after("layer2.relu", "layer2.rely"), HasSubstr("unexpected operator Relu"));
  EXPECT_THAT(error_after("layer2.scaled", "layer2.scalex"), HasSubstr("unexpected operator Mul"));
  EXPECT_THAT(error_after("2.hidden.bias", "2.hidden.bits"), HasSubstr("unexpected operator Gemm"));
}

TEST(OnnxParser, ChecksTheShapesOfConvolutionsAndBatchNorm) {
  auto network = exported_network(load_generator(sample_generator("seed: 1")));
  EXPECT_NO_THROW(parse_onnx_model(onnx_model(network)));
  const auto error = [&] { return message_of<std::runtime_error>([&] { parse_onnx_model(onnx_model(network)); }); };
  auto& conv = std::get<TransposedConvolutionLayer>(network.layers[0]);
  const auto bias = std::exchange(conv.bias, at::zeros({conv.weight.size(1) + 1}));
  EXPECT_THAT(error(), HasSubstr("bias does not match its weight"));
  conv.bias = bias;
  auto& norm = std::get<BatchNormLayer>(network.layers[1]);
  norm.running_var = at::ones({norm.running_mean.size(0) - 1});
  EXPECT_THAT(error(), HasSubstr("one element per channel"));
}

TEST(OnnxParser, ChecksTheShapesOfSelfModulation) {
  auto network = exported_network(load_generator(sample_generator("generator: {norm: self_modulated}")));
  auto& layer = std::get<ModulationLayer>(network.layers[2]);
  const auto error_with = [&](at::Tensor ModulationLayer::* member, const at::Tensor& tensor) {
    const auto before = layer.*member;
    layer.*member = tensor;
    const auto message = message_of<std::runtime_error>([&] { parse_onnx_model(onnx_model(network)); });
    layer.*member = before;
    return message;
  };
  EXPECT_NO_THROW(parse_onnx_model(onnx_model(network)));
  for (const auto member : {&ModulationLayer::hidden_bias, &ModulationLayer::output_bias}) {
    EXPECT_THAT(error_with(member, at::zeros({6})), HasSubstr("shapes do not match"));
    EXPECT_THAT(error_with(member, at::zeros({32, 1})), HasSubstr("invalid tensor"));
  }
  EXPECT_THAT(error_with(&ModulationLayer::hidden_weight, at::zeros({31, 5})), HasSubstr("shapes do not match"));
  layer.size = 0;
  EXPECT_THAT(message_of<std::runtime_error>([&] { parse_onnx_model(onnx_model(network)); }),
              HasSubstr("invalid sizes"));
  layer.size = 5;
  EXPECT_THROW(run_network(parse_onnx_model(onnx_model(network)), some_latents(2)), c10::Error);
}

}  // namespace
}  // namespace slopegan
