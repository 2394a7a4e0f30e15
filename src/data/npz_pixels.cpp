#include "data/npz_pixels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <stdexcept>

#include "data/transform.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// The number of images to convert at a time, which bounds the memory for copies in other types.
std::int64_t part_images(const torch::Tensor& images) {
  constexpr std::int64_t most_values = std::int64_t{1} << 22;
  return std::max<std::int64_t>(1, most_values / std::max<std::int64_t>(1, images.numel() / images.size(0)));
}

torch::ScalarType stored_type(const NpyArray& array) {
  switch (array.kind) {
    case NpyKind::boolean:
      return torch::kByte;
    case NpyKind::unsigned_integer:
      return array.item_size == 1   ? torch::kByte
             : array.item_size == 2 ? torch::kShort
             : array.item_size == 4 ? torch::kInt
                                    : torch::kLong;
    case NpyKind::signed_integer:
      return array.item_size == 1   ? torch::kChar
             : array.item_size == 2 ? torch::kShort
             : array.item_size == 4 ? torch::kInt
                                    : torch::kLong;
    case NpyKind::real:
      return array.item_size == 2 ? torch::kHalf : array.item_size == 4 ? torch::kFloat : torch::kDouble;
    case NpyKind::bytes:
    case NpyKind::unicode:
      break;
  }
  throw std::invalid_argument("contains text, but numbers are expected");
}

/// "from -3 to 2.5".
std::string range_text(double lowest, double highest) { return format_text("from {:.6g} to {:.6g}", lowest, highest); }

bool is_whole(const torch::Tensor& values) { return !values.is_floating_point(); }

/// The range of whole numbers that are not stored as bytes.
PixelRange range_of_integers(double lowest, double highest) {
  const std::string holds = "whole numbers " + range_text(lowest, highest);
  if (highest <= 1) return {0, 1, holds + "; 1 is white"};
  if (highest <= 255) return {0, 255, holds + ", which are used as bytes"};
  for (const int bits : {10, 12, 14, 16}) {
    const double white = std::ldexp(1.0, bits) - 1;
    if (highest <= white) return {0, white, holds + format_text("; {} is white", static_cast<std::int64_t>(white))};
  }
  return {};
}

/// For integers of more than one byte: uses the range of `fixed_bits` unless fixed_bits is 0. Sets range.deep_bits
/// unless 1 is white.
void set_deep_bits(PixelRange& range, double lowest, double highest, int fixed_bits) {
  if (fixed_bits > 0) {
    range.white = std::ldexp(1.0, fixed_bits) - 1;
    range.text = "whole numbers " + range_text(lowest, highest) +
                 format_text("; {} is white, as in the other set of images", static_cast<std::int64_t>(range.white));
  }
  if (range.white > 1) range.deep_bits = std::bit_width(static_cast<unsigned>(range.white));
}

PixelRange range_of_reals(double lowest, double highest) {
  constexpr double tolerance = 1e-3;  // for rounding and interpolation errors
  const std::string holds = "values " + range_text(lowest, highest);
  if (lowest >= -tolerance && highest <= 1 + tolerance) return {0, 1, holds + "; 0 is black and 1 is white"};
  if (lowest >= -1 - tolerance && highest <= 1 + tolerance) return {-1, 1, holds + "; -1 is black and 1 is white"};
  if (lowest >= -0.5 && highest <= 255.5) return {0, 255, holds + ", which are rounded to bytes"};
  return {};
}

}  // namespace

