#include "images/sheet.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include <opencv2/imgproc.hpp>

#include "images/grid.h"
#include "images/image_file.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

// ---- Layout ----

const TextStyle title_style{.size = 16, .stroke = 1.9, .colour = cv::Scalar::all(25)};
const TextStyle subtitle_style{.size = 10, .stroke = 1.1, .colour = cv::Scalar::all(105)};
const TextStyle label_style{.size = 12, .stroke = 1.45, .colour = cv::Scalar::all(35)};
const TextStyle detail_style{.size = 9.5, .stroke = 1.05, .colour = cv::Scalar::all(105)};

constexpr int label_gap = 18;        // between the label column and the tiles
constexpr int subtitle_gap = 4;      // between the title and the subtitle
constexpr int section_gap = 12;      // below the title block
constexpr int reference_gap = 22;    // after reference rows and columns, with the separator in its middle
constexpr int min_text_width = 420;  // for the title and subtitle

struct Geometry {
  int scale = 1;
  cv::Size cell;
  int columns = 0;
  int reference_columns = 0;
  int column_gap = 0;   // added to SheetStyle::gap after the reference columns
  int label_width = 0;  // including label_gap; 0 if no row has a label
  int row_height = 0;
  int width = 0;
  std::vector<std::string> title, subtitle;
};

void check_tiles(const Sheet& sheet) {
  for (const auto& row : sheet.rows) {
    for (const auto& tile : row.tiles) {
      if (!tile.empty() && tile.type() != CV_8UC1 && tile.type() != CV_8UC3) {
        throw std::invalid_argument("Sheet: expected 8-bit gray or BGR tiles");
      }
    }
  }
}

cv::Size largest_tile(const Sheet& sheet) {
  cv::Size largest(1, 1);
  for (const auto& row : sheet.rows) {
    for (const auto& tile : row.tiles) {
      largest = {std::max(largest.width, tile.cols), std::max(largest.height, tile.rows)};
    }
  }
  return largest;
}

int label_column_width(const Sheet& sheet, const SheetStyle& style) {
  int widest = 0;
  for (const auto& row : sheet.rows) {
    widest = std::max({widest, text_size(row.label, label_style).width, text_size(row.detail, detail_style).width});
  }
  return widest == 0 ? 0 : std::min(widest, style.max_label_width) + label_gap;
}

int label_block_height(const SheetRow& row) {
  return (row.label.empty() ? 0 : line_height(label_style)) + (row.detail.empty() ? 0 : line_height(detail_style));
}

Geometry measure(const Sheet& sheet, const SheetStyle& style) {
  Geometry geometry;
  const cv::Size tile = largest_tile(sheet);
  geometry.scale = style.scale > 0 ? style.scale : display_scale(tile.width);
  geometry.cell = tile * geometry.scale;
  geometry.row_height = geometry.cell.height;
  for (const auto& row : sheet.rows) {
    geometry.columns = std::max(geometry.columns, static_cast<int>(row.tiles.size()));
    geometry.row_height = std::max(geometry.row_height, label_block_height(row));
  }
  geometry.label_width = label_column_width(sheet, style);
  geometry.reference_columns = std::clamp(sheet.reference_columns, 0, geometry.columns);
  const bool divided = geometry.reference_columns > 0 && geometry.reference_columns < geometry.columns;
  geometry.column_gap = divided ? reference_gap - style.gap : 0;
  const int tiles_width =
      std::max(0, geometry.columns * (geometry.cell.width + style.gap) - style.gap) + geometry.column_gap;
  const int content = geometry.label_width + tiles_width;
  const int text_width = std::max(content, min_text_width);
  geometry.title = wrap(sheet.title, text_width, title_style);
  geometry.subtitle = wrap(sheet.subtitle, text_width, subtitle_style);
  const bool has_text = !geometry.title.empty() || !geometry.subtitle.empty();
  geometry.width = 2 * style.margin + (has_text ? text_width : content);
  return geometry;
}

int title_block_height(const Geometry& geometry) {
  const auto titles = static_cast<int>(geometry.title.size()), subtitles = static_cast<int>(geometry.subtitle.size());
  const int height = titles * line_height(title_style) + subtitle_gap + subtitles * line_height(subtitle_style);
  return titles + subtitles == 0 ? 0 : height + section_gap;
}

int column_labels_height(const Sheet& sheet) { return sheet.column_labels.empty() ? 0 : line_height(detail_style) + 4; }

int total_height(const Sheet& sheet, const SheetStyle& style, const Geometry& geometry) {
  int height = 2 * style.margin + title_block_height(geometry) + column_labels_height(sheet);
  for (std::size_t i = 0; i < sheet.rows.size(); ++i) {
    const bool last = i + 1 == sheet.rows.size();
    height += geometry.row_height + (last ? 0 : sheet.rows[i].reference ? reference_gap : style.gap);
  }
  return height;
}

class Composer {
 public:
  Composer(const Sheet& sheet, const SheetStyle& style)
      : sheet_(sheet), style_(style), geometry_(measure(sheet, style)), y_(style.margin) {
    layout_.size = {geometry_.width, total_height(sheet, style, geometry_)};
    layout_.scale = geometry_.scale;
  }

