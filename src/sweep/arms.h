#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "run/diagnostics_log.h"
#include "run/history.h"
#include "run/metrics_log.h"
#include "run/run_directory.h"
#include "run/run_info.h"

namespace slopegan {

/// One training of a sweep: a negative slope and a seed.
struct Arm {
  double negative_slope = 0;
  std::int64_t seed = 0;
  std::string name;                    ///< "slope_0.2-seed_0", the run's name
  std::filesystem::path directory;     ///< <sweep>/runs/<name>
  std::vector<std::string> overrides;  ///< key=value arguments that make the sweep's configuration this arm's
};

/// Every slope for the first seed, then for the next one, so that a whole contact sheet is there early.
std::vector<Arm> make_arms(const Config& config, const std::filesystem::path& sweep_dir);

/// How an arm stands, as its run directory tells.
struct ArmState {
  std::optional<RunStatus> status;  ///< nothing: it has not begun
  std::int64_t images = 0;          ///< of the last line of its history
};

ArmState read_arm_state(const Arm& arm);

/// Over for good: trained to the end, or diverged, which it would do again.
bool is_over(const ArmState& state, const Config& config);

/// The last line of the arm's history, metrics or diagnostics, or nothing where there is none. A file that cannot be
/// read is warned about and tells as much as none.
std::optional<HistoryRecord> last_history(const Arm& arm);
std::optional<MetricsRecord> last_metrics(const Arm& arm);
std::optional<DiagnosticsRecord> last_diagnostics(const Arm& arm);

}  // namespace slopegan
