#include "training/trainer.h"

#include <ATen/ATen.h>

#include "config/print.h"
#include "data/summary.h"
#include "diagnostics/diagnosis.h"
#include "evaluation/run_metrics.h"
#include "images/convert.h"
#include "images/grid.h"
#include "images/image_file.h"
#include "metrics/figures.h"
#include "models/measured_kernels.h"
#include "run/event_files.h"
#include "run/progress.h"
#include "run/records.h"
#include "run/run_info.h"
#include "run/run_logs.h"
#include "sampling/samples.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/out_of_memory.h"
#include "support/signals.h"
#include "support/text.h"
#include "training/divergence.h"
#include "training/gan_state.h"
#include "training/gan_step.h"
#include "training/parallel_training.h"
#include "training/run_files.h"
#include "training/step_inputs.h"

namespace slopegan {

namespace {

/// The interval between lines of the history, in images. It is short enough for charts, and long enough to keep the
/// files of long runs small.
constexpr std::int64_t history_every_images = 256;

/// The state to train, on all ranks. The constructor throws if the run cannot continue from the checkpoint, and changes
/// no files.
struct TrainingStart {
  TrainingStart(const Config& config, const Compute& compute, const Dataset& dataset,
                const std::optional<Checkpoint>& resume, Ranks* ranks)
      : state(config, dataset.channels(), compute.device) {
    if (resume) restore(*resume);
    if (ranks) parallel = join_ranks(state, config, dataset.hash, *ranks);
  }

  void restore(const Checkpoint& checkpoint) {
    state.restore(checkpoint.tensors);
    if (state.images_seen != checkpoint.info.images || state.steps < 0) {
      throw CheckpointError(
          format_text("{}: the state was saved after {} images and {} steps, but the manifest records {} images",
                      display(checkpoint.directory), state.images_seen, state.steps, checkpoint.info.images));
    }
  }

  GanState state;
  std::unique_ptr<DataParallel> parallel;  ///< nullptr in a single process
};

class Training {
 public:
  Training(const Config& config, const Compute& compute, const Dataset& dataset, const RunDirectory& directory,
           const std::optional<Checkpoint>& resume, const Versions& versions, TrainingStart& start)
      : config_(config),
        compute_(compute),
        directory_(directory),
        versions_(versions),
        dataset_hash_(dataset.hash),
        state_(start.state),
        parallel_(start.parallel.get()),
        logs_(directory) {
    const bool owes_evaluation = resume && lacks_evaluation(*resume, config, directory);
    if (config.diagnostics.every_images > 0) diagnosis_.emplace(config, compute, dataset);
    if (config.metrics.every_images > 0 && (state_.images_seen < config.training.total_images || owes_evaluation)) {
      evaluators_ = make_evaluators(config, dataset, compute.device);
    }
    owes_evaluation_ = owes_evaluation && !evaluators_.empty();
    if (resume && state_.images_seen > 0) gradient_penalty_ = resume->info.gradient_penalty;
    // The checkpoint and the data have been accepted, so files may now be truncated or removed.
    rewind_to(resume, directory, logs_);
    if (resume) log_resumed(*resume);
    if (config.events.tensorboard) logs_.events.begin(state_.images_seen);
    if (!evaluators_.empty() && config.checkpoint.keep_best) {
      for (const auto& record : earlier_evaluations()) remember(record);
      keep_best();
    }
    // Without this checkpoint, the run could not be resumed until it writes its first regular checkpoint.
    if (resume && !belongs_to(*resume, directory)) write_checkpoint();
  }

  TrainEnd run(const Dataset& dataset) {
    const std::int64_t total = config_.training.total_images;
    if (state_.images_seen >= total && !owes_evaluation_) return report_finished();
    Progress progress(state_.images_seen, total);
    if (const auto fd = last_fd()) progress.set_fd(*fd);
    TrainEnd end = TrainEnd::done;
    if (owes_evaluation_) {
      log::info(format_text("evaluating the generator at {} images first, because this evaluation is missing",
                            state_.images_seen));
      end = evaluate_and_save(progress, state_.images_seen >= total, true);
    }
    if (end == TrainEnd::done && state_.images_seen < total) end = take_steps(dataset, progress);
    log::table(progress_summary(progress) + (last_metrics_ ? metrics_row(*last_metrics_, best_) : "") +
               summary_row("checkpoint", display(last_checkpoint())));
    return end;
  }

