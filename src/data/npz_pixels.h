#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <torch/types.h>

#include "images/npz.h"

/// Converts images in NumPy arrays to bytes. Detects the range of the values and whether the channels come first or
/// last.
namespace slopegan {

/// The values as a tensor of the array's shape, not necessarily contiguous: uint8, int8, int16, int32, int64, float16,
/// float32 or float64. Booleans become 0 and 1; unsigned integers of more than one byte become signed integers of twice
/// the size, but of at most 8 bytes.
torch::Tensor number_tensor(NpyArray array);

/// A view of `values` as [N, C, H, W], or std::nullopt unless the shape is N x H x W, N x H x W x C or N x C x H x W
/// with 1, 3 or 4 channels and sides of at most max_image_side.
std::optional<torch::Tensor> as_image_batch(const torch::Tensor& values);

/// Maps a value to the byte round((value - black) * 255 / (white - black)), clamped to [0, 255].
struct PixelRange {
  double black = 0, white = 255;
  std::string text;   ///< describes the conversion; "" if the values are already bytes
  int deep_bits = 0;  ///< see Dataset; set for integers of more than one byte, unless 1 is white
};

/// The range that the lowest and highest of `values` suggest: bytes, 0 to 1, -1 to 1, or 10, 12, 14 or 16 bits. Throws
/// std::invalid_argument if none of them fits or a value is not finite. The message lacks the name of the array, which
/// the caller must prepend. If `fixed_bits` is not 0, integers of more than one byte have the range 0 to
/// 2^fixed_bits - 1.
PixelRange pixel_range_of(const torch::Tensor& values, NpyKind kind, int fixed_bits = 0);

struct PixelBytes {
  torch::Tensor images;      ///< uint8, contiguous
  std::int64_t clipped = 0;  ///< number of values outside the range by more than a rounding error
};

PixelBytes to_pixel_bytes(const torch::Tensor& values, const PixelRange& range);

/// Composites images on a background and returns them as RGB. `images` are uint8 [N, 4, H, W]: red, green, blue and
/// alpha. `background` is white, black, #rrggbb, or none, which keeps the colours of transparent pixels. Sets
/// `transparent` to the number of images with transparent pixels.
torch::Tensor on_background(const torch::Tensor& images, const std::string& background, std::int64_t& transparent);

}  // namespace slopegan
