#pragma once

#include <string>
#include <vector>

#include <torch/types.h>

#include "images/npz.h"

namespace slopegan {

struct NpzLabels {
  torch::Tensor labels;                  ///< int64 [N]
  std::vector<std::string> class_names;  ///< by label, or empty if the labels are numbers
  std::string note;                      ///< how the labels were read, or empty
};

/// Reads labels from a NumPy array of N numbers, N x K one-hot rows, or N strings. The label of a string is its index
/// among the sorted distinct strings, or among `known_names` (sorted) if there are any; other strings are then an
/// error. Throws std::invalid_argument if there is not exactly one valid label for each of the N `images`. The message
/// lacks the name of the array, which the caller must prepend.
NpzLabels labels_of_array(NpyArray array, std::int64_t images, const std::vector<std::string>& known_names = {});

}  // namespace slopegan