  std::int64_t images_seen() const { return state_.images_seen; }

 private:
  TrainEnd take_steps(const Dataset& dataset, Progress& progress) {
    const std::int64_t total = config_.training.total_images;
    const int rank_count = parallel_ ? parallel_->ranks().size() : 1;
    RealBatches batches(config_, compute_, dataset, state_.images_seen, 0, rank_count);
    GanStep step(state_, config_, compute_, parallel_);
    while (state_.images_seen < total) {
      const std::int64_t before = state_.images_seen;
      const StepStats stats = step.take(batches.next());
      if (stats.gradient_penalty) gradient_penalty_ = stats.gradient_penalty;
      const std::int64_t after = state_.images_seen;
      const bool last = after >= total,
                 stopping = parallel_ ? end_step(*parallel_, state_, config_, before) : stop_signal() != 0;

      progress.update(after, stats);
      if (last || state_.steps == 1 || is_due(history_every_images, before, after)) record(stats, progress);
      if (last || is_due(config_.samples.every_images, before, after)) {
        progress.during(Phase::samples, [&] { write_samples(); });
      }
      if (diagnosis_ && (last || is_due(config_.diagnostics.every_images, before, after))) {
        progress.during(Phase::diagnostics, [&] { diagnose(); });
      }
      // Another rank may fail at any time, so a checkpoint to resume from is written early.
      const bool first_of_several = parallel_ && state_.steps == 1;
      const bool saving =
          last || stopping || first_of_several || is_due(config_.checkpoint.every_images, before, after);
      // The evaluation takes a long time and may fail, so the checkpoint is written first. If the run stops, the
      // evaluation is computed when the run resumes.
      if (saving) save(progress);
      if (stopping && !last) return TrainEnd::stopped;
      const bool evaluating = !evaluators_.empty() && (last || is_due(config_.metrics.every_images, before, after));
      if (evaluating && evaluate_and_save(progress, last, saving) == TrainEnd::stopped) return TrainEnd::stopped;
    }
    return TrainEnd::done;
  }

  void save(Progress& progress) {
    progress.during(Phase::checkpoint, [&] { write_checkpoint(); });
  }

  /// Evaluates the generator. `saved` states whether a checkpoint with this number of images exists. Such a checkpoint
  /// is replaced afterwards, because a run that resumes from it must not evaluate again. If a signal stops the
  /// evaluation, returns TrainEnd::stopped, or throws StoppedError if there are several ranks.
  TrainEnd evaluate_and_save(Progress& progress, bool last, bool saved) {
    bool better = false;
    try {
      better = progress.during(Phase::metrics, [&] { return evaluate(last); });
    } catch (const StoppedError& error) {
      if (!saved) save(progress);
      // The other ranks are waiting in a collective call, so they stop when this rank announces its end.
      if (parallel_) throw;
      log::info(error.what());
      return TrainEnd::stopped;
    }
    if (last_fd()) progress.set_fd(*last_fd());
    if (saved || better) save(progress);
    return TrainEnd::done;
  }

  void log_resumed(const Checkpoint& checkpoint) const {
    const std::string directory = display(checkpoint.directory);
    log::info(state_.images_seen == 0 ? "starting with the weights of " + directory
                                      : format_text("resumed at {} images from {}", state_.images_seen, directory));
    for (const auto& reason : inexact_reasons(config_, compute_, checkpoint)) log::warning(reason);
  }

  TrainEnd report_finished() const {
    log::info(format_text("nothing to do: the run has already seen {} images", state_.images_seen));
    return TrainEnd::done;
  }

  void record(const StepStats& stats, const Progress& progress) {
    HistoryRecord line;
    static_cast<StepStats&>(line) = stats;
    line.images = state_.images_seen;
    line.step = state_.steps;
    line.gradient_penalty = gradient_penalty_;
    line.generator_slope = state_.generator->moving_slope();
    line.discriminator_slope = state_.discriminator->moving_slope();
    line.seconds = progress.seconds();
    line.images_per_second = progress.images_per_second();
    line.memory_mib = resident_memory_mib();
    logs_.history.append_line(history_line(line));
    logs_.events.add(line.images, summary_of(line));
  }

