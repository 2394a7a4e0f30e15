#pragma once

#include <filesystem>
#include <vector>

/// Finding the files of a downloaded data set. Archives unpack into folders of their own name or of the file's name.
namespace slopegan {

/// Everything but directories in `directory` and in up to three levels of subdirectories: the files of a level before
/// those of deeper levels, otherwise by path. Skips hidden entries and __MACOSX, and directories that cannot be read.
/// Looks at no more than 10,000 entries.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& directory);

}  // namespace slopegan
