#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

/// Checks that concern more than one key; single values are checked by their rules when they are read.
namespace slopegan {

/// What is wrong or unusual, and the keys that are involved, the most telling one first.
struct Finding {
  std::vector<std::string> keys;
  std::string message;
};

struct Findings {
  std::vector<Finding> errors;
  std::vector<Finding> warnings;
};

/// Activations with a slope in the generator, and the same number in the discriminator: 3 at resolution 32, 4 at 64, 5
/// at 128.
std::int64_t activation_count(std::int64_t resolution);

/// `is_given` tells whether the user set a key; only then is a value without effect worth a warning.
Findings validate(const Config& config, const std::function<bool(std::string_view)>& is_given);

/// Checks what only a sweep needs: slopes and seeds to run, none twice, slopes that each targeted network's activation
/// uses and allows. Returns warnings; throws UsageError with a line for each error.
std::vector<std::string> validate_sweep(const Config& config);

}  // namespace slopegan
