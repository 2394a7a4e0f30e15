#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <opencv2/core.hpp>

#include "config/config.h"

/// Sample grids of runs, embedded in the page as small pictures.
namespace slopegan {

/// A picture shows rows × columns tiles of a sample grid without gaps: the first tiles if there is one row, otherwise
/// the upper left part of the grid. Images larger than 64 pixels are scaled down.
struct PictureLayout {
  int rows = 1;
  int columns = 12;
};

/// The layouts for a single run (at most 8 rows) and for one arm of a sweep (one row), with at most 12 columns.
PictureLayout run_layout(const Config& config);
PictureLayout sweep_layout(const Config& config);

struct PictureSource {
  std::filesystem::path run;  ///< empty for an arm that has not started
  Config config;
};

struct Pictures {
  PictureLayout layout;
  int tile = 0;                                  ///< side of a tile in pixels
  std::vector<std::int64_t> images;              ///< images seen at each point in training that is shown, ascending
  std::vector<std::vector<std::string>> frames;  ///< [source][time], data URIs; empty if there is no picture
  std::string reals;                             ///< data URI of real images, or empty
  std::vector<std::string> notes;                ///< pictures that could not be read or were omitted

  bool empty() const { return images.empty(); }
};

/// Reads the newest samples of all sources, then as many earlier ones as fit into `budget` bytes of the page. They come
/// from at most `max_times` points in training, spread evenly. Pictures are lossless WebP if all of them are expected
/// to fit, and otherwise lossy WebP of good quality.
Pictures read_pictures(const std::vector<PictureSource>& sources, const PictureLayout& layout, std::size_t budget,
                       std::size_t max_times);

/// Arranges the tiles of a sample grid in `layout`: 8-bit [rows · tile, columns · tile]. Throws DataError if the file
/// is not a grid with the configured rows and columns.
cv::Mat picture(const std::filesystem::path& file, const SamplesConfig& samples, int resolution,
                const PictureLayout& layout);

}  // namespace slopegan
