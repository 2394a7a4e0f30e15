#pragma once

#include <filesystem>
#include <string>
#include <vector>

/// Where the training and test images of a folder are located.
namespace slopegan {

struct FolderLayout {
  /// The directory that contains the images or the splits: the folder itself, or a directory nested in it.
  std::filesystem::path base;
  /// The directories of each split, relative to `base`. `train` is empty if all of `base` is the training split, and
  /// has two entries for trainA and trainB. `test` is empty if there is no test split.
  std::vector<std::string> train, test;
  std::vector<std::string> notes;  ///< one line each about what was chosen and what is not used
};

/// Finds the splits by their names, ignoring case. A training split is named train, training or trainset. A test split
/// is named test, testing, testset, val, valid or validation, in this order of preference. A name may also contain
/// other words, as in seg_train or val2017, if there is a matching directory for the other split. trainA and trainB,
/// with upper-case A and B, are the two domains of unpaired image-to-image translation (CycleGAN). A directory named
/// like a training split is a class if there are two or more directories with images next to it and none of them is a
/// test split. Does not traverse the whole folder.
FolderLayout find_layout(const std::filesystem::path& folder);

/// Whether a directory called `name` is a test split at any level of a path. "valid" is not, because it may be a class
/// next to "invalid".
bool is_test_name(const std::string& name);

}  // namespace slopegan
