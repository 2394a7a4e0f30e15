#pragma once

#include <string_view>

/// The files of assets/, put into the program by assets/embed.cmake.
namespace slopegan::assets {

extern const std::string_view page;            ///< the whole document
extern const std::string_view sweep_pictures;  ///< inside of a sweep's section of pictures
extern const std::string_view run_pictures;
extern const std::string_view style;
extern const std::string_view script;

}  // namespace slopegan::assets
