#include "sweep/scheduler.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "config/print.h"
#include "run/run_directory.h"
#include "support/errors.h"
#include "support/expand_path.h"
#include "support/file_lock.h"
#include "support/files.h"
#include "support/log.h"
#include "support/ranges.h"
#include "support/signals.h"
#include "support/text.h"
#include "support/thread_waiting.h"
#include "sweep/child_process.h"
#include "sweep/parallel_arms.h"
#include "sweep/prepare.h"
#include "sweep/report_refresher.h"
#include "sweep/results.h"
#include "sweep/sweep_progress.h"

namespace slopegan {

namespace {

using Clock = std::chrono::steady_clock;

/// How often the agenda is read again, to notice arms that other processes have finished.
constexpr auto agenda_interval = std::chrono::seconds(2);
/// How often the lock of an arm that another process uses is checked again.
constexpr auto retry_interval = std::chrono::seconds(1);
constexpr std::size_t most_names = 5;

struct RunningArm {
  const Arm* arm;
  ChildProcess process;
  std::string gpu;       ///< empty on the CPU
  bool dropped = false;  ///< asked to stop because it is no longer needed
};

/// An arm in use by another process.
struct HeldArm {
  std::string holder;  ///< "process 123"
  Clock::time_point retry_at;
};

class Scheduler {
 public:
  Scheduler(const Config& config, const std::filesystem::path& sweep_dir, const std::vector<Arm>& all,
            const ReadAgenda& read_agenda, const ScheduleOptions& options)
      : config_(config),
        sweep_dir_(sweep_dir),
        all_(all),
        read_agenda_(read_agenda),
        options_(options),
        progress_(std::in_place, config.training.total_images),
        report_(sweep_dir, options.report_every) {
    read_agenda_again();
    const auto machine = this_sweep_machine(config.training);
    const auto most = static_cast<std::int64_t>(std::max(agenda_.most, agenda_.needed.size()));
    parallel_ = choose_parallel_arms(config, most, machine);
    gpus_ = machine.gpus;
    if (!gpus_.empty()) std::ranges::rotate(gpus_, gpus_.begin() + options_.first_gpu % std::ssize(gpus_));
    if (has_work()) {
      log::info(format_text("up to {} arm{} at a time, {} thread{} each ({})", parallel_.jobs, plural_s(parallel_.jobs),
                            parallel_.threads, plural_s(parallel_.threads), parallel_.reason));
    }
  }

