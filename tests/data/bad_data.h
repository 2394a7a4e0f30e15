#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace slopegan {

/// A data set of any format that is bad, in a directory of its own.
struct BadData {
  std::string what;  ///< for the messages of tests
  std::string kind;  ///< data.kind
  std::string path;  ///< data.path, in the directory
  std::string file;  ///< what has to be named
  std::function<void(const std::filesystem::path& directory)> write;
};

/// npz archives, CIFAR files and folders of images.
std::vector<BadData> bad_data_sets();

}  // namespace slopegan
