#include "layers/patches.h"

#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "layers/patches_kernel.h"

namespace slopegan {

namespace {

constexpr std::int64_t taps = 4 * 4;

/// Calls `loop(pointer type tag)` for float32 and bfloat16.
template <typename Loop>
void dispatch(const at::Tensor& maps, Loop loop) {
  if (maps.scalar_type() == at::kFloat) return loop(float{});
  loop(kernels::bfloat16_bits{});
}

template <typename T>
T* values(const at::Tensor& tensor) {
  return static_cast<T*>(tensor.data_ptr());
}

// Measured on processors with avx512_bf16. Products over patches reach the peak of bfloat16 as long as the patches stay
// in the cache; those of float32 are slower than oneDNN's convolutions, which lose it only where one side has few
// channels.
constexpr std::int64_t thin = 4, deep = 256, cached_bytes = 12 << 20;

bool is_bfloat16(at::ScalarType type) { return type == at::kBFloat16; }

/// Whether so many patches of `high` channels in bfloat16 stay in the cache.
bool are_cached(std::int64_t places, std::int64_t high) { return places * taps * high * 2 <= cached_bytes; }

}  // namespace

at::Tensor channels_last(const at::Tensor& maps) { return maps.contiguous(at::MemoryFormat::ChannelsLast); }

at::Tensor gather_patches(const at::Tensor& maps) {
  const auto source = channels_last(maps);
  const std::int64_t count = source.size(0), channels = source.size(1), h = source.size(2) / 2, w = source.size(3) / 2;
  auto patches = at::empty({count * h * w, taps * channels}, source.options().memory_format(c10::nullopt));
  dispatch(source, [&](auto tag) {
    using T = decltype(tag);
    at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n) {
        kernels::gather_patches(values<T>(source) + n * 4 * h * w * channels,
                                values<T>(patches) + n * h * w * taps * channels, h, w, channels);
      }
    });
  });
  return patches;
}

at::Tensor scatter_patches(const at::Tensor& patches, std::int64_t count, std::int64_t channels, std::int64_t h,
                           std::int64_t w, const at::Tensor& bias, double negative_slope) {
  auto maps = at::empty({count, channels, 2 * h, 2 * w}, patches.options(), at::MemoryFormat::ChannelsLast);
  const auto offsets = bias.defined() ? bias.contiguous() : bias;
  const kernels::Epilogue epilogue{offsets.defined() ? offsets.const_data_ptr<float>() : nullptr,
                                   static_cast<float>(negative_slope)};
  dispatch(patches, [&](auto tag) {
    using T = decltype(tag);
    at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> scratch(static_cast<std::size_t>(kernels::scatter_scratch(h, w, channels)));
      for (std::int64_t n = begin; n < end; ++n) {
        kernels::scatter_patches(values<T>(patches) + n * h * w * taps * channels,
                                 values<T>(maps) + n * 4 * h * w * channels, scratch.data(), h, w, channels, epilogue);
      }
    });
  });
  return maps;
}

at::Tensor rows_of(const at::Tensor& maps) {
  return channels_last(maps).permute({0, 2, 3, 1}).reshape({-1, maps.size(1)});
}

at::Tensor rows_of_weight(const at::Tensor& weight) {
  return weight.permute({0, 2, 3, 1}).reshape({weight.size(0), -1});
}

bool convolves_patches(at::ScalarType type, std::int64_t high, std::int64_t places) {
  return is_bfloat16(type) && (high <= thin || (high >= deep && are_cached(places, high)));
}

bool transposes_patches(at::ScalarType type, std::int64_t high, std::int64_t places) {
  if (high <= thin) return is_bfloat16(type) || type == at::kFloat;
  return is_bfloat16(type) && are_cached(places, high);
}

bool correlates_patches(at::ScalarType type, std::int64_t high, std::int64_t places) {
  if (high == 1) return is_bfloat16(type) || type == at::kFloat;
  return is_bfloat16(type) && high > thin && are_cached(places, high);
}

}  // namespace slopegan
