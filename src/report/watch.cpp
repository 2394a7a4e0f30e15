#include "report/watch.h"

#include <algorithm>
#include <vector>

#include "support/text.h"

namespace slopegan {

namespace fs = std::filesystem;

/// A report shows nothing of the weights, nor of logs and event files, and does not depend on itself.
static bool is_shown(const fs::path& name) {
  const std::string text = name.string();
  return !text.starts_with('.') && !text.starts_with("events.out.") && text != "log.txt" && text != "checkpoints" &&
         name.extension() != ".html";
}

static void add_state(const fs::path& directory, int depth, std::vector<std::string>& lines) {
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    if (!is_shown(entry->path().filename())) continue;
    std::error_code ignored;
    if (entry->is_directory(ignored)) {
      if (depth > 0 && !entry->is_symlink(ignored)) add_state(entry->path(), depth - 1, lines);
      continue;
    }
    const auto size = entry->file_size(ignored);
    const auto time = entry->last_write_time(ignored).time_since_epoch().count();
    lines.push_back(entry->path().native() +
                    format_text(" {} {}", static_cast<std::uintmax_t>(size), static_cast<std::intmax_t>(time)));
  }
}

std::string state_of_results(const fs::path& directory) {
  constexpr int depth = 3;  // <sweep>/runs/<arm>/samples
  std::vector<std::string> lines;
  add_state(directory, depth, lines);
  std::sort(lines.begin(), lines.end());
  return join(lines, "\n");
}

}  // namespace slopegan
