#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <opencv2/core.hpp>

#include "support/files.h"

/// Image files as 8-bit OpenCV images: CV_8UC1 (gray) or CV_8UC3 (BGR).
namespace slopegan {

/// Width and height declared in the header of a PNG, JPEG or WebP file, without decoding it; std::nullopt if `bytes`
/// does not start with such a header.
std::optional<cv::Size> declared_size(std::string_view bytes);

/// Decodes a PNG, JPEG or WebP file. The EXIF orientation of JPEG and PNG files is applied; an alpha channel is
/// dropped. Throws DataError, naming the file, if the format is not supported, the file is damaged, or the image has
/// more than 12 megapixels.
cv::Mat read_image(const std::filesystem::path& file);

/// Returns the bytes of a PNG file. Throws std::invalid_argument for other image types.
std::string encode_png(const cv::Mat& image);

/// Writes a PNG file atomically (see write_file_atomic). Throws IoError, naming the file, and std::invalid_argument for
/// other image types.
void write_png(const std::filesystem::path& file, const cv::Mat& image, Sync sync = Sync::now);

}  // namespace slopegan
