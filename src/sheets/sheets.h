#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "config/config.h"
#include "images/sheet.h"
#include "run/checkpoint.h"
#include "sweep/arms.h"

/// Contact sheets: images from the same latents at different slopes, over training, and by class.
namespace slopegan {

inline constexpr int default_sheet_columns = 12;

// --- Sheets of a sweep: one row per slope, from the arms of one seed ------------------------------------------------

/// One row of images per slope, all from the same `columns` latents, below a row of real images. Each row is labelled
/// with its slope and the score of the slope (FD over all seeds in `arms`). An arm without a checkpoint has a blank row
/// with its status. Throws CheckpointError.
Sheet slope_contact_sheet(const Config& config, const std::vector<Arm>& arms, std::int64_t seed, int columns);

/// Images from the same latents at two slopes of the sweep, and their signed_difference. Throws UsageError if the sweep
/// lacks one of the slopes or if the arm of one of them has no checkpoint.
Sheet slope_difference_sheet(const Config& config, const std::vector<Arm>& arms, std::int64_t seed, int columns,
                             double first, double second);

/// Rows = slopes, columns = classes, below a row of real images; see class_sheet. If no generated image of a slope
/// belongs to a class, the tile is blank.
Sheet slope_class_sheet(const Config& config, const std::vector<Arm>& arms, std::int64_t seed);

/// Writes contact_sheet.png and time_sheet.png to the directory of the sweep and returns their paths. The names of dark
/// and larger pictures have a suffix (see name_suffix). The time sheet is omitted if no arm has written samples.
/// `scale` has the same meaning as in SheetStyle.
std::vector<std::filesystem::path> write_sweep_sheets(const Config& config, const std::filesystem::path& sweep_dir,
                                                      std::int64_t seed, int columns, int scale = 0,
                                                      const PictureStyle& picture = {});

// --- Sheets of one checkpoint ---------------------------------------------------------------------------------------

/// Rows of generated images below a row of real ones.
Sheet checkpoint_sheet(const Checkpoint& checkpoint, int rows, int columns);

/// Rows = classes: one real image, then `columns` generated ones, with the class's fraction of the generated and of the
/// real images. Classes are predicted by the classifier for the data set (evaluation/classifier_extractor.h), which is
/// trained if it is not cached. The images are the first of their class among the run's latents; they are not selected
/// by quality. Throws UsageError if the data set has no labels to train a classifier with, and DataError if it cannot
/// be loaded.
Sheet class_sheet(const Checkpoint& checkpoint, int columns);

// --- Pixels ---------------------------------------------------------------------------------------------------------

/// `second` − `first` as CV_8UC3: red where the channels of `second` are brighter on average, blue where they are
/// darker, and gray where only the colour differs. The mean absolute difference of the channels sets the strength:
/// white for 0, full colour (or black) for 255. The images are both CV_8UC1 or both CV_8UC3, and of equal size.
cv::Mat signed_difference(const cv::Mat& first, const cv::Mat& second);

}  // namespace slopegan
