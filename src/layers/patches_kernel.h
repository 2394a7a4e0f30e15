#pragma once

#include <cstdint>

#include "layers/vector_kernel.h"

/// The patches of a 4×4 convolution with stride 2 and padding 1 (im2col, and its transpose col2im), and what products
/// over them need, on one thread. An image is [2·height, 2·width, channels] in memory, its patches [height, width, 4,
/// 4, channels]; in both the four neighbours of a patch's row lie together, so that everything moves in runs of
/// 4·channels values.
namespace slopegan::kernels {

/// Some of a patch's 16 places: lines from `top` to `bottom`, columns from `left` to `right`, ends not included.
struct Taps {
  std::int64_t top = 0, bottom = 4, left = 0, right = 4;
  std::int64_t count() const { return (bottom - top) * (right - left); }
};

/// The taps of the patches of lines [first, last) of them, [last − first, width, taps, channels].
void gather_taps(const float* image, float* patches, std::int64_t first, std::int64_t last, std::int64_t height,
                 std::int64_t width, std::int64_t channels, Taps taps);
void gather_taps(const bfloat16_bits* image, bfloat16_bits* patches, std::int64_t first, std::int64_t last,
                 std::int64_t height, std::int64_t width, std::int64_t channels, Taps taps);

/// How many sums an image has: [2·height + 2, 2·width + 2, channels], the image with a margin of 1.
std::int64_t values_of_sums(std::int64_t height, std::int64_t width, std::int64_t channels);

/// Adds such patches to the sums.
void add_taps(const float* patches, float* sums, std::int64_t first, std::int64_t last, std::int64_t width,
              std::int64_t channels, Taps taps);

/// What becomes of a sum before it is stored: itself, or, with a bias for each channel, leaky_relu(sum + bias).
struct Epilogue {
  const float* bias = nullptr;
  float negative_slope = 1;
};

/// The image in such sums.
void store_sums(const float* sums, float* image, std::int64_t height, std::int64_t width, std::int64_t channels,
                Epilogue epilogue);
void store_sums(const float* sums, bfloat16_bits* image, std::int64_t height, std::int64_t width, std::int64_t channels,
                Epilogue epilogue);

void store_values(const float* from, float* to, std::int64_t count);
void store_values(const float* from, bfloat16_bits* to, std::int64_t count);

/// [rows, columns], a row beginning `stride` values behind the one before -> [columns, rows].
void turn(const float* from, float* to, std::int64_t rows, std::int64_t columns, std::int64_t stride);
void turn(const bfloat16_bits* from, bfloat16_bits* to, std::int64_t rows, std::int64_t columns, std::int64_t stride);

/// [rows, columns] -> [rows / 2, columns, 2], as products of bfloat16 want their second factor; rows is even.
void pair_rows(const bfloat16_bits* from, bfloat16_bits* to, std::int64_t rows, std::int64_t columns);

}  // namespace slopegan::kernels
