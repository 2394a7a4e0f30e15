#include "sheets/animations.h"

#include <algorithm>
#include <functional>
#include <set>

#include <ATen/ATen.h>

#include "images/gif.h"
#include "sampling/latents.h"
#include "sampling/samples.h"
#include "sheets/score_labels.h"
#include "sheets/sheet_parts.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// Durations of frames in 1/100 s.
constexpr int walk_hundredths = 6, training_hundredths = 40, last_hundredths = 250;
constexpr std::size_t most_training_frames = 200;
constexpr std::int64_t tile_stations = 3;  // latents on the walk of each tile

/// The walk from latent `row` of the run to the next one, float32 [columns, latent_dim].
at::Tensor walk_row(const Config& config, int row, int columns) {
  const auto ends = sample_latents(config, row + 2);
  std::vector<at::Tensor> points;
  for (int i = 0; i < columns; ++i) {
    const double t = columns == 1 ? 0 : static_cast<double>(i) / (columns - 1);
    points.push_back(slerp(ends[row], ends[row + 1], t));
  }
  return at::stack(points);
}

/// One walk per tile: from the tile's latent to two further latents of the run, which no other tile uses, and back.
std::vector<LatentWalk> tile_walks(const Config& config, int tiles, int steps) {
  const auto latents = sample_latents(config, tile_stations * tiles);
  std::vector<LatentWalk> walks;
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    const auto others = latents.narrow(0, tiles + (tile_stations - 1) * tile, tile_stations - 1);
    walks.emplace_back(at::cat({latents.narrow(0, tile, 1), others}), steps);
  }
  return walks;
}

/// The latents of all walks in a frame, float32 [walks, latent_dim].
at::Tensor latents_at(const std::vector<LatentWalk>& walks, std::int64_t frame) {
  std::vector<at::Tensor> latents;
  for (const auto& walk : walks) latents.push_back(walk.latents(frame, 1));
  return at::cat(latents);
}

/// The samples, with blank tiles for missing ones, so that all frames have the same size.
std::vector<cv::Mat> frame_tiles(const RunPaths& run, std::int64_t images, const Config& config, int count,
                                 const SheetStyle& style) {
  auto tiles = sample_tiles(run, images, config, count);
  const int size = static_cast<int>(config.data.resolution);
  for (auto& tile : tiles) {
    if (tile.empty()) tile = cv::Mat(size, size, CV_8UC1, colours_of(style.picture).missing);
  }
  return tiles;
}

std::vector<SheetRow> grid_rows(const std::vector<cv::Mat>& tiles, int columns) {
  std::vector<SheetRow> rows;
  for (auto at = tiles.begin(); at < tiles.end(); at += columns) rows.push_back({.tiles = {at, at + columns}});
  return rows;
}

/// The style without colours. A GIF reproduces gray images exactly if nothing else in the picture has a colour.
SheetStyle in_gray(SheetStyle style) {
  style.picture.gray = true;
  return style;
}

void write_walk(const std::filesystem::path& file, Sheet sheet, int steps, const SheetStyle& style,
                const std::function<void(Sheet&, std::int64_t)>& fill) {
  GifWriter animation(file);
  for (std::int64_t frame = 0; frame < tile_stations * steps; ++frame) {
    fill(sheet, frame);
    animation.add(draw_sheet(sheet, in_gray(style)), walk_hundredths);
  }
  animation.finish();
}

/// Writes one frame per image count, but at most most_training_frames, and appends the count to the title. The last
/// frame is shown for longer. `fill` sets the rows of a frame. All frames are as wide as the last one.
void write_training(const std::filesystem::path& file, const Sheet& sheet, const std::set<std::int64_t>& counts,
                    const SheetStyle& style, const std::function<void(Sheet&, std::int64_t)>& fill) {
  if (counts.empty()) throw UsageError("no samples were written during training (samples.every_images)");
  const auto times = spread(counts, most_training_frames);
  SheetStyle same = in_gray(style);
  const auto frame = [&](std::int64_t images) {
    Sheet at = sheet;
    at.title += format_text(" after {} images", grouped(images));
    fill(at, images);
    return at;
  };
  same.text_width = lay_out(frame(times.back()), same).size.width / same.picture.pixel_ratio - 2 * same.margin;
  GifWriter animation(file);
  for (const auto images : times) {
    animation.add(draw_sheet(frame(images), same), images == times.back() ? last_hundredths : training_hundredths);
  }
  animation.finish();
}

}  // namespace

Sheet walk_sheet(const Checkpoint& checkpoint, int rows, int columns) {
  auto loaded = load_generator(checkpoint);
  Sheet sheet;
  sheet.title = run_title(loaded);
  sheet.caption = run_caption(loaded) + " Each row is a walk on the sphere from one latent to the next.";
  for (int r = 0; r < rows; ++r) {
    sheet.rows.push_back({.label = format_text("latent {} to {}", r + 1, r + 2)});
    sheet.rows.back().tiles = generate_tiles(loaded, walk_row(loaded.config, r, columns));
  }
  return sheet;
}

