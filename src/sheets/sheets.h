#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "config/config.h"
#include "images/sheet.h"
#include "run/checkpoint.h"
#include "sweep/arms.h"

/// The pictures that answer the question: what the same latents look like with different slopes.
namespace slopegan {

inline constexpr int default_sheet_columns = 12;

/// A row of real images, then a row for each slope with the images of the same `columns` latents, of the arms with that
/// seed, labelled with slope and score (FD over all seeds of `arms`). Arms without a checkpoint keep their row, pale,
/// with their status. Throws CheckpointError, DataError.
Sheet slope_contact_sheet(const Config& config, const std::vector<Arm>& arms, std::int64_t seed, int columns);

/// Rows = slopes, columns = images seen: the first four latents of the samples that each arm wrote as it went.
Sheet slope_time_sheet(const Config& config, const std::vector<Arm>& arms, std::int64_t seed, int columns);

/// The images of the same latents with two slopes of the sweep, and below them how they differ: white where they are
/// equal, red where the second is brighter, blue where it is darker. Throws UsageError where the sweep has no such
/// slope or its arm no checkpoint.
Sheet slope_difference_sheet(const Config& config, const std::vector<Arm>& arms, std::int64_t seed, int columns,
                             double first, double second);

/// `second` − `first`, as slope_difference_sheet shows it (CV_8UC3): the mean over the colours, white at 0
/// and full colour at 255. Both CV_8UC1 or both CV_8UC3, of one size.
cv::Mat signed_difference(const cv::Mat& first, const cv::Mat& second);

/// The generated images of one checkpoint below a row of real ones.
Sheet checkpoint_sheet(const Checkpoint& checkpoint, int rows, int columns);

/// Writes contact_sheet.png and time_sheet.png of a sweep; returns their paths. The time sheet is left out where no arm
/// has written samples. `scale` as SheetStyle has it.
std::vector<std::filesystem::path> write_sweep_sheets(const Config& config, const std::filesystem::path& sweep_dir,
                                                      std::int64_t seed, int columns, int scale = 0);

}  // namespace slopegan