  void write_samples() {
    const auto latents = sample_latents(config_, config_.samples.rows * config_.samples.columns);
    auto& generator = state_.averaged_generator();
    generator->set_images(state_.images_seen);  // for scheduled slopes
    const auto images = generate_images(generator, latents, compute_);
    const auto file = directory_.samples_file(state_.images_seen);
    const auto grid = tile_grid(to_mats(images), samples_layout(config_.samples));
    const auto png = encode_png(grid);
    write_file_atomic(file, png);
    EventSummary summary;
    summary.add_image("samples", png, grid.cols, grid.rows, grid.channels());
    logs_.events.add(state_.images_seen, summary);
    log::debug("samples: " + file.string());
  }

  void diagnose() {
    std::vector<Histogram> pre_activations;
    const auto record = explain_memory("diagnosing the layers", "lower diagnostics.probes or sweep.jobs", [&] {
      return (*diagnosis_)(state_.generator, state_.discriminator, state_.images_seen, describe_last_step(state_),
                           logs_.events.is_on() ? &pre_activations : nullptr);
    });
    logs_.diagnostics.append_line(diagnostics_text(record));
    auto summary = summary_of(record);
    for (std::size_t i = 0; i < pre_activations.size(); ++i) {
      summary.add_histogram("pre_activations/" + record.layers[i].name, pre_activations[i]);
    }
    logs_.events.add(record.images, summary);
    sentinels_.warn(record);
    log::debug(format_text("diagnostics: {:.2f} s", record.seconds));
  }

  /// Returns whether this generator is the best so far and must be kept.
  bool evaluate(bool last) {
    check_state(state_);
    const auto record = explain_memory(format_text("computing the metrics of {} images", config_.metrics.samples),
                                       "lower metrics.samples or sweep.jobs", [&] {
                                         return evaluate_generator(evaluators_, config_, state_.averaged_generator(),
                                                                   compute_, state_.images_seen, last);
                                       });
    logs_.metrics.append_line(metrics_line(record));
    logs_.events.add(record.images, summary_of(record));
    remember(record);
    for (const auto& line : evaluation_lines(record)) {
      log::info(format_text("{} at {} images ({:.1f} s)", line, record.images, record.seconds));
    }
    return config_.checkpoint.keep_best && best_.images() == state_.images_seen;
  }

  void remember(const MetricsRecord& record) {
    best_.add(record);
    last_metrics_ = record;
  }

  std::optional<double> last_fd() const {
    return last_metrics_ ? find_value(last_metrics_->values, "fd") : std::nullopt;
  }

  std::vector<MetricsRecord> earlier_evaluations() const {
    try {
      return read_metrics(directory_.metrics_file());
    } catch (const DataError& error) {
      log::warning(std::string(error.what()) + "; the best checkpoint is chosen from later evaluations only");
      return {};
    }
  }

  std::filesystem::path last_checkpoint() const {
    return directory_.checkpoints_dir() / std::to_string(state_.images_seen);
  }

  void keep_best() const {
    if (config_.checkpoint.keep_best && best_.images()) mark_best(directory_.checkpoints_dir(), *best_.images());
  }

  void write_checkpoint() {
    directory_.check_in_place();
    check_state(state_);
    logs_.sync();
    CheckpointInfo info;
    info.images = state_.images_seen;
    info.slopegan_version = versions_.slopegan;
    info.config_yaml = to_yaml(config_);
    info.dataset_hash = dataset_hash_;
    info.file_offsets = logs_.sizes();
    info.data_path = std::filesystem::absolute(config_.data.path).lexically_normal().string();
    info.gradient_penalty = gradient_penalty_;
    if (trains_with_measured_kernels(compute_)) info.kernels = kernel_choices();
    save_checkpoint(directory_.checkpoints_dir(), info, state_.tensors(), config_.checkpoint.keep);
    keep_best();
    log::debug(format_text("checkpoint at {} images", state_.images_seen));
  }

