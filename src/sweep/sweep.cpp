#include "sweep/sweep.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <deque>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "config/print.h"
#include "run/checkpoint.h"
#include "run/run_directory.h"
#include "support/errors.h"
#include "support/expand_path.h"
#include "support/files.h"
#include "support/log.h"
#include "support/machine.h"
#include "support/signals.h"
#include "support/text.h"
#include "sweep/child_process.h"
#include "sweep/results.h"
#include "sweep/sweep_progress.h"

namespace slopegan {

namespace {

using Clock = std::chrono::steady_clock;

/// Parses a whole number; returns −1 if `text` is not one.
std::int64_t parse_integer(std::string_view text) {
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : -1;
}

struct RunningArm {
  const Arm* arm;
  ChildProcess process;
};

/// Rewrites the sweep's report periodically in a child process, so that a large report does not delay the arms and a
/// failure does not stop them.
class ReportRefresher {
 public:
  ReportRefresher(const std::filesystem::path& sweep_dir, std::chrono::seconds every)
      : sweep_dir_(sweep_dir), every_(every) {}

  void refresh_if_due() {
    collect();
    if (every_ == std::chrono::seconds(0) || process_ || Clock::now() - started_ < every_) return;
    started_ = Clock::now();
    try {
      process_.emplace(std::vector<std::string>{"--quiet", "report", unexpanded_path(sweep_dir_.native())});
    } catch (const IoError& error) {
      warn(error.what());
    }
  }

