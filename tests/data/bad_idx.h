#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace slopegan {

/// A directory with an IDX data set of which one file is bad.
struct BadIdx {
  std::string what;  ///< for the messages of tests
  std::string file;  ///< the one that is bad and has to be named
  std::function<void(const std::filesystem::path& directory)> write;
};

std::vector<BadIdx> bad_idx_data_sets();

/// Twelve images of 4 by 4 and their labels: what the bad ones are but for one file.
void write_good_idx(const std::filesystem::path& directory);

}  // namespace slopegan
