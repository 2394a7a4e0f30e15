#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace slopegan {

/// A data set with one defect, written to its own directory.
struct BadData {
  std::string what;  ///< shown if the test fails
  std::string kind;  ///< data.kind
  std::string path;  ///< data.path, relative to the directory
  std::string file;  ///< the file that the error must name
  std::function<void(const std::filesystem::path& directory)> write;
  bool is_good_for_root = false;  ///< root can load it, because permissions do not apply to root
};

/// Bad IDX data sets, npz archives, CIFAR files and folders of images.
std::vector<BadData> bad_data_sets();

/// Data sets of twelve good images whose labels cannot be used. BadData::file is the file with the labels.
std::vector<BadData> data_sets_with_bad_labels();

/// Writes twelve 4 x 4 images and their labels. Each bad IDX data set is this data set with one file replaced.
void write_good_idx(const std::filesystem::path& directory);

}  // namespace slopegan
