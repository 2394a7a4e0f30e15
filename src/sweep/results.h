#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sweep/arms.h"

namespace slopegan {

/// results.csv: a line an arm with its last figures, those of its history and those of its metrics, which may be of an
/// earlier image. Cells are empty where a run has no such figure. Throws IoError.
void write_results(const std::filesystem::path& file, const std::vector<Arm>& arms);

/// The same for people: a line an arm, with the figures that one looks at first. "-" where a run has no such figure.
std::string results_table(const std::vector<Arm>& arms);

}  // namespace slopegan
