#include "images/sheet.h"

#include <algorithm>
#include <cstdint>

#include <opencv2/imgproc.hpp>

#include "images/grid.h"
#include "images/image_file.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// Tiles smaller than the largest one are centred in their cell.
void paint_tile(cv::Mat& canvas, const PlacedTile& placed, int scale, const cv::Scalar& missing) {
  const cv::Rect& cell = placed.cell;
  if (placed.tile.empty()) {
    canvas(cell).setTo(missing);
    return;
  }
  cv::Mat coloured = placed.tile;
  if (coloured.channels() == 1) cv::cvtColor(placed.tile, coloured, cv::COLOR_GRAY2BGR);
  const cv::Size size = coloured.size() * scale;
  const cv::Point corner = cell.tl() + cv::Point((cell.width - size.width) / 2, (cell.height - size.height) / 2);
  upscale_into(coloured, scale, canvas(cv::Rect(corner, size)));
}

/// Checks the size before the canvas is allocated.
void check_size(cv::Size size) {
  constexpr int max_side = 65'535;                                    // the limit of GIF; that of PNG is higher
  constexpr std::int64_t max_picture_pixels = std::int64_t{1} << 28;  // 768 MiB
  if (std::max(size.width, size.height) <= max_side && std::int64_t{size.width} * size.height <= max_picture_pixels) {
    return;
  }
  throw UsageError(
      format_text("a picture of {} x {} pixels is too large; use fewer rows or columns, or a smaller scale", size.width,
                  size.height));
}

/// `heading` is repeated on every page; `body` is split across pages.
struct Rows {
  std::vector<SheetRow> heading, body;
};

Rows split_rows(const Sheet& sheet) {
  Rows rows;
  const auto first = std::find_if(sheet.rows.begin(), sheet.rows.end(), [](const SheetRow& r) { return !r.reference; });
  rows.heading.assign(sheet.rows.begin(), first);
  rows.body.assign(first, sheet.rows.end());
  return rows;
}

std::vector<Sheet> pages_of(const Sheet& sheet, const Rows& rows, std::size_t rows_per_page) {
  const std::size_t count = (rows.body.size() + rows_per_page - 1) / rows_per_page;
  std::vector<Sheet> pages;
  for (std::size_t begin = 0; begin < rows.body.size(); begin += rows_per_page) {
    Sheet page{sheet.title, sheet.caption, sheet.column_labels, rows.heading, sheet.reference_columns};
    page.title += format_text(" ({} of {})", pages.size() + 1, count);
    const std::size_t end = std::min(begin + rows_per_page, rows.body.size());
    page.rows.insert(page.rows.end(), rows.body.begin() + static_cast<std::ptrdiff_t>(begin),
                     rows.body.begin() + static_cast<std::ptrdiff_t>(end));
    pages.push_back(std::move(page));
  }
  return pages;
}

int tallest_page(const std::vector<Sheet>& pages, const SheetStyle& style) {
  int height = 0;
  for (const auto& page : pages) height = std::max(height, lay_out(page, style).size.height);
  return height;
}

}  // namespace

cv::Mat draw_sheet(const Sheet& sheet, const SheetStyle& style) {
  const SheetLayout layout = lay_out(sheet, style);
  check_size(layout.size);
  const PictureColours colours = colours_of(style.picture);
  cv::Mat canvas(layout.size, CV_8UC3, colours.background);
  for (const auto& tile : layout.tiles) paint_tile(canvas, tile, layout.scale, colours.missing);
  for (const auto& line : layout.lines) canvas(line).setTo(colours.line);
  for (const auto& mark : layout.marks) canvas(mark).setTo(colours.accent);
  for (const auto& text : layout.texts) {
    if (text.vertical) {
      draw_vertical_text(canvas, text.text, text.box.tl(), text.style);
    } else {
      draw_text(canvas, text.text, text.box.tl(), text.style);
    }
  }
  return canvas;
}

std::vector<Sheet> split_into_pages(const Sheet& sheet, const SheetStyle& style, int max_height) {
  const int height = lay_out(sheet, style).size.height;
  const Rows rows = split_rows(sheet);
  if (height <= max_height || rows.body.size() < 2) return {sheet};
  // Rows have equal heights, so the first guess, which ignores titles and headings, is at most a few rows too large.
  const auto all = static_cast<double>(sheet.rows.size());
  auto rows_per_page = static_cast<std::size_t>(std::max(1.0, all * max_height / height));
  auto pages = pages_of(sheet, rows, rows_per_page);
  while (rows_per_page > 1 && tallest_page(pages, style) > max_height) pages = pages_of(sheet, rows, --rows_per_page);
  return pages;
}

/// The file of page `number`, counted from 1.
static std::filesystem::path page_file(const std::filesystem::path& file, std::size_t number) {
  std::filesystem::path name = file;
  if (number > 1) name.replace_filename(file.stem().string() + format_text("_{}", number) + file.extension().string());
  return name;
}

std::vector<std::filesystem::path> write_sheet(const std::filesystem::path& file, const Sheet& sheet,
                                               const SheetStyle& style) {
  std::vector<std::filesystem::path> written;
  for (const auto& page : split_into_pages(sheet, style, page_height_limit)) {
    auto name = page_file(file, written.size() + 1);
    write_png(name, draw_sheet(page, style));
    written.push_back(std::move(name));
  }
  return written;
}

void remove_later_pages(const std::filesystem::path& file, std::size_t count) {
  std::error_code error;
  while (std::filesystem::is_regular_file(std::filesystem::symlink_status(page_file(file, count + 1), error)) &&
         std::filesystem::remove(page_file(file, count + 1), error)) {
    ++count;
  }
}

std::vector<std::filesystem::path> replace_sheet(const std::filesystem::path& file, const Sheet& sheet,
                                                 const SheetStyle& style) {
  auto written = write_sheet(file, sheet, style);
  remove_later_pages(file, written.size());
  return written;
}

}  // namespace slopegan
