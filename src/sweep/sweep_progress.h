#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "run/progress.h"
#include "sweep/arms.h"

namespace slopegan {

/// The progress of an arm, according to the last lines of its files. std::nullopt if it has not started or if its files
/// cannot be read; the arm's own process reports the error.
std::optional<ProgressView> arm_progress(const Arm& arm, std::int64_t total_images);

/// The progress of a sweep.
struct SweepView {
  std::size_t over = 0, failed = 0, total = 0;  ///< numbers of arms
  std::int64_t images_left = 0;
  double share = 0;  ///< 1 - images_left / images of all arms
  double images_per_second = 0;
  double memory_mib = 0;  ///< sum over the running arms; shared memory counts for each of them
};

/// "[##........]  27 %  ETA 12:34  3 of 12 arms done  1 failed  2040/s  1280 MiB"
std::string progress_text(const SweepView& view);

/// Shows one line per running arm and one for the sweep: in place on a terminal, otherwise every 30 s.
class SweepProgress {
 public:
  explicit SweepProgress(std::int64_t total_images);
  ~SweepProgress();
  SweepProgress(const SweepProgress&) = delete;
  SweepProgress& operator=(const SweepProgress&) = delete;

  /// Sets the arms that are still to be trained.
  void expect(const std::vector<const Arm*>& arms);

  /// Redraws at most once per second on a terminal, otherwise once per 30 s.
  void update(const std::vector<const Arm*>& running, std::size_t over, std::size_t failed, std::size_t total);

  /// Must be called when the process of an arm has ended.
  void end(const Arm& arm);

 private:
  using Clock = std::chrono::steady_clock;
  /// Reads the arm's progress and counts the new images.
  std::optional<ProgressView> poll(const Arm& arm);
  SweepView overall(std::size_t over, std::size_t failed, std::size_t total) const;

  std::int64_t total_images_;
  std::map<const Arm*, std::int64_t> images_;  ///< images seen by the arms that still need training
  std::int64_t trained_ = 0;                   ///< images trained since start_
  Clock::time_point start_, shown_;
};

}  // namespace slopegan
