#include <algorithm>
#include <cmath>
#include <utility>
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

/// Whether the weight, and thus the bias, contains one value per image and channel instead of one per channel.
bool is_per_image(const at::Tensor& weight) { return weight.dim() == 2; }

/// The feature maps as rows of channels. The rows are split into the same blocks for any number of threads, so that
/// sums do not depend on the number of threads.
struct Rows {
  explicit Rows(const at::Tensor& maps) : channels(maps.size(1)), count(maps.numel() / channels) {
    constexpr std::int64_t most_blocks = 16, least_values = 1 << 14;
    blocks = std::clamp(count * channels / least_values, std::int64_t{1}, most_blocks);
  }
  /// If the weight is per image, each image is a block.
  Rows(const at::Tensor& maps, const at::Tensor& weight) : Rows(maps) {
    if (is_per_image(weight)) blocks = maps.size(0);
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

  /// Two sums per block and channel, [blocks, 2, channels]. body(block, first row, number of rows, sums) adds the rows
  /// of a block to the block's sums.
  template <typename Body>
  std::vector<double> sums_of_blocks(Body body) const {
    const auto size = static_cast<std::size_t>(2 * channels);
    std::vector<double> sums(size * static_cast<std::size_t>(blocks));
    for_blocks([&](std::int64_t block, std::int64_t first, std::int64_t rows) {
      body(block, first, rows, sums.data() + static_cast<std::size_t>(block) * size);
    });
    return sums;
  }

  /// The sums over all blocks, [2, channels].
  std::vector<double> total(std::vector<double> sums) const {
    const auto size = static_cast<std::size_t>(2 * channels);
    for (std::size_t i = size; i < sums.size(); ++i) sums[i % size] += sums[i];
    sums.resize(size);
    return sums;
  }

  std::int64_t channels, count, blocks;
};

/// The mean and 1/√(variance + ε) of each channel, [C].
struct BatchStatistics {
  at::Tensor mean, inverse_deviation;
};

BatchStatistics compute_statistics(const at::Tensor& x, const BatchNormState& norm) {
  const Rows rows(x);
  BatchStatistics statistics{at::empty_like(norm.running_mean), at::empty_like(norm.running_mean)};
  dispatch(x, [&](auto tag, auto compute) {
    using T = decltype(tag);
    using Compute = decltype(compute);
    std::vector<Compute> pivot(static_cast<std::size_t>(rows.channels));
    for (std::size_t c = 0; c < pivot.size(); ++c) pivot[c] = kernels::load(data_of<T>(x)[c]);
    const auto sums = rows.total(
        rows.sums_of_blocks([&](std::int64_t /*block*/, std::int64_t first, std::int64_t count, double* own) {
          kernels::add_moments(data_of<T>(x) + first * rows.channels, pivot.data(), own, count, rows.channels);
        }));
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

/// Batch norm as scale · x + shift, with the shape of the weight: [channels], or [images, channels].
template <typename Compute>
struct ScaleAndShift {
  ScaleAndShift(const BatchStatistics& statistics, const at::Tensor& weight, const at::Tensor& bias)
      : channels(static_cast<std::size_t>(statistics.mean.numel())),
        scale(static_cast<std::size_t>(weight.numel())),
        shift(scale.size()) {
    const auto *r = data_of<Compute>(statistics.inverse_deviation), *mean = data_of<Compute>(statistics.mean);
    const auto *weights = data_of<Compute>(weight), *biases = data_of<Compute>(bias);
    for (std::size_t first = 0; first < scale.size(); first += channels) {
      for (std::size_t c = 0; c < channels; ++c) {
        scale[first + c] = weights[first + c] * r[c];
        shift[first + c] = biases[first + c] - mean[c] * scale[first + c];
      }
    }
  }

  /// The values for a block of rows, which is an image if there are values per image.
  kernels::Affine<Compute> of(std::int64_t block, double slope) const {
    const std::size_t first = scale.size() > channels ? static_cast<std::size_t>(block) * channels : 0;
    return {scale.data() + first, shift.data() + first, static_cast<Compute>(slope)};
  }

  std::size_t channels;
  std::vector<Compute> scale, shift;
};

void write_output(const at::Tensor& x, const at::Tensor& y, const BatchStatistics& statistics, const at::Tensor& weight,
                  const at::Tensor& bias, double slope) {
  const Rows rows(x, weight);
  dispatch(x, [&](auto tag, auto compute) {
    using T = decltype(tag);
    const ScaleAndShift<decltype(compute)> affine(statistics, weight, bias);
    rows.for_blocks([&](std::int64_t block, std::int64_t first, std::int64_t count) {
      const std::int64_t start = first * rows.channels;
      kernels::normalise_and_rectify(data_of<T>(x) + start, data_of<T>(y) + start, affine.of(block, slope), count,
                                     rows.channels);
    });
  });
}

/// The terms of dx = scale · g + factor · x + offset that all images share, [channels] each.
template <typename Compute>
struct SharedTerms {
  std::vector<Compute> factor, offset;
};

/// Writes the gradients of weight and bias, [channels]. sums: Σ g and Σ g (x − mean) over all images, [2, channels].
template <typename Compute>
SharedTerms<Compute> channel_gradients(const std::vector<double>& sums, double n, const BatchStatistics& statistics,
                                       const ScaleAndShift<Compute>& affine, Compute* dweight, Compute* dbias) {
  const auto size = affine.channels;
  SharedTerms<Compute> terms{std::vector<Compute>(size), std::vector<Compute>(size)};
  for (std::size_t c = 0; c < size; ++c) {
    const auto r = static_cast<double>(data_of<Compute>(statistics.inverse_deviation)[c]);
    const double centred = sums[size + c] * r, scale = static_cast<double>(affine.scale[c]);
    dweight[c] = static_cast<Compute>(centred);
    dbias[c] = static_cast<Compute>(sums[c]);
    const double slant = -scale * r * centred / n;
    terms.factor[c] = static_cast<Compute>(slant);
    terms.offset[c] =
        static_cast<Compute>(-scale * sums[c] / n - slant * static_cast<double>(data_of<Compute>(statistics.mean)[c]));
  }
  return terms;
}

/// Writes the gradients of weight and bias, [images, channels]. sums: Σ g and Σ g (x − mean) over each image, [images,
/// 2, channels].
template <typename Compute>
SharedTerms<Compute> image_gradients(const std::vector<double>& sums, double n, const BatchStatistics& statistics,
                                     const ScaleAndShift<Compute>& affine, Compute* dweight, Compute* dbias) {
  const auto size = affine.channels;
  const auto *r = data_of<Compute>(statistics.inverse_deviation), *mean = data_of<Compute>(statistics.mean);
  std::vector<double> first(size), second(size);  // the sums over all images of scale · g and scale · g · x̂
  for (std::size_t start = 0; start < affine.scale.size(); start += size) {
    const double* own = sums.data() + 2 * start;
    for (std::size_t c = 0; c < size; ++c) {
      const double centred = own[size + c] * static_cast<double>(r[c]);
      const double scale = static_cast<double>(affine.scale[start + c]);
      dweight[start + c] = static_cast<Compute>(centred);
      dbias[start + c] = static_cast<Compute>(own[c]);
      first[c] += scale * own[c];
      second[c] += scale * centred;
    }
  }
  SharedTerms<Compute> terms{std::vector<Compute>(size), std::vector<Compute>(size)};
  for (std::size_t c = 0; c < size; ++c) {
    const double slant = -static_cast<double>(r[c]) * second[c] / n;
    terms.factor[c] = static_cast<Compute>(slant);
    terms.offset[c] = static_cast<Compute>(-first[c] / n - slant * static_cast<double>(mean[c]));
  }
  return terms;
}

/// Writes the gradients of x, weight and bias. If g is the gradient at the input of the rectifier, x̂ are the
/// normalised values, and means are over the n values of a channel, then dx = scale · g − mean(scale · g) − x̂ ·
/// mean(scale · g · x̂).
void write_gradients(const at::Tensor& x, const at::Tensor& dy, const at::Tensor& dx, const at::Tensor& dweight,
                     const at::Tensor& dbias, const BatchStatistics& statistics, const at::Tensor& weight,
                     const at::Tensor& bias, double slope) {
  const Rows rows(x, weight);
  dispatch(x, [&](auto tag, auto compute) {
    using T = decltype(tag);
    using Compute = decltype(compute);
    const ScaleAndShift<Compute> affine(statistics, weight, bias);
    const auto* mean = data_of<Compute>(statistics.mean);
    auto sums = rows.sums_of_blocks([&](std::int64_t block, std::int64_t first, std::int64_t count, double* own) {
      const std::int64_t start = first * rows.channels;
      kernels::add_gradient_sums(data_of<T>(x) + start, data_of<T>(dy) + start, mean, affine.of(block, slope), own,
                                 count, rows.channels);
    });
    const auto n = static_cast<double>(rows.count);
    auto *to_weight = data_of<Compute>(dweight), *to_bias = data_of<Compute>(dbias);
    const auto terms = is_per_image(weight)
                           ? image_gradients(sums, n, statistics, affine, to_weight, to_bias)
                           : channel_gradients(rows.total(std::move(sums)), n, statistics, affine, to_weight, to_bias);
    rows.for_blocks([&](std::int64_t block, std::int64_t first, std::int64_t count) {
      const std::int64_t start = first * rows.channels;
      kernels::input_gradient(data_of<T>(x) + start, data_of<T>(dy) + start, data_of<T>(dx) + start,
                              affine.of(block, slope), terms.factor.data(), terms.offset.data(), count, rows.channels);
    });
  });
}

/// Computes the gradients for a weight per image with differentiable operators. g: the gradient at the input of the
/// rectifier.
variable_list differentiable_image_gradients(const at::Tensor& maps, const at::Tensor& g, const at::Tensor& weight,
                                             double epsilon) {
  const std::vector<std::int64_t> all_but_channels = {0, 2, 3}, pixels = {2, 3};
  const auto x = maps.to(weight.scalar_type()), dz = g.to(weight.scalar_type());
  const auto centred = x - x.mean(all_but_channels, /*keepdim=*/true);
  const auto r = (centred.square().mean(all_but_channels, true) + epsilon).rsqrt(), normalised = centred * r;
  const auto scaled = dz * weight.unsqueeze(-1).unsqueeze(-1);
  const auto dx = r * (scaled - scaled.mean(all_but_channels, true) -
                       normalised * (scaled * normalised).mean(all_but_channels, true));
  return {dx.to(maps.scalar_type()), (dz * normalised).sum(pixels), dz.sum(pixels)};
}

/// Computes the gradients of x, weight and bias with differentiable operators, for second derivatives.
/// The derivative of native_batch_norm_backward takes the dependence of the statistics on x into account.
variable_list differentiable_gradients(const at::Tensor& x, const at::Tensor& dy, const BatchStatistics& statistics,
                                       const at::Tensor& weight, const at::Tensor& bias, double slope, double epsilon) {
  at::Tensor z;
  {
    const at::NoGradGuard no_gradients;  // only the sign of z is used
    z = at::empty_like(x);
    write_output(x, z, statistics, weight, bias, /*slope=*/1);
  }
  const auto g = leaky_relu_gradient(dy, z, slope);
  if (is_per_image(weight)) return differentiable_image_gradients(x, g, weight, epsilon);
  const auto [dx, dweight, dbias] = at::native_batch_norm_backward(
      g, x, weight, {}, {}, statistics.mean, statistics.inverse_deviation, /*train=*/true,
      /*eps (part of the statistics)=*/0, {true, true, true});
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
    context->saved_data["epsilon"] = norm.epsilon;
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
      results =
          differentiable_gradients(x, dy, statistics, weight, bias, slope, context->saved_data["epsilon"].toDouble());
    } else {
      results = {at::empty_like(x), at::empty_like(weight), at::empty_like(bias)};
      write_gradients(x, dy, results[0], results[1], results[2], statistics, weight, bias, slope);
    }
    results.resize(5);
    return results;
  }
};

void check_shapes(const at::Tensor& maps, const BatchNormState& norm) {
  const auto type = maps.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  for (const auto& values : {norm.weight, norm.bias, norm.running_mean, norm.running_variance}) {
    TORCH_CHECK_VALUE(values.scalar_type() == type && values.size(-1) == maps.size(1), "batch_norm_leaky_relu needs ",
                      maps.size(1), " values of ", type, " per parameter, got ", values.sizes(), " of ",
                      values.scalar_type());
  }
  TORCH_CHECK_VALUE(norm.running_mean.dim() == 1 && norm.running_mean.is_contiguous() &&
                        norm.running_variance.dim() == 1 && norm.running_variance.is_contiguous(),
                    "batch_norm_leaky_relu needs contiguous running statistics");
  TORCH_CHECK_VALUE(norm.weight.sizes() == norm.bias.sizes() &&
                        (norm.weight.dim() == 1 || (norm.weight.dim() == 2 && norm.weight.size(0) == maps.size(0))),
                    "batch_norm_leaky_relu needs a weight and bias per channel, or per image and channel, got ",
                    norm.weight.sizes(), " and ", norm.bias.sizes());
}

}  // namespace

at::Tensor batch_norm_leaky_relu(const at::Tensor& maps, const BatchNormState& norm, double negative_slope) {
  const auto type = maps.scalar_type();
  TORCH_CHECK_VALUE(maps.device().is_cpu() && (type == at::kFloat || type == at::kDouble || type == at::kBFloat16),
                    "batch_norm_leaky_relu needs float32, float64 or bfloat16 on the CPU, got ", type);
  TORCH_CHECK_VALUE(std::isfinite(negative_slope), "batch_norm_leaky_relu needs a finite negative slope, got ",
                    negative_slope);
  check_shapes(maps, norm);
  TORCH_CHECK_VALUE(maps.numel() > maps.size(1), "batch norm needs more than one value per channel, got ",
                    maps.sizes());
  return BatchNormLeakyRelu::apply(maps.contiguous(at::MemoryFormat::ChannelsLast), norm.weight.contiguous(),
                                   norm.bias.contiguous(), norm, negative_slope);
}

}  // namespace slopegan
