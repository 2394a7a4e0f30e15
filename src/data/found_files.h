#pragma once

#include <filesystem>
#include <vector>

/// Finds the files of a downloaded data set. Archives often unpack into a folder named after the archive, or into one
/// folder per file.
namespace slopegan {

/// Lists everything except directories in `directory` and in up to three levels of subdirectories, sorted by level and
/// then by path. Skips hidden entries, __MACOSX, and directories that cannot be read. Examines no more than 10,000
/// entries.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& directory);

}  // namespace slopegan