torch::Tensor number_tensor(NpyArray array) {
  const auto type = stored_type(array);
  auto shape = array.shape;
  if (array.fortran_order) std::reverse(shape.begin(), shape.end());
  auto values = torch::from_blob(array.values.memory.release(), shape, [](void* memory) { std::free(memory); }, type);
  if (array.kind == NpyKind::boolean) values = values.ne(0).to(torch::kByte);
  if (array.kind == NpyKind::unsigned_integer && array.item_size == 2) values = values.to(torch::kInt) & 0xffff;
  if (array.kind == NpyKind::unsigned_integer && array.item_size == 4) values = values.to(torch::kLong) & 0xffffffff;
  if (!array.fortran_order) return values;
  std::vector<std::int64_t> order(shape.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(order.size() - 1 - i);
  return values.permute(order);
}

std::optional<torch::Tensor> as_image_batch(const torch::Tensor& values) {
  const auto sides_fit = [](const torch::Tensor& images) {
    return images.size(2) <= max_image_side && images.size(3) <= max_image_side;
  };
  if (values.dim() == 3) {
    const auto images = values.unsqueeze(1);
    return sides_fit(images) ? std::optional(images) : std::nullopt;
  }
  if (values.dim() != 4) return std::nullopt;
  const auto are_channels = [&](int dimension) {
    const auto size = values.size(dimension);
    return size == 1 || size == 3 || size == 4;
  };
  // If both dimensions could be the channels, the smaller one is used.
  const bool first = are_channels(1) && (!are_channels(3) || values.size(1) < values.size(3));
  if (!first && !are_channels(3)) return std::nullopt;
  const auto images = first ? values : values.permute({0, 3, 1, 2});
  return sides_fit(images) ? std::optional(images) : std::nullopt;
}

PixelRange pixel_range_of(const torch::Tensor& values, NpyKind kind, int fixed_bits) {
  if (kind == NpyKind::boolean) return {0, 1, "true and false, which are white and black"};
  if (values.scalar_type() == torch::kByte) return {};
  double lowest = std::numeric_limits<double>::infinity(), highest = -lowest;
  for (const auto& part : values.split(part_images(values))) {
    if (part.is_floating_point() && !part.isfinite().all().item<bool>()) {
      throw std::invalid_argument("contains values that are not finite (NaN or infinity); replace or remove them");
    }
    lowest = std::min(lowest, part.min().to(torch::kDouble).item<double>());
    highest = std::max(highest, part.max().to(torch::kDouble).item<double>());
  }
  PixelRange range;
  if (!is_whole(values)) {
    range = range_of_reals(lowest, highest);
  } else if (lowest >= 0) {
    range = range_of_integers(lowest, highest);
    if (values.element_size() > 1 && !range.text.empty()) set_deep_bits(range, lowest, highest, fixed_bits);
  }
  if (!range.text.empty()) return range;
  throw std::invalid_argument(
      "contains values " + range_text(lowest, highest) +
      ", but pixels are bytes, whole numbers of up to 16 bits, or numbers from 0 to 1, -1 to 1 or 0 to 255; rescale "
      "them, for example in NumPy: ((x - x.min()) / (x.max() - x.min()) * 255).astype('uint8')");
}

PixelBytes to_pixel_bytes(const torch::Tensor& values, const PixelRange& range) {
  if (values.scalar_type() == torch::kByte && range.text.empty()) return {values.contiguous()};
  PixelBytes bytes;
  bytes.images = torch::empty(values.sizes(), torch::kByte);
  const double scale = 255 / (range.white - range.black), least_clipped = 0.5 + 255e-3;
  const std::int64_t step = part_images(values);
  for (std::int64_t at = 0; at < values.size(0); at += step) {
    const auto count = std::min(step, values.size(0) - at);
    const auto scaled = values.narrow(0, at, count).to(torch::kDouble).sub(range.black).mul_(scale);
    bytes.clipped += (scaled.lt(-least_clipped) | scaled.gt(255 + least_clipped)).sum().item<std::int64_t>();
    bytes.images.narrow(0, at, count).copy_(scaled.round().clamp_(0, 255));
  }
  return bytes;
}

torch::Tensor on_background(const torch::Tensor& images, const std::string& background, std::int64_t& transparent) {
  transparent = 0;
  auto result = torch::empty({images.size(0), 3, images.size(2), images.size(3)}, torch::kByte);
  const auto colour = background_colour(background);
  const cv::Vec3i bgr = colour.value_or(cv::Vec3b());
  const auto behind = torch::tensor({bgr[2], bgr[1], bgr[0]}, torch::kInt).view({1, 3, 1, 1});
  const std::int64_t step = part_images(images);
  for (std::int64_t at = 0; at < images.size(0); at += step) {
    const auto part = images.narrow(0, at, std::min(step, images.size(0) - at));
    auto colours = part.narrow(1, 0, 3).to(torch::kInt);
    const auto alpha = part.narrow(1, 3, 1).to(torch::kInt);
    transparent += alpha.lt(255).flatten(1).any(1).sum().item<std::int64_t>();
    if (colour) {
      colours = (colours * alpha + behind * (255 - alpha) + 127).div(255, /*rounding_mode=*/"floor");
    }
    result.narrow(0, at, part.size(0)).copy_(colours);
  }
  return result;
}

}  // namespace slopegan
