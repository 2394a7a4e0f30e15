#include "models/block.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include <ATen/ATen.h>

#include "config/validate.h"
#include "layers/initialisation.h"
#include "support/text.h"

namespace slopegan {

// --- Block

BlockImpl::BlockImpl(const BlockOptions& options) {
  conv = register_module("conv", Convolution(options.convolution));
  const std::int64_t channels = options.convolution.out_channels, latent_dim = options.modulating_latent_dim;
  if (options.batch_norm) {
    norm = register_module("norm", BatchNormActivation(channels, options.activation, /*affine=*/latent_dim == 0));
  }
  if (latent_dim > 0) modulation = register_module("modulation", LatentModulation(latent_dim, channels));
  if (options.activation) activation = register_module("activation", options.activation);
}

at::Tensor BlockImpl::forward(const at::Tensor& input, const at::Tensor& latent) {
  const auto x = conv->forward(input);
  const auto scale_and_shift = modulation ? modulation->forward(latent) : Modulation();
  // The batch norm module also applies the activation, because the two can be fused.
  if (!activation) return norm ? norm->forward(x, scale_and_shift) : x;
  if (!observer) return norm ? norm->forward(x, scale_and_shift) : activation->forward(x);
  const auto z = norm ? norm->normalise(x, scale_and_shift) : x;
  const auto pre_activation = z.detach().clone();  // the activation may overwrite its input
  auto output = activation->forward(z);
  observer(pre_activation, output.detach());
  return output;
}

LayerSummary BlockImpl::summary(const std::string& name, std::int64_t input_size) const {
  const auto& o = conv->options();
  const std::int64_t size = conv->output_size(input_size);
  LayerSummary line{name, "", {o.out_channels, size, size}, 0};
  line.kind = format_text("{} {}x{}/{}", o.transposed ? "transposed conv" : "conv", o.kernel, o.kernel, o.stride);
  if (o.spectral_norm) line.kind += ", spectral norm";
  if (norm) line.kind += modulation ? ", self-modulated batch norm" : ", batch norm";
  if (activation) line.kind += ", " + activation->description();
  for (const auto& parameter : parameters()) line.parameters += parameter.numel();
  return line;
}

// --- BlockChain

BlockChainImpl::BlockChainImpl(std::string name) : torch::nn::Module(std::move(name)) {}

void BlockChainImpl::add(const BlockOptions& options) {
  blocks.push_back(register_module("block" + std::to_string(blocks.size()), Block(options)));
}

std::vector<LayerSummary> BlockChainImpl::summaries(std::int64_t input_size) const {
  std::vector<LayerSummary> lines;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    lines.push_back(blocks[i]->summary(name() + ".block" + std::to_string(i), input_size));
    input_size = lines.back().output_shape.back();
  }
  return lines;
}

void BlockChainImpl::set_images(std::int64_t images) {
  for (auto& block : blocks) {
    if (block->activation) block->activation->set_images(images);
  }
}

void BlockChainImpl::set_sum_over_ranks(const SumOverRanks& sum) {
  for (auto& block : blocks) {
    if (block->norm) block->norm->sum_over_ranks = sum;
  }
}

std::vector<const ActivationImpl*> BlockChainImpl::activations() const {
  std::vector<const ActivationImpl*> found;
  for (const auto& block : blocks) {
    if (block->activation) found.push_back(block->activation.get());
  }
  return found;
}

std::vector<double> BlockChainImpl::negative_slopes() const {
  std::vector<double> slopes;
  for (const auto* activation : activations()) slopes.push_back(activation->negative_slope());
  return slopes;
}

std::optional<double> BlockChainImpl::moving_slope() const {
  double sum = 0, count = 0;
  for (const auto* activation : activations()) {
    const auto slope = activation->moving_slope();
    if (!slope) continue;
    sum += *slope;
    ++count;
  }
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

bool BlockChainImpl::is_repeatable() const {
  return std::ranges::all_of(activations(), [](const auto* activation) { return activation->is_repeatable(); });
}

std::int64_t BlockChainImpl::parameter_count() const {
  std::int64_t count = 0;
  for (const auto& parameter : parameters()) count += parameter.numel();
  return count;
}

void BlockChainImpl::initialise(const InitConfig& init, std::uint64_t seed) {
  double gain = 1;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    auto& block = *blocks[i];
    const std::string stream = "init/" + name() + "/block" + std::to_string(i);
    const double matched = gain / std::sqrt(static_cast<double>(block.conv->fan_in()));
    fill_normal(block.conv->weight, 0, init.mode == InitMode::normal ? init.std : matched, seed,
                stream + "/conv.weight");
    if (block.conv->u.defined()) fill_normal(block.conv->u, 0, 1, seed, stream + "/conv.u");
    if (block.modulation) {
      block.modulation->initialise(init.std, seed, stream + "/modulation");
    } else if (block.norm) {
      fill_normal(block.norm->weight, 1, init.std, seed, stream + "/norm.weight");
    }
    if (block.activation) gain = leaky_relu_gain(block.activation->negative_slope());
  }
}

// --- Activations as configured

static PReLUOptions prelu_options(const ActivationConfig& config, std::size_t layer, std::int64_t channels) {
  const double initial = config.negative_slope.at(layer);
  switch (config.prelu) {
    case PReluKind::shared:
      return {1, initial, /*bounded=*/false};
    case PReluKind::channel:
      return {channels, initial, /*bounded=*/false};
    case PReluKind::bounded:
      return {1, initial, /*bounded=*/true};
    case PReluKind::bounded_channel:
      return {channels, initial, /*bounded=*/true};
  }
  TORCH_CHECK(false, "unknown kind of PReLU");
}

std::shared_ptr<ActivationImpl> make_activation(const ActivationConfig& config, std::size_t layer,
                                                std::int64_t channels, std::uint64_t seed, const std::string& network) {
  const auto leaky = [](std::variant<double, SlopeSchedule> slope, double lowest) {
    // Convolution and batch norm do not need their output in the backward pass, so the activation may overwrite it.
    return std::make_shared<LeakyReLUImpl>(LeakyReLUOptions{slope, /*inplace=*/lowest >= 0});
  };
  switch (config.activation) {
    case ActivationKind::relu:
      return leaky(0.0, 0);
    case ActivationKind::leaky_relu: {
      const auto& slope = config.negative_slope;
      if (slope.schedule) return leaky(*slope.schedule, std::min(slope.schedule->from, slope.schedule->to));
      return leaky(slope.at(layer), slope.at(layer));
    }
    case ActivationKind::prelu:
      return std::make_shared<PReLUImpl>(prelu_options(config, layer, channels));
    case ActivationKind::rrelu:
      return std::make_shared<RReLUImpl>(
          RReLUOptions{config.rrelu, seed, "rrelu/" + network + "/block" + std::to_string(layer)});
  }
  TORCH_CHECK(false, "unknown activation");
}

std::int64_t stage_count(std::int64_t resolution) {
  TORCH_CHECK_VALUE(resolution >= 16 && std::has_single_bit(static_cast<std::uint64_t>(resolution)),
                    "a DCGAN needs a resolution that is a power of two and at least 16, got ", resolution);
  return activation_count(resolution);
}

}  // namespace slopegan
