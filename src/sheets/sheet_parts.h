#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/config.h"
#include "images/sheet.h"
#include "models/compute.h"
#include "sampling/load_generator.h"
#include "sweep/arms.h"

/// Building blocks of the sheets in sheets.h and animations.h.
namespace slopegan {

inline const Compute sheet_compute{at::kCPU, at::kFloat, 1};

/// A style with room for a sweep's long labels: "diverged, FD 12.3 ± 0.4, 1 of 3 diverged".
SheetStyle sweep_style(int scale, const PictureStyle& picture);

/// A row of real images as a reference. If the data set cannot be loaded, there is no row, and a warning is logged.
std::vector<SheetRow> reference_rows(const Config& config, int columns);

/// The arms of `seed`, ordered by condition and then by slope. Throws UsageError if there are none.
std::vector<Arm> arms_of_seed(const std::vector<Arm>& arms, std::int64_t seed);

/// Appends `text` to the row's detail, unless `text` is empty.
void add_detail(SheetRow& row, const std::string& text);

/// A row labelled "slope 0 (ReLU)", with the arm's condition, if any, as its detail.
SheetRow labelled_row(const Arm& arm);

/// Draws a line below the rows of each condition except the last. The last rows of the sheet must be those of `arms`.
void separate_conditions(Sheet& sheet, const std::vector<Arm>& arms);

/// Describes the sweep and the columns of the sheet. `columns` is the description of the columns, without a full stop.
std::string sweep_caption(const Config& config, std::int64_t seed, const std::string& columns);

/// "run: after 60,000 images".
std::string run_title(const LoadedGenerator& loaded);

/// "Generator: slope 0.2, seed 0."
std::string run_caption(const LoadedGenerator& loaded);

/// The generator from the arm's newest checkpoint, if any, and a row without tiles that is labelled with the arm's
/// slope and state.
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

/// The first `count` of the samples that `run` wrote after `images` images. The tiles are empty if it wrote none.
/// They are also empty, and a warning is logged, if the samples do not have the layout in `config`.
std::vector<cv::Mat> sample_tiles(const RunPaths& run, std::int64_t images, const Config& config, int count);

}  // namespace slopegan
