#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <opencv2/core.hpp>

#include "support/files.h"

/// Image files as 8-bit OpenCV images: CV_8UC1 (gray) or CV_8UC3 (BGR).
namespace slopegan {

/// The formats that read_image decodes.
enum class ImageFormat { png, jpeg, webp, bmp, tiff, gif };

/// "PNG", "JPEG", ...
std::string_view format_name(ImageFormat format);

/// The format of a file by its content: `first_bytes` are its first sniffed_bytes bytes, or all of a shorter file. A
/// raw file of a camera (.dng, .nef, .arw, ...) may look like a TIFF file, see sniff_file.
std::optional<ImageFormat> sniff_format(std::string_view first_bytes);
constexpr std::size_t sniffed_bytes = 32;

/// The format of `file` by its content, whatever its name ends in; only a TIFF file must not have the name of another
/// kind of file, because many cameras' raw files are TIFF files with a thumbnail. Reads only the first bytes. Returns
/// std::nullopt for other formats, and for what is not a regular file or cannot be read.
std::optional<ImageFormat> sniff_file(const std::filesystem::path& file);

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
