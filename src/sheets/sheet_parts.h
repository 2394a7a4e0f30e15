#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/config.h"
#include "images/sheet.h"
#include "models/compute.h"
#include "sampling/load_generator.h"
#include "sweep/arms.h"

/// What the sheets of sheets.h, walk_sheets.h and their like are made of.
namespace slopegan {

inline const Compute sheet_compute{at::kCPU, at::kFloat, 1};

/// The style of a sweep's sheets, whose labels are long: "diverged, FD 12.3 +/- 0.4, 1 of 3 diverged".
SheetStyle sweep_style(int scale);

/// The real images that every sheet is compared with, or no row where the data set has gone.
std::vector<SheetRow> reference_rows(const Config& config, int columns);

/// The arms with that seed by rising slope. Throws UsageError where there are none.
std::vector<Arm> arms_of_seed(const std::vector<Arm>& arms, std::int64_t seed);

/// What a sweep's sheet says about scores.
struct ScoreLabels {
  std::map<double, std::string> slopes;  ///< "FD 12.3 +/- 0.4 (3 seeds)"
  std::string floor;                     ///< of the real images
  std::string legend;                    ///< what the figures are, where there are any
};

ScoreLabels score_labels(const Config& config, const std::vector<Arm>& arms);

/// Adds what says something to a row's detail.
void add_detail(SheetRow& row, const std::string& text);

/// "slope 0 (ReLU)".
std::string slope_label(double slope);

/// What the sweep is; `columns` says what the sheet shows.
std::string sweep_subtitle(const Config& config, std::int64_t seed, const std::string& columns);

/// "run: after 60000 images", and what its generator is.
std::string run_title(const LoadedGenerator& loaded);
std::string run_subtitle(const LoadedGenerator& loaded);

/// A row without tiles yet, which says how the arm stands, and the generator of its newest checkpoint where it has one.
struct ArmGenerator {
  SheetRow row;
  std::optional<LoadedGenerator> loaded;
};

ArmGenerator arm_generator(const Config& config, const Arm& arm);

/// Throws StoppedError where a signal asks to stop.
void stop_if_asked();

/// The generator's images of [N, latent_dim] latents. Throws StoppedError as above.
std::vector<cv::Mat> tiles_of(LoadedGenerator& loaded, const at::Tensor& latents);

/// The arm's row with the images of the latents that `latents` gives for its configuration; `columns` pale tiles where
/// there is no generator.
SheetRow slope_row(const Config& config, const Arm& arm, int columns,
                   const std::function<at::Tensor(const Config&)>& latents);

/// At most `count` of the values, spread evenly, with the last one.
std::vector<std::int64_t> spread(const std::set<std::int64_t>& values, std::size_t count);

/// The first `count` images of the samples that the run of `config` wrote after `images` images, empty ones where it
/// did not, or drew them in another layout, with a warning.
std::vector<cv::Mat> sample_tiles(const RunPaths& run, std::int64_t images, const Config& config, int count);

}  // namespace slopegan
