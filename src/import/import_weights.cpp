#include "import/import_weights.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <variant>

#include <ATen/ATen.h>

#include "config/enums.h"
#include "config/print.h"
#include "import/weight_names.h"
#include "models/block.h"
#include "run/json.h"
#include "run/run_directory.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/text.h"
#include "training/gan_state.h"
#include "training/run_files.h"

namespace slopegan {

namespace {

// --- Whether weights fit a configuration

/// A property of a network that both its weights and the configuration determine.
struct NetworkShape {
  const char* key;
  std::string weights, config;
};

using NetworkShapes = std::vector<NetworkShape>;

/// Adds the size of a dimension of a convolution, if `weights` contains the convolution.
void add_size(NetworkShapes& shapes, const char* key, const NamedTensors& weights, const std::string& convolution,
              std::int64_t dimension, std::int64_t configured) {
  const auto weight = weights.find(convolution + ".conv.weight");
  if (weight == weights.end() || weight->second.dim() != 4) return;
  shapes.push_back({key, std::to_string(weight->second.size(dimension)), std::to_string(configured)});
}

std::int64_t count_blocks(const NamedTensors& weights) {
  std::int64_t count = 0;
  while (weights.contains("block" + std::to_string(count) + ".conv.weight")) ++count;
  return count;
}

/// The normalisation of a network, according to the tensors of its second block.
std::string norm_of(const NamedTensors& weights) {
  if (weights.contains("block1.norm.weight")) return "batch";
  if (weights.contains("block1.modulation.output.weight")) return "self_modulated";
  return weights.contains("block1.conv.u") ? "spectral" : "none";
}

/// The activation of a network: prelu if the weights contain slopes, otherwise the configured activation or, if that is
/// prelu, leaky_relu.
std::string activation_of(const NamedTensors& weights, ActivationKind configured) {
  const bool learned = weights.contains("block0.activation.slope") || weights.contains("block0.activation.slope_logit");
  if (learned) return std::string(name_of(ActivationKind::prelu));
  return std::string(name_of(configured == ActivationKind::prelu ? ActivationKind::leaky_relu : configured));
}

/// "generator.width: 32 in the weights, 64 in the configuration; …": the keys whose values differ.
std::string differing_keys(const Config& config, const NamedTensors& generator, const NamedTensors& discriminator) {
  const auto& g = config.generator;
  const auto& d = config.discriminator;
  const std::int64_t blocks = count_blocks(generator);
  const std::string last = "block" + std::to_string(blocks - 1);
  NetworkShapes shapes;
  if (blocks >= 2 && blocks <= 16) {
    shapes.push_back({"data.resolution", std::to_string(4 << (blocks - 1)), std::to_string(config.data.resolution)});
  }
  add_size(shapes, "generator.latent_dim", generator, "block0", 0, g.latent_dim);
  add_size(shapes, "generator.width", generator, last, 0, g.width);
  shapes.push_back({"generator.norm", norm_of(generator), std::string(name_of(g.norm))});
  shapes.push_back(
      {"generator.activation", activation_of(generator, g.activation), std::string(name_of(g.activation))});
  if (!discriminator.empty()) {
    add_size(shapes, "discriminator.width", discriminator, "block0", 0, d.width);
    shapes.push_back({"discriminator.norm", norm_of(discriminator), std::string(name_of(d.norm))});
    shapes.push_back(
        {"discriminator.activation", activation_of(discriminator, d.activation), std::string(name_of(d.activation))});
  }
  std::vector<std::string> differing;
  for (const auto& [key, of_weights, of_config] : shapes) {
    if (of_weights == of_config) continue;
    differing.push_back(format_text("{}: {} in the weights, {} in the configuration", key, of_weights, of_config));
  }
  return join(differing, "; ");
}

/// Converts the slopes of an exported generator to logits for activations that learn logits. Throws CheckpointError if
/// a slope has no logit; messages name the tensors with `prefix`.
NamedTensors with_slope_logits(NamedTensors saved, const NamedTensors& live, const std::string& prefix) {
  for (const auto& [name, tensor] : live) {
    if (!name.ends_with(".slope_logit")) continue;
    const auto slope = saved.find(name.substr(0, name.size() - std::string_view("_logit").size()));
    if (slope == saved.end()) continue;
    const auto& slopes = slope->second;
    if (const auto outside = slopes.masked_select(slopes.le(0).logical_or(slopes.ge(1))); outside.numel() > 0) {
      throw CheckpointError(format_text(
          "{}{} contains the slope {}, but with generator.prelu = bounded or bounded_channel, slopes must be "
          "greater than 0 and less than 1; for other slopes, use shared or channel",
          prefix, printable(slope->first), shortest(outside.flatten()[0].item<double>())));
    }
    saved.emplace(name, slopes.logit());
    saved.erase(slope);
  }
  return saved;
}

void check_finite(const NamedTensors& weights, const std::string& source) {
  for (const auto& [name, tensor] : weights) {
    if (tensor.is_floating_point() && !tensor.isfinite().all().item<bool>()) {
      throw CheckpointError(source + ": " + printable(name) + " is not finite");
    }
  }
}

void restore_optimizers(const GanState& state, const NamedTensors& weights) {
  restore_tensors(state.generator_optimizer.state(), with_prefix(weights, "optimizer.generator."));
  restore_tensors(state.discriminator_optimizer.state(), with_prefix(weights, "optimizer.discriminator."));
}

/// Whether the batch norm of a self-modulated generator was folded into its convolutions, which loses its statistics.
bool has_folded_modulation(const NamedTensors& generator) {
  return generator.contains("block1.modulation.output.weight") && !generator.contains("block1.norm.running_mean");
}

/// Returns the state of a run with `config` that starts with `weights` and has seen 0 images. The names of the weights
/// must be those used in checkpoints. If the discriminator is missing, it is randomly initialised. If the generator or
/// its average (ema.*) is missing, it is copied from the other. The moments of the optimisers are copied if
/// `with_optimizer` is true.
///
/// Throws CheckpointError if the weights do not fit or are not finite. The message names `source`, the configuration
/// keys that differ and the first tensors that do not match.
GanState transfer_weights(const Config& config, std::int64_t channels, const NamedTensors& weights, bool with_optimizer,
                          const std::string& source) {
  check_finite(weights, source);
  auto generator = with_prefix(weights, "generator."), average = with_prefix(weights, "ema.");
  const auto discriminator = with_prefix(weights, "discriminator.");
  if (generator.empty()) generator = average;
  if (average.empty()) average = generator;
  if (generator.empty()) throw CheckpointError(source + " contains no generator");
  if (has_folded_modulation(generator)) {
    throw CheckpointError(source +
                          ": the batch norm of this self-modulated generator was folded into its convolutions, so it "
                          "cannot be imported; export it again without --fold-batch-norm");
  }
  for (const char* network : {"optimizer.generator.", "optimizer.discriminator."}) {
    if (with_optimizer && with_prefix(weights, network).empty()) {
      throw CheckpointError(source + " contains no optimiser state");
    }
  }
  GanState state(config, channels, at::kCPU);
  try {
    const auto live = named_tensors(*state.generator);
    restore_tensors(live, with_slope_logits(generator, live, "generator."));
    if (state.ema_generator) {
      restore_tensors(named_tensors(*state.ema_generator), with_slope_logits(average, live, "ema."));
    }
    if (!discriminator.empty()) restore_tensors(named_tensors(*state.discriminator), discriminator);
    if (with_optimizer) restore_optimizers(state, weights);
  } catch (const CheckpointError& error) {
    const std::string keys = differing_keys(config, generator, discriminator);
    throw CheckpointError(source + " does not fit the configuration" + (keys.empty() ? "" : " (" + keys + ")") + ": " +
                          error.what());
  }
  return state;
}

}  // namespace

Checkpoint fine_tuning_start(const Config& config, const Dataset& dataset, const Checkpoint& checkpoint,
                             bool with_optimizer) {
  Checkpoint start;
  start.directory = checkpoint.directory;
  start.info.slopegan_version = checkpoint.info.slopegan_version;
  start.info.config_yaml = to_yaml(config);
  start.info.dataset_hash = dataset.hash;
  start.tensors =
      transfer_weights(config, dataset.channels(), checkpoint.tensors, with_optimizer, display(checkpoint.directory))
          .tensors();
  return start;
}

// --- Slopes

namespace {

constexpr double learned_slope = std::numeric_limits<double>::quiet_NaN();

/// Returns the slope of an activation after 0 images, or learned_slope if it is part of the weights.
struct InitialSlope {
  double operator()(const FixedSlope& fixed) const { return fixed.negative_slope; }
  double operator()(const ChannelSlopes& /*learned*/) const { return learned_slope; }
};

/// The slopes of a network with this configuration after 0 images.
std::vector<double> initial_slopes(const ActivationConfig& config, std::int64_t resolution) {
  std::vector<double> slopes;
  for (std::size_t layer = 0; layer < static_cast<std::size_t>(stage_count(resolution)); ++layer) {
    const auto function = make_activation(config, layer, /*channels=*/1, /*seed=*/0, "")->freeze();
    slopes.push_back(std::visit(InitialSlope{}, function));
  }
  return slopes;
}

/// Whether each slope that is fixed both before and after has kept its value. Learned slopes (NaN) are part of the
/// weights.
bool are_kept(const std::vector<double>& before, const std::vector<double>& after) {
  const auto is_kept = [](double a, double b) { return a == b || std::isnan(a) || std::isnan(b); };
  return std::ranges::equal(before, after, is_kept);
}

/// "0.2" if all slopes are equal, otherwise "[0.1, 0.2]", as in a configuration.
std::string slopes_text(const std::vector<double>& slopes) {
  std::vector<std::string> texts;
  for (const double slope : slopes) texts.push_back(shortest(slope));
  const bool are_equal = std::ranges::count(texts, texts.front()) == std::ssize(texts);
  return are_equal ? texts.front() : "[" + join(texts, ", ") + "]";
}

/// The settings that give `network` these slopes, such as "generator.negative_slope=0.2". Activations other than
/// leaky_relu ignore negative_slope or use it only as the initial slope.
std::string slope_settings(const std::string& network, const ActivationConfig& config,
                           const std::vector<double>& slopes) {
  const std::string activation = network + ".activation=leaky_relu ";
  return (config.activation == ActivationKind::leaky_relu ? "" : activation) + network +
         ".negative_slope=" + slopes_text(slopes);
}

}  // namespace

std::vector<std::string> restarted_schedules(const Config& config, const Checkpoint& checkpoint) {
  const Config before = checkpoint_config(checkpoint);
  const std::int64_t images = checkpoint.info.images;
  std::vector<std::string> notes;
  const auto compare = [&](const std::string& network, const ActivationConfig& source, const ActivationConfig& target) {
    const auto& schedule = source.negative_slope.schedule;
    if (source.activation != ActivationKind::leaky_relu || !schedule) return;
    const auto slopes = initial_slopes(target, config.data.resolution);
    const std::vector<double> reached(slopes.size(), schedule->at(images));
    if (are_kept(reached, slopes)) return;
    notes.push_back(format_text(
        "the negative slope of the {} was {} after {} images and is {} at the start of the new run; to keep the old "
        "slope, set {}",
        network, slopes_text(reached), images, slopes_text(slopes), slope_settings(network, target, reached)));
  };
  compare("generator", before.generator, config.generator);
  compare("discriminator", before.discriminator, config.discriminator);
  return notes;
}

// --- Import

namespace {

/// The slopes of the activations in an export, according to the description of its layers (export/export.h). Empty for
/// other files, and if the description is damaged.
std::vector<double> exported_slopes(const SafetensorsMetadata& metadata) {
  const auto layers = metadata.find("layers");
  if (layers == metadata.end()) return {};
  const auto object = parse_json_object("{\"layers\": " + layers->second + "}");
  if (!object) return {};
  try {
    std::vector<double> slopes;
    for (const auto& layer : object->at("layers")) {
      if (layer.at(0) == "LeakyReLU") slopes.push_back(number_or_nan(layer.at(1).at("negative_slope")));
      if (layer.at(0) == "PReLU") slopes.push_back(learned_slope);
    }
    return slopes;
  } catch (const nlohmann::json::exception&) {
  } catch (const WrongJsonType&) {
  }
  return {};
}

/// Warns if an export was trained with slopes other than the configured ones. Learned slopes are part of the weights.
void warn_of_other_slopes(const std::vector<double>& exported, const Config& config, const std::string& source) {
  const auto configured = initial_slopes(config.generator, config.data.resolution);
  if (exported.size() != configured.size() || are_kept(exported, configured)) return;
  log::warning(format_text(
      "{} was exported with the negative slope {}, but the configuration has {}, which replaces it; to keep the slope, "
      "set {}",
      source, slopes_text(exported), slopes_text(configured), slope_settings("generator", config.generator, exported)));
}

/// Weights from elsewhere, and what is known about their training.
struct ForeignWeights {
  NamedTensors tensors;
  std::vector<std::string> differences = {};  ///< between their configuration and that of the new run
  std::vector<std::string> restarts = {};     ///< see restarted_schedules
  std::vector<double> slopes = {};            ///< see exported_slopes
};

ForeignWeights from_checkpoint(Checkpoint checkpoint, const Config& config) {
  ForeignWeights weights;
  try {
    weights.differences = training_differences(checkpoint_config(checkpoint), config);
    weights.restarts = restarted_schedules(config, checkpoint);
  } catch (const CheckpointError& error) {  // the weights can be used without their configuration
    log::warning(error.what());
  }
  weights.tensors = std::move(checkpoint.tensors);
  return weights;
}

ForeignWeights read_weights(const std::filesystem::path& weights, const Config& config) {
  std::error_code ignored;
  if (std::filesystem::is_directory(weights, ignored) || is_run_or_checkpoint(weights)) {
    return from_checkpoint(load_checkpoint(resolve_checkpoint(weights)), config);
  }
  refuse_other_formats(weights);
  try {
    const auto content = read_safetensors(weights);
    return {.tensors = with_checkpoint_names(content.tensors), .slopes = exported_slopes(content.metadata)};
  } catch (const CheckpointError& error) {
    const std::string message = error.what(), file = display(weights);
    throw CheckpointError(message.find(file) == std::string::npos ? file + ": " + message : message);
  }
}

/// The number of image channels of the generator in `weights`.
std::int64_t image_channels_of(const NamedTensors& weights, const std::string& source) {
  for (const char* network : {"generator.", "ema."}) {
    const auto tensors = with_prefix(weights, network);
    if (tensors.empty()) continue;
    const auto last = tensors.find("block" + std::to_string(count_blocks(tensors) - 1) + ".conv.weight");
    const std::int64_t channels = last != tensors.end() && last->second.dim() == 4 ? last->second.size(1) : 0;
    if (channels == 1 || channels == 3) return channels;
    throw CheckpointError(source + " contains no generator for images with 1 or 3 channels");
  }
  throw CheckpointError(source + " contains no generator");
}

RunInfo describe_import(const RunOrigin& origin) {
  RunInfo info;
  info.versions = origin.versions;
  info.argv = origin.argv;
  info.host = this_host();
  info.precision = "float32";
  info.device = "cpu";
  return info;
}

}  // namespace

std::filesystem::path import_weights(const Config& config, const std::filesystem::path& weights,
                                     const RunOrigin& origin) {
  const auto [tensors, differences, restarts, slopes] = read_weights(weights, config);
  const std::string source = display(weights);
  const GanState state = transfer_weights(config, image_channels_of(tensors, source), tensors, false, source);
  if (!differences.empty()) {
    log::info("differences from the run that the weights come from: " + join(differences, ", "));
  }
  for (const auto& restart : restarts) log::warning(restart);
  warn_of_other_slopes(slopes, config, source);
  if (with_prefix(tensors, "discriminator.").empty()) {
    log::info(source + " has no discriminator, so a randomly initialised one is used");
  }
  const auto directory = RunDirectory::create(configured_directory(config.run));
  try {
    write_configuration(config, directory, origin);
    RunRecord record(directory, describe_import(origin));
    CheckpointInfo info;
    info.slopegan_version = origin.versions.slopegan;
    info.config_yaml = to_yaml(config);
    save_checkpoint(directory.checkpoints_dir(), info, state.tensors(), config.checkpoint.keep);
    record.end(RunStatus::stopped, 0);
  } catch (...) {
    directory.discard_if_unused();
    throw;
  }
  return directory.root();
}

}  // namespace slopegan
