#include "images/sheet.h"

#include <algorithm>
#include <cstdint>

#include <opencv2/imgproc.hpp>

#include "images/lettering.h"
#include "images/png.h"
#include "images/scale.h"
#include "images/sheet_layout.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

const cv::Scalar white = cv::Scalar::all(255), pale = cv::Scalar::all(240), line_colour = cv::Scalar::all(205);

/// Tiles smaller than the largest lie in the middle of their cell.
void paint_tile(cv::Mat& canvas, const PlacedTile& placed, int scale) {
  const cv::Rect& cell = placed.cell;
  if (placed.tile.empty()) {
    canvas(cell).setTo(pale);
    return;
  }
  cv::Mat coloured = placed.tile;
  if (coloured.channels() == 1) cv::cvtColor(placed.tile, coloured, cv::COLOR_GRAY2BGR);
  const cv::Size size = coloured.size() * scale;
  const cv::Point corner = cell.tl() + cv::Point((cell.width - size.width) / 2, (cell.height - size.height) / 2);
  upscale_into(coloured, scale, canvas(cv::Rect(corner, size)));
}

/// Before any of the memory is taken.
void check_size(cv::Size size) {
  constexpr int longest_side = 65'535;                             // of a GIF; PNG and JPEG have about as much
  constexpr std::int64_t largest_picture = std::int64_t{1} << 28;  // 768 MiB
  if (size.width <= longest_side && size.height <= longest_side &&
      std::int64_t{size.width} * size.height <= largest_picture) {
    return;
  }
  throw UsageError(
      format_text("a picture of {} x {} pixels is too large; fewer rows or columns, or a smaller scale would do",
                  size.width, size.height));
}

/// The rows that stand on every page, and the others.
struct Rows {
  std::vector<SheetRow> heading, body;
};

Rows divided_rows(const Sheet& sheet) {
  Rows rows;
  const auto first = std::find_if(sheet.rows.begin(), sheet.rows.end(), [](const SheetRow& r) { return !r.reference; });
  rows.heading.assign(sheet.rows.begin(), first);
  rows.body.assign(first, sheet.rows.end());
  return rows;
}

std::vector<Sheet> pages_of(const Sheet& sheet, const Rows& rows, std::size_t rows_a_page) {
  const std::size_t count = (rows.body.size() + rows_a_page - 1) / rows_a_page;
  std::vector<Sheet> pages;
  for (std::size_t begin = 0; begin < rows.body.size(); begin += rows_a_page) {
    Sheet page{sheet.title, sheet.subtitle, sheet.column_labels, rows.heading, sheet.reference_columns};
    page.title += format_text(" ({} of {})", pages.size() + 1, count);
    const std::size_t end = std::min(begin + rows_a_page, rows.body.size());
    page.rows.insert(page.rows.end(), rows.body.begin() + static_cast<std::ptrdiff_t>(begin),
                     rows.body.begin() + static_cast<std::ptrdiff_t>(end));
    pages.push_back(std::move(page));
  }
  return pages;
}

int tallest(const std::vector<Sheet>& pages, const SheetStyle& style) {
  int height = 0;
  for (const auto& page : pages) height = std::max(height, lay_out(page, style).size.height);
  return height;
}

}  // namespace

cv::Mat draw_sheet(const Sheet& sheet, const SheetStyle& style) {
  const SheetLayout layout = lay_out(sheet, style);
  check_size(layout.size);
  cv::Mat canvas(layout.size, CV_8UC3, white);
  for (const auto& tile : layout.tiles) paint_tile(canvas, tile, layout.scale);
  for (const auto& line : layout.lines) canvas(line).setTo(line_colour);
  for (const auto& text : layout.texts) draw_text(canvas, text.text, text.box.tl(), text.lettering);
  return canvas;
}

std::vector<Sheet> split_into_pages(const Sheet& sheet, const SheetStyle& style, int most_height) {
  const int height = lay_out(sheet, style).size.height;
  const Rows rows = divided_rows(sheet);
  if (height <= most_height || rows.body.size() < 2) return {sheet};
  // Rows are equally high; what a page has beside them takes a few rows' room at most.
  const auto all = static_cast<double>(sheet.rows.size());
  auto rows_a_page = static_cast<std::size_t>(std::max(1.0, all * most_height / height));
  auto pages = pages_of(sheet, rows, rows_a_page);
  while (rows_a_page > 1 && tallest(pages, style) > most_height) pages = pages_of(sheet, rows, --rows_a_page);
  return pages;
}

std::vector<std::filesystem::path> write_sheet(const std::filesystem::path& file, const Sheet& sheet,
                                               const SheetStyle& style) {
  std::vector<std::filesystem::path> written;
  for (const auto& page : split_into_pages(sheet, style, highest_page)) {
    std::filesystem::path name = file;
    if (!written.empty()) {
      name.replace_filename(file.stem().string() + format_text("_{}", written.size() + 1) + file.extension().string());
    }
    write_png(name, draw_sheet(page, style));
    written.push_back(std::move(name));
  }
  return written;
}

}  // namespace slopegan
