#include "layers/tiled_products.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "layers/instruction_set.h"
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

/// Whether oneDNN has a small-matrix kernel for the dtype.
template <typename T>
bool has_small_product() {
  const T a[4] = {}, b[4] = {};
  float c[4];
  try {
    multiply(2, 2, 2, a, b, false, c);
    end_products<T>();
    return true;
  } catch (const std::exception&) {  // c10::Error, or an exception from oneDNN
    return false;
  }
}

bool supports_type([[maybe_unused]] at::ScalarType type) {
#if defined(__x86_64__)
  static const bool float32 = instruction_set() >= InstructionSet::avx512 && has_small_product<float>();
  static const bool bfloat16 = instruction_set() >= InstructionSet::avx512_bf16 && has_small_product<bfloat16_bits>();
  return (type == at::kFloat && float32) || (type == at::kBFloat16 && bfloat16);
#else
  return false;
#endif
}

bool sums_evenly(Product product, const ProductShape& shape) {
  switch (product) {
    case Product::convolve:
      return shape.high == 1 || shape.high % 2 == 0;  // a patch with one channel is never split
    case Product::transpose:
      return shape.low % 2 == 0;
    case Product::correlate:
      return shape.width % 2 == 0;
  }
  return false;
}

std::atomic<KernelSelector*> selector_of_process = nullptr;

}  // namespace

bool supports_tiles(Product product, at::ScalarType type, const ProductShape& shape) {
  return shape.count * shape.height * shape.width > 0 && (type != at::kBFloat16 || sums_evenly(product, shape)) &&
         supports_type(type) && at::globalContext().userEnabledMkldnn();
}

// Measured on processors with avx512_bf16: oneDNN's convolutions reach 95 % of the peak and its transposed convolutions
// 90 %, except in bfloat16 for feature maps of at most 4×4 pixels, for convolutions of maps with one channel (in
// float32 only if they are small), and for transposed convolutions whose large feature maps have few or very many
// channels. oneDNN's weight gradients reach 60 to 80 % of the peak.
bool expects_tiles(Product product, at::ScalarType type, const ProductShape& shape) {
  const bool is_bfloat16 = type == at::kBFloat16, has_small_maps = shape.height * shape.width <= 16;
  switch (product) {
    case Product::convolve:
      if (shape.high == 1) return is_bfloat16 || shape.height * shape.width <= 256;
      return is_bfloat16 && has_small_maps;
    case Product::transpose:
      return shape.high <= 32 || shape.high >= 128 || (is_bfloat16 && has_small_maps);
    case Product::correlate:
      return true;
  }
  return false;
}

void set_kernel_selector(KernelSelector* selector) { selector_of_process = selector; }
KernelSelector* kernel_selector() { return selector_of_process; }

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

// --- The gradient of the weight

namespace {

/// Computes the gradient of the weight as a sum over blocks of patches: the transposed small feature maps of a block,
/// [low, patches], times its patches [patches, taps · high], one part at a time.
template <typename T>
class Correlation {
 public:
  Correlation(const at::Tensor& big, const at::Tensor& small)
      : g_(small, big.size(1)),
        parts_(parts_of_patch(g_.high, correlated_columns)),
        blocks_(g_.blocks(0, g_.count, correlated_patches)),
        columns_(parts_.front().count() * g_.high),
        big_(values<T>(big)),
        small_(values<T>(small)) {}

  /// Writes [low, high, 4, 4].
  void run(float* output) const {
    if (size() <= cached_sums) {
      sum_by_blocks(output);
    } else {
      sum_by_parts(output);
    }
  }

 private:
  // The largest number of sums for which each thread's own copy fits into the cache.
  static constexpr std::int64_t cached_sums = 1 << 18;

  /// Each thread sums over a range of blocks, and transposes each block once.
  void sum_by_blocks(float* output) const {
    const std::int64_t shares = std::min<std::int64_t>(at::get_num_threads(), block_count());
    const auto sums = make_buffer<float>(shares * size());
    at::parallel_for(0, shares, 1, [&](std::int64_t begin, std::int64_t end) {
      const auto transposed = make_buffer<T>(most_patches() * g_.low), patches = make_patches();
      for (std::int64_t share = begin; share < end; ++share) {
        const std::int64_t first = block_count() * share / shares, last = block_count() * (share + 1) / shares;
        for (std::int64_t b = first; b < last; ++b) {
          transpose_small(b, transposed.get());
          for (std::int64_t part = 0; part < part_count(); ++part) {
            add_block(b, part, transposed.get(), patches.get(), sums.get() + share * size(), b > first);
          }
        }
      }
      end_products<T>();
    });
    write(sums.get(), shares, output);
  }

