#include "data/found_files.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace slopegan {

namespace fs = std::filesystem;

std::vector<fs::path> files_below(const fs::path& directory) {
  constexpr int most_levels = 4;
  std::size_t entries_left = 10'000;
  std::vector<fs::path> files, level = {directory};
  for (int depth = 0; depth < most_levels && !level.empty(); ++depth) {
    std::vector<fs::path> deeper, here;
    for (const auto& folder : level) {
      std::error_code error;
      fs::directory_iterator entry(folder, error);
      for (; !error && entry != fs::directory_iterator() && entries_left > 0; entry.increment(error)) {
        --entries_left;
        const std::string name = entry->path().filename().string();
        if (name.starts_with('.') || name == "__MACOSX") continue;
        std::error_code ignored;
        (entry->is_directory(ignored) ? deeper : here).push_back(entry->path());
      }
    }
    std::sort(here.begin(), here.end());
    std::move(here.begin(), here.end(), std::back_inserter(files));
    std::sort(deeper.begin(), deeper.end());
    level = std::move(deeper);
  }
  return files;
}

}  // namespace slopegan
