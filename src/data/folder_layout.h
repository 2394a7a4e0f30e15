#pragma once

#include <filesystem>
#include <string>
#include <vector>

/// Where the training and test images of a folder are located.
namespace slopegan {

struct FolderLayout {
  /// The directory with the images or the splits: the folder itself, or a directory that only wraps them.
  std::filesystem::path base;
  /// The directories of each split in `base`. Training: empty if all of `base` is the training split, several for
  /// trainA and trainB. Test: empty if there is no test split.
  std::vector<std::string> train, test;
  std::vector<std::string> notes;  ///< one line each about what was chosen and what is not used
};

/// Finds the splits by their names, ignoring upper and lower case: train or training; test, testing, val, valid or
/// validation, in this order of preference; a name of several words, such as seg_train or val2017, if there is a
/// matching directory for the other split; trainA and trainB, the two domains of unpaired image translation. A
/// directory named train next to two or more directories with images, none of which is a test split, is a class. Lists
/// only a few directories.
FolderLayout find_layout(const std::filesystem::path& folder);

/// Whether `name` denotes a test split at any level of a path. "valid" does not, because it may be a class next to
/// "invalid".
bool is_test_name(const std::string& name);

}  // namespace slopegan
