#pragma once

#include <string>
#include <vector>

#include <torch/types.h>

#include "images/npz.h"

namespace slopegan {

struct NpzLabels {
  torch::Tensor labels;                  ///< int64 [N]
  std::vector<std::string> class_names;  ///< by label, or empty if the labels are numbers
  std::string note;                      ///< how they were read, or empty
};

/// The labels in a NumPy array: N numbers, N x K one-hot rows, or N strings, whose labels count the distinct ones in
/// sorted order. Strings must be among `known_names`, which are sorted, unless there are none. Throws
/// std::invalid_argument, whose message completes "ARRAY ...", if there is not one label for each of the N `images`.
NpzLabels labels_of_array(NpyArray array, std::int64_t images, const std::vector<std::string>& known_names = {});

}  // namespace slopegan
