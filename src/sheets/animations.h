#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "config/config.h"
#include "images/sheet.h"
#include "run/checkpoint.h"
#include "sweep/arms.h"

/// Latent walks as sheets, and pictures that move (GIF): over training time, and walks. All slopes walk the same way.
namespace slopegan {

/// Rows = walks of `columns` steps from one latent of the run's to the next, both ends included; each row begins where
/// the one above ends. Throws CheckpointError.
Sheet walk_sheet(const Checkpoint& checkpoint, int rows, int columns);

/// Rows = slopes, columns = steps of one walk, the same for all.
Sheet slope_walk_sheet(const Config& config, const std::vector<Arm>& arms, std::int64_t seed, int columns);

/// Every tile of the run's grid walks from its latent to two others and back, in `steps` frames each.
void animate_walk(const std::filesystem::path& file, const Checkpoint& checkpoint, int rows, int columns, int steps,
                  const SheetStyle& style);

/// The same of a sweep: rows = slopes, all tiles of a column walk the same way, from the latents of the contact sheet.
void animate_slope_walk(const std::filesystem::path& file, const Config& config, const std::vector<Arm>& arms,
                        std::int64_t seed, int columns, int steps, const SheetStyle& style);

/// The samples that a run wrote as it trained, a frame each. Throws UsageError where there are none.
void animate_training(const std::filesystem::path& file, const Config& config, const RunPaths& run, int rows,
                      int columns, const SheetStyle& style);

/// The same of a sweep: rows = slopes. Arms that have no samples at a frame's time are pale.
void animate_slope_training(const std::filesystem::path& file, const Config& config, const std::vector<Arm>& arms,
                            std::int64_t seed, int columns, const SheetStyle& style);

}  // namespace slopegan
