#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "images/grid.h"
#include "images/sheet.h"

namespace slopegan {

namespace {

// Lengths in pixels at a pixel ratio of 1.
constexpr int label_gap = 20;             // between the label column and the tiles
constexpr int mark_width = 3;             // the bar next to a best row, in the middle of the label gap
constexpr int star_gap = 6;               // between a label and its star
constexpr int caption_gap = 5;            // between the title and the caption
constexpr int section_gap = 14;           // below the title block
constexpr int reference_gap = 22;         // after reference rows and columns, with the separator in its middle
constexpr int column_label_gap = 4;       // between the column labels and the tiles
constexpr int max_vertical_height = 150;  // for vertical column labels
constexpr int min_text_width = 440;       // smallest width of the title and the caption
constexpr int max_text_width = 920;       // a narrow sheet is widened up to this width for its title and caption
constexpr std::size_t max_caption_lines = 2, max_column_label_lines = 2;

struct SheetFonts {
  TextStyle title, caption, label, star, detail, column;

  explicit SheetFonts(const PictureStyle& style) {
    const auto colours = colours_of(style);
    const int unit = style.pixel_ratio;
    title = {20 * unit, true, colours.strong};
    caption = {12 * unit, false, colours.muted};
    label = {14 * unit, true, colours.text};
    star = {14 * unit, false, colours.accent};
    detail = {12 * unit, false, colours.muted};
    column = {11 * unit, false, colours.muted};
  }
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

/// Measures the elements, then places them from top to bottom.
class Composer {
 public:
  Composer(const Sheet& sheet, const SheetStyle& style)
      : sheet_(sheet),
        fonts_(style.picture),
        unit_(style.picture.pixel_ratio),
        gap_(style.gap * unit_),
        margin_(style.margin * unit_),
        max_label_width_(style.max_label_width * unit_),
        text_width_(style.text_width * unit_),
        y_(margin_) {
    const cv::Size tile = largest_tile(sheet);
    layout_.scale = (style.scale > 0 ? style.scale : display_scale(tile.width)) * unit_;
    cell_ = tile * layout_.scale;
    measure_rows();
    measure_columns();
    measure_titles();
  }

  SheetLayout compose() {
    place_titles();
    place_column_labels();
    const int top = y_;
    for (std::size_t i = 0; i < sheet_.rows.size(); ++i) {
      const auto& row = sheet_.rows[i];
      place_row(row);
      if (i + 1 == sheet_.rows.size()) break;
      if (row.reference) place_separator();
      y_ += row.reference ? reference_gap * unit_ : gap_;
    }
    if (column_gap_ > 0) {
      layout_.lines.push_back({column_x(reference_columns_) - reference_gap * unit_ / 2, top, unit_, y_ - top});
    }
    layout_.size = {width_, y_ + margin_};
    return std::move(layout_);
  }

 private:
  // --- Measuring ---

  int star_width(const SheetRow& row) const {
    return row.best && !row.label.empty() ? star_gap * unit_ + text_size(best_mark, fonts_.star).width : 0;
  }

  /// The lines of the row's detail. Long details are not shortened, because two of them may differ only in the middle.
  std::vector<std::string> detail_lines(const SheetRow& row) const {
    if (text_size(row.detail, fonts_.detail).width > max_label_width_) {
      return wrap(row.detail, max_label_width_, fonts_.detail);
    }
    return row.detail.empty() ? std::vector<std::string>() : std::vector{row.detail};
  }

  int label_block_height(const SheetRow& row, std::size_t lines) const {
    return (row.label.empty() ? 0 : line_height(fonts_.label)) + static_cast<int>(lines) * line_height(fonts_.detail);
  }

  void measure_rows() {
    int widest = 0;
    row_height_ = cell_.height;
    for (const auto& row : sheet_.rows) {
      const int label = text_size(row.label, fonts_.label).width + star_width(row);
      widest = std::max({widest, label, text_size(row.detail, fonts_.detail).width});
      columns_ = std::max(columns_, static_cast<int>(row.tiles.size()));
      row_height_ = std::max(row_height_, label_block_height(row, detail_lines(row).size()));
    }
    label_width_ = widest == 0 ? 0 : std::min(widest, max_label_width_) + label_gap * unit_;
    reference_columns_ = std::clamp(sheet_.reference_columns, 0, columns_);
    if (reference_columns_ > 0 && reference_columns_ < columns_) column_gap_ = reference_gap * unit_ - gap_;
  }

