#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace slopegan::testing {

/// Returns the cells of the column `name` in a CSV file, without the header. The file must not contain quoted commas in
/// or before this column.
inline std::vector<std::string> csv_column(const std::filesystem::path& csv, const std::string& name) {
  const auto cells_of = [](const std::string& line) {
    std::vector<std::string> cells;
    std::istringstream stream(line);
    for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
    return cells;
  };
  std::ifstream file(csv);
  std::string line;
  std::getline(file, line);
  const auto header = cells_of(line);
  const auto column = static_cast<std::size_t>(std::ranges::find(header, name) - header.begin());
  std::vector<std::string> found;
  while (std::getline(file, line)) found.push_back(cells_of(line).at(column));
  return found;
}

}  // namespace slopegan::testing
