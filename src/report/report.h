#pragma once

#include <filesystem>
#include <optional>

namespace slopegan {

/// Writes what is known of a run (a directory with config.yaml) or of a sweep (one with sweep.yaml), however far it is,
/// into one HTML file that needs nothing else: report.html in the directory, or `out`. The file appears whole or not at
/// all. Returns its path.
///
/// It knows the directories through their files only, so that it may be called while they are written: what is missing
/// or damaged is said in the report. Throws UsageError where `directory` is neither, IoError where the file cannot be
/// written.
std::filesystem::path write_report(const std::filesystem::path& directory,
                                   const std::optional<std::filesystem::path>& out = std::nullopt);

/// The same for the end of a finished run, which a report must not turn into a failed one: any failure is a warning in
/// the log.
std::optional<std::filesystem::path> try_write_report(const std::filesystem::path& directory);

}  // namespace slopegan
