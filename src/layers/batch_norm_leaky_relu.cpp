#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "layers/batch_norm.h"
#include "layers/leaky_relu.h"
#include "layers/leaky_relu_kernel.h"

namespace slopegan {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Calls loop(T{}, Compute{}) with the element type of the feature maps and the type to compute in.
template <typename Loop>
void dispatch(const at::Tensor& maps, Loop loop) {
  switch (maps.scalar_type()) {
    case at::kFloat:
      return loop(float{}, float{});
    case at::kDouble:
      return loop(double{}, double{});
    default:
      return loop(kernels::bfloat16_bits{}, float{});
  }
}

template <typename T>
T* data_of(const at::Tensor& tensor) {
  return static_cast<T*>(tensor.data_ptr());
}

/// The feature maps as rows of channels. The rows are split into the same blocks for any number of threads, so that
/// sums do not depend on the number of threads.
struct Rows {
  explicit Rows(const at::Tensor& maps) : channels(maps.size(1)), count(maps.numel() / channels) {
    constexpr std::int64_t most_blocks = 16, least_values = 1 << 14;
    blocks = std::clamp(count * channels / least_values, std::int64_t{1}, most_blocks);
  }

  /// Calls body(block, first row, number of rows).
  template <typename Body>
  void for_blocks(Body body) const {
    at::parallel_for(0, blocks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t block = begin; block < end; ++block) {
        const std::int64_t first = count * block / blocks;
        body(block, first, count * (block + 1) / blocks - first);
      }
    });
  }

  /// Two sums per channel, [2, channels]. body(first row, number of rows, sums) adds the sums for a range of rows.
  template <typename Body>
  std::vector<double> sums(Body body) const {
    const auto size = static_cast<std::size_t>(2 * channels);
    std::vector<double> partial(size * static_cast<std::size_t>(blocks));
    for_blocks([&](std::int64_t block, std::int64_t first, std::int64_t rows) {
      body(first, rows, partial.data() + static_cast<std::size_t>(block) * size);
    });
    for (std::size_t i = size; i < partial.size(); ++i) partial[i % size] += partial[i];
    partial.resize(size);
    return partial;
  }

  std::int64_t channels, count, blocks;
};

/// The mean and 1/√(variance + ε) of each channel, [C].
struct BatchStatistics {
  at::Tensor mean, inverse_deviation;
};

BatchStatistics compute_statistics(const at::Tensor& x, const BatchNormState& norm) {
  const Rows rows(x);
  BatchStatistics statistics{at::empty_like(norm.weight), at::empty_like(norm.weight)};
  dispatch(x, [&](auto tag, auto compute) {
    using T = decltype(tag);
    using Compute = decltype(compute);
    std::vector<Compute> pivot(static_cast<std::size_t>(rows.channels));
    for (std::size_t c = 0; c < pivot.size(); ++c) pivot[c] = kernels::load(data_of<T>(x)[c]);
    const auto sums = rows.sums([&](std::int64_t first, std::int64_t count, double* own) {
      kernels::add_moments(data_of<T>(x) + first * rows.channels, pivot.data(), own, count, rows.channels);
    });
    const auto n = static_cast<double>(rows.count);
    for (std::size_t c = 0; c < pivot.size(); ++c) {
      const double offset = sums[c] / n, mean = static_cast<double>(pivot[c]) + offset;
      const double variance = std::max(sums[pivot.size() + c] / n - offset * offset, 0.0);  // std::max keeps NaN
      data_of<Compute>(statistics.mean)[c] = static_cast<Compute>(mean);
      data_of<Compute>(statistics.inverse_deviation)[c] = static_cast<Compute>(1 / std::sqrt(variance + norm.epsilon));
      const auto update = [&](const at::Tensor& running, double value) {
        auto& place = data_of<Compute>(running)[c];
        place = static_cast<Compute>((1 - norm.momentum) * static_cast<double>(place) + norm.momentum * value);
      };
      update(norm.running_mean, mean);
      update(norm.running_variance, variance * n / (n - 1));
    }
  });
  return statistics;
}

/// Batch norm as scale · x + shift.
template <typename Compute>
struct Channels {
  Channels(const BatchStatistics& statistics, const at::Tensor& weight, const at::Tensor& bias)
      : scale(static_cast<std::size_t>(weight.numel())), shift(scale.size()) {
    for (std::size_t c = 0; c < scale.size(); ++c) {
      scale[c] = data_of<Compute>(weight)[c] * data_of<Compute>(statistics.inverse_deviation)[c];
      shift[c] = data_of<Compute>(bias)[c] - data_of<Compute>(statistics.mean)[c] * scale[c];
    }
  }
  kernels::Affine<Compute> with(double slope) const {
    return {scale.data(), shift.data(), static_cast<Compute>(slope)};
  }

  std::vector<Compute> scale, shift;
};

void write_output(const at::Tensor& x, const at::Tensor& y, const BatchStatistics& statistics, const at::Tensor& weight,
                  const at::Tensor& bias, double slope) {
  const Rows rows(x);
  dispatch(x, [&](auto tag, auto compute) {
    using T = decltype(tag);
    const Channels<decltype(compute)> channels(statistics, weight, bias);
    rows.for_blocks([&](std::int64_t, std::int64_t first, std::int64_t count) {
      const std::int64_t start = first * rows.channels;
      kernels::normalise_and_rectify(data_of<T>(x) + start, data_of<T>(y) + start, channels.with(slope), count,
                                     rows.channels);
    });
  });
}

