#include "training/run_files.h"

#include "config/print.h"
#include "images/convert.h"
#include "images/grid.h"
#include "images/image_file.h"
#include "sampling/samples.h"
#include "support/files.h"

namespace slopegan {

RunInfo describe_run(const Compute& compute, const Dataset& dataset, const std::optional<Checkpoint>& resume,
                     const RunOrigin& origin) {
  RunInfo info;
  info.images = resume ? resume->info.images : 0;
  info.versions = origin.versions;
  info.argv = origin.argv;
  info.host = this_host();
  info.threads = compute.threads;
  info.precision = compute.type == at::kBFloat16 ? "bfloat16" : "float32";
  info.device = compute.device.str();
  info.dataset = {dataset.name, dataset.hash, dataset.size()};
  return info;
}

void write_configuration(const Config& config, const RunDirectory& directory, const RunOrigin& origin) {
  write_file_atomic(directory.config_file(), to_yaml(config));
  std::string overrides = "# key=value arguments of the last start, in their order\n";
  for (const auto& text : origin.overrides) overrides += "- " + yaml_scalar(text) + "\n";
  write_file_atomic(directory.overrides_file(), overrides);
  make_directories(directory.samples_dir());
  make_directories(directory.checkpoints_dir());
}

void write_run_files(const Config& config, const Dataset& dataset, const RunDirectory& directory,
                     const RunOrigin& origin) {
  write_configuration(config, directory, origin);
  write_png(directory.reals_file(),
            tile_grid(to_mats(real_images(dataset, config, config.samples.rows * config.samples.columns)),
                      samples_layout(config.samples)));
}

}  // namespace slopegan