Sheet slope_walk_sheet(const Config& config, const std::vector<Arm>& arms, std::int64_t seed, int columns) {
  Sheet sheet;
  sheet.title = config.run.name + ": one walk at every slope";
  const ScoreLabels labels = score_labels(config, arms);
  sheet.caption =
      labels.explain(sweep_caption(config, seed, "columns are steps on the sphere from one latent to another"));
  const auto chosen = arms_of_seed(arms, seed);
  for (const auto& arm : chosen) {
    sheet.rows.push_back(slope_row(config, arm, columns, [=](const Config& own) { return walk_row(own, 0, columns); }));
    labels.add_to(sheet.rows.back(), arm);
  }
  separate_conditions(sheet, chosen);
  return sheet;
}

void animate_walk(const std::filesystem::path& file, const Checkpoint& checkpoint, int rows, int columns, int steps,
                  const SheetStyle& style) {
  auto loaded = load_generator(checkpoint);
  Sheet sheet;
  sheet.title = run_title(loaded);
  sheet.caption = run_caption(loaded);
  const auto walks = tile_walks(loaded.config, rows * columns, steps);
  write_walk(file, sheet, steps, style, [&](Sheet& one, std::int64_t frame) {
    one.rows = grid_rows(generate_tiles(loaded, latents_at(walks, frame)), columns);
  });
}

void animate_slope_walk(const std::filesystem::path& file, const Config& config, const std::vector<Arm>& arms,
                        std::int64_t seed, int columns, int steps, const SheetStyle& style) {
  Sheet sheet;
  sheet.title = config.run.name + ": the same walks at every slope";
  const ScoreLabels labels = score_labels(config, arms);
  sheet.caption = labels.explain(sweep_caption(config, seed, "in each column, all slopes use the same walk"));
  struct Walker {
    std::optional<LoadedGenerator> loaded;
    std::vector<LatentWalk> walks;
  };
  std::vector<Walker> walkers;
  const auto chosen = arms_of_seed(arms, seed);
  for (const auto& arm : chosen) {
    auto [row, loaded] = arm_generator(config, arm);
    labels.add_to(row, arm);
    row.tiles.resize(static_cast<std::size_t>(columns));
    sheet.rows.push_back(std::move(row));
    Walker walker{std::move(loaded), {}};
    if (walker.loaded) walker.walks = tile_walks(walker.loaded->config, columns, steps);
    walkers.push_back(std::move(walker));
  }
  separate_conditions(sheet, chosen);
  write_walk(file, std::move(sheet), steps, style, [&](Sheet& one, std::int64_t frame) {
    for (std::size_t i = 0; i < walkers.size(); ++i) {
      auto& [loaded, walks] = walkers[i];
      if (loaded) one.rows[i].tiles = generate_tiles(*loaded, latents_at(walks, frame));
    }
  });
}

void animate_training(const std::filesystem::path& file, const Config& config, const RunPaths& run, int rows,
                      int columns, const SheetStyle& style) {
  Sheet sheet;
  sheet.title = config.run.name + ":";
  // Show at most as many tiles as there are samples.
  columns = std::min(columns, static_cast<int>(config.samples.columns * config.samples.rows));
  rows = std::min(rows, static_cast<int>(config.samples.columns * config.samples.rows) / columns);
  write_training(file, sheet, run.sample_counts(), style, [&](Sheet& one, std::int64_t images) {
    one.rows = grid_rows(frame_tiles(run, images, config, rows * columns, style), columns);
  });
}

void animate_slope_training(const std::filesystem::path& file, const Config& config, const std::vector<Arm>& arms,
                            std::int64_t seed, int columns, const SheetStyle& style) {
  const auto chosen = arms_of_seed(arms, seed);
  const ScoreLabels labels = score_labels(config, arms);
  columns = std::min(columns, static_cast<int>(config.samples.columns * config.samples.rows));
  Sheet sheet;
  sheet.title = config.run.name + ": slopes";
  sheet.caption =
      labels.explain(sweep_caption(config, seed, "each column shows one latent at every slope; scores after training"));
  std::set<std::int64_t> counts;
  for (const auto& arm : chosen) {
    counts.merge(RunPaths(arm.directory).sample_counts());
    sheet.rows.push_back(labelled_row(arm));
    labels.add_to(sheet.rows.back(), arm);
  }
  separate_conditions(sheet, chosen);
  write_training(file, sheet, counts, style, [&](Sheet& one, std::int64_t images) {
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      one.rows[i].tiles = frame_tiles(RunPaths(chosen[i].directory), images, config, columns, style);
    }
  });
}

}  // namespace slopegan
