#include "images/sheet_layout.h"

#include <algorithm>
#include <stdexcept>

#include "images/scale.h"

namespace slopegan {

namespace {

const Lettering title_lettering{.size = 16, .stroke = 1.9, .colour = cv::Scalar::all(25)};
const Lettering subtitle_lettering{.size = 10, .stroke = 1.1, .colour = cv::Scalar::all(105)};
const Lettering label_lettering{.size = 12, .stroke = 1.45, .colour = cv::Scalar::all(35)};
const Lettering detail_lettering{.size = 9.5, .stroke = 1.05, .colour = cv::Scalar::all(105)};

constexpr int label_gap = 18;      // between the label column and the tiles
constexpr int subtitle_gap = 4;    // between title and subtitle
constexpr int section_gap = 12;    // below the title block
constexpr int reference_gap = 22;  // behind reference rows and columns, with the line in its middle
constexpr int narrowest_text = 420;

int line_height(const Lettering& lettering) { return text_size("", lettering).height; }

struct Geometry {
  int scale = 1;
  cv::Size cell;
  int columns = 0;
  int reference_columns = 0;
  int column_gap = 0;   // behind the reference columns, more than the style's
  int label_width = 0;  // with the gap behind it; 0 where no row has a label
  int row_height = 0;
  int width = 0;
  std::vector<std::string> title, subtitle;
};

void check_tiles(const Sheet& sheet) {
  for (const auto& row : sheet.rows) {
    for (const auto& tile : row.tiles) {
      if (!tile.empty() && tile.type() != CV_8UC1 && tile.type() != CV_8UC3) {
        throw std::invalid_argument("a sheet's tiles are 8-bit gray or BGR images");
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
    widest =
        std::max({widest, text_size(row.label, label_lettering).width, text_size(row.detail, detail_lettering).width});
  }
  return widest == 0 ? 0 : std::min(widest, style.max_label_width) + label_gap;
}

int label_block_height(const SheetRow& row) {
  return (row.label.empty() ? 0 : line_height(label_lettering)) +
         (row.detail.empty() ? 0 : line_height(detail_lettering));
}

Geometry measure(const Sheet& sheet, const SheetStyle& style) {
  Geometry geometry;
  const cv::Size tile = largest_tile(sheet);
  geometry.scale = style.scale > 0 ? style.scale : scale_to_view(tile.width);
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
  const int text_width = std::max(content, narrowest_text);
  geometry.title = wrap(sheet.title, text_width, title_lettering);
  geometry.subtitle = wrap(sheet.subtitle, text_width, subtitle_lettering);
  const bool has_text = !geometry.title.empty() || !geometry.subtitle.empty();
  geometry.width = 2 * style.margin + (has_text ? text_width : content);
  return geometry;
}

int title_block_height(const Geometry& geometry) {
  const auto titles = static_cast<int>(geometry.title.size()), subtitles = static_cast<int>(geometry.subtitle.size());
  const int height = titles * line_height(title_lettering) + subtitle_gap + subtitles * line_height(subtitle_lettering);
  return titles + subtitles == 0 ? 0 : height + section_gap;
}

int column_labels_height(const Sheet& sheet) {
  return sheet.column_labels.empty() ? 0 : line_height(detail_lettering) + 4;
}

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
    place_lines(geometry_.title, title_lettering);
    y_ += subtitle_gap;
    place_lines(geometry_.subtitle, subtitle_lettering);
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
  void place_text(const std::string& text, cv::Point corner, const Lettering& lettering) {
    if (!text.empty()) layout_.texts.push_back({text, lettering, cv::Rect(corner, text_size(text, lettering))});
  }

  void place_lines(const std::vector<std::string>& lines, const Lettering& lettering) {
    for (const auto& line : lines) {
      place_text(line, {style_.margin, y_}, lettering);
      y_ += line_height(lettering);
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
      const auto text = shorten(full, geometry_.cell.width, detail_lettering);
      const int room = geometry_.cell.width - text_size(text, detail_lettering).width;
      place_text(text, {column_x(column) + room / 2, y_}, detail_lettering);
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
    for (const auto& [text, lettering] : {std::pair(row.label, label_lettering), {row.detail, detail_lettering}}) {
      if (text.empty()) continue;
      place_text(shorten(text, style_.max_label_width, lettering), {style_.margin, y}, lettering);
      y += line_height(lettering);
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
  int y_;  // where the next thing goes
};

}  // namespace

SheetLayout lay_out(const Sheet& sheet, const SheetStyle& style) {
  check_tiles(sheet);
  return Composer(sheet, style).compose();
}

}  // namespace slopegan
