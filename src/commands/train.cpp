#include <filesystem>
#include <memory>
#include <optional>

#include "commands/arguments.h"
#include "commands/commands.h"
#include "config/earlier_defaults.h"
#include "config/keys.h"
#include "config/print.h"
#include "data/dataset.h"
#include "distributed/rank_environment.h"
#include "evaluation/run_metrics.h"
#include "import/import_weights.h"
#include "models/dcgan.h"
#include "report/report.h"
#include "run/run_directory.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/posix_file.h"
#include "support/signals.h"
#include "support/text.h"
#include "sweep/arms.h"
#include "sweep/prepare.h"
#include "training/parallel_training.h"
#include "training/run_files.h"
#include "training/trainer.h"

namespace slopegan {

namespace {

struct TrainArguments {
  ConfigArguments config;
  std::string resume;
  bool with_optimizer = false;
  bool arm = false;            ///< whether a sweep started this run as one of its arms
  std::string data_hash;       ///< hash of the images that the sweep prepared; if empty, the images are not checked
  std::string threads_reason;  ///< why the sweep chose training.threads; replaces Compute::threads_reason unless empty
  bool dry_run = false;
  bool print_config = false;
};

std::string network_table(const BlockChainImpl& network) {
  std::string text;
  for (const auto& line : network.summary()) {
    text += format_text("  {:<22} {:<18} {:10}  {}\n", line.name, shape_text(line.output_shape), line.parameters,
                        line.kind);
  }
  return text + format_text("  {:<22} {:<18} {:10}\n", "total", "", network.parameter_count());
}

int dry_run(const Config& config, const Compute& compute, const Dataset& dataset) {
  const auto seed = static_cast<std::uint64_t>(config.seed);
  const Generator generator(config.generator, config.data.resolution, dataset.channels(), seed);
  const Discriminator discriminator(config.discriminator, config.data.resolution, dataset.channels(), seed);
  print(format_text("  {:<22} {:<18} {:>10}  {}\n", "layer", "output (C x H x W)", "parameters", "kind"));
  print(network_table(*generator) + network_table(*discriminator));
  print(format_text("data: {}, {} images of {} x {} x {}, resized to {} x {}\n", printable(dataset.name),
                    dataset.size(), dataset.channels(), dataset.height(), dataset.width(), config.data.resolution,
                    config.data.resolution));
  print(format_text("training: {} images in batches of {} on {}\n", config.training.total_images,
                    config.training.batch_size, describe(compute)));
  print("run directory: " + display(configured_directory(config.run)) + "\n");
  return static_cast<int>(ExitCode::done);
}

/// The run directory and the checkpoint to start from, if any.
struct Start {
  RunDirectory directory;
  std::optional<Checkpoint> resume;
  std::string note{};  ///< a log message if the run starts again without a checkpoint

  /// Whether there is a checkpoint and it belongs to this run.
  bool in_place() const { return resume && belongs_to(*resume, directory); }
};

Start open_run(const Config& config, const std::string& resume) {
  const std::filesystem::path root = configured_directory(config.run);
  if (resume.empty()) return {RunDirectory::create(root), std::nullopt};
  if (resume != "auto") {
    std::error_code error;
    const auto owner = resolve_checkpoint(resume).parent_path();
    const bool own = std::filesystem::exists(root / "config.yaml") &&
                     std::filesystem::equivalent(owner, RunPaths(root).checkpoints_dir(), error);
    // Opening the run may rename the checkpoint, so it is resolved again.
    if (own) return {RunDirectory::open(root), load_checkpoint(resolve_checkpoint(resume))};
    auto checkpoint = load_checkpoint(resolve_checkpoint(resume));
    return {RunDirectory::create(root), std::move(checkpoint)};
  }
  if (!std::filesystem::exists(root)) return {RunDirectory::create(root), std::nullopt};
  auto directory = RunDirectory::open(root);
  auto checkpoint = load_newest(directory.checkpoints_dir());
  auto note = checkpoint ? "" : restart_note(directory);
  return {std::move(directory), std::move(checkpoint), std::move(note)};
}

/// The behaviour of version 0.9 that a run keeps when it continues from a checkpoint of that version.
struct KeptFrom09 {
  bool reads_images = false;  ///< data.as_in_0_9
  unsigned defaults = 0;      ///< the result of kept_defaults()

