#include "images/gif.h"

#include <array>
#include <cstdint>
#include <fcntl.h>
#include <gif_lib.h>
#include <memory>
#include <span>
#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <vector>

#include <opencv2/imgproc.hpp>

#include "support/errors.h"

namespace slopegan {

namespace {

constexpr int palette_size = 256, max_uint16 = 65535;
constexpr std::size_t flush_size = std::size_t{1} << 20;

/// A frame with its own palette.
struct IndexedFrame {
  std::vector<GifByteType> indices;  // row-major
  std::array<GifColorType, palette_size> palette{};
};

/// Uses the exact colours of the frame. Returns false if they do not fit into a palette.
bool index_exactly(const cv::Mat& bgr, IndexedFrame& frame) {
  std::unordered_map<std::uint32_t, GifByteType> known;
  for (int y = 0; y < bgr.rows; ++y) {
    for (int x = 0; x < bgr.cols; ++x) {
      const auto& p = bgr.at<cv::Vec3b>(y, x);
      const std::uint32_t key = p[0] | static_cast<std::uint32_t>(p[1]) << 8 | static_cast<std::uint32_t>(p[2]) << 16;
      auto entry = known.find(key);
      if (entry == known.end()) {
        if (known.size() == palette_size) return false;
        frame.palette[known.size()] = {p[2], p[1], p[0]};
        entry = known.emplace(key, static_cast<GifByteType>(known.size())).first;
      }
      frame.indices.push_back(entry->second);
    }
  }
  return true;
}

void quantise(const cv::Mat& bgr, IndexedFrame& frame) {
  std::array<cv::Mat, 3> planes;
  cv::split(bgr, planes.data());
  frame.indices.resize(bgr.total());
  int colours = palette_size;
  if (GifQuantizeBuffer(static_cast<unsigned>(bgr.cols), static_cast<unsigned>(bgr.rows), &colours, planes[2].data,
                        planes[1].data, planes[0].data, frame.indices.data(), frame.palette.data()) != GIF_OK) {
    throw std::bad_alloc();  // the only failure that giflib reports here
  }
}

IndexedFrame index_colours(const cv::Mat& bgr) {
  IndexedFrame frame;
  frame.indices.reserve(bgr.total());
  if (!index_exactly(bgr, frame)) {
    frame = {};
    quantise(bgr, frame);
  }
  return frame;
}

/// The bounding box of all pixels that differ, or a single pixel if the frames are equal.
cv::Rect changed_part(const cv::Mat& before, const cv::Mat& now) {
  cv::Mat differs;
  cv::compare(before.reshape(1), now.reshape(1), differs, cv::CMP_NE);
  const cv::Rect bytes = cv::boundingRect(differs);
  if (bytes.empty()) return {0, 0, 1, 1};
  const int left = bytes.x / 3, right = (bytes.br().x + 2) / 3;
  return {left, bytes.y, right - left, bytes.height};
}

int append_to_buffer(GifFileType* gif, const GifByteType* bytes, int count) {
  static_cast<std::string*>(gif->UserData)
      ->append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
  return count;
}

}  // namespace

GifWriter::GifWriter(const std::filesystem::path& file)
    : pending_(file), file_(pending_.temporary(), O_WRONLY | O_CREAT | O_EXCL, /*shown=*/file) {}

GifWriter::~GifWriter() { close(); }

void GifWriter::close() noexcept {
  int error = 0;
  if (gif_ != nullptr) EGifCloseFile(gif_, &error);
  gif_ = nullptr;
}

void GifWriter::check(bool ok) const {
  if (!ok) throw IoError("giflib cannot encode " + display(pending_.file()));
}

void GifWriter::flush() {
  file_.write(std::as_bytes(std::span(buffer_)));
  buffer_.clear();
}

void GifWriter::begin(cv::Size size) {
  if (size.width < 1 || size.height < 1 || size.width > max_uint16 || size.height > max_uint16) {
    throw std::invalid_argument("GifWriter: the sides of a frame must be in [1, 65535] pixels");
  }
  int error = 0;
  gif_ = EGifOpen(&buffer_, append_to_buffer, &error);
  check(gif_ != nullptr);
  EGifSetGifVersion(gif_, true);
  check(EGifPutScreenDesc(gif_, size.width, size.height, 8, 0, nullptr) == GIF_OK);
  constexpr std::array<GifByteType, 3> loop_forever = {1, 0, 0};
  check(EGifPutExtensionLeader(gif_, APPLICATION_EXT_FUNC_CODE) == GIF_OK &&
        EGifPutExtensionBlock(gif_, 11, "NETSCAPE2.0") == GIF_OK &&
        EGifPutExtensionBlock(gif_, loop_forever.size(), loop_forever.data()) == GIF_OK &&
        EGifPutExtensionTrailer(gif_) == GIF_OK);
}

void GifWriter::put(const cv::Mat& part, cv::Point corner, int hundredths) {
  GraphicsControlBlock control{DISPOSE_DO_NOT, false, hundredths, NO_TRANSPARENT_COLOR};
  std::array<GifByteType, 4> extension{};
  EGifGCBToExtension(&control, extension.data());
  check(EGifPutExtension(gif_, GRAPHICS_EXT_FUNC_CODE, extension.size(), extension.data()) == GIF_OK);
  IndexedFrame frame = index_colours(part);
  const std::unique_ptr<ColorMapObject, void (*)(ColorMapObject*)> palette(
      GifMakeMapObject(palette_size, frame.palette.data()), GifFreeMapObject);
  if (palette == nullptr) throw std::bad_alloc();
  check(EGifPutImageDesc(gif_, corner.x, corner.y, part.cols, part.rows, false, palette.get()) == GIF_OK);
  for (int y = 0; y < part.rows; ++y) {
    GifByteType* line = frame.indices.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(part.cols);
    check(EGifPutLine(gif_, line, part.cols) == GIF_OK);
  }
}

void GifWriter::add(const cv::Mat& frame, int hundredths) {
  if (frame.type() != CV_8UC1 && frame.type() != CV_8UC3) {
    throw std::invalid_argument("GifWriter: expected an 8-bit gray or BGR frame");
  }
  if (hundredths < 0 || hundredths > max_uint16)
    throw std::invalid_argument("GifWriter: the duration must be in [0, 65535]");
  cv::Mat bgr;
  if (frame.channels() == 1) {
    cv::cvtColor(frame, bgr, cv::COLOR_GRAY2BGR);
  } else {
    bgr = frame.clone();
  }
  if (gif_ == nullptr) begin(bgr.size());
  if (!last_.empty() && last_.size() != bgr.size())
    throw std::invalid_argument("GifWriter: all frames must have the same size");
  const cv::Rect part = last_.empty() ? cv::Rect({0, 0}, bgr.size()) : changed_part(last_, bgr);
  put(bgr(part), part.tl(), hundredths);
  last_ = bgr;
  if (buffer_.size() >= flush_size) flush();
}

void GifWriter::finish() {
  if (last_.empty()) throw std::invalid_argument("GifWriter: there are no frames");
  int error = 0;
  check(EGifCloseFile(std::exchange(gif_, nullptr), &error) == GIF_OK);
  flush();
  pending_.commit();
}

}  // namespace slopegan
