#include "training/run_files.h"

#include <chrono>

#include "config/print.h"
#include "images/convert.h"
#include "images/grid.h"
#include "images/image_file.h"
#include "sampling/samples.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/log.h"

namespace slopegan {

RunRecord::RunRecord(const RunDirectory& directory, RunInfo info) : directory_(directory), info_(std::move(info)) {
  info_.started = utc_timestamp(std::chrono::system_clock::now());
  end(RunStatus::running, info_.images);
}

void RunRecord::end(RunStatus status, std::int64_t images) {
  info_.status = status;
  info_.images = images;
  info_.updated = utc_timestamp(std::chrono::system_clock::now());
  directory_.check_in_place();
  write_run_info(directory_.run_info_file(), info_);
}

void RunRecord::end_badly(RunStatus status, std::int64_t images) {
  try {
    end(status, images);
  } catch (const IoError& error) {
    log::warning(error.what());
  }
}

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
