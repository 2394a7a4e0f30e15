#pragma once

#include <cstdint>

#include "layers/vector_kernel.h"

/// The patches of a 4×4 convolution with stride 2 and padding 1 (im2col, and its transpose col2im), for one image on
/// one thread. An image is [2·height, 2·width, channels] in memory, its patches [height, width, 4, 4, channels]; in
/// both the four neighbours of a patch's row lie together, so that everything moves in runs of 4·channels values.
namespace slopegan::kernels {

/// Zeros where a patch hangs over the image's border. T is float or bfloat16 as its bits.
void gather_patches(const float* image, float* patches, std::int64_t height, std::int64_t width, std::int64_t channels);
void gather_patches(const bfloat16_bits* image, bfloat16_bits* patches, std::int64_t height, std::int64_t width,
                    std::int64_t channels);

/// How many floats scatter_patches needs to work in.
std::int64_t scatter_scratch(std::int64_t height, std::int64_t width, std::int64_t channels);

/// What becomes of a sum before it is stored: itself, or, with a bias for each channel, leaky_relu(sum + bias).
struct Epilogue {
  const float* bias = nullptr;
  float negative_slope = 1;
};

/// Each value of the image becomes the sum of the values at its place in all patches, in float32.
void scatter_patches(const float* patches, float* image, float* scratch, std::int64_t height, std::int64_t width,
                     std::int64_t channels, Epilogue epilogue = {});
void scatter_patches(const bfloat16_bits* patches, bfloat16_bits* image, float* scratch, std::int64_t height,
                     std::int64_t width, std::int64_t channels, Epilogue epilogue = {});

}  // namespace slopegan::kernels
