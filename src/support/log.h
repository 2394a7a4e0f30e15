#pragma once

#include <filesystem>
#include <string_view>

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

/// Also writes everything from debug upwards to `file`, appending. Throws IoError where it cannot be opened.
void add_file(const std::filesystem::path& file);

/// The text that stands on the terminal's last line below the log (the progress bar); an empty text removes it.
/// Messages are printed above it. Does nothing where stderr is no terminal, or the level is above info.
void status_line(std::string_view text);

/// Whether status_line shows anything; where it does not, progress belongs into plain lines.
bool status_line_visible();

void debug(std::string_view message);
void info(std::string_view message);
void warning(std::string_view message);
void error(std::string_view message);

}  // namespace slopegan::log
