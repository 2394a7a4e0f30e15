#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "run/records.h"
#include "support/enum_values.h"

namespace slopegan {

/// The activities of a run.
enum class Phase : std::size_t { train, samples, diagnostics, metrics, checkpoint };

constexpr const char* name_of(Phase phase) {
  switch (phase) {
    case Phase::train:
      return "train";
    case Phase::samples:
      return "samples";
    case Phase::diagnostics:
      return "diagnostics";
    case Phase::metrics:
      return "metrics";
    case Phase::checkpoint:
      return "checkpoint";
  }
  return "";
}

/// The state of a run at one point in time.
struct ProgressView {
  std::int64_t images = 0, total_images = 1;
  std::optional<Phase> phase{};     ///< empty if unknown
  double images_per_second = 0;     ///< while training
  double seconds_left = 0;          ///< may be infinite
  StepStats stats{};                ///< the values of the last step
  std::optional<double> last_fd{};  ///< the FD of the last evaluation
  double memory_mib = 0;
};

/// Returns "[####......] " for a fraction in [0, 1].
std::string progress_bar(double fraction);

/// Returns "[####......]  42 %  ETA 01:23  train  1034/s  FD 12.3  …" in at most `columns` columns. The least important
/// parts are omitted if there is not enough space.
std::string status_text(const ProgressView& view, std::size_t columns);

/// Returns all parts of the status on one line, for a log.
std::string plain_text(const ProgressView& view);

/// Shows the progress of a run: on a terminal, as a status line at the bottom; otherwise, as a log line after one
/// second and then every ten seconds.
class Progress {
 public:
  Progress(std::int64_t images_at_start, std::int64_t total_images);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::int64_t images, const StepStats& stats);

  /// Runs work() while showing `phase`, and adds the elapsed time to that phase.
  template <class Work>
  auto during(Phase phase, Work&& work) {
    struct Visit {
      Progress& progress;
      ~Visit() { progress.enter(Phase::train); }
    };
    enter(phase);
    const Visit visit{*this};
    return work();
  }

  void set_fd(double fd) { view_.last_fd = fd; }

  /// The state at the last update.
  const ProgressView& view() const { return view_; }
  /// The time since the start in seconds, in total and in one phase.
  double seconds() const;
  double seconds_in(Phase phase) const;
  /// The speed over about the last ten seconds of training, without the other phases.
  double images_per_second() const { return view_.images_per_second; }

 private:
  using Clock = std::chrono::steady_clock;
  void enter(Phase phase);
  void measure();
  void show();

  ProgressView view_;
  Phase phase_ = Phase::train;
  std::int64_t images_at_start_;
  Clock::time_point start_, entered_, shown_;
  std::array<double, enum_values<Phase>.size()> seconds_{};  ///< time in each phase, up to entered_
  double measured_seconds_ = 0;                              ///< training time when the window for the speed began
  std::int64_t measured_images_;                             ///< images when that window began
};

/// Returns the resident memory of this process in MiB.
double resident_memory_mib();

/// Returns one row of the summary table that is printed at the end of a run, including the newline.
std::string summary_row(const char* name, const std::string& text);

/// Returns the first rows of the summary table: images, time per phase, speed, memory, and the losses of the last step.
std::string progress_summary(const Progress& progress);

}  // namespace slopegan
