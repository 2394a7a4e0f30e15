#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/native/CPUBlas.h>

#include "layers/patches_kernel.h"

/// Building blocks of the tiled products: blocks of patches, parts of a patch, and small matrix products. T is float,
/// or bfloat16 as bits; products accumulate in float.
namespace slopegan::tiles {

using kernels::bfloat16_bits;
using kernels::Taps;

/// A patch has side × side positions.
constexpr std::int64_t side = 4, places = side * side;

template <typename T>
const T* values(const at::Tensor& tensor) {
  return static_cast<const T*>(tensor.const_data_ptr());
}

/// Calls run(T{}), where T is the element type for `type`.
template <typename Run>
void dispatch(at::ScalarType type, Run run) {
  if (type == at::kFloat) return run(float{});
  run(bfloat16_bits{});
}

/// An uninitialised buffer.
template <typename T>
std::unique_ptr<T[]> make_buffer(std::int64_t size) {
  return std::make_unique_for_overwrite<T[]>(static_cast<std::size_t>(size));
}

/// C [m, n] = A [m, k] · B [k, n], plus C if `add`. In bfloat16 the rows of B are interleaved (kernels::pair_rows).
inline void multiply(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, const float* b, bool add,
                     float* c) {
  at::native::cpublas::brgemm(m, n, k, k, n, n, add, a, b, c, /*is_vnni=*/false);
}
inline void multiply(std::int64_t m, std::int64_t n, std::int64_t k, const bfloat16_bits* a, const bfloat16_bits* b,
                     bool add, float* c) {
  at::native::cpublas::brgemm(m, n, k, k, n, n, add, reinterpret_cast<const at::BFloat16*>(a),
                              reinterpret_cast<const at::BFloat16*>(b), c, /*is_vnni=*/true);
}

/// Writes the second factor of a product. make(rows) writes the rows of the factor, [count, columns], to the buffer
/// `rows`. In bfloat16, `scratch` has room for as many values as `factor`; in float32, it is unused.
template <typename T, typename Make>
void write_factor(T* factor, [[maybe_unused]] T* scratch, [[maybe_unused]] std::int64_t count,
                  [[maybe_unused]] std::int64_t columns, Make make) {
  if constexpr (std::is_same_v<T, float>) {
    make(factor);
  } else {
    make(scratch);
    kernels::pair_rows(scratch, factor, count, columns);
  }
}

/// Releases the processor state (AMX tiles) that products set up. Every thread calls this after its products.
template <typename T>
void end_products() {
  at::native::cpublas::brgemm_release(/*is_vnni=*/!std::is_same_v<T, float>);
}

/// Splits the positions of a patch into parts of at most `most_columns` columns if possible, so that the product of a
/// part fits into the cache. Each part contains all positions, one row, or one position.
inline std::vector<Taps> parts_of_patch(std::int64_t channels, std::int64_t most_columns) {
  if (places * channels <= most_columns) return {Taps{}};
  const bool lines = side * channels <= most_columns;
  std::vector<Taps> parts;
  for (std::int64_t y = 0; y < side; ++y) {
    if (lines) parts.push_back({y, y + 1, 0, side});
    for (std::int64_t x = 0; x < side && !lines; ++x) parts.push_back({y, y + 1, x, x + 1});
  }
  return parts;
}

/// Consecutive patches: all patches of several images, or several rows of patches of one image.
struct PatchBlock {
  std::int64_t image, images, first, last;
};

/// The shapes of the large feature maps [count, high, 2h, 2w], the small ones [count, low, h, w], and the patches of
/// the large ones, one per pixel of the small ones.
struct Geometry {
  Geometry(const at::Tensor& small, std::int64_t high_channels)
      : count(small.size(0)), low(small.size(1)), high(high_channels), h(small.size(2)), w(small.size(3)) {}

  std::int64_t values_of_big() const { return 4 * h * w * high; }
  std::int64_t values_of_sums() const { return kernels::values_of_sums(h, w, high); }
  std::int64_t images_at_once(std::int64_t patches) const {
    return std::clamp(patches / (h * w), std::int64_t{1}, count);
  }
  /// The maximum number of patches in a block returned by blocks(). A row of patches is not split, even if it has more
  /// than `patches` patches.
  std::int64_t most_patches(std::int64_t patches) const { return std::max(patches, w); }
  std::int64_t patches_in(const PatchBlock& block) const { return block.images * (block.last - block.first) * w; }
  std::int64_t first_patch(const PatchBlock& block) const { return (block.image * h + block.first) * w; }

  /// Splits a range of images into blocks of about `patches` patches each.
  std::vector<PatchBlock> blocks(std::int64_t first_image, std::int64_t last_image, std::int64_t patches) const {
    const std::int64_t images = images_at_once(patches), lines = std::clamp(patches / w, std::int64_t{1}, h);
    std::vector<PatchBlock> found;
    for (std::int64_t n = first_image; n < last_image; n += images) {
      if (images > 1) {
        found.push_back({n, std::min(images, last_image - n), 0, h});
        continue;
      }
      for (std::int64_t y = 0; y < h; y += lines) found.push_back({n, 1, y, std::min(y + lines, h)});
    }
    return found;
  }

  std::int64_t count, low, high, h, w;
};

/// Gathers the taps of all patches in the block: [patches, taps · high].
template <typename T>
void gather(const Geometry& g, const T* big, const PatchBlock& block, const Taps& taps, T* patches) {
  const std::int64_t size = g.patches_in(block) / block.images * taps.count() * g.high;
  for (std::int64_t i = 0; i < block.images; ++i) {
    kernels::gather_taps(big + (block.image + i) * g.values_of_big(), patches + i * size, block.first, block.last, g.h,
                         g.w, g.high, taps);
  }
}

// Sizes of blocks and parts, tuned for a processor with 1 MiB of L2 cache per core.
constexpr std::int64_t convolved_columns = 1024, convolved_patches = 128;
constexpr std::int64_t transposed_columns = 512, transposed_patches = 64;
constexpr std::int64_t correlated_columns = 512, correlated_patches = 256;

}  // namespace slopegan::tiles
