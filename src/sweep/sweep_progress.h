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

/// What is seen of an arm while it trains, from the ends of its files: nothing where it has not begun, or cannot be
/// read, which its own process complains about.
std::optional<ProgressView> glance_at(const Arm& arm, std::int64_t total_images);

/// Where a sweep stands as a whole.
struct SweepView {
  std::size_t over = 0, failed = 0, total = 0;  ///< arms
  std::int64_t images_left = 0;
  double share = 0;  ///< of all images
  double images_per_second = 0;
  double memory_mib = 0;  ///< of the arms that train, what they share counted by each
};

/// "[###.......] 27 %  ETA 12:34  3 of 12 arms done  1 failed  2040/s  1280 MiB"
std::string whole_text(const SweepView& view);

/// Shows a line for each arm that trains and one for the whole: in place on a terminal, else every half minute.
class SweepProgress {
 public:
  /// `images`: of each arm to train, what it has seen already.
  SweepProgress(std::int64_t total_images, std::map<const Arm*, std::int64_t> images);
  ~SweepProgress();
  SweepProgress(const SweepProgress&) = delete;
  SweepProgress& operator=(const SweepProgress&) = delete;

  /// When it is time to.
  void update(const std::vector<const Arm*>& running, std::size_t over, std::size_t failed, std::size_t total);

  /// The arm's process has ended; nothing of it is left to do.
  void end(const Arm& arm);

 private:
  using Clock = std::chrono::steady_clock;
  std::optional<ProgressView> follow(const Arm& arm);
  SweepView whole(std::size_t over, std::size_t failed, std::size_t total) const;

  std::int64_t total_images_;
  std::map<const Arm*, std::int64_t> images_;  ///< seen by the arms that are not over
  std::int64_t trained_ = 0;                   ///< since the start
  Clock::time_point start_, shown_;
};

}  // namespace slopegan
