#include "training/load_generator.h"

#include "config/load.h"
#include "support/errors.h"
#include "support/text.h"
#include "training/gan_state.h"

namespace slopegan {

LoadedGenerator load_generator(const Checkpoint& checkpoint) {
  const std::string source = (checkpoint.directory / "manifest.json").string() + ", config";
  const Config config = parse_config(checkpoint.info.config_yaml, source);
  const auto averaged = with_prefix(checkpoint.tensors, "ema.");
  const auto tensors = averaged.empty() ? with_prefix(checkpoint.tensors, "generator.") : averaged;
  // The image's channels are those of the last transposed convolution, [in, out, k, k].
  const auto last = "block" + std::to_string(stage_count(config.data.resolution)) + ".conv.weight";
  const auto weight = tensors.find(last);
  if (weight == tensors.end() || weight->second.dim() != 4) {
    throw CheckpointError(printable(checkpoint.directory.string()) + " holds no generator with a layer " + last);
  }
  LoadedGenerator loaded;
  loaded.config = config;
  loaded.images = checkpoint.info.images;
  loaded.generator = Generator(config.generator, config.data.resolution, weight->second.size(1),
                               static_cast<std::uint64_t>(config.seed));
  restore_tensors(named_tensors(*loaded.generator), tensors);
  loaded.generator->set_images(loaded.images);
  loaded.generator->eval();
  return loaded;
}

}  // namespace slopegan