  std::int64_t as_number() const { return defaults << 1 | (reads_images ? 1u : 0u); }
  static KeptFrom09 from_number(std::int64_t number) { return {(number & 1) != 0, static_cast<unsigned>(number) >> 1}; }

  Config apply(const Config& config) const {
    Config kept = with_earlier_defaults(config, defaults);
    kept.data.as_in_0_9 = config.data.as_in_0_9 || reads_images;
    return kept;
  }
};

/// Returns the behaviour of version 0.9 that this run keeps. If the checkpoint belongs to another run and the
/// configurations differ even with the behaviour of 0.9, this run is a new one, which keeps nothing. Weights that
/// another run imported may be trained further on other data, and such data are read as usual.
KeptFrom09 kept_from_0_9(const LoadedConfig& loaded, const Start& start) {
  if (!start.resume) return {};
  const Config saved = checkpoint_config(*start.resume);
  const bool is_run_of_0_9 = start.in_place() || !start.resume->info.is_import();
  const bool reads_images = saved.data.as_in_0_9 && !loaded.sets_reading_of_data() && is_run_of_0_9;
  const KeptFrom09 kept{reads_images, reads_images ? kept_defaults(loaded, saved) : 0};
  const bool goes_on = start.in_place() || training_differences(saved, kept.apply(loaded.config)).empty();
  return goes_on ? kept : KeptFrom09{};
}

/// If the checkpoint belongs to another run, and this run cannot continue from it because the configuration or the
/// images differ, replaces start.resume with a checkpoint at 0 images that has the same weights. Returns the log
/// messages about this.
std::vector<std::string> take_weights(Start& start, const Config& config, const Dataset& dataset, bool with_optimizer) {
  if (!start.resume || start.in_place()) return {};
  const auto differing = training_differences(config, dataset, *start.resume);
  if (differing.empty()) return {};
  const auto images = start.resume->info.images;
  const auto restarts = restarted_schedules(config, *start.resume);
  start.resume = fine_tuning_start(config, dataset, *start.resume, with_optimizer);
  std::vector<std::string> notes = {
      format_text("fine-tuning: starting a new run at 0 images with the weights{} of {} after {} images",
                  with_optimizer ? " and the optimiser state" : "", display(start.resume->directory), images),
      "differences from the run that the weights come from: " + join(differing, ", ")};
  notes.insert(notes.end(), restarts.begin(), restarts.end());
  return notes;
}

/// Trains the run. Writes the report if training completes, or if it diverges, so that the report shows how the
/// divergence developed.
TrainEnd train_and_report(const Config& config, const Compute& compute, const Dataset& dataset, const Start& start,
                          const RunOrigin& origin, Ranks* ranks) {
  try {
    const TrainEnd end = train(config, compute, dataset, start.directory, start.resume, origin, ranks);
    if (end == TrainEnd::done) try_write_report(start.directory.root());
    return end;
  } catch (const DivergedError&) {
    try_write_report(start.directory.root());
    throw;
  }
}

int end_code(TrainEnd end) {
  if (end == TrainEnd::done) return static_cast<int>(ExitCode::done);
  log::info("stopped; to resume, run the same command with --resume auto");
  return 128 + stop_signal();
}

/// Whether another process has finished the arm since the sweep decided to start it.
bool is_finished(const RunDirectory& directory, const Config& config) {
  Arm arm;
  arm.directory = directory.root();
  return end_of(arm, config) == RunStatus::done;
}

/// Runs the training as a single process or as rank 0.
int lead(const TrainArguments& arguments, const LoadedConfig& loaded, const Compute& compute, RunOrigin origin,
         Ranks* ranks) {
  Start start = open_run(loaded.config, arguments.resume);
  try {
    const auto kept = kept_from_0_9(loaded, start);
    if (kept.defaults != 0) log::info(kept_defaults_text(kept.defaults));
    if (ranks) ranks->all_reduce_max(kept.as_number());
    const Config config = kept.apply(loaded.config);
    if (arguments.arm && is_finished(start.directory, config)) {
      log::info("nothing to do: another process has finished this arm");
      return static_cast<int>(ExitCode::done);
    }
    const auto dataset = load_dataset(config.data, Split::train);
    if (!arguments.data_hash.empty()) check_prepared(*dataset, arguments.data_hash);
    check_metrics(config, *dataset);
    origin.notes = take_weights(start, config, *dataset, arguments.with_optimizer);
    if (!start.note.empty()) origin.notes.push_back(start.note);
    const TrainEnd end = train_and_report(config, compute, *dataset, start, origin, ranks);
    if (ranks) ranks->finish();
    if (end == TrainEnd::done) print(display(start.directory.root()) + "\n");
    return end_code(end);
  } catch (...) {
    // The directory of an arm is kept, because the sweep reads the outcome of the arm from its files.
    if (!arguments.arm) start.directory.discard_if_unused();
    throw;
  }
}

int train_together(const RankEnvironment& environment, const TrainArguments& arguments, const LoadedConfig& loaded,
                   const Compute& compute, const RunOrigin& origin) {
  Ranks ranks(environment, compute.device);
  try {
    if (ranks.is_first()) return lead(arguments, loaded, compute, origin, &ranks);
    // Only the first rank reads the checkpoint. It tells the other ranks which behaviour of version 0.9 to keep.
    const Config config = KeptFrom09::from_number(ranks.all_reduce_max(0)).apply(loaded.config);
    const auto dataset = load_dataset(config.data, Split::train);
    const TrainEnd end = follow(config, compute, *dataset, ranks);
    ranks.finish();
    return end_code(end);
  } catch (const Error& error) {
    ranks.leave(static_cast<int>(error.code()));
    throw;
  } catch (...) {
    ranks.leave(static_cast<int>(ExitCode::bug));
    throw;
  }
}

int run_train(const TrainArguments& arguments, const RunOrigin& origin) {
  const bool only_shows = arguments.print_config || arguments.dry_run;
  const auto environment = only_shows ? std::nullopt : read_rank_environment(environment_value);
  // Ranks other than 0 log only errors.
  if (environment && environment->rank > 0) log::set_level(log::Level::error);
  if (arguments.with_optimizer && (arguments.resume.empty() || arguments.resume == "auto")) {
    throw UsageError("--with-optimizer needs --resume PATH");
  }
  const LoadedConfig loaded = arguments.arm ? arguments.config.load_stored() : arguments.config.load_with_places();
  const Config& config = loaded.config;
  if (arguments.print_config) {
    print(to_yaml_with_help(config));
    return static_cast<int>(ExitCode::done);
  }
  Compute compute = environment ? choose_compute(config.training, environment->local_rank, environment->local_size)
                                : choose_compute(config.training);
  if (!arguments.threads_reason.empty()) compute.threads_reason = arguments.threads_reason;
  apply_compute(compute);
  if (arguments.dry_run) return dry_run(config, compute, *load_dataset(config.data, Split::train));

  install_signal_handlers();
  if (environment) return train_together(*environment, arguments, loaded, compute, origin);
  return lead(arguments, loaded, compute, origin, nullptr);
}

}  // namespace

void setup_train(CLI::App& command, Action& action) {
  const auto arguments = std::make_shared<TrainArguments>();
  arguments->config.declare(command);
  command
      .add_option(
          "--resume", arguments->resume,
          "Resume from the newest checkpoint of the run (auto; starts a new run if there is none), or from the "
          "checkpoint or run at PATH. If the checkpoint belongs to another run, a new run is created. "
          "If the configuration and the images are those of the checkpoint, the new run continues from it; otherwise, "
          "the new run starts at 0 images with the weights of the two networks and of the averaged generator")
      ->type_name("auto|PATH");
  command.add_flag("--with-optimizer", arguments->with_optimizer,
                   "With --resume PATH, also copy the optimiser state to a new run that starts at 0 images");
  command.add_flag("--arm", arguments->arm, "Train an arm of a sweep")->group("");
  command.add_option("--data-hash", arguments->data_hash, "Fail if the images have a different hash")->group("");
  command.add_option("--threads-reason", arguments->threads_reason, "Reason for training.threads")->group("");
  command.add_flag("--dry-run", arguments->dry_run, "Print the layers with shapes, parameters and slopes, and exit");
  command.add_flag("--print-config", arguments->print_config, "Print every key with its value and meaning, and exit");
  // Handled like --version, so that CONFIG may be omitted.
  command.set_version_flag("--print-schema", config_schema,
                           "Print a JSON Schema for configuration files, for use in editors, and exit");
  command.callback([arguments, &action] {
    action = [arguments](const std::vector<std::string>& argv) {
      return run_train(*arguments, {argv, arguments->config.overrides, program_versions()});
    };
  });
}

}  // namespace slopegan
