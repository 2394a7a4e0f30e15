#include "sampling/load_generator.h"

#include "models/named_tensors.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

/// Returns the number of image channels. Checks the sizes of the layers against the configuration before a network of
/// that size is allocated.
static std::int64_t image_channels(const Checkpoint& checkpoint, const Config& config, const NamedTensors& tensors) {
  const auto stages = stage_count(config.data.resolution);
  std::int64_t in = config.generator.latent_dim, out = 0;
  for (std::int64_t stage = 0; stage <= stages; ++stage, in = out) {
    const std::string layer = "block" + std::to_string(stage) + ".conv.weight";  // [in, out, k, k]
    const auto weight = tensors.find(layer);
    const bool fits = weight != tensors.end() && weight->second.dim() == 4 && weight->second.size(0) == in;
    out = fits ? weight->second.size(1) : 0;
    const bool last = stage == stages;
    if (last ? out == 1 || out == 3 : out > 0 && out == config.generator.width << (stages - 1 - stage)) continue;
    throw CheckpointError(printable(checkpoint.directory.string()) +
                          " has no generator that matches its configuration: " + layer +
                          (weight != tensors.end() ? " has a different shape" : " is missing"));
  }
  return out;
}

LoadedGenerator load_generator(const Checkpoint& checkpoint) {
  const Config config = checkpoint_config(checkpoint);
  const auto averaged = with_prefix(checkpoint.tensors, "ema.");
  const auto tensors = averaged.empty() ? with_prefix(checkpoint.tensors, "generator.") : averaged;
  LoadedGenerator loaded;
  loaded.config = config;
  loaded.images = checkpoint.info.images;
  loaded.generator = Generator(config.generator, config.data.resolution, image_channels(checkpoint, config, tensors),
                               static_cast<std::uint64_t>(config.seed));
  restore_tensors(named_tensors(*loaded.generator), tensors);
  loaded.generator->set_images(loaded.images);
  loaded.generator->eval();
  return loaded;
}

}  // namespace slopegan
