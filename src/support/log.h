#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// The program's log. Hides spdlog, because its version of fmt conflicts with LibTorch's. Messages go to stderr and,
/// once a run directory exists, to its log.txt. Thread-safe, except init.
namespace slopegan::log {

enum class Level { debug, info, warning, error, off };
enum class Style { text, json };

struct Options {
  Level level = Level::info;
  Style style = Style::text;
};

/// Creates or replaces the console log. Uses colours on a terminal unless NO_COLOR is set to a non-empty value.
void init(const Options& options);

/// Stops writing messages below `level` to the console.
void set_level(Level level);

/// Also appends all messages, including debug, to `file`. If it is the first file, the warnings and errors that were
/// logged before, for example while the images were read, are appended first. Throws IoError if the file cannot be
/// written.
void add_file(const std::filesystem::path& file);

/// Shows `lines` at the bottom of the terminal, below the log, replacing the previous ones; an empty list removes them.
/// Messages are printed above them. Lines are cut to the size of the terminal; the last line is always shown. Does
/// nothing if status_line_visible() is false.
void status_lines(const std::vector<std::string>& lines);

/// Shows a single status line; an empty text removes it.
void status_line(std::string_view text);

/// Whether status lines are shown: stderr is a terminal that supports control sequences, the style is text, and the
/// level is at most info. Otherwise, progress should be reported in messages.
bool status_line_visible();

/// The number of columns currently available for a status line.
std::size_t status_columns();

/// Logs the lines of a table at level info, one message per line, without timestamps on a text console.
void table(const std::string& lines);

void debug(std::string_view message);
void info(std::string_view message);
void warning(std::string_view message);
void error(std::string_view message);

}  // namespace slopegan::log
