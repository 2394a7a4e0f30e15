#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <opencv2/core.hpp>

#include "config/config.h"

/// Sample grids of runs as small pictures inside the page.
namespace slopegan {

/// What one picture shows: the first rows × columns tiles of a sample grid, side by side without gaps, one image pixel
/// a pixel, large images shrunk.
struct PictureLayout {
  int rows = 1;
  int columns = 12;
};

struct PictureSource {
  std::filesystem::path run;  ///< empty for an arm that has not begun
  Config config;
};

struct Pictures {
  PictureLayout layout;
  int tile = 0;                                  ///< pixels of a tile's side
  std::vector<std::int64_t> images;              ///< the moments of training that are shown, ascending
  std::vector<std::vector<std::string>> frames;  ///< [source][moment] data URIs, empty where there is none
  std::string reals;                             ///< real images, or empty
  std::vector<std::string> notes;                ///< pictures that could not be read, moments left out

  bool empty() const { return images.empty(); }
};

/// The newest moment first, then as many others as `budget` bytes of the page hold, spread over the training, at most
/// `most_moments`. Pictures are lossless where that fits, otherwise WebP of good quality.
Pictures read_pictures(const std::vector<PictureSource>& sources, const PictureLayout& layout, std::size_t budget,
                       std::size_t most_moments);

/// The layout that suits a run alone, and one of several: what its sample grids have, in few columns.
PictureLayout run_layout(const Config& config);
PictureLayout sweep_layout(const Config& config);

/// The tiles of a samples grid in `layout`, [rows · tile, columns · tile]. Throws DataError for a file that is no such
/// grid.
cv::Mat picture(const std::filesystem::path& file, const SamplesConfig& samples, int resolution,
                const PictureLayout& layout);

}  // namespace slopegan