  /// Waits for the report that is being written, so that it cannot replace a later one.
  void finish() {
    while (process_) {
      collect();
      if (process_) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

 private:
  void collect() {
    const auto code = process_ ? process_->poll() : std::nullopt;
    if (!code) return;
    if (*code != 0 && stop_signal() == 0) warn(process_->last_stderr_line());
    process_.reset();
  }

  /// Logs only the first failure.
  void warn(const std::string& reason) {
    if (!std::exchange(warned_, true)) log::warning("the report could not be refreshed: " + reason);
  }

  const std::filesystem::path& sweep_dir_;
  std::chrono::seconds every_;
  Clock::time_point started_ = Clock::now();
  std::optional<ChildProcess> process_;
  bool warned_ = false;
};

/// Trains the arms, `jobs_` processes at a time, until the queue is empty or a stop signal arrives.
class Scheduler {
 public:
  Scheduler(const Config& config, const std::filesystem::path& sweep_dir, const std::vector<Arm>& all,
            const std::vector<Arm>& mine, std::chrono::seconds report_every)
      : sweep_dir_(sweep_dir), all_(all), report_(sweep_dir, report_every) {
    std::map<const Arm*, std::int64_t> images;
    for (const auto& arm : mine) {
      const ArmState state = read_arm_state(arm);
      if (is_over(state, config)) {
        ++over_;
        if (state.status == RunStatus::diverged) note_failure(static_cast<int>(ExitCode::diverged));
      } else {
        queue_.push_back(&arm);
        images[&arm] = state.images;
      }
    }
    progress_.emplace(config.training.total_images, std::move(images));
    total_ = mine.size();
    const auto cores = usable_cores();
    const auto arms = std::max<std::int64_t>(1, static_cast<std::int64_t>(queue_.size()));
    // Many arms with one thread each train more images per second than one arm with all threads.
    jobs_ = std::min(arms, config.sweep.jobs > 0 ? config.sweep.jobs : cores);
    threads_ = config.training.threads > 0 ? config.training.threads : std::max<std::int64_t>(1, cores / jobs_);
  }

  SweepResult run() {
    if (over_ > 0) log::info(format_text("{} of {} arms need no more training", over_, total_));
    while (!queue_.empty() || !running_.empty()) {
      if (stop_signal() != 0) forward_signal();
      start_arms();
      collect_ended();
      if (stopping_ && running_.empty()) break;
      progress_->update(running_arms(), over_, failed_, total_);
      if (!stopping_) report_.refresh_if_due();
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    progress_.reset();
    report_.finish();
    write_results(sweep_dir_ / "results.csv", all_);
    if (stopping_) return {128 + stop_signal(), true};
    return {worst_, false};
  }

 private:
  void start_arms() {
    while (!stopping_ && !queue_.empty() && std::ssize(running_) < jobs_ && Clock::now() >= paused_until_) start_next();
  }

  void start_next() {
    const Arm& arm = *queue_.front();
    queue_.pop_front();
    const auto file = unexpanded_path((sweep_dir_ / "sweep.yaml").native());
    std::vector<std::string> arguments = {"--quiet", "train", file, "--arm", "--resume", "auto"};
    arguments.insert(arguments.end(), arm.overrides.begin(), arm.overrides.end());
    arguments.push_back("run.output_dir=" + yaml_scalar(unexpanded_path((sweep_dir_ / "runs").native())));
    arguments.push_back("training.threads=" + std::to_string(threads_));
    log::info(format_text("{} started ({} thread{})", arm.name, threads_, threads_ == 1 ? "" : "s"));
    running_.push_back({&arm, ChildProcess(arguments)});
  }

  void collect_ended() {
    for (auto it = running_.begin(); it != running_.end();) {
      const auto code = it->process.poll();
      if (!code) {
        ++it;
        continue;
      }
      if (!retry_if_busy(*it, *code)) report_end(*it, *code);
      it = running_.erase(it);
      write_results(sweep_dir_ / "results.csv", all_);
    }
  }

  /// Queues an arm again if its run directory is in use: after a sweep is killed, its arms finish their current step
  /// and keep their directories locked for a moment.
  bool retry_if_busy(const RunningArm& ended, int code) {
    if (stopping_ || code != static_cast<int>(ExitCode::busy)) return false;
    const auto now = Clock::now();
    const auto [since, first] = busy_since_.try_emplace(ended.arm, now);
    if (now - since->second > std::chrono::minutes(1)) return false;
    if (first) log::info(ended.arm->name + " is in use by another process; retrying for a minute");
    queue_.push_back(ended.arm);
    paused_until_ = now + std::chrono::seconds(2);
    return true;
  }

  void report_end(const RunningArm& ended, int code) {
    const std::string& name = ended.arm->name;
    progress_->end(*ended.arm);
    if (code == 0) {
      ++over_;
      log::info(format_text("{} done ({} of {})", name, over_, total_) + figures_text(*ended.arm));
      return;
    }
    if (stopping_ && code > 128) return;
    if (code == static_cast<int>(ExitCode::diverged)) ++over_;
    ++failed_;
    note_failure(code);
    const std::string ending = code > 128
                                   ? format_text("was ended by signal {} ({})", code - 128, ::strsignal(code - 128))
                                   : format_text("failed with exit code {}", code);
    const std::string last_line = ended.process.last_stderr_line();
    log::error(name + " " + ending + (last_line.empty() ? "" : ": " + last_line));
  }

  /// Keeps the most severe exit code. A divergence is a result and is the least severe; a crash is the most severe.
  void note_failure(int code) {
    const auto weight = [](int c) { return c == static_cast<int>(ExitCode::diverged) ? 1 : c; };
    if (weight(code) > weight(worst_)) worst_ = code;
  }

  void forward_signal() {
    if (stopping_) return;
    stopping_ = true;
    log::info("stopping: the arms are writing their checkpoints");
    for (const auto& arm : running_) arm.process.send(stop_signal());
  }

  std::vector<const Arm*> running_arms() const {
    std::vector<const Arm*> arms;
    for (const auto& running : running_) arms.push_back(running.arm);
    return arms;
  }

  /// ": 02:51, FD 12.3", without the parts that are unknown.
  static std::string figures_text(const Arm& arm) {
    const auto history = last_history(arm);
    const auto metrics = last_metrics(arm);
    std::string text = history ? ": " + clock_time(history->seconds) : "";
    if (metrics && metrics->values.contains("fd")) text += format_text(", FD {:.4g}", metrics->values.at("fd"));
    return text;
  }

  const std::filesystem::path& sweep_dir_;
  const std::vector<Arm>& all_;
  std::deque<const Arm*> queue_;
  std::vector<RunningArm> running_;
  std::optional<SweepProgress> progress_;  // during run()
  std::size_t over_ = 0, failed_ = 0, total_ = 0;
  std::int64_t jobs_ = 1, threads_ = 1;
  int worst_ = 0;
  bool stopping_ = false;
  std::map<const Arm*, Clock::time_point> busy_since_;
  Clock::time_point paused_until_;
  ReportRefresher report_;
};

}  // namespace

Shard parse_shard(const std::string& text) {
  const auto slash = text.find('/');
  Shard shard{parse_integer(std::string_view(text).substr(0, slash)),
              slash == std::string::npos ? -1 : parse_integer(std::string_view(text).substr(slash + 1))};
  if (shard.count < 1 || shard.index < 1 || shard.index > shard.count) {
    throw UsageError("--shard " + printable(text) + " is not I/N with 1 <= I <= N, such as 2/8");
  }
  return shard;
}

std::vector<Arm> arms_of_shard(const std::vector<Arm>& all, const Shard& shard) {
  std::vector<Arm> mine;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (static_cast<std::int64_t>(i) % shard.count == shard.index - 1) mine.push_back(all[i]);
  }
  return mine;
}

/// Whether the directory has visible entries but no sweep.yaml. Hidden entries may be temporary files of another shard
/// that is starting at the same moment.
static bool holds_something_else(const std::filesystem::path& directory) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (!entry.path().filename().native().starts_with('.')) return !std::filesystem::exists(directory / "sweep.yaml");
  }
  return false;
}

/// The manifests of the arms' newest checkpoints. Unreadable ones are omitted, because the arms report them.
static std::vector<CheckpointInfo> arm_checkpoints(const std::filesystem::path& directory) {
  std::vector<CheckpointInfo> found;
  for (const auto& arm : entries_of(directory / "runs")) {
    const auto checkpoints = list_checkpoints(RunPaths(arm).checkpoints_dir());
    try {
      if (!checkpoints.empty()) found.push_back(read_manifest(checkpoints.front()).info);
    } catch (const CheckpointError&) {
      continue;
    }
  }
  return found;
}

Config load_sweep(const std::filesystem::path& directory) {
  Config config = load_stored_config(directory / "sweep.yaml").config;
  config.run.name = std::filesystem::absolute(directory / "x").lexically_normal().parent_path().filename();
  std::error_code ignored;
  if (std::filesystem::exists(config.data.path, ignored)) return config;
  for (const auto& checkpoint : arm_checkpoints(directory)) {
    if (!std::filesystem::exists(checkpoint.data_path, ignored)) continue;
    config.data.path = checkpoint.data_path;
    break;
  }
  return config;
}

static std::filesystem::path directory_of(const Config& config) {
  return std::filesystem::path(config.run.output_dir) / config.run.name;
}

bool continues_sweep_of_0_9(const LoadedConfig& config) {
  const auto file = directory_of(config.config) / "sweep.yaml";
  if (config.sets_reading_of_data() || !std::filesystem::exists(file)) return false;
  return load_stored_config(file).config.data.as_in_0_9;
}

/// Whether an arm of the sweep has been trained, so that its results depend on the configuration.
static bool has_results(const std::filesystem::path& directory) {
  const auto arms = entries_of(directory / "runs");
  return std::ranges::any_of(arms, [](const std::filesystem::path& arm) {
    std::error_code error;
    return std::filesystem::file_size(RunPaths(arm).history_file(), error) > 0 && !error;
  });
}

/// The values that differ from those of the sweep in `directory` and affect its results.
static std::vector<std::string> differences_from(const std::filesystem::path& directory, const Config& config,
                                                 const std::string& dataset_hash) {
  static const std::vector<std::string> changeable = {
      "sweep.negative_slope", "sweep.control", "sweep.seeds",      "sweep.jobs",           "run.name",
      "run.output_dir",       "data.path",     "training.threads", "training.total_images"};
  std::vector<std::string> problems;
  for (const auto& difference : differences(load_sweep(directory), config)) {
    if (std::find(changeable.begin(), changeable.end(), difference.key) != changeable.end()) continue;
    problems.push_back(difference.key + ": " + difference.before + " -> " + difference.after);
  }
  const auto arms = arm_checkpoints(directory);
  const bool same_images = std::ranges::all_of(arms, [&](const CheckpointInfo& arm) {
    return arm.dataset_hash.empty() || dataset_hash.empty() || arm.dataset_hash == dataset_hash;
  });
  if (!same_images) problems.emplace_back("the images at data.path have a different SHA-256");
  return problems;
}

std::filesystem::path open_sweep(const Config& config, const std::string& dataset_hash) {
  const std::filesystem::path directory = directory_of(config);
  const auto file = directory / "sweep.yaml";
  if (std::filesystem::exists(file)) {
    const auto problems =
        has_results(directory) ? differences_from(directory, config, dataset_hash) : std::vector<std::string>();
    if (!problems.empty()) {
      throw UsageError(printable(directory.string()) + " contains a sweep with different values (" +
                       join(problems, ", ") + "); choose another run.name or use the old values");
    }
  } else {
    refuse_link(directory);
    if (holds_something_else(directory)) {
      throw UsageError(printable(directory.string()) +
                       " exists and is not a sweep; choose another name with run.name=...");
    }
  }
  make_directories(directory);
  write_file_atomic(file, to_yaml(config));
  make_directories(directory / "runs");
  return directory;
}

SweepResult run_sweep(const Config& config, const std::filesystem::path& sweep_dir, const std::vector<Arm>& all,
                      const std::vector<Arm>& mine, std::chrono::seconds report_every) {
  return Scheduler(config, sweep_dir, all, mine, report_every).run();
}

}  // namespace slopegan
