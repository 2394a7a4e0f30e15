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

/// `text`, which is printable, cut to so many columns at a character's border. Every character counts as one column.
std::string cut_to_columns(std::string_view text, std::size_t columns);

/// Lines at the bottom of a terminal that change in place, below a log that scrolls. It only makes the text to send
/// (ECMA-48 control sequences); between two calls nothing else may be written to the terminal, whose size may change.
class StatusBlock {
 public:
  /// What replaces the block by `lines`, printable ones; by nothing where there are none. Lines are cut to the
  /// terminal's width, for one that wraps would take two rows, and all but the last to its height.
  std::string replace(const std::vector<std::string>& lines, const TerminalSize& size);

  /// What writes `text`, whole lines, above the block.
  std::string write_above(std::string_view text, const TerminalSize& size);

 private:
  std::string erase(const TerminalSize& size) const;
  std::vector<std::string> fitting(const std::vector<std::string>& lines, const TerminalSize& size) const;

  std::vector<std::string> wanted_;
  std::vector<std::string> shown_;  ///< as they stand on the terminal
};

}  // namespace slopegan
