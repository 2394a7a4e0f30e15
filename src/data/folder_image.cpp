#include "data/folder_image.h"

#include <algorithm>
#include <atomic>
#include <bit>

#include <ATen/Parallel.h>
#include <opencv2/imgproc.hpp>

#include "data/transform.h"
#include "support/errors.h"
#include "support/signals.h"

namespace slopegan {

namespace fs = std::filesystem;

namespace {

cv::Mat with_image_channels(const cv::Mat& image, std::int64_t channels) {
  if (channels == 0 || image.channels() == channels) return image;
  cv::Mat converted;
  cv::cvtColor(image, converted, channels == 1 ? cv::COLOR_BGR2GRAY : cv::COLOR_GRAY2BGR);
  return converted;
}

FolderImage read_folder_image(const fs::path& file, const PixelOptions& options) {
  FolderImage result;
  try {
    DecodedImage decoded;
    if (options.as_in_0_9) {
      decoded.image = read_image_as_in_0_9(file);
    } else {
      decoded = decode_image(file, {background_colour(options.background), options.deep_bits});
      result.fit = fit_image(decoded.facts.size.height, decoded.facts.size.width, options.resolution, options.fit);
    }
    const cv::Mat image = with_image_channels(decoded.image, options.channels);
    result.image = fit_to_resolution(image, options.resolution, options.fit);
    result.facts = std::move(decoded.facts);
  } catch (const TooLargeError& error) {
    result.reason = error.what();
    result.too_large = true;
  } catch (const IoError& error) {
    result.reason = error.what();
    result.io_error = true;
  } catch (const Error& error) {
    result.reason = error.what();
  }
  return result;
}

}  // namespace

PixelOptions pixel_options(const DataConfig& data) {
  PixelOptions options;
  options.channels = data.channels == 1 ? 1 : 3;
  options.resolution = data.resolution;
  options.fit = chosen_fit(data);
  options.background = data.background;
  options.as_in_0_9 = data.as_in_0_9;
  return options;
}

std::vector<FolderImage> read_folder_images(const fs::path& root, const std::vector<fs::path>& files, std::size_t begin,
                                            std::size_t end, const PixelOptions& options) {
  std::vector<FolderImage> images(end - begin);
  at::parallel_for(0, std::ssize(images), 1, [&](std::int64_t from, std::int64_t to) {
    for (auto i = static_cast<std::size_t>(from); i < static_cast<std::size_t>(to) && stop_signal() == 0; ++i) {
      images[i] = read_folder_image(root / files[begin + i], options);
    }
  });
  if (const int signal = stop_signal()) throw StoppedError(signal, "stopped while reading images");
  return images;
}

int deep_bits_of(const fs::path& root, const std::vector<fs::path>& files) {
  std::atomic<int> largest = 0;
  at::parallel_for(0, std::ssize(files), 1, [&](std::int64_t from, std::int64_t to) {
    for (auto i = static_cast<std::size_t>(from); i < static_cast<std::size_t>(to) && stop_signal() == 0; ++i) {
      if (!is_deep_file(root / files[i])) continue;
      try {
        const int value = decode_image(root / files[i]).facts.largest_deep_value;
        for (int before = largest; before < value && !largest.compare_exchange_weak(before, value);) {
        }
      } catch (const Error&) {  // reported when the image is read
      }
    }
  });
  if (const int signal = stop_signal()) throw StoppedError(signal, "stopped while reading images");
  const int bits = std::bit_width(static_cast<unsigned>(largest.load()));
  return bits == 0 ? 16 : std::clamp(bits + bits % 2, 8, 16);
}

}  // namespace slopegan
