#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// Labels derived from the directories of the images.
namespace slopegan {

struct FolderLabels {
  std::vector<std::string> class_names;      ///< sorted; empty if there are no labels
  std::vector<std::int64_t> labels;          ///< one per file, or empty; -1 for a file that is left out
  std::vector<std::string> notes, warnings;  ///< which labels are used, and why
};

/// The label of a training image is the top-level directory that contains it. There are no labels if there are fewer
/// than two such directories, or if their names look like dates or serial numbers (see running_names). Images outside
/// the directories are left out if there are only a few (at most 5, or 1 % if that is more, and at most half of the
/// images); otherwise, no labels are used.
FolderLabels label_by_directory(const std::vector<std::filesystem::path>& files);

/// The label of a test image is the first directory in its path that has the name of a class, ignoring case. There are
/// no labels if any image is not in such a directory.
FolderLabels label_test_images(const std::vector<std::filesystem::path>& files,
                               const std::vector<std::string>& class_names);

/// Returns what the names of directories denote if they are not names of classes: "years", "dates", "serial numbers",
/// "camera folders", "parts of one set" or "checksum prefixes". Returns an empty string if they may be names of
/// classes. Serial numbers are multiples of a large step, such as 00000 and 01000; the numbers 0, 1, 2, … may be names
/// of classes.
std::string running_names(const std::vector<std::string>& names);

}  // namespace slopegan
