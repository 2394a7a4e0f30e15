#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// history.jsonl: one JSON object a line, in the order of the images.
namespace slopegan {

/// What one step tells about itself; means over the batch.
struct StepStats {
  double discriminator_loss = 0;
  double generator_loss = 0;
  double d_real = 0;                       ///< mean σ(logit) of the real images
  double d_fake = 0;                       ///< mean σ(logit) of the generated images, in the discriminator's step
  double discriminator_gradient_norm = 0;  ///< 2-norm over all parameters
  double generator_gradient_norm = 0;
  /// Weighted sum of R1, R2 and the gradient penalty; nothing in a step without. No part of discriminator_loss.
  std::optional<double> gradient_penalty;
};

struct HistoryRecord {
  /// Real images shown to the discriminator so far, and steps made.
  std::int64_t images = 0;
  std::int64_t step = 0;
  double discriminator_loss = 0;
  double generator_loss = 0;
  /// Mean of sigmoid(logit) of the discriminator on real and on generated images, in [0, 1].
  double d_real = 0;
  double d_fake = 0;
  /// L2 norms over all parameters.
  double generator_gradient_norm = 0;
  double discriminator_gradient_norm = 0;
  /// Weighted sum of the gradient penalties, where the step had one.
  std::optional<double> gradient_penalty;
  /// The negative slope of the moment, where it changes with the images.
  std::optional<double> generator_slope;
  std::optional<double> discriminator_slope;
  /// What differs between two runs of the same configuration: time in this run, speed while training (not counting
  /// samples, metrics and the like), resident memory of the process.
  double seconds = 0;
  double images_per_second = 0;
  double memory_mib = 0;
  bool operator==(const HistoryRecord&) const = default;
};

/// The line of the record, for AppendFile. Every finite number reads back exactly; the others are null.
std::string history_line(const HistoryRecord& record);

/// All records; null reads back as NaN. A last line without its newline, left by a process that was killed, is skipped.
/// Throws IoError where the file cannot be read, and DataError naming the line that is no record.
std::vector<HistoryRecord> read_history(const std::filesystem::path& file);

/// The last record alone, without reading the others; nothing where the file's last whole line is none. Throws IoError.
std::optional<HistoryRecord> read_last_history(const std::filesystem::path& file);

}  // namespace slopegan
