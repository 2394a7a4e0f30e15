#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include <opencv2/core.hpp>

#include "config/config.h"
#include "experiments/arms.h"
#include "run/checkpoint.h"

/// The pictures that answer the question: what the same latents look like with different slopes.
namespace slopegan {

inline constexpr int default_sheet_columns = 12;

/// A row of real images, then a row for each slope with the images of the same `columns` latents, of the arms with that
/// seed, labelled with slope and score (FD over all seeds of `arms`). Arms without a checkpoint keep their row, pale,
/// with their status. Throws CheckpointError, DataError.
cv::Mat slope_contact_sheet(const Config& config, const std::vector<Arm>& arms, std::int64_t seed, int columns);

/// Rows = slopes, columns = images seen: the first four latents of the samples that each arm wrote as it went.
cv::Mat slope_time_sheet(const Config& config, const std::vector<Arm>& arms, std::int64_t seed, int columns);

/// The generated images of one checkpoint below a row of real ones.
cv::Mat checkpoint_sheet(const Checkpoint& checkpoint, int rows, int columns);

/// Writes contact_sheet.png and time_sheet.png of a sweep; returns their paths. The time sheet is left out where no arm
/// has written samples.
std::vector<std::filesystem::path> write_sweep_sheets(const Config& config, const std::filesystem::path& sweep_dir,
                                                      std::int64_t seed, int columns);

}  // namespace slopegan
