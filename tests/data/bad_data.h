#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace slopegan {

/// A defective data set, written to its own directory.
struct BadData {
  std::string what;  ///< shown by failing tests
  std::string kind;  ///< data.kind
  std::string path;  ///< data.path, relative to the directory
  std::string file;  ///< the file that the error must name
  std::function<void(const std::filesystem::path& directory)> write;
};

/// IDX data sets, npz archives, CIFAR files and folders of images.
std::vector<BadData> bad_data_sets();

/// Data sets of twelve good images whose labels cannot be used. `file` contains the labels.
std::vector<BadData> data_sets_with_bad_labels();

/// Twelve 4 x 4 images and their labels. Each bad IDX data set is this one with one file replaced.
void write_good_idx(const std::filesystem::path& directory);

}  // namespace slopegan
