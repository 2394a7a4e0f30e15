#pragma once

#include <filesystem>
#include <string>

#include <opencv2/core.hpp>

#include "support/files.h"
#include "support/posix_file.h"

struct GifFileType;

namespace slopegan {

/// Writes a GIF89a animation frame by frame. The animation loops forever. Only the rectangle that differs from the
/// previous frame is stored. If it has at most 256 colours, as in all gray frames, it is stored exactly; otherwise, it
/// is quantised to 256 colours with giflib's median cut.
class GifWriter {
 public:
  /// Creates a temporary file in the directory of `file`. Throws IoError if this fails.
  explicit GifWriter(const std::filesystem::path& file);
  ~GifWriter();
  GifWriter(const GifWriter&) = delete;
  GifWriter& operator=(const GifWriter&) = delete;

  /// Adds a frame (CV_8UC1 or CV_8UC3, BGR) that is shown for `hundredths` of a second. All frames have the same size;
  /// sides and durations are limited to 65,535. Throws std::invalid_argument for other frames, and IoError if writing
  /// fails.
  void add(const cv::Mat& frame, int hundredths);

  /// Completes the animation and renames the temporary file to `file`. Throws std::invalid_argument if there are no
  /// frames, and IoError if writing fails.
  void finish();

 private:
  void begin(cv::Size size);
  void put(const cv::Mat& part, cv::Point corner, int hundredths);
  void check(bool ok) const;
  void flush();
  void close() noexcept;

  PendingFile pending_;
  PosixFile file_;
  std::string buffer_;
  GifFileType* gif_ = nullptr;
  cv::Mat last_;
};

}  // namespace slopegan