  /// Each thread sums a range of parts over all blocks.
  void sum_by_parts(float* output) const {
    const auto transposed = make_buffer<T>(g_.count * g_.h * g_.w * g_.low);
    const auto sums = make_buffer<float>(size());
    const auto transposed_block = [&](std::int64_t b) { return transposed.get() + g_.first_patch(block(b)) * g_.low; };
    at::parallel_for(0, block_count(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t b = begin; b < end; ++b) transpose_small(b, transposed_block(b));
    });
    at::parallel_for(0, part_count(), 1, [&](std::int64_t begin, std::int64_t end) {
      const auto patches = make_patches();
      for (std::int64_t part = begin; part < end; ++part) {
        for (std::int64_t b = 0; b < block_count(); ++b) {
          add_block(b, part, transposed_block(b), patches.get(), sums.get(), b > 0);
        }
      }
      end_products<T>();
    });
    write(sums.get(), 1, output);
  }

  const PatchBlock& block(std::int64_t b) const { return blocks_[static_cast<std::size_t>(b)]; }
  std::int64_t block_count() const { return static_cast<std::int64_t>(blocks_.size()); }
  std::int64_t part_count() const { return static_cast<std::int64_t>(parts_.size()); }
  std::int64_t most_patches() const { return g_.most_patches(correlated_patches); }
  std::int64_t size() const { return part_count() * g_.low * columns_; }
  /// A buffer for the patches of a block in the layout of a second factor, followed by the scratch space of
  /// write_factor.
  std::unique_ptr<T[]> make_patches() const { return make_buffer<T>(2 * most_patches() * columns_); }

  void transpose_small(std::int64_t b, T* transposed) const {
    kernels::transpose(small_ + g_.first_patch(block(b)) * g_.low, transposed, g_.patches_in(block(b)), g_.low, g_.low);
  }

  /// Adds the product for a block and a part to sums [part][low, columns], or overwrites the sums if `add` is false.
  void add_block(std::int64_t b, std::int64_t part, const T* transposed, T* patches, float* sums, bool add) const {
    const std::int64_t count = g_.patches_in(block(b));
    write_factor(patches, patches + most_patches() * columns_, count, columns_,
                 [&](T* rows) { gather(g_, big_, block(b), parts_[static_cast<std::size_t>(part)], rows); });
    multiply(g_.low, columns_, count, transposed, patches, add, sums + part * g_.low * columns_);
  }

  void write(const float* sums, std::int64_t shares, float* output) const {
    at::parallel_for(0, g_.low, 16, [&](std::int64_t begin, std::int64_t end) {
      const auto row = make_buffer<float>(places * g_.high);  // [16, high]
      for (std::int64_t l = begin; l < end; ++l) {
        for (std::int64_t part = 0; part < part_count(); ++part) {
          const float* own = sums + (part * g_.low + l) * columns_;
          float* place = row.get() + part * columns_;
          std::copy_n(own, columns_, place);
          for (std::int64_t share = 1; share < shares; ++share) {
            own += size();
            for (std::int64_t c = 0; c < columns_; ++c) place[c] += own[c];
          }
        }
        kernels::transpose(row.get(), output + l * places * g_.high, places, g_.high, g_.high);
      }
    });
  }

  Geometry g_;
  std::vector<Taps> parts_;
  std::vector<PatchBlock> blocks_;
  std::int64_t columns_;
  const T *big_, *small_;
};

}  // namespace

at::Tensor correlate_in_tiles(const at::Tensor& big, const at::Tensor& small) {
  auto gradient = at::empty({small.size(1), big.size(1), side, side},
                            small.options().dtype(at::kFloat).memory_format(c10::nullopt));
  dispatch(small.scalar_type(),
           [&](auto tag) { Correlation<decltype(tag)>(big, small).run(gradient.mutable_data_ptr<float>()); });
  return gradient;
}

// --- Thin transposed convolutions

bool is_thin(at::ScalarType type, std::int64_t high) { return type == at::kFloat && high <= 4; }

at::Tensor transpose_thin(const at::Tensor& small, const at::Tensor& weight, const at::Tensor& bias,
                          double negative_slope) {
  const std::int64_t count = small.size(0), low = small.size(1), high = weight.size(1), h = small.size(2),
                     w = small.size(3);
  const auto rows = channels_last(small).permute({0, 2, 3, 1}).reshape({-1, low});
  const auto patches = at::mm(rows, weight.permute({0, 2, 3, 1}).reshape({low, -1}));
  auto big = at::empty({count, high, 2 * h, 2 * w}, small.options(), at::MemoryFormat::ChannelsLast);
  const kernels::Epilogue epilogue{bias.defined() ? bias.const_data_ptr<float>() : nullptr,
                                   static_cast<float>(negative_slope)};
  const auto* source = patches.const_data_ptr<float>();
  auto* target = big.mutable_data_ptr<float>();
  at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> sums(static_cast<std::size_t>(kernels::values_of_sums(h, w, high)));
    for (std::int64_t n = begin; n < end; ++n) {
      std::fill(sums.begin(), sums.end(), 0.0f);
      kernels::add_taps(source + n * h * w * 16 * high, sums.data(), 0, h, w, high, {});
      kernels::store_sums(sums.data(), target + n * 4 * h * w * high, h, w, high, epilogue);
    }
  });
  return big;
}

}  // namespace slopegan
