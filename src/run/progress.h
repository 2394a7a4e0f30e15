#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "run/records.h"

namespace slopegan {

/// What a run spends its time with.
enum class Phase : std::size_t { train, samples, diagnostics, metrics, checkpoint };
inline constexpr std::array phases = {Phase::train, Phase::samples, Phase::diagnostics, Phase::metrics,
                                      Phase::checkpoint};

const char* name_of(Phase phase);

/// A moment of a run.
struct ProgressView {
  std::int64_t images = 0, total_images = 1;
  std::optional<Phase> phase{};     ///< nothing where it is not known
  double images_per_second = 0;     ///< while training
  double seconds_left = 0;          ///< may be infinite
  StepStats stats{};                ///< of the last step
  std::optional<double> last_fd{};  ///< of the last evaluation
  double memory_mib = 0;
};

/// "[####......] " for a share in [0, 1].
std::string progress_bar(double share);

/// "[####......]  42 %  ETA 01:23  train  1034/s  FD 12.3  …" in at most `columns` columns, without what matters less
/// where there are too few.
std::string status_text(const ProgressView& view, std::size_t columns);

/// The same in one line of a log, whole.
std::string plain_text(const ProgressView& view);

/// Shows how a run comes along: a line that stands at the bottom of a terminal, or a plain line after a second
/// and then every ten.
class Progress {
 public:
  Progress(std::int64_t images_at_start, std::int64_t total_images);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::int64_t images, const StepStats& stats);

  /// work(), which is shown, and counted, as `phase`.
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

  /// Of the last update.
  const ProgressView& view() const { return view_; }
  /// Seconds since the start, and of them in a phase.
  double seconds() const;
  double seconds_in(Phase phase) const;
  /// Over the last ten seconds or so of training, the other phases not counted.
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
  std::array<double, phases.size()> seconds_{};  ///< up to entered_
  double measured_seconds_ = 0;                  ///< of training, when the window of the speed began
  std::int64_t measured_images_;
};

/// Resident memory of this process in MiB.
double resident_memory_mib();

}  // namespace slopegan
