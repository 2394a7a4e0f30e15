#include "training/run_files.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <c10/core/DeviceType.h>

#include "config/print.h"
#include "images/convert.h"
#include "images/grid.h"
#include "images/image_file.h"
#include "models/measured_kernels.h"
#include "run/records.h"
#include "sampling/samples.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/log.h"
#include "support/ranges.h"
#include "support/text.h"
#include "training/device_graph.h"
#include "training/gan_step.h"

namespace slopegan {

namespace {

/// The run.json of a run; std::nullopt if it is missing or damaged.
std::optional<RunInfo> find_run_info(const RunPaths& run) {
  try {
    return read_run_info(run.run_info_file());
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// The run.json of the run whose checkpoint this is.
std::optional<RunInfo> find_run_info(const Checkpoint& checkpoint) {
  return find_run_info(RunPaths(std::filesystem::absolute(checkpoint.directory).parent_path().parent_path()));
}

std::string precision_name(const Compute& compute) { return compute.type == at::kBFloat16 ? "bfloat16" : "float32"; }

/// The hardware, precision and number of threads of the step that brought the run to `images` images.
EarlierCompute compute_until(const RunInfo& info, std::int64_t images) {
  for (const auto& earlier : info.earlier_compute) {
    if (earlier.until < images) continue;
    EarlierCompute found = earlier;
    found.until = images;
    return found;
  }
  return {images, info.device, info.precision, info.threads, processor_of(info)};
}

/// The hardware on which `compute` computes; the other members of RunInfo are not set.
RunInfo hardware_of(const Compute& compute) {
  RunInfo info;
  info.host = this_host();
  info.device = compute.device.str();
  if (auto name = gpu_name(compute.device); !name.empty()) info.gpu = std::move(name);
  return info;
}

/// Whether both are known and differ.
bool differs(const std::optional<std::string>& a, const std::optional<std::string>& b) { return a && b && *a != *b; }

/// Whether `device`, such as "cuda:0", is of the same type as that of `compute`.
bool is_same_type(std::string_view device, const Compute& compute) {
  return device.substr(0, device.find(':')) == c10::DeviceTypeName(compute.device.type(), /*lower_case=*/true);
}

/// Whether training continues bit-identically with `compute` on the same processor, as far as is known. The index of
/// the GPU does not matter, nor does the number of CPU threads if the device is a GPU.
bool computes_alike(const EarlierCompute& earlier, const Compute& compute) {
  if (earlier.precision.empty() || earlier.threads <= 0) return true;  // unknown
  return is_same_type(earlier.device, compute) && earlier.precision == precision_name(compute) &&
         (!compute.device.is_cpu() || earlier.threads == compute.threads);
}

/// Copies from `earlier`, the run.json of an earlier start, the hardware, precision and number of threads with which
/// the first info.images images were trained.
void keep_earlier_compute(RunInfo& info, const RunInfo& earlier, const Config& config, const Compute& compute) {
  if (info.images == 0) return;
  const EarlierCompute before = compute_until(earlier, info.images);
  info.earlier_compute = earlier.earlier_compute;
  std::erase_if(info.earlier_compute, [&](const auto& part) { return part.until >= info.images; });
  if (info.images >= config.training.total_images) {
    info.host = earlier.host;
    info.device = before.device;
    const bool was_on_cpu = before.device == "cpu";
    if (was_on_cpu && before.processor) info.host.cpu = *before.processor;
    info.gpu = was_on_cpu ? std::nullopt : before.processor;
    info.precision = before.precision;
    info.threads = before.threads;
    info.threads_reason = earlier.threads_reason;
    info.kernels = earlier.kernels;
  } else if (!computes_alike(before, compute) || differs(before.processor, processor_of(info))) {
    info.earlier_compute.push_back(before);
  }
}

}  // namespace

RunInfo describe_run(const Config& config, const Compute& compute, const Dataset& dataset,
                     const RunDirectory& directory, const std::optional<Checkpoint>& resume, const RunOrigin& origin) {
  RunInfo info = hardware_of(compute);
  info.images = resume ? resume->info.images : 0;
  info.versions = origin.versions;
  info.argv = origin.argv;
  info.threads = compute.threads;
  info.threads_reason = compute.threads_reason;
  info.precision = precision_name(compute);
  if (compute.device.is_cpu()) info.kernels = trains_with_measured_kernels(compute) ? "measured" : "table";
  info.dataset = {dataset.name, dataset.hash, dataset.size()};
  if (!resume) return info;
  const auto earlier = find_run_info(*resume);
  if (earlier) keep_earlier_compute(info, *earlier, config, compute);
  if (earlier && belongs_to(*resume, directory)) info.started = earlier->started;
  if (earlier && info.images > 0) {
    info.inexact_at = earlier->inexact_at;
    // The steps after the checkpoint are undone. An earlier start from the same checkpoint may have been recorded as
    // inexact; its record is dropped, and whether this start is inexact is checked below.
    const bool again =
        std::ranges::any_of(earlier->earlier_compute, [&](const auto& part) { return part.until == info.images; });
    std::erase_if(info.inexact_at,
                  [&](std::int64_t images) { return images > info.images || (again && images == info.images); });
  }
  if (!contains(info.inexact_at, info.images) && !inexact_reasons(config, compute, *resume).empty()) {
    info.inexact_at.push_back(info.images);
  }
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

/// Removes the checkpoints of more than `images` images. They belong to an abandoned branch of
/// training, from which --resume auto must not continue.
void remove_later_checkpoints(const RunDirectory& directory, std::int64_t images) {
  for (const auto& newer : remove_newer_checkpoints(directory.checkpoints_dir(), images)) {
    log::info("removed " + display(newer) + ", which is newer than the checkpoint to resume from");
  }
}

/// Removes the samples of more than `images` images, so that time sheets (sheets/sheets.h) do not
/// show an abandoned branch of training.
void remove_later_samples(const RunDirectory& directory, std::int64_t images) {
  for (const auto sample : directory.sample_counts()) {
    if (sample > images) remove_tree(directory.samples_file(sample));
  }
}

}  // namespace

std::vector<std::string> training_differences(const Config& before, const Config& after) {
  // Keys that may differ. They set names, paths, lengths and intervals, how the machine is used, and what is measured.
  // Labels are used only by metrics.
  static const std::vector<std::string> free = {"run.",
                                                "data.path",
                                                "data.labels",
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
  Config before = checkpoint_config(checkpoint);
  if (checkpoint.info.is_import()) {
    // The weights were not trained on the data in the configuration with which they were imported. Of its data
    // keys, only the resolution and the channels affect the shapes of the networks.
    const DataConfig imported = before.data;
    before.data = config.data;
    before.data.resolution = imported.resolution;
    const bool fits = imported.channels == 0 || imported.channels == dataset.channels();
    if (!fits) before.data.channels = imported.channels;
  }
  auto found = training_differences(before, config);
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
      "); restore the old values, or start a new run with its weights: --resume " + directory + " run.name=...");
}

/// The reason why training with `compute` does not continue bit-identically after `images` images; empty if it does.
static std::string compute_reason(const RunInfo& info, const Compute& compute, std::int64_t images) {
  const EarlierCompute before = compute_until(info, images);
  if (computes_alike(before, compute)) return "";
  return format_text(
      "the checkpoint at {} images was trained with {}, {}, {} thread{}, and the run continues with {}, so the resumed "
      "run will not be bit-identical to an uninterrupted one; to avoid this, set training.device, training.precision "
      "and training.threads",
      images, printable(before.device, 20), printable(before.precision, 20), before.threads, plural_s(before.threads),
      describe(compute));
}

/// The reason why training may not continue bit-identically on this processor; empty if it does, or if the processors
/// are not known. Two devices of different types are a matter of compute_reason.
static std::string processor_reason(const RunInfo& info, const Compute& compute, std::int64_t images) {
  const EarlierCompute before = compute_until(info, images);
  const auto now = processor_of(hardware_of(compute));
  if (!is_same_type(before.device, compute) || !differs(before.processor, now)) return "";
  return format_text(
      "the checkpoint at {} images was trained on {}, and the run continues on {}; rounding can differ between "
      "processors, so the resumed run may not be bit-identical to an uninterrupted one",
      images, printable(*before.processor, 80), printable(*now, 80));
}

bool trains_with_measured_kernels(const Compute& compute) {
  return compute.device.is_cpu() && measures_kernels(compute.type);
}

/// The reason why the kernels are chosen in a different way than before; empty if they are not.
static std::string kernels_reason(const CheckpointInfo& info, const Compute& compute) {
  const bool were_measured = !info.kernels.empty(), are_measured = trains_with_measured_kernels(compute);
  if (were_measured == are_measured) return "";
  return format_text(
      "the run was trained with {} kernels and continues with {} ones, so the resumed run will not be bit-identical to "
      "an uninterrupted one; to avoid this, set SLOPEGAN_KERNELS={}",
      were_measured ? "measured" : "predetermined", were_measured ? "predetermined" : "measured",
      were_measured ? "measured" : "table");
}

std::vector<std::string> inexact_reasons(const Config& config, const Compute& compute, const Checkpoint& checkpoint) {
  const std::int64_t images = checkpoint.info.images, total = config.training.total_images;
  if (images == 0 || images >= total) return {};
  std::vector<std::string> reasons;
  if (const auto info = find_run_info(checkpoint)) {
    for (auto* reason_of : {&compute_reason, &processor_reason}) {
      if (auto reason = reason_of(*info, compute, images); !reason.empty()) reasons.push_back(std::move(reason));
    }
  }
  if (const auto images_per_step = full_step_images(config); images % images_per_step != 0) {
    reasons.push_back(format_text(
        "the checkpoint was written after a shortened last step, so the resumed run will not be "
        "bit-identical to an uninterrupted one; to avoid this, set training.total_images to a multiple "
        "of training.batch_size{} = {} in new runs",
        config.optimizer.discriminator_steps > 1 ? " x optimizer.discriminator_steps" : "", images_per_step));
  }
  if (auto reason = kernels_reason(checkpoint.info, compute); !reason.empty()) reasons.push_back(std::move(reason));
  const std::int64_t before = checkpoint_config(checkpoint).training.total_images;
  const auto& optimizer = config.optimizer;
  if (before == total || optimizer.lr_decay == LearningRateDecay::none || optimizer.lr_decay_images > 0) return reasons;
  reasons.push_back(
      format_text("training.total_images was {} and is now {}; the learning rates decay over total_images, so they "
                  "change at {} images, and the resumed run will not be bit-identical to an uninterrupted one; to "
                  "avoid this, set optimizer.lr_decay_images in new runs",
                  before, total, images));
  return reasons;
}

/// The command in a command line: the first argument that is neither an option nor the value of one. Empty if there is
/// none.
static std::string command_of(const std::vector<std::string>& argv) {
  for (std::size_t i = 1; i < argv.size(); ++i) {
    if (!argv[i].starts_with('-')) return argv[i];
    if (argv[i] == "--log-format") ++i;
  }
  return "";
}

/// Whether the command line is `import`, or `train` with --resume PATH.
static bool starts_with_other_weights(const std::vector<std::string>& argv) {
  if (command_of(argv) == "import") return true;
  const std::string option = "--resume";
  for (std::size_t i = 0; i < argv.size(); ++i) {
    if (argv[i].starts_with(option + "=")) return argv[i] != option + "=auto";
    if (argv[i] == option && i + 1 < argv.size()) return argv[i + 1] != "auto";
  }
  return false;
}

std::string restart_note(const RunDirectory& directory) {
  const auto info = find_run_info(directory);
  std::int64_t images = info ? info->images : 0;
  try {
    const bool has_history = file_size_or_zero(directory.history_file()) > 0;
    const auto last = has_history ? read_last_history(directory.history_file()) : std::nullopt;
    if (last) images = std::max(images, last->images);
  } catch (const DataError&) {  // the number of images is needed only for messages
  }
  // A run that is stopped after its first step or later writes a checkpoint. If the run was killed, run.json contains
  // the number of images at its last start. Unless it is 0, this is the image count of a checkpoint of this run or, if
  // the run was started with --resume PATH, of another run.
  const bool is_done = info && info->status == RunStatus::done;
  const bool was_interrupted = info && (info->status == RunStatus::stopped || info->status == RunStatus::running);
  if (is_done || (was_interrupted && info->images > 0)) {
    throw CheckpointError(format_text(
        "{} contains a run that {} {} images, but {} contains no checkpoint; restore the checkpoints, choose another "
        "name with run.name=..., or remove the run and repeat its first command",
        display(directory.root()), is_done ? "finished after" : "has seen", images,
        display(directory.checkpoints_dir())));
  }
  if (info && starts_with_other_weights(info->argv)) {
    throw CheckpointError(format_text(
        "{} contains a run that should have started from imported weights or from another run, but {} contains no "
        "checkpoint; remove the run and repeat its first command",
        display(directory.root()), display(directory.checkpoints_dir())));
  }
  if (images == 0) return "";
  return format_text("the run has no checkpoint yet, so it starts over and repeats its first {} images", images);
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