  /// Breaks the column labels into lines, or makes them vertical and shortens them if necessary.
  void measure_columns() {
    const auto count = std::min(sheet_.column_labels.size(), static_cast<std::size_t>(columns_));
    const auto full = std::vector(sheet_.column_labels.begin(), sheet_.column_labels.begin() + static_cast<int>(count));
    std::size_t most_lines = 0;
    for (const auto& label : full) {
      column_labels_.push_back(wrap(label, cell_.width, fonts_.column, max_column_label_lines));
      most_lines = std::max(most_lines, column_labels_.back().size());
      // All labels are vertical if one of them would otherwise be shortened.
      vertical_ |=
          shorten(label, cell_.width * 2, fonts_.column) != label || is_shortened(label, column_labels_.back());
    }
    vertical_ &= cell_.width >= line_height(fonts_.column);
    column_labels_height_ = static_cast<int>(most_lines) * line_height(fonts_.column);
    if (!vertical_) return;
    column_labels_height_ = 0;
    for (std::size_t i = 0; i < count; ++i) {
      column_labels_[i] = {shorten(full[i], max_vertical_height * unit_, fonts_.column)};
      column_labels_height_ =
          std::max(column_labels_height_, text_size(column_labels_[i].front(), fonts_.column).width);
    }
  }

  static bool is_shortened(const std::string& text, const std::vector<std::string>& lines) {
    std::size_t letters = 0;
    for (const auto& line : lines) letters += line.size();
    return letters + std::max<std::size_t>(lines.size(), 1) - 1 != text.size();
  }

  int tiles_width() const { return std::max(0, columns_ * (cell_.width + gap_) - gap_) + column_gap_; }

  void measure_titles() {
    const int content = label_width_ + tiles_width();
    width_ = 2 * margin_ + content;
    if (sheet_.title.empty() && sheet_.caption.empty()) return;
    const int least = std::max(content, text_width_ > 0 ? text_width_ : min_text_width * unit_);
    const int width = text_width_ > 0 ? least : widened(least);
    title_ = shorten(sheet_.title, width, fonts_.title);
    caption_ = broken_at_newlines();
    if (caption_.size() > max_caption_lines || widest_of(caption_) > width) {
      caption_ = wrap(sheet_.caption, width, fonts_.caption, max_caption_lines);
    }
    width_ = 2 * margin_ + width;
  }

  /// The width that the title and the caption need, at least `width` and within limits.
  int widened(int width) const {
    const int most = std::max(width, max_text_width * unit_), step = 20 * unit_;
    width = std::max(width, std::min(text_size(sheet_.title, fonts_.title).width, most));
    const auto lines = broken_at_newlines();
    if (lines.size() == max_caption_lines && widest_of(lines) <= most) return std::max(width, widest_of(lines));
    while (width < most && wrap(sheet_.caption, width, fonts_.caption).size() > max_caption_lines) {
      width = std::min(width + step, most);
    }
    return width;
  }

  std::vector<std::string> broken_at_newlines() const {
    std::istringstream text(sheet_.caption);
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }

  int widest_of(const std::vector<std::string>& lines) const {
    int widest = 0;
    for (const auto& line : lines) widest = std::max(widest, text_size(line, fonts_.caption).width);
    return widest;
  }

  int column_x(int column) const {
    return margin_ + label_width_ + column * (cell_.width + gap_) + (column >= reference_columns_ ? column_gap_ : 0);
  }

  // --- Placing ---

  void place_text(const std::string& text, cv::Point corner, const TextStyle& style) {
    if (!text.empty()) layout_.texts.push_back({text, style, cv::Rect(corner, text_size(text, style))});
  }

