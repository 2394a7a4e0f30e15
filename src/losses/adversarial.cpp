#include "losses/adversarial.h"

#include <ATen/ATen.h>

namespace slopegan {

static at::Tensor bce(const at::Tensor& logits, double target) {
  return at::binary_cross_entropy_with_logits(logits, at::full_like(logits, target));
}

at::Tensor discriminator_loss(const LossConfig& loss, const at::Tensor& real_logits, const at::Tensor& fake_logits) {
  switch (loss.kind) {
    case LossKind::bce:
      return bce(real_logits, loss.real_label) + bce(fake_logits, 0);
  }
  TORCH_CHECK(false, "unknown loss");
}

at::Tensor generator_loss(const LossConfig& loss, const at::Tensor& fake_logits) {
  switch (loss.kind) {
    case LossKind::bce:
      return bce(fake_logits, 1);
  }
  TORCH_CHECK(false, "unknown loss");
}

}  // namespace slopegan
