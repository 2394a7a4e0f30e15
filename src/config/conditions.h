#pragma once

#include <vector>

#include "config/config.h"

/// sweep.cross: the keys that a sweep varies in addition to the slope.
namespace slopegan {

/// `config` with the settings of a condition, which read_value must have checked.
Config with_settings(Config config, const std::vector<Setting>& settings);

/// The keys that at least one condition sets, in the order of the printed configuration.
std::vector<std::string> crossed_keys(const CrossConditions& cross);

}  // namespace slopegan
