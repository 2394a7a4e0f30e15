#pragma once

#include <chrono>
#include <cstdint>

#include "training/gan_step.h"

namespace slopegan {

/// Shows how a run comes along: a line that stands at the bottom of a terminal, or a plain line every ten seconds.
class Progress {
 public:
  Progress(std::int64_t images_at_start, std::int64_t total_images);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::int64_t images, const StepStats& stats);

  /// Seconds since the start, and images per second over the last ten seconds or so.
  double seconds() const;
  double images_per_second() const { return speed_; }

 private:
  using Clock = std::chrono::steady_clock;
  void measure(std::int64_t images, Clock::time_point now);

  std::int64_t total_images_;
  Clock::time_point start_, shown_, measured_;
  std::int64_t measured_images_;
  double speed_ = 0;
};

/// Resident memory of this process in MiB.
double resident_memory_mib();

}  // namespace slopegan