  SheetLayout compose() {
    place_lines(geometry_.title, title_style);
    y_ += subtitle_gap;
    place_lines(geometry_.subtitle, subtitle_style);
    y_ = style_.margin + title_block_height(geometry_);
    place_column_labels();
    const int top = y_;
    for (std::size_t i = 0; i < sheet_.rows.size(); ++i) {
      place_row(sheet_.rows[i]);
      if (i + 1 == sheet_.rows.size()) break;
      if (sheet_.rows[i].reference) place_separator();
      y_ += sheet_.rows[i].reference ? reference_gap : style_.gap;
    }
    if (geometry_.column_gap > 0) {
      layout_.lines.push_back({column_x(geometry_.reference_columns) - reference_gap / 2, top, 1, y_ - top});
    }
    return std::move(layout_);
  }

 private:
  void place_text(const std::string& text, cv::Point corner, const TextStyle& style) {
    if (!text.empty()) layout_.texts.push_back({text, style, cv::Rect(corner, text_size(text, style))});
  }

  void place_lines(const std::vector<std::string>& lines, const TextStyle& style) {
    for (const auto& line : lines) {
      place_text(line, {style_.margin, y_}, style);
      y_ += line_height(style);
    }
  }

  int column_x(int column) const {
    return style_.margin + geometry_.label_width + column * (geometry_.cell.width + style_.gap) +
           (column >= geometry_.reference_columns ? geometry_.column_gap : 0);
  }

  void place_column_labels() {
    const int labelled = std::min(geometry_.columns, static_cast<int>(sheet_.column_labels.size()));
    for (int column = 0; column < labelled; ++column) {
      const auto& full = sheet_.column_labels[static_cast<std::size_t>(column)];
      const auto text = shorten(full, geometry_.cell.width, detail_style);
      const int room = geometry_.cell.width - text_size(text, detail_style).width;
      place_text(text, {column_x(column) + room / 2, y_}, detail_style);
    }
    y_ += column_labels_height(sheet_);
  }

  void place_row(const SheetRow& row) {
    place_label(row);
    const int tile_y = y_ + (geometry_.row_height - geometry_.cell.height) / 2;
    for (int column = 0; column < static_cast<int>(row.tiles.size()); ++column) {
      const cv::Rect cell({column_x(column), tile_y}, geometry_.cell);
      layout_.tiles.push_back({row.tiles[static_cast<std::size_t>(column)], cell});
    }
    y_ += geometry_.row_height;
  }

  void place_label(const SheetRow& row) {
    int y = y_ + (geometry_.row_height - label_block_height(row)) / 2;
    for (const auto& [text, style] : {std::pair(row.label, label_style), {row.detail, detail_style}}) {
      if (text.empty()) continue;
      place_text(shorten(text, style_.max_label_width, style), {style_.margin, y}, style);
      y += line_height(style);
    }
  }

  void place_separator() {
    const int right = column_x(geometry_.columns) - style_.gap;
    layout_.lines.push_back({style_.margin, y_ + reference_gap / 2, right - style_.margin, 1});
  }

  const Sheet& sheet_;
  const SheetStyle& style_;
  Geometry geometry_;
  SheetLayout layout_;
  int y_;  // top of the next element
};

// ---- Drawing and pages ----

const cv::Scalar white = cv::Scalar::all(255), pale = cv::Scalar::all(240), line_colour = cv::Scalar::all(205);

/// Tiles smaller than the largest one are centred in their cell.
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

/// Checks the size before the canvas is allocated.
void check_size(cv::Size size) {
  constexpr int max_side = 65'535;  // the limit of GIF; the limits of PNG and JPEG are not lower
  constexpr std::int64_t max_picture_pixels = std::int64_t{1} << 28;  // 768 MiB
  if (std::max(size.width, size.height) <= max_side && std::int64_t{size.width} * size.height <= max_picture_pixels)
    return;
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
    Sheet page{sheet.title, sheet.subtitle, sheet.column_labels, rows.heading, sheet.reference_columns};
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

SheetLayout lay_out(const Sheet& sheet, const SheetStyle& style) {
  check_tiles(sheet);
  return Composer(sheet, style).compose();
}

cv::Mat draw_sheet(const Sheet& sheet, const SheetStyle& style) {
  const SheetLayout layout = lay_out(sheet, style);
  check_size(layout.size);
  cv::Mat canvas(layout.size, CV_8UC3, white);
  for (const auto& tile : layout.tiles) paint_tile(canvas, tile, layout.scale);
  for (const auto& line : layout.lines) canvas(line).setTo(line_colour);
  for (const auto& text : layout.texts) draw_text(canvas, text.text, text.box.tl(), text.style);
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

std::vector<std::filesystem::path> write_sheet(const std::filesystem::path& file, const Sheet& sheet,
                                               const SheetStyle& style) {
  std::vector<std::filesystem::path> written;
  for (const auto& page : split_into_pages(sheet, style, page_height_limit)) {
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
