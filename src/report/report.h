#pragma once

#include <filesystem>
#include <optional>
#include <vector>

namespace slopegan {

/// Writes one self-contained HTML file about a run (a directory with config.yaml) or a sweep (sweep.yaml), finished or
/// not, to `out` or to report.html in the directory. The file is written atomically. Returns its path.
///
/// The report depends only on the files in the directory, so it can be written while the run or sweep is in progress;
/// damaged files are listed in the report. Throws UsageError if `directory` is neither a run nor a sweep or if its
/// sweep.yaml is invalid, and IoError if the file cannot be written.
std::filesystem::path write_report(const std::filesystem::path& directory,
                                   const std::optional<std::filesystem::path>& out = std::nullopt);

/// Writes one self-contained HTML file that compares several sweeps to `out`, atomically, and returns its path. The
/// arms' files are not read. Throws UsageError if a directory is not a sweep or is given twice, and IoError if the file
/// cannot be written.
std::filesystem::path write_comparison(const std::vector<std::filesystem::path>& directories,
                                       const std::filesystem::path& out);

/// Like write_report, but logs any failure as a warning and returns std::nullopt. It is used at the end of a run or
/// sweep, which must not fail because of its report.
std::optional<std::filesystem::path> try_write_report(const std::filesystem::path& directory);

}  // namespace slopegan
