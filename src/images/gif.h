#pragma once

#include <filesystem>
#include <string>

#include <opencv2/core.hpp>

#include "support/files.h"
#include "support/posix_file.h"

struct GifFileType;

namespace slopegan {

/// Writes an animation that repeats without end, a frame at a time, as GIF89a. GIF is what every browser, viewer and
/// slide program plays without a codec. A frame of at most 256 colours (all gray ones) is stored exactly, others with
/// the 256 of giflib's median cut. Only what differs from the frame before is stored.
class GifWriter {
 public:
  /// Opens nothing yet but a temporary file. Throws IoError.
  explicit GifWriter(const std::filesystem::path& file);
  ~GifWriter();
  GifWriter(const GifWriter&) = delete;
  GifWriter& operator=(const GifWriter&) = delete;

  /// CV_8UC1 or CV_8UC3 (BGR), all frames of one size with sides up to 65,535; shown for `hundredths` of a second, up
  /// to 65,535. Throws std::invalid_argument for others, IoError.
  void add(const cv::Mat& frame, int hundredths);

  /// The file appears, whole. Throws std::invalid_argument without frames, IoError.
  void finish();

 private:
  void begin(cv::Size size);
  void put(const cv::Mat& part, cv::Point corner, int hundredths);
  void check(bool done) const;
  void flush();
  void close() noexcept;

  PendingFile pending_;
  PosixFile file_;
  std::string buffer_;
  GifFileType* gif_ = nullptr;
  cv::Mat last_;
};

}  // namespace slopegan
