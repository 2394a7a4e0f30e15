#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// The program's log: spdlog behind an interface without its types, because its fmt and LibTorch's cannot be included
/// together. Messages go to stderr and, once a run directory exists, to its log.txt. Thread-safe.
namespace slopegan::log {

enum class Level { debug, info, warning, error, off };
enum class Style { text, json };

struct Options {
  Level level = Level::info;
  Style style = Style::text;
};

/// (Re)creates the console log. Colours are used on a terminal unless NO_COLOR is set.
void init(const Options& options);

/// What is below is no longer written to the console.
void set_level(Level level);

/// Also writes everything from debug upwards to `file`, appending. Throws IoError where it cannot be opened.
void add_file(const std::filesystem::path& file);

/// The lines that stand at the terminal's bottom below the log and change in place; none removes them. Messages are
/// printed above them. What is too wide or too high for the terminal is cut; the last line always stands there. Does
/// nothing where stderr is no terminal that understands control sequences, or the level is above info.
void status_lines(const std::vector<std::string>& lines);

/// The same with one line; an empty text removes it.
void status_line(std::string_view text);

/// Whether status lines are shown; where they are not, progress belongs into plain messages.
bool status_line_visible();

/// How many columns of a status line are shown at this moment.
std::size_t status_columns();

/// The lines of a table, at level info: without the clock on a text console, otherwise a message each.
void table(const std::string& lines);

void debug(std::string_view message);
void info(std::string_view message);
void warning(std::string_view message);
void error(std::string_view message);

}  // namespace slopegan::log
