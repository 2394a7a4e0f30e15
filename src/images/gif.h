#pragma once

#include <filesystem>
#include <string>

#include <opencv2/core.hpp>

#include "support/files.h"
#include "support/posix_file.h"

struct GifFileType;

namespace slopegan {

/// Writes a GIF89a animation that loops forever, one frame at a time. Frames with at most 256 colours, including all
/// gray ones, are stored exactly; other frames are quantised to 256 colours with giflib's median cut. Only the
/// rectangle that differs from the previous frame is stored.
class GifWriter {
 public:
  /// Creates a temporary file in the directory of `file`. Throws IoError.
  explicit GifWriter(const std::filesystem::path& file);
  ~GifWriter();
  GifWriter(const GifWriter&) = delete;
  GifWriter& operator=(const GifWriter&) = delete;

  /// Adds a frame (CV_8UC1 or CV_8UC3, BGR) that is shown for `hundredths` of a second. All frames have the same size;
  /// sides and durations are limited to 65,535. Throws std::invalid_argument for other frames, and IoError if writing
  /// fails.
  void add(const cv::Mat& frame, int hundredths);

  /// Completes the animation and renames it to `file`. Throws std::invalid_argument if there are no frames, and IoError
  /// if writing fails.
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
