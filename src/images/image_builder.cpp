#include "images/image_builder.h"

#include <algorithm>
#include <type_traits>

namespace slopegan {

namespace {

int reduced(int side, int reduction) { return (side + reduction - 1) / reduction; }

bool is_gray(const std::optional<cv::Vec3b>& colour) {
  return !colour || ((*colour)[0] == (*colour)[1] && (*colour)[1] == (*colour)[2]);
}

/// A gray image with transparency becomes a colour image if the background is coloured.
int result_type(const PixelLayout& layout, const std::optional<cv::Vec3b>& background) {
  const bool gray = layout.channels == 1 || (layout.channels == 2 && is_gray(background));
  return gray ? CV_8UC1 : CV_8UC3;
}

/// Composites `colour` over `background`. An alpha of 255 is opaque.
std::uint8_t composite(int colour, int background, int alpha, bool premultiplied) {
  const int front = premultiplied ? 255 * colour : colour * alpha;
  return static_cast<std::uint8_t>(std::min((front + background * (255 - alpha) + 127) / 255, 255));
}

}  // namespace

ImageBuilder::ImageBuilder(cv::Size size, PixelLayout layout, int reduction, const DecodeOptions& options)
    : layout_(layout),
      width_(size.width),
      height_(size.height),
      reduction_(reduction),
      shift_(layout.is_deep ? options.deep_bits - 8 : 0),
      background_(options.background),
      image_(reduced(size.height, reduction), reduced(size.width, reduction), result_type(layout, options.background)) {
  if (reduction_ > 1) {
    row_.resize(static_cast<std::size_t>(width_) * image_.elemSize());
    sums_.resize(static_cast<std::size_t>(image_.cols) * image_.elemSize());
  }
}

template <class Sample>
void ImageBuilder::convert_row(const Sample* samples, std::uint8_t* out) {
  const int channels = layout_.channels, results = image_.channels();
  const bool has_alpha = channels == 2 || channels == 4;
  const int colours = has_alpha ? channels - 1 : channels;
  int largest = 0;
  for (int x = 0; x < width_; ++x, samples += channels, out += results) {
    int alpha = 255;
    if (has_alpha) alpha = sizeof(Sample) == 2 ? samples[colours] >> 8 : samples[colours];
    has_transparency_ = has_transparency_ || alpha != 255;
    for (int c = 0; c < results; ++c) {
      const int sample = samples[std::min(c, colours - 1)];
      if constexpr (std::is_same_v<Sample, std::uint16_t>) largest = std::max(largest, sample);
      const int colour = std::min(sample >> shift_, 255);
      out[c] = alpha == 255 || !background_ ? static_cast<std::uint8_t>(colour)
                                            : composite(colour, (*background_)[c], alpha, layout_.premultiplied);
    }
  }
  largest_value_ = std::max(largest_value_, largest);
}

void ImageBuilder::add_row(const void* samples) {
  if (rows_ == height_) return;
  const auto* bytes = static_cast<const std::uint8_t*>(samples);
  std::uint8_t* out = reduction_ > 1 ? row_.data() : image_.ptr(rows_);
  const bool is_result = !layout_.is_deep && layout_.channels == image_.channels();
  if (layout_.is_deep) {
    convert_row(static_cast<const std::uint16_t*>(samples), out);
  } else if (!is_result) {
    convert_row(bytes, out);
  } else if (reduction_ == 1) {
    std::copy_n(bytes, image_.step[0], out);
  }
  ++rows_;
  if (reduction_ > 1) accumulate(is_result ? bytes : row_.data());
}

/// Adds a row of converted pixels to the sums.
void ImageBuilder::accumulate(const std::uint8_t* row) {
  const int channels = image_.channels();
  std::uint32_t* sum = sums_.data();
  for (int x = 0; x < width_; x += reduction_, sum += channels) {
    for (int end = std::min(x + reduction_, width_), from = x; from < end; ++from) {
      for (int c = 0; c < channels; ++c) sum[c] += *row++;
    }
  }
  if (rows_ % reduction_ == 0 || rows_ == height_) flush();
}

void ImageBuilder::flush() {
  const int channels = image_.channels(), y = (rows_ - 1) / reduction_, rows = rows_ - y * reduction_;
  std::uint8_t* out = image_.ptr(y);
  for (int x = 0; x < image_.cols; ++x) {
    const int pixels = rows * std::min(reduction_, width_ - x * reduction_);
    for (int c = 0; c < channels; ++c) {
      auto& sum = sums_[static_cast<std::size_t>(x * channels + c)];
      *out++ = static_cast<std::uint8_t>((sum + static_cast<std::uint32_t>(pixels) / 2) /
                                         static_cast<std::uint32_t>(pixels));
      sum = 0;
    }
  }
}

void build_image(const cv::Mat& whole, bool premultiplied, int reduction, const DecodeOptions& options,
                 DecodedImage& result) {
  const bool is_deep = whole.depth() == CV_16U;
  if (!is_deep && whole.channels() != 4 && reduction == 1) {
    result.image = whole;
    return;
  }
  ImageBuilder builder(whole.size(), {whole.channels(), is_deep, premultiplied}, reduction, options);
  for (int y = 0; y < whole.rows; ++y) builder.add_row(whole.ptr(y));
  result.image = builder.image();
  result.facts.has_transparency = builder.has_transparency();
  result.facts.is_deep = is_deep;
  result.facts.largest_deep_value = builder.largest_value();
}

}  // namespace slopegan