  SweepResult run() {
    if (agenda_.over > 0) {
      log::info(
          format_text("{} of {} arms need{} no more training", agenda_.over, total(), agenda_.over == 1 ? "s" : ""));
    }
    const SuspendRequests suspend_requests;
    while (!running_.empty() || has_work()) {
      suspend_if_asked();
      stop_if_asked();
      if (!is_stopping() && !images_changed_) start_arms();
      collect_ended();
      if (is_stopping() && running_.empty()) break;
      read_agenda_if_due();
      if (running_.empty()) say_whom_we_wait_for();
      progress_->update(running_arms(), agenda_.over, failed_.size(), total());
      if (!is_stopping()) report_.refresh_if_due();
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    progress_.reset();
    say_how_many_ran_out_of_memory();
    report_.finish();
    write_results(config_, sweep_dir_, all_);
    if (stopped_by_ != 0) return {128 + stopped_by_, true, false};
    if (agenda_.diverged > 0) note_failure(static_cast<int>(ExitCode::diverged));
    return {worst_, false, out_of_time_};
  }

 private:
  std::size_t total() const { return agenda_.over + agenda_.needed.size(); }

  bool is_stopping() const { return stopped_by_ != 0 || out_of_time_; }

  /// Whether the agenda contains an arm that has not failed in this process. If the images have changed, there is no
  /// more work, because every arm that starts now would fail.
  bool has_work() const {
    return !images_changed_ &&
           std::ranges::any_of(agenda_.needed, [&](const Arm* arm) { return !failed_.contains(arm); });
  }

  bool is_running(const Arm* arm) const {
    return std::ranges::any_of(running_, [&](const RunningArm& running) { return running.arm == arm; });
  }

  void read_agenda_again() {
    agenda_ = read_agenda_();
    agenda_read_ = Clock::now();
    std::vector<const Arm*> expected = agenda_.needed;
    std::erase_if(expected, [&](const Arm* arm) { return failed_.contains(arm); });
    progress_->expect(expected);
    for (auto& running : running_) {
      if (!options_.stop_dropped || running.dropped || contains(agenda_.needed, running.arm)) continue;
      if (end_of(*running.arm, config_)) continue;  // trained to the end, and only writing its report
      log::info(running.arm->name + " is no longer needed; stopping it");
      running.dropped = true;
      running.process.send(SIGTERM);
    }
  }

  void read_agenda_if_due() {
    if (Clock::now() - agenda_read_ < agenda_interval) return;
    read_agenda_again();
    for (const auto& arm : running_) pass_on_busy_cores(arm);
  }

  /// The messages of arms are not shown, except the first warning that other processes use the cores.
  void pass_on_busy_cores(const RunningArm& arm) {
    if (said_cores_are_busy_) return;
    const std::string warning = arm.process.stderr_from(busy_cores_warning);
    said_cores_are_busy_ = !warning.empty();
    if (said_cores_are_busy_) log::warning(arm.arm->name + ": " + warning);
  }

  void start_arms() {
    release_held_arms();
    while (std::ssize(running_) < parallel_.jobs) {
      const auto next = std::ranges::find_if(
          agenda_.needed, [&](const Arm* arm) { return !is_running(arm) && !failed_.contains(arm) && !is_held(arm); });
      if (next == agenda_.needed.end()) return;
      const Arm* arm = *next;
      // Another process may have finished the arm, and released its lock, since the agenda was read.
      read_agenda_again();
      if (contains(agenda_.needed, arm)) start(*arm);
    }
  }

  static std::optional<std::string> holder_of(const Arm* arm) {
    try {
      return lock_holder(RunPaths(arm->directory).lock_file());
    } catch (const IoError&) {
      return std::nullopt;  // the arm's own process reports the error
    }
  }

  void hold(const Arm* arm, const std::string& holder) { held_[arm] = {holder, Clock::now() + retry_interval}; }

  /// Whether another process uses the arm.
  bool is_held(const Arm* arm) {
    if (held_.contains(arm)) return true;
    const auto holder = holder_of(arm);
    if (holder) hold(arm, *holder);
    return holder.has_value();
  }

  /// Removes from held_ the arms that are no longer in use, because the other process finished them or was stopped.
  void release_held_arms() {
    bool any = false;
    for (auto it = held_.begin(); it != held_.end();) {
      const auto holder = Clock::now() < it->second.retry_at ? it->second.holder : holder_of(it->first);
      any = any || !holder;
      if (holder && Clock::now() >= it->second.retry_at) hold(it->first, *holder);
      it = holder ? std::next(it) : held_.erase(it);
    }
    if (any) read_agenda_again();
  }

  /// The GPU for the next arm; empty if arms train on the CPU.
  std::string next_gpu() const {
    std::vector<std::string> in_use;
    for (const auto& running : running_) in_use.push_back(running.gpu);
    return least_used_gpu(gpus_, in_use);
  }

  void start(const Arm& arm) {
    const std::string gpu = next_gpu();
    log::info(format_text("{} started ({} thread{}{})", arm.name, parallel_.threads, plural_s(parallel_.threads),
                          gpu.empty() ? "" : ", GPU " + gpu));
    const auto arguments = arm_arguments(sweep_dir_, arm, parallel_, options_.data_hash);
    running_.push_back({&arm, ChildProcess(arguments, arm_variables(gpu, parallel_.jobs)), gpu});
  }

  void collect_ended() {
    std::vector<RunningArm> ended;
    for (auto it = running_.begin(); it != running_.end();) {
      if (!it->process.poll()) {
        ++it;
        continue;
      }
      ended.push_back(std::move(*it));
      it = running_.erase(it);
    }
    if (ended.empty()) return;
    for (const auto& arm : ended) {
      progress_->end(*arm.arm);
      pass_on_busy_cores(arm);
    }
    read_agenda_again();
    for (auto& arm : ended) report_end(arm, *arm.process.poll());
    write_results(config_, sweep_dir_, all_);
  }

  /// Whether the arm could not be trained because another process uses it. After a sweep is killed, its arms finish
  /// their current step and keep their directories locked for a moment.
  bool was_held(const Arm* arm, int code) {
    if (code == 0 || code == static_cast<int>(ExitCode::diverged) || code > 128) return false;
    const auto holder = holder_of(arm);
    if (!holder && code != static_cast<int>(ExitCode::busy)) return false;
    hold(arm, holder.value_or("another process"));
    return true;
  }

  void report_end(const RunningArm& ended, int code) {
    const std::string& name = ended.arm->name;
    const bool is_needed = contains(agenda_.needed, ended.arm);
    if (code == 0 && !is_needed) {
      return log::info(format_text("{} done ({} of {})", name, agenda_.over, total()) + figures_text(*ended.arm));
    }
    if ((is_stopping() || ended.dropped) && code > 128) return;
    if (was_held(ended.arm, code)) return;
    failed_.insert(ended.arm);
    if (code == 0) {  // training it again would give the same result
      note_failure(static_cast<int>(ExitCode::data));
      return log::error(name + " is done, but its files contain no result that this sweep can use; remove " +
                        printable(ended.arm->directory.string()) + " to train it again");
    }
    const std::string last_line = ended.process.last_stderr_line();
    const bool out_of_memory = ran_out_of_memory(code, last_line);
    out_of_memory_ += out_of_memory ? 1 : 0;
    note_failure(out_of_memory ? static_cast<int>(ExitCode::io) : exit_code_for(code));
    const std::string ending =
        code > 128 ? format_text("was terminated by signal {} ({})", code - 128, ::strsignal(code - 128))
                   : format_text("failed with exit code {}", code);
    log::error(name + " " + ending + (last_line.empty() ? "" : ": " + last_line));
    if (!is_about_changed_images(last_line) || std::exchange(images_changed_, true)) return;
    log::error("no more arms are started, because the images have changed since the other arms were trained");
  }

  /// When memory is exhausted, the system sends SIGKILL to the process that uses the most memory.
  static bool ran_out_of_memory(int code, const std::string& last_line) {
    return code == 128 + SIGKILL || last_line.find("out of memory while") != std::string::npos;
  }

  void say_how_many_ran_out_of_memory() const {
    if (out_of_memory_ == 0) return;
    log::error(
        format_text("{} of {} arms ran out of memory or {} killed; lower sweep.jobs ({} in this sweep), "
                    "training.batch_size, generator.width or discriminator.width, and run the same command again",
                    out_of_memory_, total(), out_of_memory_ == 1 ? "was" : "were", parallel_.jobs));
  }

  /// Keeps the most severe exit code. A divergence is a result and is the least severe; a crash is the most severe.
  void note_failure(int code) {
    const auto weight = [](int c) { return c == static_cast<int>(ExitCode::diverged) ? 1 : c; };
    if (weight(code) > weight(worst_)) worst_ = code;
  }

  /// Logs which processes use the remaining arms, once this list has not changed for two seconds.
  void say_whom_we_wait_for() {
    std::vector<std::string> names;
    for (const Arm* arm : agenda_.needed) {
      if (const auto held = held_.find(arm); held != held_.end())
        names.push_back(arm->name + " (in use by " + held->second.holder + ")");
    }
    if (names.empty() || is_stopping()) return;
    const std::size_t count = names.size();
    names.resize(std::min(count, most_names));
    std::string text = "waiting for " + join(names, ", ");
    if (count > most_names) text += format_text(" and {} more", count - most_names);
    if (text != waiting_for_) {
      waiting_for_ = std::move(text);
      waiting_since_ = Clock::now();
      said_waiting_ = false;
    } else if (!said_waiting_ && Clock::now() - waiting_since_ >= std::chrono::seconds(2)) {
      said_waiting_ = true;
      log::info(waiting_for_);
    }
  }

  void suspend_if_asked() const {
    std::vector<const ChildProcess*> children;
    for (const auto& arm : running_) children.push_back(&arm.process);
    if (const auto* report = report_.process()) children.push_back(report);
    suspend_if_requested(children);
  }

  void stop_if_asked() {
    if (is_stopping()) {
      if (stopped_by_ == 0) stopped_by_ = stop_signal();  // a signal after the deadline
      return;
    }
    stopped_by_ = stop_signal();
    out_of_time_ = stopped_by_ == 0 && options_.deadline && Clock::now() >= *options_.deadline;
    if (!is_stopping()) return;
    log::info(out_of_time_ ? "the time is up: the arms are writing their checkpoints"
                           : "stopping: the arms are writing their checkpoints");
    for (const auto& arm : running_) arm.process.send(out_of_time_ ? SIGTERM : stopped_by_);
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
    const auto fd = metrics ? find_value(metrics->values, "fd") : std::nullopt;
    if (fd) text += format_text(", FD {:.4g}", *fd);
    return text;
  }

  const Config& config_;
  const std::filesystem::path& sweep_dir_;
  const std::vector<Arm>& all_;
  const ReadAgenda& read_agenda_;
  const ScheduleOptions& options_;
  Agenda agenda_;
  Clock::time_point agenda_read_;
  std::vector<RunningArm> running_;
  std::map<const Arm*, HeldArm> held_;
  std::set<const Arm*> failed_;            ///< arms that failed in this process
  std::optional<SweepProgress> progress_;  // reset at the end of run()
  ReportRefresher report_;
  ParallelArms parallel_;
  std::vector<std::string> gpus_;  ///< see SweepMachine
  int worst_ = 0, stopped_by_ = 0, out_of_memory_ = 0;
  bool out_of_time_ = false, said_waiting_ = false, said_cores_are_busy_ = false, images_changed_ = false;
  std::string waiting_for_;
  Clock::time_point waiting_since_;
};

}  // namespace

std::vector<std::string> arm_arguments(const std::filesystem::path& sweep_dir, const Arm& arm,
                                       const ParallelArms& parallel, const std::string& data_hash) {
  const auto file = unexpanded_path((sweep_dir / "sweep.yaml").native());
  std::vector<std::string> arguments = {"--quiet", "train", file, "--arm", "--resume", "auto"};
  arguments.insert(arguments.end(), arm.overrides.begin(), arm.overrides.end());
  arguments.push_back("run.output_dir=" + yaml_scalar(unexpanded_path((sweep_dir / "runs").native())));
  arguments.push_back("training.threads=" + std::to_string(parallel.threads));
  arguments.insert(arguments.end(), {"--threads-reason", parallel.threads_reason});
  if (!data_hash.empty()) arguments.insert(arguments.end(), {"--data-hash", data_hash});
  return arguments;
}

ReadAgenda fixed_agenda(const Config& config, const std::vector<Arm>& mine) {
  const auto ends = std::make_shared<std::vector<std::optional<RunStatus>>>(mine.size());
  return [&config, &mine, ends] {
    Agenda agenda;
    for (std::size_t i = 0; i < mine.size(); ++i) {
      auto& end = (*ends)[i];
      if (!end) end = end_of(mine[i], config);
      if (!end) agenda.needed.push_back(&mine[i]);
      agenda.over += end.has_value();
      agenda.diverged += end == RunStatus::diverged;
    }
    agenda.most = agenda.needed.size();
    return agenda;
  };
}

SweepResult run_sweep(const Config& config, const std::filesystem::path& sweep_dir, const std::vector<Arm>& all,
                      const ReadAgenda& read_agenda, const ScheduleOptions& options) {
  return Scheduler(config, sweep_dir, all, read_agenda, options).run();
}

}  // namespace slopegan
