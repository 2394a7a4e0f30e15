#include "layers/tiled_products.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "layers/tiles.h"

namespace slopegan {

namespace {

using namespace tiles;

at::Tensor make_maps(const at::Tensor& like, std::int64_t channels, std::int64_t h, std::int64_t w) {
  return at::empty({like.size(0), channels, h, w}, like.options(), at::MemoryFormat::ChannelsLast);
}

template <typename T>
void convolve(const Geometry& g, const T* big, const T* weight, T* small) {
  const auto parts = parts_of_patch(g.high, convolved_columns);
  const std::int64_t columns = parts.front().count() * g.high;
  const auto blocks = g.blocks(0, g.count, convolved_patches);
  at::parallel_for(0, static_cast<std::int64_t>(blocks.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    const auto patches = make_buffer<T>(g.most_patches(convolved_patches) * columns);
    const auto sums = make_buffer<float>(g.most_patches(convolved_patches) * g.low);
    for (std::int64_t b = begin; b < end; ++b) {
      const auto& block = blocks[static_cast<std::size_t>(b)];
      const std::int64_t count = g.patches_in(block);
      for (std::size_t part = 0; part < parts.size(); ++part) {
        gather(g, big, block, parts[part], patches.get());
        multiply(count, g.low, columns, patches.get(), weight + static_cast<std::int64_t>(part) * columns * g.low,
                 part > 0, sums.get());
      }
      kernels::store_values(sums.get(), small + g.first_patch(block) * g.low, count * g.low);
    }
    end_products<T>();
  });
}

template <typename T>
void transpose(const Geometry& g, const T* small, const T* weight, T* big, kernels::Epilogue epilogue) {
  const auto parts = parts_of_patch(g.high, transposed_columns);
  const std::int64_t columns = parts.front().count() * g.high;
  const std::int64_t group = g.images_at_once(transposed_patches), groups = (g.count + group - 1) / group;
  at::parallel_for(0, groups, 1, [&](std::int64_t begin, std::int64_t end) {
    const auto sums = make_buffer<float>(group * g.values_of_sums());
    const auto product = make_buffer<float>(g.most_patches(transposed_patches) * columns);
    for (std::int64_t first = begin * group; first < std::min(end * group, g.count); first += group) {
      const std::int64_t last = std::min(first + group, g.count);
      std::fill_n(sums.get(), (last - first) * g.values_of_sums(), 0.0f);
      for (const auto& block : g.blocks(first, last, transposed_patches)) {
        const std::int64_t patches = g.patches_in(block), per_image = patches / block.images;
        for (std::size_t part = 0; part < parts.size(); ++part) {
          multiply(patches, columns, g.low, small + g.first_patch(block) * g.low,
                   weight + static_cast<std::int64_t>(part) * g.low * columns, false, product.get());
          for (std::int64_t i = 0; i < block.images; ++i) {
            kernels::add_taps(product.get() + i * per_image * columns,
                              sums.get() + (block.image - first + i) * g.values_of_sums(), block.first, block.last, g.w,
                              g.high, parts[part]);
          }
        }
      }
      for (std::int64_t n = first; n < last; ++n) {
        kernels::store_sums(sums.get() + (n - first) * g.values_of_sums(), big + n * g.values_of_big(), g.h, g.w,
                            g.high, epilogue);
      }
    }
    end_products<T>();
  });
}

/// Whether oneDNN has a kernel for a small product.
template <typename T>
bool multiplies() {
  const T a[4] = {}, b[4] = {};
  float c[4];
  try {
    multiply(2, 2, 2, a, b, false, c);
    end_products<T>();
    return true;
  } catch (const c10::Error&) {
    return false;
  }
}

bool can(at::ScalarType type, const ProductShape& shape) {
#if defined(__x86_64__)
  static const bool float32 = __builtin_cpu_supports("avx512f") != 0 && multiplies<float>();
  static const bool bfloat16 = __builtin_cpu_supports("avx512bf16") != 0 && multiplies<bfloat16_bits>();
  const bool has_kernel = (type == at::kFloat && float32) || (type == at::kBFloat16 && bfloat16);
  return has_kernel && at::globalContext().userEnabledMkldnn() && shape.count * shape.height * shape.width > 0;
#else
  return false;
#endif
}

bool has_small_maps(const ProductShape& shape) { return shape.height * shape.width <= 16; }

}  // namespace

// Measured on processors with avx512_bf16: oneDNN's convolutions reach 95 % of the peak and its transposed ones 90 %,
// but in bfloat16 not where the maps are as small as 4×4, and transposed not where the large maps have few channels or
// many; its weight gradients reach 60 to 80 %.
bool convolves_in_tiles(at::ScalarType type, const ProductShape& shape) {
  const bool quicker = type == at::kBFloat16 && (has_small_maps(shape) || shape.high == 1);
  return quicker && (shape.high == 1 || shape.high % 2 == 0) && can(type, shape);
}
bool transposes_in_tiles(at::ScalarType type, const ProductShape& shape) {
  const bool is_bfloat16 = type == at::kBFloat16;
  const bool quicker = shape.high <= 32 || shape.high >= 128 || (is_bfloat16 && has_small_maps(shape));
  return quicker && (!is_bfloat16 || shape.low % 2 == 0) && can(type, shape);
}
bool correlates_in_tiles(at::ScalarType type, const ProductShape& shape) {
  return (type == at::kFloat || shape.width % 2 == 0) && can(type, shape);
}

at::Tensor convolve_in_tiles(const at::Tensor& big, PreparedWeight& weight, std::int64_t low) {
  auto small = make_maps(big, low, big.size(2) / 2, big.size(3) / 2);
  dispatch(big.scalar_type(), [&](auto tag) {
    using T = decltype(tag);
    convolve(Geometry(small, big.size(1)), values<T>(big), values<T>(weight.for_convolving()),
             static_cast<T*>(small.mutable_data_ptr()));
  });
  return small;
}

at::Tensor transpose_in_tiles(const at::Tensor& small, PreparedWeight& weight, std::int64_t high,
                              const at::Tensor& bias, double negative_slope) {
  auto big = make_maps(small, high, 2 * small.size(2), 2 * small.size(3));
  const kernels::Epilogue epilogue{bias.defined() ? values<float>(bias) : nullptr, static_cast<float>(negative_slope)};
  dispatch(small.scalar_type(), [&](auto tag) {
    using T = decltype(tag);
    transpose(Geometry(small, high), values<T>(small), values<T>(weight.for_transposing()),
              static_cast<T*>(big.mutable_data_ptr()), epilogue);
  });
  return big;
}

}  // namespace slopegan
