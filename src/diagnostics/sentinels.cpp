#include "diagnostics/sentinels.h"

#include <algorithm>

#include "support/text.h"

namespace slopegan {

std::vector<std::string> sentinels(const Vitals& vitals) {
  std::vector<std::string> raised;
  const bool begun = vitals.images >= collapse_judged_from;
  if (begun && vitals.diversity < collapse_threshold) raised.emplace_back("collapse");
  if (vitals.saturated_fake - vitals.saturated_real > saturation_threshold) raised.emplace_back("saturation");
  const bool won = std::min(vitals.accuracy_real, vitals.accuracy_fake) >= won_accuracy;
  if (won && vitals.generator_gradient_norm < vanished_gradient * vitals.generator_weight_norm) {
    raised.emplace_back("vanished_gradient");
  }
  return raised;
}

std::string sentinel_text(const std::string& name) {
  if (name == "collapse") {
    return format_text("collapse: generated images lie closer together than {:g} of the real ones' distance",
                       collapse_threshold);
  }
  if (name == "saturation") {
    return format_text(
        "saturation: far more generated than real pixels lie beyond 0.99 (by {:g} or more), where tanh passes "
        "no gradient",
        saturation_threshold);
  }
  return "vanished_gradient: the discriminator is always right and the generator's gradient has vanished";
}

}  // namespace slopegan