  const Config& config_;
  const Compute& compute_;
  const RunDirectory& directory_;
  const Versions& versions_;
  std::string dataset_hash_;
  GanState& state_;
  DataParallel* parallel_;  // nullptr in a single process
  RunLogs logs_;
  std::optional<Diagnosis> diagnosis_;  // empty if diagnostics.every_images is 0
  SentinelWarnings sentinels_;
  Evaluators evaluators_;  // empty if no metrics are computed
  BestSoFar best_;
  bool owes_evaluation_ = false;  // whether the evaluation at the checkpoint is missing
  std::optional<MetricsRecord> last_metrics_;
  std::optional<double> gradient_penalty_;  // the last one that was computed
};

}  // namespace

TrainEnd train(const Config& config, const Compute& compute, const Dataset& dataset, const RunDirectory& directory,
               const std::optional<Checkpoint>& resume, const RunOrigin& origin, Ranks* ranks) {
  if (ranks) use_kernel_table();
  if (resume) {
    check_resumable(config, dataset, *resume);
    if (trains_with_measured_kernels(compute)) restore_kernel_choices(resume->info.kernels);
  }
  std::optional<RunRecord> record;
  const auto write_files = [&] {
    write_run_files(config, dataset, directory, origin);
    log::add_file(directory.log_file());
    for (const auto& note : origin.notes) log::info(note);
    log_notes(dataset, Split::train);
    if (const auto note = small_data_note(config, dataset.size()); !note.empty()) log::info(note);
    record.emplace(directory, describe_run(config, compute, dataset, directory, resume, origin));
  };
  // If a run cannot continue, its files stay as they are. A new run records its failure.
  const bool continues = resume && belongs_to(*resume, directory);
  if (continues) RunLogs::require(directory, resume->info.file_offsets);
  if (!continues) write_files();
  std::optional<TrainingStart> start;
  std::optional<Training> training;
  const auto images = [&] { return training ? training->images_seen() : resume ? resume->info.images : 0; };
  const auto end_badly = [&](RunStatus status) {
    if (record) record->end_badly(status, images());
  };
  try {
    const auto activity = format_text("training with batches of {} images of {} x {}", config.training.batch_size,
                                      config.data.resolution, config.data.resolution);
    constexpr auto remedy =
        "lower training.batch_size, generator.width, discriminator.width, data.resolution or sweep.jobs";
    explain_memory(activity, remedy, [&] { start.emplace(config, compute, dataset, resume, ranks); });
    // An interrupted run continues even if it has seen too many images, so that its status becomes done.
    if (continues && start->state.images_seen > config.training.total_images &&
        read_run_status(directory.run_info_file()) == RunStatus::done) {
      log::info(
          format_text("nothing to do: the run has already seen {} images, which is more than "
                      "training.total_images = {}; its files are not changed",
                      start->state.images_seen, config.training.total_images));
      return TrainEnd::done;
    }
    if (continues) write_files();
    explain_memory(activity, remedy,
                   [&] { training.emplace(config, compute, dataset, directory, resume, origin.versions, *start); });
    log::info(format_text("training {} to {} images on {}", display(directory.root()), config.training.total_images,
                          describe(compute)) +
              (compute.threads_reason.empty() ? "" : " (" + compute.threads_reason + ")") +
              (ranks ? format_text(", {} ranks", ranks->size()) : ""));
    const bool is_new = !resume && !ranks;  // a resumed run must not change its kernels, and ranks use the table
    const auto hint = is_new && compute.device.is_cpu() ? kernels_hint(compute.type) : std::string();
    if (!hint.empty()) log::info(hint);
    const TrainEnd end = explain_memory(activity, remedy, [&] { return training->run(dataset); });
    record->end(end == TrainEnd::done ? RunStatus::done : RunStatus::stopped, images());
    return end;
  } catch (const DivergedError&) {
    end_badly(RunStatus::diverged);
    throw;
  } catch (const StoppedError&) {
    end_badly(RunStatus::stopped);
    throw;
  } catch (...) {
    end_badly(RunStatus::failed);
    throw;
  }
}

}  // namespace slopegan
