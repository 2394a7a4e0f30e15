#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "layers/tiled_products.h"
#include "layers/tiles.h"

namespace slopegan {

namespace {

using namespace tiles;

/// The weight's gradient as sums over blocks of patches: the small maps of a block turned round, [low, patches],
/// times its patches [patches, taps · high], part for part.
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
      by_blocks(output);
    } else {
      by_parts(output);
    }
  }

 private:
  // How many values of a sum are few enough for each thread to have its own.
  static constexpr std::int64_t cached_sums = 1 << 18;

  /// Each thread adds up some blocks, which it turns once.
  void by_blocks(float* output) const {
    const std::int64_t shares = std::min<std::int64_t>(at::get_num_threads(), block_count());
    const auto sums = make_buffer<float>(shares * size());
    at::parallel_for(0, shares, 1, [&](std::int64_t begin, std::int64_t end) {
      const auto turned = make_buffer<T>(most_patches() * g_.low), patches = make_patches();
      for (std::int64_t share = begin; share < end; ++share) {
        const std::int64_t first = block_count() * share / shares, last = block_count() * (share + 1) / shares;
        for (std::int64_t b = first; b < last; ++b) {
          turn(b, turned.get());
          for (std::int64_t part = 0; part < part_count(); ++part) {
            add_block(b, part, turned.get(), patches.get(), sums.get() + share * size(), b > first);
          }
        }
      }
      end_products<T>();
    });
    write(sums.get(), shares, output);
  }

  /// Each thread adds up some parts of the sum, of all blocks.
  void by_parts(float* output) const {
    const auto turned = make_buffer<T>(g_.count * g_.h * g_.w * g_.low);
    const auto sums = make_buffer<float>(size());
    const auto turned_block = [&](std::int64_t b) { return turned.get() + g_.first_patch(block(b)) * g_.low; };
    at::parallel_for(0, block_count(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t b = begin; b < end; ++b) turn(b, turned_block(b));
    });
    at::parallel_for(0, part_count(), 1, [&](std::int64_t begin, std::int64_t end) {
      const auto patches = make_patches();
      for (std::int64_t part = begin; part < end; ++part) {
        for (std::int64_t b = 0; b < block_count(); ++b) {
          add_block(b, part, turned_block(b), patches.get(), sums.get(), b > 0);
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
  /// Of a block, as a factor, and behind them as they come.
  std::unique_ptr<T[]> make_patches() const { return make_buffer<T>(2 * most_patches() * columns_); }

  void turn(std::int64_t b, T* turned) const {
    kernels::turn(small_ + g_.first_patch(block(b)) * g_.low, turned, g_.patches_in(block(b)), g_.low, g_.low);
  }

  /// Adds to sums [part][low, columns], or writes them.
  void add_block(std::int64_t b, std::int64_t part, const T* turned, T* patches, float* sums, bool add) const {
    const std::int64_t count = g_.patches_in(block(b));
    write_factor(patches, patches + most_patches() * columns_, count, columns_,
                 [&](T* rows) { gather(g_, big_, block(b), parts_[static_cast<std::size_t>(part)], rows); });
    multiply(g_.low, columns_, count, turned, patches, add, sums + part * g_.low * columns_);
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
        kernels::turn(row.get(), output + l * places * g_.high, places, g_.high, g_.high);
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

}  // namespace slopegan
