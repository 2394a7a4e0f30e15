#pragma once

#include <cstdint>

#include "layers/vector_kernel.h"

/// Single-threaded functions for the patches of a 4×4 convolution with stride 2 and padding 1: they gather patches from
/// an image (im2col), add patches to an image (col2im), and convert matrices to the layouts that products need. In
/// memory, an image is [2·height, 2·width, channels] and its patches are [height, width, 4, 4, channels]. A row of a
/// patch is contiguous in both, so data is moved in runs of 4·channels values.
namespace slopegan::kernels {

/// A rectangle within the 16 positions of a patch: rows [top, bottom), columns [left, right).
struct Taps {
  std::int64_t top = 0, bottom = 4, left = 0, right = 4;
  std::int64_t count() const { return (bottom - top) * (right - left); }
};

/// Gathers the taps of an image's patches in rows [first, last): [last − first, width, taps, channels].
void gather_taps(const float* image, float* patches, std::int64_t first, std::int64_t last, std::int64_t height,
                 std::int64_t width, std::int64_t channels, Taps taps);
void gather_taps(const bfloat16_bits* image, bfloat16_bits* patches, std::int64_t first, std::int64_t last,
                 std::int64_t height, std::int64_t width, std::int64_t channels, Taps taps);

/// The number of sums for an image. The sums are [2·height + 2, 2·width + 2, channels]: the image with a margin of 1.
std::int64_t values_of_sums(std::int64_t height, std::int64_t width, std::int64_t channels);

/// Adds patches, in the layout of gather_taps, to the sums.
void add_taps(const float* patches, float* sums, std::int64_t first, std::int64_t last, std::int64_t width,
              std::int64_t channels, Taps taps);

/// The function applied to each sum before it is stored: leaky_relu(sum + bias) with a bias per channel, or the
/// identity if there is no bias.
struct Epilogue {
  const float* bias = nullptr;
  float negative_slope = 1;
};

/// Applies the epilogue to the sums inside the margin and stores the resulting image.
void store_sums(const float* sums, float* image, std::int64_t height, std::int64_t width, std::int64_t channels,
                Epilogue epilogue);
void store_sums(const float* sums, bfloat16_bits* image, std::int64_t height, std::int64_t width, std::int64_t channels,
                Epilogue epilogue);

void store_values(const float* from, float* to, std::int64_t count);
void store_values(const float* from, bfloat16_bits* to, std::int64_t count);

/// Transposes [rows, columns], with `stride` values from one row to the next, to [columns, rows].
void transpose(const float* from, float* to, std::int64_t rows, std::int64_t columns, std::int64_t stride);
void transpose(const bfloat16_bits* from, bfloat16_bits* to, std::int64_t rows, std::int64_t columns,
               std::int64_t stride);

/// Interleaves pairs of rows: [rows, columns] -> [rows / 2, columns, 2], the layout of the second factor of bfloat16
/// products. `rows` is even.
void pair_rows(const bfloat16_bits* from, bfloat16_bits* to, std::int64_t rows, std::int64_t columns);

}  // namespace slopegan::kernels