/// Writes the gradients of x, weight and bias. If g is the gradient at the input of the rectifier, x̂ are the
/// normalised values, and means are over the n values of a channel, then dx = scale · (g − mean(g) − x̂ · mean(g x̂)).
void write_gradients(const at::Tensor& x, const at::Tensor& dy, const at::Tensor& dx, const at::Tensor& dweight,
                     const at::Tensor& dbias, const BatchStatistics& statistics, const at::Tensor& weight,
                     const at::Tensor& bias, double slope) {
  const Rows rows(x);
  dispatch(x, [&](auto tag, auto compute) {
    using T = decltype(tag);
    using Compute = decltype(compute);
    const Channels<Compute> channels(statistics, weight, bias);
    const auto* mean = data_of<Compute>(statistics.mean);
    const auto affine = channels.with(slope);
    const auto sums = rows.sums([&](std::int64_t first, std::int64_t count, double* own) {
      const std::int64_t start = first * rows.channels;
      kernels::add_gradient_sums(data_of<T>(x) + start, data_of<T>(dy) + start, mean, affine, own, count,
                                 rows.channels);
    });
    const auto size = channels.scale.size();
    const auto n = static_cast<double>(rows.count);
    std::vector<Compute> factor(size), offset(size);
    for (std::size_t c = 0; c < size; ++c) {
      const auto r = static_cast<double>(data_of<Compute>(statistics.inverse_deviation)[c]);
      const double centred = sums[size + c] * r, scale = static_cast<double>(channels.scale[c]);
      data_of<Compute>(dweight)[c] = static_cast<Compute>(centred);
      data_of<Compute>(dbias)[c] = static_cast<Compute>(sums[c]);
      const double slant = -scale * r * centred / n;
      factor[c] = static_cast<Compute>(slant);
      offset[c] = static_cast<Compute>(-scale * sums[c] / n - slant * static_cast<double>(mean[c]));
    }
    rows.for_blocks([&](std::int64_t, std::int64_t first, std::int64_t count) {
      const std::int64_t start = first * rows.channels;
      kernels::input_gradient(data_of<T>(x) + start, data_of<T>(dy) + start, data_of<T>(dx) + start, affine,
                              factor.data(), offset.data(), count, rows.channels);
    });
  });
}

/// Computes the same gradients with differentiable operators, for second derivatives. native_batch_norm_backward
/// differentiates through the statistics.
variable_list differentiable_gradients(const at::Tensor& x, const at::Tensor& dy, const BatchStatistics& statistics,
                                       const at::Tensor& weight, const at::Tensor& bias, double slope) {
  at::Tensor z;
  {
    const at::NoGradGuard no_gradients;  // only the sign of z is used
    z = at::empty_like(x);
    write_output(x, z, statistics, weight, bias, /*slope=*/1);
  }
  const auto [dx, dweight, dbias] = at::native_batch_norm_backward(
      leaky_relu_gradient(dy, z, slope), x, weight, {}, {}, statistics.mean, statistics.inverse_deviation,
      /*train=*/true, /*eps (part of the statistics)=*/0, {true, true, true});
  return {dx, dweight, dbias};
}

struct BatchNormLeakyRelu : torch::autograd::Function<BatchNormLeakyRelu> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const BatchNormState& norm, double slope) {
    const auto statistics = compute_statistics(x, norm);
    auto y = at::empty_like(x);
    write_output(x, y, statistics, weight, bias, slope);
    context->save_for_backward({x, weight, bias, statistics.mean, statistics.inverse_deviation});
    context->saved_data["slope"] = slope;
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1], &bias = saved[2];
    const BatchStatistics statistics{saved[3], saved[4]};
    const double slope = context->saved_data["slope"].toDouble();
    const auto dy = gradients.front().contiguous(at::MemoryFormat::ChannelsLast);
    variable_list results;
    if (at::GradMode::is_enabled()) {
      results = differentiable_gradients(x, dy, statistics, weight, bias, slope);
    } else {
      results = {at::empty_like(x), at::empty_like(weight), at::empty_like(bias)};
      write_gradients(x, dy, results[0], results[1], results[2], statistics, weight, bias, slope);
    }
    results.resize(5);
    return results;
  }
};

}  // namespace

at::Tensor batch_norm_leaky_relu(const at::Tensor& maps, const BatchNormState& norm, double negative_slope) {
  const auto type = maps.scalar_type();
  TORCH_CHECK_VALUE(maps.device().is_cpu() && (type == at::kFloat || type == at::kDouble || type == at::kBFloat16),
                    "batch_norm_leaky_relu needs float32, float64 or bfloat16 on the CPU, got ", type);
  TORCH_CHECK_VALUE(std::isfinite(negative_slope), "batch_norm_leaky_relu needs a finite negative slope, got ",
                    negative_slope);
  const auto expected = type == at::kDouble ? at::kDouble : at::kFloat;
  for (const auto& values : {norm.weight, norm.bias, norm.running_mean, norm.running_variance}) {
    TORCH_CHECK_VALUE(values.scalar_type() == expected && values.is_contiguous() && values.numel() == maps.size(1),
                      "batch_norm_leaky_relu needs ", maps.size(1), " values of ", expected, " per parameter, got ",
                      values.sizes(), " of ", values.scalar_type());
  }
  TORCH_CHECK_VALUE(maps.numel() > maps.size(1), "batch norm needs more than one value per channel, got ",
                    maps.sizes());
  return BatchNormLeakyRelu::apply(maps.contiguous(at::MemoryFormat::ChannelsLast), norm.weight, norm.bias, norm,
                                   negative_slope);
}

}  // namespace slopegan
