#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "images/sheet.h"
#include "models/compute.h"
#include "sampling/load_generator.h"
#include "sweep/arms.h"

/// Building blocks of the sheets in sheets.h and animations.h.
namespace slopegan {

inline const Compute sheet_compute{at::kCPU, at::kFloat, 1};

/// A style with room for a sweep's long labels: "diverged, FD 12.3 +/- 0.4, 1 of 3 diverged".
SheetStyle sweep_style(int scale);

/// A row of real images as a reference. If the data set cannot be loaded, there is no row, and a warning is logged.
std::vector<SheetRow> reference_rows(const Config& config, int columns);

/// The arms of `seed`, by condition and then in ascending order of slope. Throws UsageError if there are none.
std::vector<Arm> arms_of_seed(const std::vector<Arm>& arms, std::int64_t seed);

/// The scores in a sweep's sheet. The texts are empty if there are no scores.
struct ScoreLabels {
  /// "FD 12.3 +/- 0.4 (3 seeds)" by condition and slope.
  std::map<std::pair<std::size_t, double>, std::string> slopes;
  std::string floor;   ///< the score of the real images
  std::string legend;  ///< explains the scores

  const std::string& of(const Arm& arm) const { return slopes.at({arm.condition, arm.negative_slope}); }
};

ScoreLabels score_labels(const Config& config, const std::vector<Arm>& arms);

/// Appends `text` to the row's detail, unless `text` is empty.
void add_detail(SheetRow& row, const std::string& text);

/// A row labelled "slope 0 (ReLU)", with the arm's condition, if any, as its detail.
SheetRow labelled_row(const Arm& arm);

/// Draws a line below the rows of each condition but the last. The last rows of the sheet belong to `arms`.
void separate_conditions(Sheet& sheet, const std::vector<Arm>& arms);

/// Describes the sweep; `columns` says what the columns of the sheet show.
std::string sweep_subtitle(const Config& config, std::int64_t seed, const std::string& columns);

/// "run: after 60000 images".
std::string run_title(const LoadedGenerator& loaded);

/// "generator: leaky ReLU 0.2; seed 0".
std::string run_subtitle(const LoadedGenerator& loaded);

/// A row without tiles, labelled with the state of the arm, and the generator from the arm's newest checkpoint, if any.
struct ArmGenerator {
  SheetRow row;
  std::optional<LoadedGenerator> loaded;
};

ArmGenerator arm_generator(const Config& config, const Arm& arm);

/// Throws StoppedError if a stop signal has arrived.
void throw_if_stopped();

/// The images generated from `latents`, float32 [N, latent_dim]. Throws StoppedError.
std::vector<cv::Mat> generate_tiles(LoadedGenerator& loaded, const at::Tensor& latents);

/// The arm's row, with images generated from the latents that `latents` returns for the arm's configuration, or with
/// `columns` blank tiles if the arm has no checkpoint.
SheetRow slope_row(const Config& config, const Arm& arm, int columns,
                   const std::function<at::Tensor(const Config&)>& latents);

/// At most `count` of the values, evenly spread and including the last one.
std::vector<std::int64_t> spread(const std::set<std::int64_t>& values, std::size_t count);

/// The first `count` images from the samples that the run of `config` wrote after `images` images. The tiles are empty
/// if it wrote none or, with a warning, if the samples have a different layout.
std::vector<cv::Mat> sample_tiles(const RunPaths& run, std::int64_t images, const Config& config, int count);

}  // namespace slopegan
