#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// Alarms that need nobody to look at pictures: each compares a figure with a threshold that healthy runs keep far
/// from.
namespace slopegan {

/// Generated images lie closer together than this share of the real ones' mean distance: the generator makes (nearly)
/// one picture. Not judged before so many images: every run begins with grey noise, and the default run passes 0.4 at
/// 5,000 images.
inline constexpr double collapse_threshold = 0.25;
inline constexpr std::int64_t collapse_judged_from = 10'000;
/// So much larger than of real images is the share of generated values beyond ±0.99: tanh blocks the gradient there.
inline constexpr double saturation_threshold = 0.25;
/// The discriminator is right in at least this share of real and of generated images …
inline constexpr double won_accuracy = 0.99;
/// … and the generator's gradient norm is below this share of its weights' norm: it has nothing left to learn from.
inline constexpr double vanished_gradient = 1e-5;

struct Vitals {
  std::int64_t images = 0;  ///< real images shown to the discriminator so far
  double diversity = 1;     ///< mean distance of generated images over that of real ones
  double saturated_fake = 0, saturated_real = 0;
  double accuracy_real = 0, accuracy_fake = 0;
  double generator_gradient_norm = 0;
  double generator_weight_norm = 0;
};

/// The names of the alarms that the figures raise: "collapse", "saturation", "vanished_gradient".
std::vector<std::string> sentinels(const Vitals& vitals);

/// What an alarm means, for the log.
std::string sentinel_text(const std::string& name);

}  // namespace slopegan
