#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include <opencv2/core.hpp>

namespace slopegan {

/// Width and height that the header of a PNG, JPEG or WebP file claims; nothing where `bytes` begin no such file. What
/// a decoder would allocate is known before it does.
std::optional<cv::Size> claimed_size(std::string_view bytes);

/// The image in a PNG, JPEG or WebP file: CV_8UC1 or CV_8UC3 (BGR), upright as the EXIF orientation of a JPEG or PNG
/// says, without transparency, of which the colours alone are used. Throws DataError naming the file where it is none
/// of these, is damaged, or is larger than 12 megapixels.
cv::Mat read_image(const std::filesystem::path& file);

}  // namespace slopegan
