#include "sheets/sheet_parts.h"

#include <algorithm>

#include "config/sweep_target.h"
#include "data/dataset.h"
#include "images/convert.h"
#include "images/grid.h"
#include "images/image_file.h"
#include "sampling/samples.h"
#include "statistics/statistics_text.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/signals.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// Returns the arm's newest checkpoint. If there is none, returns std::nullopt and stores the reason in `detail`.
std::optional<Checkpoint> checkpoint_of(const Arm& arm, std::string& detail) {
  try {
    auto checkpoint = load_newest(RunPaths(arm.directory).checkpoints_dir());
    if (!checkpoint && detail.empty()) detail = "no checkpoint yet";
    return checkpoint;
  } catch (const CheckpointError& error) {
    log::warning(error.what());
    detail = "damaged checkpoint";
    return std::nullopt;
  }
}

}  // namespace

SheetStyle sweep_style(int scale, const PictureStyle& picture) {
  return {.scale = scale, .max_label_width = 400, .picture = picture};
}

std::vector<SheetRow> reference_rows(const Config& config, int columns) {
  try {
    const auto dataset = load_dataset(config.data, Split::train);
    log_notes(*dataset, Split::train);
    SheetRow row;
    row.label = "real images";
    row.tiles = to_mats(real_images(*dataset, config, columns));
    row.reference = true;
    return {row};
  } catch (const StoppedError&) {
    throw;
  } catch (const Error& error) {
    log::warning(std::string("the sheet has no row of real images: ") + error.what());
    return {};
  }
}

std::vector<Arm> arms_of_seed(const std::vector<Arm>& arms, std::int64_t seed) {
  std::vector<Arm> chosen;
  for (const auto& arm : arms) {
    if (arm.seed == seed) chosen.push_back(arm);
  }
  std::stable_sort(chosen.begin(), chosen.end(), [](const Arm& a, const Arm& b) {
    return std::pair(a.condition, a.negative_slope) < std::pair(b.condition, b.negative_slope);
  });
  if (chosen.empty()) throw UsageError(format_text("the sweep has no arm with seed {}", seed));
  return chosen;
}

void add_detail(SheetRow& row, const std::string& text) {
  if (!text.empty()) row.detail += (row.detail.empty() ? "" : ", ") + text;
}

SheetRow labelled_row(const Arm& arm) {
  SheetRow row;
  row.label = "slope " + slope_name(arm.negative_slope);
  std::vector<std::string> settings;
  for (const auto& setting : arm.settings) settings.push_back(setting.key + " " + setting.value);
  row.detail = join(settings, ", ");
  return row;
}

void separate_conditions(Sheet& sheet, const std::vector<Arm>& arms) {
  const std::size_t first = sheet.rows.size() - arms.size();
  for (std::size_t i = 0; i + 1 < arms.size(); ++i) {
    if (arms[i].condition != arms[i + 1].condition) sheet.rows[first + i].reference = true;
  }
}

std::string sweep_caption(const Config& config, std::int64_t seed, const std::string& columns) {
  return format_text("Negative slope of the Leaky ReLU in {}, {} images seen, seed {}; {}.",
                     describe(config.sweep.apply_to), grouped(config.training.total_images), seed, columns);
}

std::string run_title(const LoadedGenerator& loaded) {
  return format_text("{}: after {} images", loaded.config.run.name, grouped(loaded.images));
}

std::string run_caption(const LoadedGenerator& loaded) {
  return format_text("Generator: {}, seed {}.", loaded.generator->blocks.front()->activation->description(),
                     loaded.config.seed);
}

ArmGenerator arm_generator(const Config& config, const Arm& arm) {
  ArmGenerator generator;
  auto& row = generator.row;
  row = labelled_row(arm);
  const auto state = read_arm_state(arm);
  std::string problem;
  if (state.status == RunStatus::diverged) problem = "diverged";
  if (!state.status) problem = "not run yet";
  const auto checkpoint = checkpoint_of(arm, problem);
  add_detail(row, problem);
  if (!checkpoint) return generator;
  generator.loaded = load_generator(*checkpoint);
  if (generator.loaded->images < config.training.total_images) {
    add_detail(row, format_text("at {} images", grouped(generator.loaded->images)));
  }
  return generator;
}

void throw_if_stopped() {
  if (const int signal = stop_signal()) throw StoppedError(signal, "stopped before the picture was complete");
}

std::vector<cv::Mat> generate_tiles(LoadedGenerator& loaded, const at::Tensor& latents) {
  throw_if_stopped();
  return to_mats(generate_images(loaded.generator, latents, sheet_compute));
}

SheetRow slope_row(const Config& config, const Arm& arm, int columns,
                   const std::function<at::Tensor(const Config&)>& latents) {
  auto [row, loaded] = arm_generator(config, arm);
  if (loaded) {
    row.tiles = generate_tiles(*loaded, latents(loaded->config));
  } else {
    row.tiles.resize(static_cast<std::size_t>(columns));
  }
  return row;
}

std::vector<std::int64_t> spread(const std::set<std::int64_t>& values, std::size_t count) {
  const std::vector<std::int64_t> all(values.begin(), values.end());
  if (all.size() <= count) return all;
  std::vector<std::int64_t> chosen;
  for (std::size_t i = 1; i <= count; ++i) chosen.push_back(all[i * all.size() / count - 1]);
  return chosen;
}

std::vector<cv::Mat> sample_tiles(const RunPaths& run, std::int64_t images, const Config& config, int count) {
  std::vector<cv::Mat> tiles(static_cast<std::size_t>(count));
  const auto file = run.samples_file(images);
  if (!std::filesystem::exists(file)) return tiles;
  const auto grid = read_grid(file);
  const auto layout = samples_layout(config.samples);
  const int size = static_cast<int>(config.data.resolution);
  if (!is_grid(grid, layout, size)) {
    log::warning(printable(file.string()) + " does not have the configured number of rows and columns, and is omitted");
    return tiles;
  }
  for (int i = 0; i < std::min(count, layout.rows * layout.columns); ++i) {
    tiles[static_cast<std::size_t>(i)] = tile_at(grid, layout, size, i / layout.columns, i % layout.columns);
  }
  return tiles;
}

}  // namespace slopegan