  void place_titles() {
    if (title_.empty() && caption_.empty()) return;
    place_text(title_, {margin_, y_}, fonts_.title);
    if (!title_.empty()) y_ += line_height(fonts_.title);
    if (!title_.empty() && !caption_.empty()) y_ += caption_gap * unit_;
    for (const auto& line : caption_) {
      place_text(line, {margin_, y_}, fonts_.caption);
      y_ += line_height(fonts_.caption);
    }
    y_ += section_gap * unit_;
  }

  /// Centres the labels above their columns and aligns their bottoms.
  void place_column_labels() {
    if (column_labels_.empty()) return;
    const int bottom = y_ + column_labels_height_, line = line_height(fonts_.column);
    for (std::size_t i = 0; i < column_labels_.size(); ++i) {
      const int x = column_x(static_cast<int>(i)), lines = static_cast<int>(column_labels_[i].size());
      if (vertical_) {
        place_vertical(column_labels_[i].front(), {x + (cell_.width - line) / 2, bottom});
        continue;
      }
      for (int k = 0; k < lines; ++k) {
        const auto& text = column_labels_[i][static_cast<std::size_t>(k)];
        const int room = cell_.width - text_size(text, fonts_.column).width;
        place_text(text, {x + room / 2, bottom - (lines - k) * line}, fonts_.column);
      }
    }
    y_ = bottom + column_label_gap * unit_;
  }

  void place_vertical(const std::string& text, cv::Point bottom_left) {
    if (text.empty()) return;
    const cv::Size size = text_size(text, fonts_.column);
    const cv::Rect box(bottom_left.x, bottom_left.y - size.width, size.height, size.width);
    layout_.texts.push_back({text, fonts_.column, box, true});
  }

  void place_row(const SheetRow& row) {
    place_label(row);
    const int tile_y = y_ + (row_height_ - cell_.height) / 2;
    for (int column = 0; column < static_cast<int>(row.tiles.size()); ++column) {
      const cv::Rect cell({column_x(column), tile_y}, cell_);
      layout_.tiles.push_back({row.tiles[static_cast<std::size_t>(column)], cell});
    }
    if (row.best && label_width_ > 0) {
      const int x = margin_ + label_width_ - (label_gap + mark_width) * unit_ / 2;
      layout_.marks.push_back({x, tile_y, mark_width * unit_, cell_.height});
    }
    y_ += row_height_;
  }

  void place_label(const SheetRow& row) {
    const auto details = detail_lines(row);
    int y = y_ + (row_height_ - label_block_height(row, details.size())) / 2;
    if (!row.label.empty()) {
      const auto label = shorten(row.label, max_label_width_ - star_width(row), fonts_.label);
      place_text(label, {margin_, y}, fonts_.label);
      if (row.best && star_width(row) <= max_label_width_) {
        place_text(best_mark, {margin_ + text_size(label, fonts_.label).width + star_gap * unit_, y}, fonts_.star);
      }
      y += line_height(fonts_.label);
    }
    for (const auto& line : details) {
      place_text(line, {margin_, y}, fonts_.detail);
      y += line_height(fonts_.detail);
    }
  }

  void place_separator() {
    const int right = column_x(columns_) - gap_;
    layout_.lines.push_back({margin_, y_ + reference_gap * unit_ / 2, right - margin_, unit_});
  }

  const Sheet& sheet_;
  const SheetFonts fonts_;
  const int unit_, gap_, margin_, max_label_width_, text_width_;
  cv::Size cell_;
  int columns_ = 0, reference_columns_ = 0;
  int column_gap_ = 0;   // added to gap_ after the reference columns
  int label_width_ = 0;  // including label_gap; 0 if no row has a label or detail
  int row_height_ = 0, column_labels_height_ = 0, width_ = 0;
  bool vertical_ = false;
  std::vector<std::vector<std::string>> column_labels_;  // the lines of each label
  std::string title_;
  std::vector<std::string> caption_;
  SheetLayout layout_;
  int y_;  // top of the next element
};

}  // namespace

SheetLayout lay_out(const Sheet& sheet, const SheetStyle& style) {
  check_tiles(sheet);
  return Composer(sheet, style).compose();
}

}  // namespace slopegan
