#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "run/records.h"
#include "run/run_directory.h"
#include "run/run_info.h"
#include "statistics/statistics.h"

namespace slopegan {

/// One run of a sweep: a negative slope and a seed, under one condition.
struct Arm {
  double negative_slope = 0;
  std::int64_t seed = 0;
  std::string name;                    ///< the name of the run, "slope_0.2-seed_0" or "slope_0.2-cond_1-seed_0"
  std::filesystem::path directory;     ///< <sweep>/runs/<name>
  std::vector<std::string> overrides;  ///< key=value arguments that turn the sweep's configuration into this arm's
  std::size_t condition = 0;           ///< index into sweep.cross; 0 if there are no conditions
  std::vector<Setting> settings{};     ///< the values of all crossed keys, even those that this condition does not set
};

/// The arms of a sweep: all slopes with the first seed, then all slopes with the next one, so that a complete contact
/// sheet is available early.
std::vector<Arm> make_arms(const Config& config, const std::filesystem::path& sweep_dir);

/// The state of an arm according to its run directory.
struct ArmState {
  std::optional<RunStatus> status;  ///< std::nullopt if the arm has not started
  std::int64_t images = 0;          ///< images seen, according to the last line of the history
};

ArmState read_arm_state(const Arm& arm);

/// Whether the arm needs no more training, because it was trained to the end or diverged (it would diverge again).
bool is_over(const ArmState& state, const Config& config);

/// The arms that have been started. Some arms of a race may never start.
std::vector<Arm> started_arms(const std::vector<Arm>& arms);

/// The status of an arm that needs no more training; std::nullopt for other arms. Does not read the history of an arm
/// in training.
std::optional<RunStatus> end_of(const Arm& arm, const Config& config);

/// The hardware on which an arm was last trained, according to its run.json.
struct ArmHardware {
  /// "float32" or "bfloat16", also for training.precision = auto; "bfloat16 and float32" if the arm was resumed in the
  /// other precision; empty if unknown.
  std::string precision;
  /// The model of the CPU or GPU, "A and B" if the arm was resumed on another one; the device, such as "cuda:0", if the
  /// model is unknown; empty if that is unknown too.
  std::string processor;
  std::string kernels;  ///< RunInfo::kernels; empty if unknown
};

ArmHardware hardware_of(const Arm& arm);

/// Marks the arms that were trained on different images than most arms as errors, so that they count as missing.
/// Returns a note about them; empty if there are none. "Most arms" means most of those with a seed in `decisive` or, if
/// none of these records its images in run.json, most of all arms. In a tie between sets of images, the set that comes
/// first among these arms is used. Arms that are pending or do not record their images, as in incomplete copies, are
/// not marked.
std::string mark_other_images(const std::vector<Arm>& arms, const std::vector<std::int64_t>& decisive,
                              std::vector<ArmScore>& scores);

/// The last record of the arm's history, metrics or diagnostics, or std::nullopt if there is none. If the file cannot
/// be read, logs a warning and returns std::nullopt.
std::optional<HistoryRecord> last_history(const Arm& arm);
std::optional<MetricsRecord> last_metrics(const Arm& arm);
std::optional<DiagnosticsRecord> last_diagnostics(const Arm& arm);

}  // namespace slopegan
