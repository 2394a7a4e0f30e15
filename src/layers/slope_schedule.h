#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

/// The activation options that are part of the configuration. This header does not use LibTorch, because src/config is
/// compiled without it.
namespace slopegan {

enum class SlopeShape { linear, cosine, log };

/// A negative slope that changes from `from` to `to` over the first `over_images` images seen, and then stays at `to`.
struct SlopeSchedule {
  double from = 0.2;
  double to = 0.2;
  std::int64_t over_images = 60000;
  SlopeShape shape = SlopeShape::linear;

  /// The slope after `images` images have been seen. `log` interpolates the logarithm and requires from, to > 0.
  double at(std::int64_t images) const {
    if (images >= over_images) return to;
    const double t = static_cast<double>(images) / static_cast<double>(over_images);
    switch (shape) {
      case SlopeShape::linear:
        return from + (to - from) * t;
      case SlopeShape::cosine:
        return to + (from - to) * 0.5 * (1.0 + std::cos(std::numbers::pi * t));
      case SlopeShape::log:
        return std::exp(std::log(from) + (std::log(to) - std::log(from)) * t);
    }
    return to;
  }
  bool operator==(const SlopeSchedule&) const = default;
};

/// The two definitions known as RReLU: PyTorch draws the slope from U(1/8, 1/3) and evaluates with its mean 11/48; Xu
/// et al. 2015 draw the divisor from U(3, 8) and evaluate with 2/(3 + 8) = 2/11.
enum class RReLUDefinition { slope, divisor };

}  // namespace slopegan
