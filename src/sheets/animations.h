#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "config/config.h"
#include "images/sheet.h"
#include "run/checkpoint.h"
#include "sweep/arms.h"

/// Latent walks as sheets, and animated GIFs of walks and of training. All slopes of a sweep use the same walk.
namespace slopegan {

/// Each row shows `columns` images of a walk from one of the run's latents to the next, both ends included. Each row
/// begins where the row above ends. Throws CheckpointError.
Sheet walk_sheet(const Checkpoint& checkpoint, int rows, int columns);

/// Rows = slopes, columns = images of one walk, which is the same for all slopes.
Sheet slope_walk_sheet(const Config& config, const std::vector<Arm>& arms, std::int64_t seed, int columns);

/// Each tile shows a walk from its latent in the run's grid to two other latents and back, with `steps` frames from
/// each latent to the next.
void animate_walk(const std::filesystem::path& file, const Checkpoint& checkpoint, int rows, int columns, int steps,
                  const SheetStyle& style);

/// animate_walk for a sweep: rows = slopes; the tiles in a column share a walk, which begins at the column's latent in
/// the contact sheet.
void animate_slope_walk(const std::filesystem::path& file, const Config& config, const std::vector<Arm>& arms,
                        std::int64_t seed, int columns, int steps, const SheetStyle& style);

/// Animates the samples that a run wrote during training: one frame per sample grid, but at most 200 frames. Throws
/// UsageError if there are no samples.
void animate_training(const std::filesystem::path& file, const Config& config, const RunPaths& run, int rows,
                      int columns, const SheetStyle& style);

/// animate_training for a sweep: rows = slopes. An arm without samples for a frame gets blank tiles.
void animate_slope_training(const std::filesystem::path& file, const Config& config, const std::vector<Arm>& arms,
                            std::int64_t seed, int columns, const SheetStyle& style);

}  // namespace slopegan
