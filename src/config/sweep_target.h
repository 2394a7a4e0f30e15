#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "support/text.h"

/// sweep.apply_to: the networks whose negative slope a sweep varies.
namespace slopegan {

/// The networks in words: "both networks", "the generator".
inline std::string describe(SweepTarget target) {
  switch (target) {
    case SweepTarget::both:
      return "both networks";
    case SweepTarget::generator:
      return "the generator";
    case SweepTarget::discriminator:
      return "the discriminator";
  }
  return {};
}

/// The key=value arguments that set the negative slope of the networks in `target` to `slope`. The slope is printed
/// with enough digits to be parsed back exactly.
inline std::vector<std::string> slope_overrides(SweepTarget target, double slope) {
  const std::string setting = "negative_slope=" + shortest(slope);
  std::vector<std::string> overrides;
  if (target != SweepTarget::discriminator) overrides.push_back("generator." + setting);
  if (target != SweepTarget::generator) overrides.push_back("discriminator." + setting);
  return overrides;
}

/// The inverse of slope_overrides: the negative slope of the networks in `target` according to `config`, or
/// std::nullopt if it is not a single number.
inline std::optional<double> swept_slope(const Config& config, SweepTarget target) {
  const NegativeSlope& slope =
      target == SweepTarget::discriminator ? config.discriminator.negative_slope : config.generator.negative_slope;
  if (slope.schedule || slope.values.size() != 1) return std::nullopt;
  return slope.values.front();
}

}  // namespace slopegan
