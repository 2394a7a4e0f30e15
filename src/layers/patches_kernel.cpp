#include "layers/patches_kernel.h"

#include <algorithm>
#include <cstring>

namespace slopegan::kernels {

namespace {

constexpr std::int64_t kernel_size = 4;

// The contiguous runs in gray and RGB images are so short that copying them is fast only if the compiler knows their
// length.
struct AnyCount {
  std::int64_t count;
};
template <std::int64_t count_>
struct FixedCount {
  static constexpr std::int64_t count = count_;
};

template <typename Loop>
[[gnu::always_inline]] inline void with_channels(std::int64_t channels, Loop loop) {
  if (channels == 1) return loop(FixedCount<1>{});
  if (channels == 3) return loop(FixedCount<3>{});
  loop(AnyCount{channels});
}

/// Stores a line of `width` pixels from sums that have the layout of the image.
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
      store(line[i], rectify(sums[i] + epilogue.bias[i], epilogue.negative_slope));
    }
  }
}

template <typename Channels>
[[gnu::always_inline]] inline void add(const float* patches, float* sums, std::int64_t first, std::int64_t last,
                                       std::int64_t width, Channels channels, Taps taps) {
  const std::int64_t c = channels.count, run = (taps.right - taps.left) * c, row = (2 * width + 2) * c;
  for (std::int64_t y = first; y < last; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      for (std::int64_t k = taps.top; k < taps.bottom; ++k, patches += run) {
        float* sum = sums + (2 * y + k) * row + (2 * x + taps.left) * c;
        for (std::int64_t i = 0; i < run; ++i) sum[i] += patches[i];
      }
    }
  }
}

template <typename Loop>
[[gnu::always_inline]] inline void with_columns(const Taps& taps, Loop loop) {
  if (taps.right - taps.left == kernel_size) return loop(FixedCount<kernel_size>{});
  loop(AnyCount{taps.right - taps.left});
}

template <typename T, typename Channels, typename Columns>
[[gnu::always_inline]] inline void copy_taps(const T* image, T* patches, std::int64_t first, std::int64_t last,
                                             std::int64_t height, std::int64_t width, Channels channels,
                                             Columns columns, Taps taps) {
  const std::int64_t c = channels.count, row = 2 * width * c, run = columns.count * c;
  const auto bytes = [](std::int64_t values) { return static_cast<std::size_t>(values) * sizeof(T); };
  for (std::int64_t y = first; y < last; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      // Positions outside the image are 0.
      const std::int64_t begin = 2 * x - 1 + taps.left, end = begin + columns.count;
      const std::int64_t left = begin < 0 ? c : 0, right = end > 2 * width ? c : 0;
      for (std::int64_t k = taps.top; k < taps.bottom; ++k, patches += run) {
        const std::int64_t line = 2 * y + k - 1;
        if (line < 0 || line >= 2 * height) {
          std::memset(patches, 0, bytes(run));
          continue;
        }
        if (left > 0) std::memset(patches, 0, bytes(left));
        std::memcpy(patches + left, image + line * row + begin * c + left, bytes(run - left - right));
        if (right > 0) std::memset(patches + run - right, 0, bytes(right));
      }
    }
  }
}

using FloatRow = float __attribute__((vector_size(16)));
using BitsRow = bfloat16_bits __attribute__((vector_size(16)));

