#pragma once

#include <filesystem>
#include <string>

namespace slopegan {

/// Names, sizes and times of what a report of the run or sweep is made of: another text once any of it has changed.
/// What cannot be looked at counts as not there.
std::string state_of_results(const std::filesystem::path& directory);

}  // namespace slopegan
