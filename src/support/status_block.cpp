#include "support/status_block.h"

#include <algorithm>

#include "support/text.h"

namespace slopegan {

namespace {

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

}  // namespace

std::string cut_to_columns(std::string_view text, std::size_t columns) {
  std::size_t end = 0;
  for (std::size_t seen = 0; end < text.size(); ++end) {
    if (begins_character(text[end]) && seen++ == columns) break;
  }
  return std::string(text.substr(0, end));
}

/// Erases the block, starting at the end of its last line. If the terminal has become narrower, it has rewrapped the
/// lines, so they take more rows than when they were written.
std::string StatusBlock::erase(const TerminalSize& size) const {
  std::size_t rows = 0;
  for (const auto& line : shown_)
    rows += std::max<std::size_t>(1, (columns_of(line) + size.columns - 1) / size.columns);
  if (rows == 0) return "";
  // Erase row by row: if the block starts in the top row, a single erase sequence would move its text into the
  // scrollback.
  std::string text = "\r\033[K";
  for (std::size_t row = 1; row < rows; ++row) text += "\033[1A\033[K";
  return text;
}

std::vector<std::string> StatusBlock::fitting(const std::vector<std::string>& lines, const TerminalSize& size) const {
  const std::size_t rows = std::max<std::size_t>(size.rows, 2) - 1;  // one row is left for the log
  std::vector<std::string> kept = lines;
  if (kept.size() > rows) {
    const std::size_t shown = rows > 2 ? rows - 2 : 0;
    kept.resize(shown);
    if (rows > 1) kept.push_back(format_text("... {} more", lines.size() - shown - 1));
    kept.push_back(lines.back());
  }
  // Leave the last column empty: terminals differ in where they put the cursor after writing to it.
  for (auto& line : kept) line = cut_to_columns(line, std::max<std::size_t>(size.columns, 2) - 1);
  return kept;
}

std::string StatusBlock::replace(const std::vector<std::string>& lines, const TerminalSize& size) {
  wanted_ = lines;
  auto next = fitting(wanted_, size);
  if (next == shown_) return "";
  std::string text = erase(size);
  shown_ = std::move(next);
  return text + join(shown_, "\n");
}

std::string StatusBlock::write_above(std::string_view text, const TerminalSize& size) {
  const std::string erased = erase(size);
  shown_ = fitting(wanted_, size);
  return erased + std::string(text) + join(shown_, "\n");
}

}  // namespace slopegan
