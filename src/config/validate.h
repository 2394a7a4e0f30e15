#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

/// Constraints between keys. The rules for individual keys are checked when their values are read.
namespace slopegan {

/// An error or a warning, and the keys involved, the most relevant first.
struct Finding {
  std::vector<std::string> keys;
  std::string message;
};

struct ConfigFindings {
  std::vector<Finding> errors;
  std::vector<Finding> warnings;
};

/// The number of activation layers in each network: 3 at resolution 32, 4 at 64, 5 at 128.
std::int64_t activation_count(std::int64_t resolution);

/// Checks the constraints on a single run. `is_given` returns whether the user set a key. A key that has no effect
/// causes a warning only if the user set it. An option that belongs to a different activation causes a warning only if,
/// in addition, its value differs from the default.
ConfigFindings validate(const Config& config, const std::function<bool(std::string_view)>& is_given);

/// Checks the additional constraints on a sweep: there must be at least one slope and one seed, without duplicates, and
/// the activation of each target network must use negative_slope and accept all slopes under each condition of
/// sweep.cross. Also checks the constraints on a race. Returns the warnings, including those about keys that a
/// condition sets. Throws UsageError with one line per error.
std::vector<std::string> validate_sweep(const Config& config);

}  // namespace slopegan
