#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace slopegan::testing {

/// A terminal emulator for the control sequences that slopegan sends (ECMA-48: CR, LF, CUU, EL, SGR); it throws an
/// exception if it receives any others. The height is unlimited. Long lines wrap, and wrap again when the width
/// changes.
class Screen {
 public:
  explicit Screen(std::size_t columns) : columns_(columns) {}

  void resize(std::size_t columns) { columns_ = columns; }

  void write(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\033') {
        i = control(text, i);
      } else if (text[i] == '\n') {
        if (++line_ == lines_.size()) lines_.emplace_back();
        offset_ = 0;
      } else if (text[i] == '\r') {
        // After a character in the last column, the cursor stays in that row until the next character.
        if (offset_ > 0) offset_ = (offset_ - 1) / columns_ * columns_;
      } else {
        auto& line = lines_[line_];
        if (line.size() < offset_ + 1) line.resize(offset_ + 1, ' ');
        line[offset_++] = text[i];
      }
    }
  }

  /// Returns the unwrapped lines, without trailing empty lines.
  std::vector<std::string> lines() const {
    auto shown = lines_;
    while (!shown.empty() && shown.back().empty()) shown.pop_back();
    return shown;
  }

 private:
  std::size_t control(std::string_view text, std::size_t begin) {
    const auto end = text.find_first_of("AKm", begin);
    if (end == std::string_view::npos || text.substr(begin, 2) != "\033[")
      throw std::runtime_error("unsupported control sequence");
    const std::string number(text.substr(begin + 2, end - begin - 2));
    if (text[end] == 'A') {
      for (int i = std::stoi(number); i > 0; --i) up();
    } else if (text[end] == 'K') {
      if (!number.empty()) throw std::runtime_error("unsupported erase mode");
      if (offset_ < lines_[line_].size()) lines_[line_].resize(offset_);
    }
    return end;
  }

  void up() {
    if (offset_ >= columns_) {
      offset_ -= columns_;
    } else if (line_ > 0) {
      const std::size_t rows = lines_[--line_].empty() ? 1 : (lines_[line_].size() + columns_ - 1) / columns_;
      offset_ += (rows - 1) * columns_;
    }
  }

  std::size_t columns_;
  std::vector<std::string> lines_{1};
  std::size_t line_ = 0, offset_ = 0;  ///< position of the next character
};

}  // namespace slopegan::testing