/// Interleaves the values of a and b into first and second.
[[gnu::always_inline]] inline void interleave(FloatRow a, FloatRow b, FloatRow& first, FloatRow& second) {
  first = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  second = __builtin_shufflevector(a, b, 2, 6, 3, 7);
}
[[gnu::always_inline]] inline void interleave(BitsRow a, BitsRow b, BitsRow& first, BitsRow& second) {
  first = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
  second = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/// Transposes square blocks with rows of 16 bytes: each round interleaves the upper and the lower half of the rows.
template <typename Row, typename T>
[[gnu::always_inline]] inline void transpose_in_squares(const T* from, T* to, std::int64_t rows, std::int64_t columns,
                                                        std::int64_t stride) {
  constexpr int square = sizeof(Row) / sizeof(T);
  const std::int64_t whole_rows = rows / square * square, whole_columns = columns / square * square;
  for (std::int64_t c = 0; c < whole_columns; c += square) {
    for (std::int64_t r = 0; r < whole_rows; r += square) {
      Row now[square], next[square];
      for (int i = 0; i < square; ++i) std::memcpy(&now[i], from + (r + i) * stride + c, sizeof(Row));
      for (int round = 1; round < square; round *= 2) {
        for (int i = 0; i < square / 2; ++i) {
          interleave(now[i], now[i + square / 2], next[2 * i], next[2 * i + 1]);
        }
        std::copy_n(next, square, now);
      }
      for (int i = 0; i < square; ++i) std::memcpy(to + (c + i) * rows + r, &now[i], sizeof(Row));
    }
    for (std::int64_t r = whole_rows; r < rows; ++r) {
      for (std::int64_t i = c; i < c + square; ++i) to[i * rows + r] = from[r * stride + i];
    }
  }
  for (std::int64_t c = whole_columns; c < columns; ++c) {
    for (std::int64_t r = 0; r < rows; ++r) to[c * rows + r] = from[r * stride + c];
  }
}

template <typename T, typename Channels>
[[gnu::always_inline]] inline void store_image(const float* sums, T* image, std::int64_t height, std::int64_t width,
                                               Channels channels, Epilogue epilogue) {
  const std::int64_t c = channels.count;
  for (std::int64_t line = 0; line < 2 * height; ++line) {
    store_line(sums + ((line + 1) * (2 * width + 2) + 1) * c, image + line * 2 * width * c, 2 * width, channels,
               epilogue);
  }
}

template <typename T>
[[gnu::always_inline]] inline void gather(const T* image, T* patches, std::int64_t first, std::int64_t last,
                                          std::int64_t height, std::int64_t width, std::int64_t channels, Taps taps) {
  with_channels(channels, [=](auto c) __attribute__((always_inline)) {
    with_columns(taps, [=](auto columns) __attribute__((always_inline)) {
      copy_taps(image, patches, first, last, height, width, c, columns, taps);
    });
  });
}

[[gnu::always_inline]] inline void add_all(const float* patches, float* sums, std::int64_t first, std::int64_t last,
                                           std::int64_t width, std::int64_t channels, Taps taps) {
  with_channels(channels,
                [=](auto c) __attribute__((always_inline)) { add(patches, sums, first, last, width, c, taps); });
}

template <typename T>
[[gnu::always_inline]] inline void store_all(const float* sums, T* image, std::int64_t height, std::int64_t width,
                                             std::int64_t channels, Epilogue epilogue) {
  with_channels(channels,
                [=](auto c) __attribute__((always_inline)) { store_image(sums, image, height, width, c, epilogue); });
}

[[gnu::always_inline]] inline void narrow_all(const float* from, bfloat16_bits* to, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) store(to[i], from[i]);
}

[[gnu::always_inline]] inline void interleave_rows(const bfloat16_bits* from, bfloat16_bits* to, std::int64_t rows,
                                                   std::int64_t columns) {
  for (std::int64_t r = 0; r < rows; r += 2, from += 2 * columns, to += 2 * columns) {
    for (std::int64_t c = 0; c < columns; ++c) {
      to[2 * c] = from[c];
      to[2 * c + 1] = from[columns + c];
    }
  }
}

}  // namespace

void gather_taps(const float* image, float* patches, std::int64_t first, std::int64_t last, std::int64_t height,
                 std::int64_t width, std::int64_t channels, Taps taps) {
  run<gather<float>>(image, patches, first, last, height, width, channels, taps);
}
void gather_taps(const bfloat16_bits* image, bfloat16_bits* patches, std::int64_t first, std::int64_t last,
                 std::int64_t height, std::int64_t width, std::int64_t channels, Taps taps) {
  run<gather<bfloat16_bits>>(image, patches, first, last, height, width, channels, taps);
}

void add_taps(const float* patches, float* sums, std::int64_t first, std::int64_t last, std::int64_t width,
              std::int64_t channels, Taps taps) {
  run<add_all>(patches, sums, first, last, width, channels, taps);
}

void store_sums(const float* sums, float* image, std::int64_t height, std::int64_t width, std::int64_t channels,
                Epilogue epilogue) {
  run<store_all<float>>(sums, image, height, width, channels, epilogue);
}
void store_sums(const float* sums, bfloat16_bits* image, std::int64_t height, std::int64_t width, std::int64_t channels,
                Epilogue epilogue) {
  run<store_all<bfloat16_bits>>(sums, image, height, width, channels, epilogue);
}

void store_values(const float* from, float* to, std::int64_t count) { std::copy_n(from, count, to); }
void store_values(const float* from, bfloat16_bits* to, std::int64_t count) { run<narrow_all>(from, to, count); }

void transpose(const float* from, float* to, std::int64_t rows, std::int64_t columns, std::int64_t stride) {
  transpose_in_squares<FloatRow>(from, to, rows, columns, stride);
}
void transpose(const bfloat16_bits* from, bfloat16_bits* to, std::int64_t rows, std::int64_t columns,
               std::int64_t stride) {
  transpose_in_squares<BitsRow>(from, to, rows, columns, stride);
}

void pair_rows(const bfloat16_bits* from, bfloat16_bits* to, std::int64_t rows, std::int64_t columns) {
  run<interleave_rows>(from, to, rows, columns);
}

std::int64_t values_of_sums(std::int64_t height, std::int64_t width, std::int64_t channels) {
  return (2 * height + 2) * (2 * width + 2) * channels;
}

}  // namespace slopegan::kernels
