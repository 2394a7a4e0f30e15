#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <opencv2/core.hpp>

namespace slopegan {

struct SheetRow {
  std::string label{};           ///< "slope 0.2"
  std::string detail{};          ///< smaller and grey below the label: "FD 12.3"
  std::vector<cv::Mat> tiles{};  ///< CV_8UC1 or CV_8UC3 (BGR); an empty one is drawn as a pale square
  bool reference = false;        ///< set apart from the rows below by a line: the real images
};

/// A contact sheet: rows of tiles with labels at the left, such that everything in a column belongs together.
struct Sheet {
  std::string title;
  std::string subtitle;
  std::vector<std::string> column_labels;  ///< above the columns; may be empty or shorter than the rows
  std::vector<SheetRow> rows;
  int reference_columns = 0;  ///< so many at the left are set apart by a line: real images of the rows' classes
};

struct SheetStyle {
  int scale = 0;              ///< integer nearest-neighbour upscaling of the tiles; 0: at least 64 pixels wide
  int gap = 4;                ///< pixels between tiles
  int margin = 28;            ///< pixels around everything
  int max_label_width = 320;  ///< longer labels and details end in "..."
};

/// Draws the sheet as CV_8UC3 on white. The label column is as wide as its longest text needs, up to the limit; title
/// and subtitle are broken into lines; a column label is shortened to its column. Text is ASCII (other characters:
/// '?'). Throws std::invalid_argument for tiles of another type, UsageError for a picture of more than 2^28 pixels or
/// 65,535 in a row or column.
cv::Mat draw_sheet(const Sheet& sheet, const SheetStyle& style = {});

/// No page is higher: viewers and browsers show pictures of 8,000 pixels, and refuse much larger ones.
inline constexpr int highest_page = 8000;

/// The sheet on pages of at most `most_height` pixels, where more than one row has room: the reference rows that it
/// begins with stand on each, titles say "(2 of 5)". A sheet that fits is one page as it is.
std::vector<Sheet> split_into_pages(const Sheet& sheet, const SheetStyle& style, int most_height);

/// Writes the sheet as PNG; its further pages as <name>_2.png and so on. Returns what was written. Throws IoError.
std::vector<std::filesystem::path> write_sheet(const std::filesystem::path& file, const Sheet& sheet,
                                               const SheetStyle& style = {});

}  // namespace slopegan
