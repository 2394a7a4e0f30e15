#pragma once

#include <string>
#include <vector>

#include <opencv2/core.hpp>

#include "images/lettering.h"
#include "images/sheet.h"

namespace slopegan {

struct PlacedText {
  std::string text;
  Lettering lettering;
  cv::Rect box;  ///< as text_size measures it; no two boxes of a sheet meet, nor a box and a tile
};

struct PlacedTile {
  cv::Mat tile;   ///< as in the sheet; may be empty
  cv::Rect cell;  ///< as large as the largest tile of the sheet, enlarged
};

/// Where everything on a sheet lies, in pixels of the picture.
struct SheetLayout {
  cv::Size size;
  int scale = 1;  ///< of the tiles
  std::vector<PlacedText> texts;
  std::vector<PlacedTile> tiles;
  std::vector<cv::Rect> lines;  ///< one pixel thick
};

/// Throws std::invalid_argument for tiles of another type than a sheet has.
SheetLayout lay_out(const Sheet& sheet, const SheetStyle& style);

}  // namespace slopegan
