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

/// Reads labels from a NumPy array of N numbers, N x K one-hot rows, or N strings. The label of a string is its index
/// among the sorted distinct strings, or among `known_names` (sorted) if there are any; other strings are then an
/// error. Throws std::invalid_argument, whose message completes "ARRAY ...", if there is not one label for each of the
/// N `images`.
NpzLabels labels_of_array(NpyArray array, std::int64_t images, const std::vector<std::string>& known_names = {});

}  // namespace slopegan
