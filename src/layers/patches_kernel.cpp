#include "layers/patches_kernel.h"

#include <algorithm>
#include <cstring>

namespace slopegan::kernels {

namespace {

constexpr std::int64_t kernel_size = 4;

// Gray and RGB images have runs so short that their length has to be known to the compiler.
struct AnyChannels {
  std::int64_t count;
};
template <std::int64_t count_>
struct FixedChannels {
  static constexpr std::int64_t count = count_;
};

template <typename Loop>
[[gnu::always_inline]] inline void with_channels(std::int64_t channels, Loop loop) {
  if (channels == 1) return loop(FixedChannels<1>{});
  if (channels == 3) return loop(FixedChannels<3>{});
  loop(AnyChannels{channels});
}

template <typename T, typename Channels>
[[gnu::always_inline]] inline void gather(const T* image, T* patches, std::int64_t height, std::int64_t width,
                                          Channels channels) {
  const std::int64_t c = channels.count, row = 2 * width * c, run = kernel_size * c;
  const auto bytes = [](std::int64_t values) { return static_cast<std::size_t>(values) * sizeof(T); };
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      for (std::int64_t k = 0; k < kernel_size; ++k, patches += run) {
        const std::int64_t line = 2 * y + k - 1;
        if (line < 0 || line >= 2 * height) {
          std::memset(patches, 0, bytes(run));
          continue;
        }
        const T* source = image + line * row + (2 * x - 1) * c;
        if (x > 0 && x < width - 1) {
          std::memcpy(patches, source, bytes(run));
          continue;
        }
        const std::int64_t left = x == 0 ? c : 0, right = x == width - 1 ? c : 0;
        std::memset(patches, 0, bytes(left));
        std::memcpy(patches + left, source + left, bytes(run - left - right));
        std::memset(patches + run - right, 0, bytes(right));
      }
    }
  }
}

/// A line of `width` sums, which lie as the image's values do.
template <typename T, typename Channels>
[[gnu::always_inline]] inline void store_line(const float* sums, T* line, std::int64_t width, Channels channels,
                                              Epilogue epilogue) {
  const std::int64_t c = channels.count;
  if (epilogue.bias == nullptr) {
    for (std::int64_t i = 0; i < width * c; ++i) store(line[i], sums[i]);
    return;
  }
  for (std::int64_t x = 0; x < width; ++x, sums += c, line += c) {
    for (std::int64_t i = 0; i < c; ++i) {
      const float value = sums[i] + epilogue.bias[i];
      store(line[i], value > 0 ? value : value * epilogue.negative_slope);
    }
  }
}

template <typename T, typename Channels>
[[gnu::always_inline]] inline void scatter(const T* patches, T* image, float* scratch, std::int64_t height,
                                           std::int64_t width, Channels channels, Epilogue epilogue) {
  const std::int64_t c = channels.count, run = kernel_size * c, padded_row = (2 * width + 2) * c, row = 2 * width * c;
  std::fill_n(scratch, scatter_scratch(height, width, c), 0.0f);
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      for (std::int64_t k = 0; k < kernel_size; ++k, patches += run) {
        float* sum = scratch + (2 * y + k) * padded_row + 2 * x * c;
        for (std::int64_t i = 0; i < run; ++i) sum[i] += load(patches[i]);
      }
    }
  }
  for (std::int64_t line = 0; line < 2 * height; ++line) {
    store_line(scratch + (line + 1) * padded_row + c, image + line * row, 2 * width, channels, epilogue);
  }
}

}  // namespace

std::int64_t scatter_scratch(std::int64_t height, std::int64_t width, std::int64_t channels) {
  return (2 * height + 2) * (2 * width + 2) * channels;
}

SLOPEGAN_CLONES void gather_patches(const float* image, float* patches, std::int64_t height, std::int64_t width,
                                    std::int64_t channels) {
  with_channels(channels, [=](auto c) __attribute__((always_inline)) { gather(image, patches, height, width, c); });
}
SLOPEGAN_CLONES void gather_patches(const bfloat16_bits* image, bfloat16_bits* patches, std::int64_t height,
                                    std::int64_t width, std::int64_t channels) {
  with_channels(channels, [=](auto c) __attribute__((always_inline)) { gather(image, patches, height, width, c); });
}

SLOPEGAN_CLONES void scatter_patches(const float* patches, float* image, float* scratch, std::int64_t height,
                                     std::int64_t width, std::int64_t channels, Epilogue epilogue) {
  with_channels(channels, [=](auto c) __attribute__((always_inline)) {
    scatter(patches, image, scratch, height, width, c, epilogue);
  });
}
SLOPEGAN_CLONES void scatter_patches(const bfloat16_bits* patches, bfloat16_bits* image, float* scratch,
                                     std::int64_t height, std::int64_t width, std::int64_t channels,
                                     Epilogue epilogue) {
  with_channels(channels, [=](auto c) __attribute__((always_inline)) {
    scatter(patches, image, scratch, height, width, c, epilogue);
  });
}

}  // namespace slopegan::kernels
