#include "layers/prepared_weight.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "layers/tiles.h"

namespace slopegan {

namespace {

using namespace tiles;

template <typename T>
T* place_of(at::Tensor& tensor) {
  return static_cast<T*>(tensor.mutable_data_ptr());
}

/// Rows as the second factor of a product wants them.
void store_rows(const float* rows, float* place, std::int64_t count, std::int64_t columns) {
  std::copy_n(rows, count * columns, place);
}
void store_rows(const bfloat16_bits* rows, bfloat16_bits* place, std::int64_t count, std::int64_t columns) {
  kernels::pair_rows(rows, place, count, columns);
}

/// plain [low, 16, high] -> [part][taps · high, low].
template <typename T>
void turn_parts(const T* plain, T* output, std::int64_t low, std::int64_t high) {
  const std::int64_t row = places * high;
  // The parts lie in order and are whole columns, so that any even number of columns can be turned on its own.
  constexpr std::int64_t at_once = 64;
  at::parallel_for(0, (row + at_once - 1) / at_once, 1, [&](std::int64_t begin, std::int64_t end) {
    const auto turned = make_buffer<T>(at_once * low);
    for (std::int64_t first = begin * at_once; first < std::min(end * at_once, row); first += at_once) {
      const std::int64_t count = std::min(at_once, row - first);
      kernels::turn(plain + first, turned.get(), low, count, row);
      store_rows(turned.get(), output + first * low, count, low);
    }
  });
}

/// plain [low, 16, high] -> [part][low, taps · high].
template <typename T>
void cut_parts(const T* plain, T* output, std::int64_t low, std::int64_t high) {
  const auto parts = parts_of_patch(high, transposed_columns);
  const std::int64_t columns = parts.front().count() * high, row = places * high;
  at::parallel_for(0, static_cast<std::int64_t>(parts.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    const auto rows = make_buffer<T>(low * columns);
    for (std::int64_t part = begin; part < end; ++part) {
      const auto& taps = parts[static_cast<std::size_t>(part)];
      const T* source = plain + (taps.top * side + taps.left) * high;
      for (std::int64_t l = 0; l < low; ++l) std::copy_n(source + l * row, columns, rows.get() + l * columns);
      store_rows(rows.get(), output + part * low * columns, low, columns);
    }
  });
}

}  // namespace

PreparedWeight::PreparedWeight(const at::Tensor& weight, at::ScalarType type) : weight_(weight.detach()), type_(type) {}

const at::Tensor& PreparedWeight::made_plain() {
  if (!plain_.defined()) {
    plain_ = weight_.to(type_, false, false, at::MemoryFormat::ChannelsLast).contiguous(at::MemoryFormat::ChannelsLast);
  }
  return plain_;
}

const at::Tensor& PreparedWeight::plain() {
  const std::lock_guard lock(mutex_);
  return made_plain();
}

const at::Tensor& PreparedWeight::for_convolving() {
  const std::lock_guard lock(mutex_);
  if (!convolving_.defined()) {
    convolving_ = at::empty({weight_.numel()}, weight_.options().dtype(type_));
    dispatch(type_, [&](auto tag) {
      using T = decltype(tag);
      turn_parts(values<T>(made_plain()), place_of<T>(convolving_), weight_.size(0), weight_.size(1));
    });
  }
  return convolving_;
}

const at::Tensor& PreparedWeight::for_transposing() {
  const std::lock_guard lock(mutex_);
  if (!transposing_.defined()) {
    transposing_ = at::empty({weight_.numel()}, weight_.options().dtype(type_));
    dispatch(type_, [&](auto tag) {
      using T = decltype(tag);
      cut_parts(values<T>(made_plain()), place_of<T>(transposing_), weight_.size(0), weight_.size(1));
    });
  }
  return transposing_;
}

}  // namespace slopegan
