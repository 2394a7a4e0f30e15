#include "training/import_weights.h"

#include <ATen/ATen.h>

#include "config/print.h"
#include "sampling/load_generator.h"
#include "support/errors.h"
#include "support/text.h"
#include "training/gan_state.h"
#include "training/run_files.h"

namespace slopegan {

namespace {

/// Reads the file as a Checkpoint, so that load_generator can check it.
Checkpoint read_weights(const std::filesystem::path& file, const Config& config) {
  Checkpoint weights{.directory = file, .info = {}, .tensors = read_safetensors(file).tensors};
  weights.info.config_yaml = to_yaml(config);
  for (const auto& [name, tensor] : weights.tensors) {
    if (!name.starts_with("generator.") && !name.starts_with("discriminator.")) {
      throw CheckpointError(display(file) + " contains the tensor " + printable(name) +
                            "; all names must start with generator. or discriminator.");
    }
    if (tensor.is_floating_point() && !tensor.isfinite().all().item<bool>()) {
      throw CheckpointError(display(file) + ": " + printable(name) + " is not finite");
    }
  }
  return weights;
}

GanState make_state(const Config& config, const Checkpoint& weights) {
  const auto loaded = load_generator(weights);
  const auto tensors = named_tensors(*loaded.generator);
  GanState state(config, loaded.generator->blocks.back()->conv->options().out_channels, at::kCPU);
  restore_tensors(named_tensors(*state.generator), tensors);
  if (state.ema_generator) restore_tensors(named_tensors(*state.ema_generator), tensors);
  const auto discriminator = with_prefix(weights.tensors, "discriminator.");
  if (!discriminator.empty()) restore_tensors(named_tensors(*state.discriminator), discriminator);
  return state;
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
  const GanState state = make_state(config, read_weights(weights, config));
  const auto directory = RunDirectory::create(std::filesystem::path(config.run.output_dir) / config.run.name);
  write_configuration(config, directory, origin);
  RunRecord record(directory, describe_import(origin));
  CheckpointInfo info;
  info.slopegan_version = origin.versions.slopegan;
  info.config_yaml = to_yaml(config);
  save_checkpoint(directory.checkpoints_dir(), info, state.tensors(), config.checkpoint.keep);
  record.end(RunStatus::stopped, 0);
  return directory.root();
}

}  // namespace slopegan
