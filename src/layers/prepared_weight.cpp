#include "layers/prepared_weight.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "layers/memory_format.h"
#include "layers/tiles.h"

namespace slopegan {

namespace {

using namespace tiles;

/// plain [low, 16, high] -> [part][taps · high, low].
template <typename T>
void turn_parts(const T* plain, T* output, std::int64_t low, std::int64_t high) {
  const std::int64_t row = places * high;
  // The parts lie in order and are whole columns, so that any even number of columns can be turned on its own.
  constexpr std::int64_t at_once = 64;
  at::parallel_for(0, (row + at_once - 1) / at_once, 1, [&](std::int64_t begin, std::int64_t end) {
    const auto scratch = make_buffer<T>(at_once * low);
    for (std::int64_t first = begin * at_once; first < std::min(end * at_once, row); first += at_once) {
      const std::int64_t count = std::min(at_once, row - first);
      write_factor(output + first * low, scratch.get(), count, low,
                   [&](T* rows) { kernels::turn(plain + first, rows, low, count, row); });
    }
  });
}

/// plain [low, 16, high] -> [part][low, taps · high].
template <typename T>
void cut_parts(const T* plain, T* output, std::int64_t low, std::int64_t high) {
  const auto parts = parts_of_patch(high, transposed_columns);
  const std::int64_t columns = parts.front().count() * high, row = places * high;
  at::parallel_for(0, static_cast<std::int64_t>(parts.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    const auto scratch = make_buffer<T>(low * columns);
    for (std::int64_t part = begin; part < end; ++part) {
      const auto& taps = parts[static_cast<std::size_t>(part)];
      const T* source = plain + (taps.top * side + taps.left) * high;
      write_factor(output + part * low * columns, scratch.get(), low, columns, [&](T* rows) {
        for (std::int64_t l = 0; l < low; ++l) std::copy_n(source + l * row, columns, rows + l * columns);
      });
    }
  });
}

}  // namespace

PreparedWeight::PreparedWeight(const at::Tensor& weight, at::ScalarType type) : weight_(weight.detach()), type_(type) {}

const at::Tensor& PreparedWeight::made_plain() {
  if (!plain_.defined()) plain_ = channels_last(weight_.to(type_, false, false, at::MemoryFormat::ChannelsLast));
  return plain_;
}

const at::Tensor& PreparedWeight::plain() {
  const std::lock_guard lock(mutex_);
  return made_plain();
}

/// make(plain values, output, low, high) writes the form where it is not there yet.
template <typename Make>
const at::Tensor& PreparedWeight::made(at::Tensor& form, Make make) {
  const std::lock_guard lock(mutex_);
  if (form.defined()) return form;
  form = at::empty({weight_.numel()}, weight_.options().dtype(type_));
  dispatch(type_, [&](auto tag) {
    using T = decltype(tag);
    make(values<T>(made_plain()), static_cast<T*>(form.mutable_data_ptr()), weight_.size(0), weight_.size(1));
  });
  return form;
}

const at::Tensor& PreparedWeight::for_convolving() {
  return made(convolving_, [](auto... arguments) { turn_parts(arguments...); });
}

const at::Tensor& PreparedWeight::for_transposing() {
  return made(transposing_, [](auto... arguments) { cut_parts(arguments...); });
}

}  // namespace slopegan
