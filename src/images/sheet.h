#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <opencv2/core.hpp>

#include "images/draw_text.h"
#include "images/picture_style.h"

/// Contact sheets: labelled rows of tiles in which the tiles in a column belong together.
namespace slopegan {

/// The star that marks the best row, next to its label and in the legend.
inline constexpr const char* best_mark = "\u2605";

struct SheetRow {
  std::string label{};   ///< for example "slope 0.2"
  std::string detail{};  ///< small gray text below the label, for example "FD 12.3"; may have several lines
  std::vector<cv::Mat>
      tiles{};  ///< CV_8UC1 or CV_8UC3 (BGR); an empty tile is drawn as a blank cell (PictureColours::missing)
  bool reference = false;  ///< whether a line separates the row from the following rows, for example for real images
  bool best = false;       ///< whether best_mark and a coloured bar mark the row
};

struct Sheet {
  std::string title;
  /// The text below the title, in at most two lines. It is broken at its newlines if the resulting lines fit;
  /// otherwise, it is broken at any space.
  std::string caption;
  std::vector<std::string> column_labels;  ///< labels above the columns; may be empty or shorter than the rows
  std::vector<SheetRow> rows;
  int reference_columns = 0;  ///< number of columns before a separating line, for example for real images
};

/// Lengths are in pixels at a pixel ratio of 1.
struct SheetStyle {
  int scale = 0;              ///< integer factor of nearest-neighbour upscaling; 0: display_scale of the widest tile
  int gap = 4;                ///< between tiles
  int margin = 28;            ///< around the sheet
  int max_label_width = 320;  ///< longer labels are shortened, and longer details broken into lines
  int text_width = 0;         ///< width of the title and the caption, unless the rows are wider; 0: chosen by lay_out
  PictureStyle picture{};
};

struct PlacedText {
  std::string text;
  TextStyle style;
  cv::Rect box;  ///< as measured by text_size, with swapped sides if vertical; does not overlap other text or tiles
  bool vertical = false;  ///< rotated to read from bottom to top
};

struct PlacedTile {
  cv::Mat tile;   ///< as in the sheet; may be empty
  cv::Rect cell;  ///< has the size of the largest tile in the sheet after scaling
};

/// The position of every element of a sheet, in pixels.
struct SheetLayout {
  cv::Size size;
  int scale = 1;  ///< upscaling factor of the tiles
  std::vector<PlacedText> texts;
  std::vector<PlacedTile> tiles;
  std::vector<cv::Rect> lines;  ///< separators
  std::vector<cv::Rect> marks;  ///< bars next to the best rows
};

/// Computes the layout without drawing. The label column is as wide as its longest text, up to max_label_width. A sheet
/// with few columns is widened for its title and caption, within limits; if they still do not fit, they are shortened
/// in the middle. Column labels have up to two lines; if a label does not fit into its column, all labels are
/// vertical, unless a column is narrower than a line of text.
/// Throws std::invalid_argument for tiles that are neither CV_8UC1 nor CV_8UC3.
SheetLayout lay_out(const Sheet& sheet, const SheetStyle& style);

/// Draws the sheet as CV_8UC3. Throws std::invalid_argument like lay_out, and UsageError if the picture would have more
/// than 2^28 pixels or a side longer than 65,535 pixels.
cv::Mat draw_sheet(const Sheet& sheet, const SheetStyle& style = {});

/// The height limit for the pages that write_sheet creates, in pixels. Viewers and browsers may refuse larger pictures.
inline constexpr int page_height_limit = 8000;

/// Splits a sheet into pages of at most `max_height` pixels, with at least one row per page. The leading reference rows
/// are repeated on each page, and a suffix such as "(2 of 5)" is appended to the title. A sheet that fits is returned
/// unchanged.
std::vector<Sheet> split_into_pages(const Sheet& sheet, const SheetStyle& style, int max_height);

/// Writes the sheet as PNG. Pages after the first are named <name>_2.png and so on. Returns the paths of the files.
/// Throws IoError, and the exceptions of draw_sheet.
std::vector<std::filesystem::path> write_sheet(const std::filesystem::path& file, const Sheet& sheet,
                                               const SheetStyle& style = {});

/// Removes the files <name>_N.png that an earlier, longer sheet left behind: those with N > `count`, up to the first
/// number that is missing. Call this only if the program chose <name>: if the user chose it, <name>_N.png may be an
/// unrelated file. Errors are ignored.
void remove_later_pages(const std::filesystem::path& file, std::size_t count);

/// Writes a sheet whose name the program chose, and removes the pages of an earlier, longer sheet. Returns the paths of
/// the files. Throws IoError, and the exceptions of draw_sheet.
std::vector<std::filesystem::path> replace_sheet(const std::filesystem::path& file, const Sheet& sheet,
                                                 const SheetStyle& style);

}  // namespace slopegan
