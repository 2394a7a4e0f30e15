#pragma once

#include <string_view>

/// The font files that the build embeds into the program, DejaVuSans.ttf and DejaVuSans-Bold.ttf, unchanged.
namespace slopegan {

std::string_view regular_font();
std::string_view bold_font();

}  // namespace slopegan
