#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/dcgan.h"

/// Statistics that show whether training is healthy, and alarms for failed training.
namespace slopegan {

/// The mean Euclidean distance between different images of `images` [N, …], N ≥ 2, in units of the pixel values. 0 for
/// a generator that always generates the same image.
double mean_pairwise_distance(const at::Tensor& images);

/// The fraction of values beyond ±0.99, where tanh passes almost no gradient. Real images have such values too.
double saturated_share(const at::Tensor& images);

/// The fraction of correct `logits`: above 0 for real images, below 0 for generated ones. A logit of 0 is never
/// correct.
double accuracy(const at::Tensor& logits, bool real);

/// The mean over `images` [N, C, R, R] of the 2-norm of ∂ logit / ∂ image, as the R1 penalty measures it (Mescheder et
/// al. 2018). It differentiates the sum of the logits, because with batch norm in training mode the images of a batch
/// share statistics. The discriminator's parameters get no gradients.
double image_gradient_norm(Discriminator& discriminator, const at::Tensor& images);

/// The gradient and the update of a parameter in one step.
struct GradientFlow {
  double gradient_norm = 0;   ///< 2-norm
  double zero_gradients = 0;  ///< fraction of elements whose gradient is exactly 0
  double update_ratio = 0;    ///< |ΔW| / |W|, 2-norms; 0 if the update is 0, infinity if only |W| is 0
};

/// `gradient` and `update`, the change by the optimiser's step, have the shape of `parameter`. An undefined gradient
/// counts as zeros.
GradientFlow gradient_flow(const at::Tensor& parameter, const at::Tensor& gradient, const at::Tensor& update);

// --- Alarms ---------------------------------------------------------------------------------------------------------

// Each alarm compares a measurement with a threshold that healthy runs stay far from.

/// "collapse": the mean distance of generated images is below this fraction of that of real images, so the generator
/// produces (nearly) a single image. Checked only once collapse_judged_from images have been seen, because every run
/// starts with grey noise; the default run exceeds 0.4 at 5,000 images.
inline constexpr double collapse_threshold = 0.25;
inline constexpr std::int64_t collapse_judged_from = 10'000;
/// "saturation": the fraction of values beyond ±0.99, where tanh passes almost no gradient, is larger by this much for
/// generated than for real images.
inline constexpr double saturation_threshold = 0.25;
/// "vanished_gradient": the discriminator is correct on at least this fraction of real and of generated images …
inline constexpr double won_accuracy = 0.99;
/// … and the norm of the generator's gradient is below this fraction of the norm of its weights.
inline constexpr double vanished_gradient = 1e-5;

struct Vitals {
  std::int64_t images = 0;  ///< real images shown to the discriminator so far
  double diversity = 1;     ///< mean distance of generated images divided by that of real ones
  double saturated_fake = 0, saturated_real = 0;
  double accuracy_real = 0, accuracy_fake = 0;
  double generator_gradient_norm = 0;
  double generator_weight_norm = 0;
};

/// Returns the names of the alarms that are raised: "collapse", "saturation", "vanished_gradient".
std::vector<std::string> sentinels(const Vitals& vitals);

/// Explains an alarm, for the log.
std::string sentinel_text(const std::string& name);

}  // namespace slopegan
