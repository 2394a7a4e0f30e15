#include "experiments/sheets.h"

#include <algorithm>
#include <map>
#include <set>

#include "data/dataset.h"
#include "experiments/statistics_text.h"
#include "experiments/sweep_scores.h"
#include "images/convert.h"
#include "images/grid.h"
#include "images/png.h"
#include "images/read_image.h"
#include "images/sheet.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/text.h"
#include "training/load_generator.h"
#include "training/samples.h"

namespace slopegan {

namespace {

const Compute sheet_compute{at::kCPU, at::kFloat, 1};

/// Wide enough for "diverged, FD 12.3 +/- 0.4, 1 of 3 diverged".
const SheetStyle sweep_style{.max_label_width = 400};

/// The real images that every sheet is compared with, or no row where the data set has gone.
std::vector<SheetRow> reference_rows(const Config& config, int columns) {
  try {
    const auto dataset = load_dataset(config.data, Split::train);
    SheetRow row;
    row.label = "real images";
    row.tiles = to_mats(real_images(*dataset, config, columns));
    row.reference = true;
    return {row};
  } catch (const StoppedError&) {
    throw;
  } catch (const Error& error) {
    log::warning(std::string("the sheet has no real images: ") + error.what());
    return {};
  }
}

std::vector<Arm> arms_of_seed(const std::vector<Arm>& arms, std::int64_t seed) {
  std::vector<Arm> chosen;
  for (const auto& arm : arms) {
    if (arm.seed == seed) chosen.push_back(arm);
  }
  std::stable_sort(chosen.begin(), chosen.end(),
                   [](const Arm& a, const Arm& b) { return a.negative_slope < b.negative_slope; });
  if (chosen.empty()) throw UsageError(format("the sweep has no arm with seed %lld", static_cast<long long>(seed)));
  return chosen;
}

/// What a sweep's sheet says about scores.
struct ScoreLabels {
  std::map<double, std::string> slopes;  // "FD 12.3 +/- 0.4 (3 seeds)"
  std::string floor;                     // of the real images
  std::string legend;                    // what the figures are, where there are any
};

ScoreLabels score_labels(const Config& config, const std::vector<Arm>& arms) {
  ScoreLabels labels;
  const SweepScores scores = read_scores(config, arms);
  const auto statistics = sweep_statistics(scores.arms, config.sweep.control);
  for (const auto& summary : statistics.slopes) labels.slopes[summary.negative_slope] = score_text(summary);
  if (scores.extractor.empty()) return labels;
  labels.legend = format("; FD is the Frechet distance of %lld generated images, lower is better",
                         static_cast<long long>(scores.samples));
  if (statistics.seeds.size() > 1) labels.legend += ", mean +/- standard deviation over the seeds";
  if (scores.fd_floor) labels.floor = "FD of test images " + score_number(*scores.fd_floor);
  return labels;
}

/// Adds what says something to a row's detail.
void add_detail(SheetRow& row, const std::string& text) {
  if (!text.empty()) row.detail += (row.detail.empty() ? "" : ", ") + text;
}

std::string slope_label(double slope) {
  const std::string label = "slope " + shortest(slope);
  return slope == 0 ? label + " (ReLU)" : slope == 1 ? label + " (linear)" : label;
}

std::string target_text(SweepTarget target) {
  switch (target) {
    case SweepTarget::both:
      return "in both networks";
    case SweepTarget::generator:
      return "in the generator";
    case SweepTarget::discriminator:
      return "in the discriminator";
  }
  return "";
}

std::string subtitle(const Config& config, std::int64_t seed, const std::string& columns) {
  return format("negative slope of the Leaky ReLU %s; %s; %lld images of training, seed %lld",
                target_text(config.sweep.apply_to).c_str(), columns.c_str(),
                static_cast<long long>(config.training.total_images), static_cast<long long>(seed));
}

/// The arm's newest checkpoint, or nothing; `detail` says why.
std::optional<Checkpoint> checkpoint_of(const Arm& arm, std::string& detail) {
  try {
    std::vector<std::string> warnings;
    auto checkpoint = load_newest(RunPaths(arm.directory).checkpoints_dir(), warnings);
    for (const auto& warning : warnings) log::warning(warning);
    if (!checkpoint && detail.empty()) detail = "no checkpoint yet";
    return checkpoint;
  } catch (const CheckpointError& error) {
    log::warning(error.what());
    detail = "damaged";
    return std::nullopt;
  }
}

SheetRow slope_row(const Config& config, const Arm& arm, int columns) {
  SheetRow row;
  row.label = slope_label(arm.negative_slope);
  const auto state = read_arm_state(arm);
  if (state.status == RunStatus::diverged) row.detail = "diverged";
  if (!state.status) row.detail = "not run yet";
  const auto checkpoint = checkpoint_of(arm, row.detail);
  if (!checkpoint) {
    row.tiles.resize(static_cast<std::size_t>(columns));
    return row;
  }
  auto loaded = load_generator(*checkpoint);
  row.tiles = to_mats(generate_images(loaded.generator, sample_latents(loaded.config, columns), sheet_compute));
  if (loaded.images < config.training.total_images) {
    add_detail(row, format("at %lld images", static_cast<long long>(loaded.images)));
  }
  return row;
}

/// At most `count` of the values, spread evenly, with the last one.
std::vector<std::int64_t> spread(const std::set<std::int64_t>& values, std::size_t count) {
  const std::vector<std::int64_t> all(values.begin(), values.end());
  if (all.size() <= count) return all;
  std::vector<std::int64_t> chosen;
  for (std::size_t i = 1; i <= count; ++i) chosen.push_back(all[i * all.size() / count - 1]);
  return chosen;
}

/// The first four images of a samples grid as a square, two by two.
cv::Mat first_four(const std::filesystem::path& file, const Config& config) {
  const auto grid = read_image(file);
  const auto layout = samples_layout(config.samples);
  const int size = static_cast<int>(config.data.resolution);
  if (!is_grid(grid, layout, size)) {
    log::warning(printable(file.string()) + " was drawn with other rows or columns than the sweep's and is left out");
    return {};
  }
  cv::Mat square(2 * size, 2 * size, grid.type(), cv::Scalar::all(255));
  for (int i = 0; i < std::min(4, layout.rows * layout.columns); ++i) {
    const auto tile = tile_at(grid, layout, size, i / layout.columns, i % layout.columns);
    tile.copyTo(square(cv::Rect(i % 2 * size, i / 2 * size, size, size)));
  }
  return square;
}

}  // namespace

cv::Mat slope_contact_sheet(const Config& config, const std::vector<Arm>& arms, std::int64_t seed, int columns) {
  const auto chosen = arms_of_seed(arms, seed);
  Sheet sheet;
  sheet.title = config.run.name + ": which negative slope?";
  const ScoreLabels labels = score_labels(config, arms);
  sheet.subtitle = subtitle(config, seed, "a column shows the same latent everywhere") + labels.legend;
  sheet.rows = reference_rows(config, columns);
  for (auto& row : sheet.rows) add_detail(row, labels.floor);
  for (const auto& arm : chosen) {
    sheet.rows.push_back(slope_row(config, arm, columns));
    add_detail(sheet.rows.back(), labels.slopes.at(arm.negative_slope));
  }
  return draw_sheet(sheet, sweep_style);
}

cv::Mat slope_time_sheet(const Config& config, const std::vector<Arm>& arms, std::int64_t seed, int columns) {
  const auto chosen = arms_of_seed(arms, seed);
  std::set<std::int64_t> counts;
  for (const auto& arm : chosen) counts.merge(sample_counts(RunPaths(arm.directory)));
  if (counts.empty()) throw UsageError("no arm has written samples yet");
  const auto times = spread(counts, static_cast<std::size_t>(columns));
  Sheet sheet;
  sheet.title = config.run.name + ": slopes over training";
  const ScoreLabels labels = score_labels(config, arms);
  sheet.subtitle = subtitle(config, seed, "the same four latents everywhere, columns are images seen") + labels.legend;
  for (const auto images : times) sheet.column_labels.push_back(std::to_string(images));
  for (const auto& arm : chosen) {
    SheetRow row;
    row.label = slope_label(arm.negative_slope);
    add_detail(row, labels.slopes.at(arm.negative_slope));
    for (const auto images : times) {
      const auto file = RunPaths(arm.directory).samples_file(images);
      row.tiles.push_back(std::filesystem::exists(file) ? first_four(file, config) : cv::Mat());
    }
    sheet.rows.push_back(std::move(row));
  }
  return draw_sheet(sheet, sweep_style);
}

cv::Mat checkpoint_sheet(const Checkpoint& checkpoint, int rows, int columns) {
  auto loaded = load_generator(checkpoint);
  const auto images = to_mats(
      generate_images(loaded.generator, sample_latents(loaded.config, std::int64_t{rows} * columns), sheet_compute));
  Sheet sheet;
  sheet.title = loaded.config.run.name + format(": after %lld images", static_cast<long long>(loaded.images));
  const auto description = [](const BlockChainImpl& network) {
    return network.blocks.front()->activation->description();
  };
  sheet.subtitle = "generator: " + description(*loaded.generator) +
                   format("; seed %lld", static_cast<long long>(loaded.config.seed));
  sheet.rows = reference_rows(loaded.config, columns);
  for (int r = 0; r < rows; ++r) {
    SheetRow row;
    if (r == 0) row.label = "generated";
    row.tiles.assign(images.begin() + r * columns, images.begin() + (r + 1) * columns);
    sheet.rows.push_back(std::move(row));
  }
  return draw_sheet(sheet);
}

std::vector<std::filesystem::path> write_sweep_sheets(const Config& config, const std::filesystem::path& sweep_dir,
                                                      std::int64_t seed, int columns) {
  const auto arms = make_arms(config, sweep_dir);
  std::vector<std::filesystem::path> written = {sweep_dir / "contact_sheet.png"};
  write_png(written.back(), slope_contact_sheet(config, arms, seed, columns));
  const auto chosen = arms_of_seed(arms, seed);
  if (std::any_of(chosen.begin(), chosen.end(),
                  [](const Arm& arm) { return !sample_counts(RunPaths(arm.directory)).empty(); })) {
    written.push_back(sweep_dir / "time_sheet.png");
    write_png(written.back(), slope_time_sheet(config, arms, seed, std::min(columns, 8)));
  }
  return written;
}

}  // namespace slopegan
