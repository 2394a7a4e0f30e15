#pragma once

#include <string_view>
#include <vector>

#include "config/config.h"

/// sweep.cross: the keys that a sweep varies in addition to the slope.
namespace slopegan {

/// Whether a sweep may vary the key. Excludes the seed, training.total_images, and keys that change the real images
/// (except data.flip) or what is measured, or that do not affect the training.
bool can_be_crossed(std::string_view key);

/// `config` with the settings of a condition, which read_value must have checked.
Config with_settings(Config config, const std::vector<Setting>& settings);

/// The keys that at least one condition sets, in the order of the printed configuration.
std::vector<std::string> crossed_keys(const CrossConditions& cross);

}  // namespace slopegan
