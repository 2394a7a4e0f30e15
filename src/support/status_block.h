#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace slopegan {

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

/// Cuts printable UTF-8 `text` to at most `columns` characters. Every character counts as one column.
std::string cut_to_columns(std::string_view text, std::size_t columns);

/// Status lines at the bottom of a terminal, below a scrolling log. The member functions return the text to write, with
/// ECMA-48 control sequences. Nothing else may be written to the terminal between two calls; its size may change.
class StatusBlock {
 public:
  /// The output that replaces the block with `lines`, which must be printable; an empty list removes the block. Lines
  /// are cut to the width of the terminal, because a wrapped line would take two rows. If there are too many lines for
  /// the terminal, the first lines and the last one are kept, and "... N more" replaces the others.
  std::string replace(const std::vector<std::string>& lines, const TerminalSize& size);

  /// The output that prints `text` above the block. `text` must consist of complete lines.
  std::string write_above(std::string_view text, const TerminalSize& size);

 private:
  std::string erase(const TerminalSize& size) const;
  std::vector<std::string> fitting(const std::vector<std::string>& lines, const TerminalSize& size) const;

  std::vector<std::string> wanted_;
  std::vector<std::string> shown_;  ///< the lines currently on the terminal
};

}  // namespace slopegan
