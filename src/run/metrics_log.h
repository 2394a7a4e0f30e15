#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// metrics.jsonl: one evaluation a line, in the order of the images.
namespace slopegan {

struct MetricsRecord {
  /// Real images shown to the discriminator so far.
  std::int64_t images = 0;
  /// Name and hash of the feature extractor: "classifier-fashion-mnist@1a2b3c4d".
  std::string extractor;
  /// Generated images that were looked at.
  std::int64_t samples = 0;
  /// By name: fd, kd, precision, recall, density, coverage, classifier_score, class_kl, copied_share, copying_z.
  std::map<std::string, double> values;
  /// The same of real test images instead of generated ones: what a perfect generator would reach. Empty without them.
  std::map<std::string, double> floors;
  /// Test images that the floors were taken from: as many as `samples`, unless there are fewer.
  std::int64_t floor_samples = 0;
  /// By how much fd is expected to exceed that of infinitely many images, to leading order: the same for all arms.
  std::optional<double> fd_bias;
  /// The Fréchet distance of a second, independent set of as many generated images: what differs from values["fd"] is
  /// the metric's own variance. Only at a run's last image.
  std::optional<double> fd_repeat;
  /// What the evaluation took.
  double seconds = 0;
  bool operator==(const MetricsRecord&) const = default;
};

/// "FD[classifier-fashion-mnist@1a2b3c4d,n=10000]": a value's full name, for people. Of the extractor "inception", and
/// of no other, the names are FID, KID and IS.
std::string metric_title(const std::string& name, const MetricsRecord& record);

/// The line of the record, for AppendFile. Every finite number reads back exactly; the others are null.
std::string metrics_line(const MetricsRecord& record);

/// All records; null reads back as NaN. A last line without its newline is skipped. Throws IoError, and DataError
/// naming the line that is no record.
std::vector<MetricsRecord> read_metrics(const std::filesystem::path& file);

/// The last record alone, without reading the others; nothing where the file's last whole line is none. Throws IoError.
std::optional<MetricsRecord> read_last_metrics(const std::filesystem::path& file);

}  // namespace slopegan
