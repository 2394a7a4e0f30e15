#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
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

/// results.csv: a line an arm with its last figures.
void write_results(const std::filesystem::path& file, const std::vector<Arm>& arms);

}  // namespace slopegan
