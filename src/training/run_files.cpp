#include "training/run_files.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "config/print.h"
#include "images/convert.h"
#include "images/grid.h"
#include "images/image_file.h"
#include "run/records.h"
#include "sampling/samples.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/log.h"
#include "support/text.h"

namespace slopegan {

RunInfo describe_run(const Compute& compute, const Dataset& dataset, const std::optional<Checkpoint>& resume,
                     const RunOrigin& origin) {
  RunInfo info;
  info.images = resume ? resume->info.images : 0;
  info.versions = origin.versions;
  info.argv = origin.argv;
  info.host = this_host();
  info.threads = compute.threads;
  info.threads_reason = compute.threads_reason;
  info.precision = compute.type == at::kBFloat16 ? "bfloat16" : "float32";
  info.device = compute.device.str();
  info.dataset = {dataset.name, dataset.hash, dataset.size()};
  return info;
}

void write_configuration(const Config& config, const RunDirectory& directory, const RunOrigin& origin) {
  write_file_atomic(directory.config_file(), to_yaml(config));
  std::string overrides = "# key=value arguments of the last start, in the order given\n";
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

bool belongs_to(const Checkpoint& checkpoint, const RunDirectory& directory) {
  std::error_code error;
  return std::filesystem::equivalent(checkpoint.directory.parent_path(), directory.checkpoints_dir(), error);
}

namespace {

/// Removes the checkpoints that were written after more than `images` images. They belong to an abandoned branch of
/// training, from which --resume auto must not continue.
void remove_later_checkpoints(const RunDirectory& directory, std::int64_t images) {
  for (const auto& newer : remove_newer_checkpoints(directory.checkpoints_dir(), images)) {
    log::info("removed " + display(newer) + ", which is newer than the checkpoint to resume from");
  }
}

/// Removes the samples that were written after more than `images` images, so that time sheets (sheets/sheets.h) do not
/// show an abandoned branch of training.
void remove_later_samples(const RunDirectory& directory, std::int64_t images) {
  for (const auto sample : directory.sample_counts()) {
    if (sample > images) remove_tree(directory.samples_file(sample));
  }
}

}  // namespace

std::vector<std::string> training_differences(const Config& before, const Config& after) {
  // Keys that may differ. They set names, paths, lengths and intervals, and how the machine is used.
  static const std::vector<std::string> free = {"run.",
                                                "data.path",
                                                "training.total_images",
                                                "training.threads",
                                                "training.precision",
                                                "training.device",
                                                "samples.",
                                                "checkpoint.",
                                                "metrics.",
                                                "diagnostics.",
                                                "events.",
                                                "sweep."};
  std::vector<std::string> found;
  for (const auto& difference : differences(before, after)) {
    const bool is_free = std::any_of(free.begin(), free.end(),
                                     [&](const std::string& prefix) { return difference.key.starts_with(prefix); });
    if (!is_free) found.push_back(difference.key + ": " + difference.before + " -> " + difference.after);
  }
  return found;
}

std::vector<std::string> training_differences(const Config& config, const Dataset& dataset,
                                              const Checkpoint& checkpoint) {
  auto found = training_differences(checkpoint_config(checkpoint), config);
  if (checkpoint.info.was_trained_on_other_images(dataset.hash)) {
    found.push_back("the images at data.path have a different SHA-256: " +
                    printable(checkpoint.info.dataset_hash.substr(0, 12)) + " -> " + dataset.hash.substr(0, 12));
  }
  return found;
}

void check_resumable(const Config& config, const Dataset& dataset, const Checkpoint& checkpoint) {
  const auto problems = training_differences(config, dataset, checkpoint);
  if (problems.empty()) return;
  const std::string directory = display(checkpoint.directory);
  throw CheckpointError(
      directory + " was trained with different values and cannot be resumed with these (" + join(problems, ", ") +
      "); restore the old values, or start a new run with its weights: " + "--resume " + directory + " run.name=...");
}

bool lacks_evaluation(const Checkpoint& checkpoint, const Config& config, const RunDirectory& directory) {
  const auto size_of = [&](const std::filesystem::path& file) {
    const auto size = checkpoint.info.file_offsets.find(file.filename());
    return size == checkpoint.info.file_offsets.end() ? 0 : size->second;
  };
  const auto every = config.metrics.every_images, images = checkpoint.info.images;
  if (every == 0 || !belongs_to(checkpoint, directory) || size_of(directory.history_file()) == 0) return false;
  const auto metrics = directory.metrics_file();
  const auto record = size_of(metrics) > 0 ? read_last_metrics(metrics, size_of(metrics)) : std::nullopt;
  const auto last = record ? record->images : 0;
  if (images >= config.training.total_images) return last < images;
  // If the last step was shortened, the evaluation of the step before it may lie in this interval.
  const auto before = std::max<std::int64_t>(0, images - full_step_images(config));
  return is_due(every, before, images) && last <= before;
}

void rewind_to(const std::optional<Checkpoint>& checkpoint, const RunDirectory& directory, RunLogs& logs) {
  const bool own = checkpoint && belongs_to(*checkpoint, directory);
  const auto sizes = own ? checkpoint->info.file_offsets : std::map<std::string, std::uint64_t>();
  RunLogs::require(directory, sizes);
  if (own) remove_later_checkpoints(directory, checkpoint->info.images);
  remove_later_samples(directory, own ? checkpoint->info.images : -1);
  logs.truncate_to(sizes);
}

}  // namespace slopegan
