#pragma once

#include <filesystem>
#include <string>

#include <opencv2/core.hpp>

#include "support/files.h"

namespace slopegan {

/// An 8-bit gray or BGR image as the bytes of a PNG file. Throws std::invalid_argument for another type of image.
std::string encode_png(const cv::Mat& image);

/// Writes an 8-bit gray or BGR image as PNG with write_file_atomic: the file appears whole or not at all. Throws
/// IoError that names the file, std::invalid_argument for another type of image.
void write_png(const std::filesystem::path& file, const cv::Mat& image, Sync sync = Sync::now);

}  // namespace slopegan
