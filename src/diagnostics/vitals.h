#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/dcgan.h"

/// Statistics that show whether training is healthy, and alarms for failed training.
namespace slopegan {

/// The mean Euclidean distance between different images in `images` [N, …], N ≥ 2, in units of the pixel values. It is
/// 0 for a generator that always generates the same image.
double mean_pairwise_distance(const at::Tensor& images);

/// The fraction of values beyond ±0.99, where tanh passes almost no gradient. Real images also have such values.
double saturated_share(const at::Tensor& images);

/// The fraction of `logits` that are correct: above 0 for real images, below 0 for generated ones. A logit of 0 is
/// never correct.
double accuracy(const at::Tensor& logits, bool real);

/// The mean over `images` [N, C, R, R] of the 2-norm of ∂ logit / ∂ image, the gradient that R1 penalises (Mescheder et
/// al. 2018). Differentiates the sum of the logits. With batch norm in training mode, the gradient of an image
/// therefore includes its effect on the logits of the other images. The discriminator's parameters receive no
/// gradients.
double image_gradient_norm(Discriminator& discriminator, const at::Tensor& images);

/// The gradient and the update of a parameter in one step.
struct GradientFlow {
  double gradient_norm = 0;   ///< 2-norm
  double zero_gradients = 0;  ///< fraction of elements whose gradient is exactly 0
  double update_ratio = 0;    ///< |ΔW| / |W|, 2-norms; 0 if the update is 0, infinity if only |W| is 0
};

/// `gradient` and `update` have the shape of `parameter`; `update` is the change made by the optimiser's step. An
/// undefined gradient counts as zeros.
GradientFlow gradient_flow(const at::Tensor& parameter, const at::Tensor& gradient, const at::Tensor& update);

// --- Alarms ---------------------------------------------------------------------------------------------------------

// Each alarm compares a measurement with a threshold that is far from the values of healthy runs.

/// "equal_images": the real images do not differ at all, so a GAN can only copy them.
///
/// "collapse": the mean distance between generated images is below this fraction of that between real images, so the
/// generator produces (nearly) a single image. It is checked only after collapse_judged_from images have been seen,
/// because every run starts with gray noise; in the default run, the ratio exceeds 0.4 at 5,000 images.
inline constexpr double collapse_threshold = 0.25;
inline constexpr std::int64_t collapse_judged_from = 10'000;
/// "saturation": the fraction of values beyond ±0.99, where tanh passes almost no gradient, is higher for generated
/// images than for real images by more than this.
inline constexpr double saturation_threshold = 0.25;
/// "vanished_gradient": the discriminator is correct for at least this fraction of both real and generated images …
inline constexpr double won_accuracy = 0.99;
/// … and the norm of the generator's gradient is below this fraction of the norm of its weights.
inline constexpr double vanished_gradient = 1e-5;

struct Vitals {
  std::int64_t images = 0;  ///< real images shown to the discriminator so far
  /// Mean distance between generated images divided by that between real ones; empty if all real images are identical.
  std::optional<double> diversity = 1;
  double saturated_fake = 0, saturated_real = 0;
  double accuracy_real = 0, accuracy_fake = 0;
  double generator_gradient_norm = 0;
  double generator_weight_norm = 0;
};

/// Returns the names of the alarms that are raised: "equal_images", "collapse", "saturation", "vanished_gradient".
std::vector<std::string> sentinels(const Vitals& vitals);

/// Explains an alarm, for the log. Throws std::logic_error for names that sentinels() does not return.
std::string sentinel_text(const std::string& name);

}  // namespace slopegan
