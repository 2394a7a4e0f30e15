#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// The labels that the directories of images stand for.
namespace slopegan {

struct FolderLabels {
  std::vector<std::string> class_names;      ///< sorted; empty without labels
  std::vector<std::int64_t> labels;          ///< one per file, or empty; -1: in no class, to be left out
  std::vector<std::string> notes, warnings;  ///< which labels are used, and why
};

/// The labels of training images are the top-level directories that contain them. There are none if there is only one
/// directory, or if the names of the directories are dates or running numbers (see running_names). A few images beside
/// the directories (at most 5, or 1 %) are left out; more take all labels away.
FolderLabels label_by_directory(const std::vector<std::filesystem::path>& files);

/// The labels of test images are the first of their directories that has the name of a class, in any case. There are
/// none if an image is in no such directory.
FolderLabels label_test_images(const std::vector<std::filesystem::path>& files,
                               const std::vector<std::string>& class_names);

/// What the sorted names number instead of naming classes: "years", "dates", "running numbers", "folders of a camera",
/// "parts of one set", "beginnings of checksums"; an empty string for anything else. Running numbers are multiples of
/// a larger number, such as 00000, 01000; the numbers 0, 1, 2, … may be classes.
std::string running_names(const std::vector<std::string>& names);

}  // namespace slopegan
