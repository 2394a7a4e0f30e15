#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

/// Constraints between keys. The rules of single keys are checked when their values are read.
namespace slopegan {

/// An error or a warning, and the keys involved, the most relevant first.
struct Finding {
  std::vector<std::string> keys;
  std::string message;
};

struct Findings {
  std::vector<Finding> errors;
  std::vector<Finding> warnings;
};

/// The number of hidden activations of each network: 3 at resolution 32, 4 at 64, 5 at 128.
std::int64_t activation_count(std::int64_t resolution);

/// Checks the constraints of a single run. `is_given` returns whether the user set a key. Only keys set by the user
/// cause a warning if they have no effect.
Findings validate(const Config& config, const std::function<bool(std::string_view)>& is_given);

/// Checks the additional constraints of a sweep: at least one slope and one seed, no duplicates, and slopes that the
/// activation of each target network uses and allows. Returns the warnings. Throws UsageError with one line per error.
std::vector<std::string> validate_sweep(const Config& config);

}  // namespace slopegan
