#include "metrics/classifier_score.h"

#include <cmath>
#include <stdexcept>

#include <ATen/ATen.h>

#include "metrics/features.h"

namespace slopegan {

namespace {

at::Tensor class_shares(const at::Tensor& labels, std::int64_t classes) {
  if (!labels.defined() || labels.dim() != 1 || labels.numel() == 0 || labels.scalar_type() != at::kLong) {
    throw std::invalid_argument("the classes of the samples must be a non-empty vector of int64");
  }
  if (labels.min().item<std::int64_t>() < 0 || labels.max().item<std::int64_t>() >= classes) {
    throw std::invalid_argument("a class is out of range");
  }
  return at::bincount(labels, {}, classes).to(at::kDouble) / static_cast<double>(labels.numel());
}

}  // namespace

double classifier_score(const at::Tensor& logits) {
  const at::Tensor log_p = at::log_softmax(checked_features(logits, 1, "the logits"), 1);
  const at::Tensor p = log_p.exp();
  // Entropy of the mean minus mean of the entropies. A class with probability 0 contributes 0 to both.
  const at::Tensor entropy_of_mean = at::special_entr(p.mean(0)).sum();
  const at::Tensor mean_entropy = -(p * log_p).sum(1).mean();
  return std::exp((entropy_of_mean - mean_entropy).item<double>());
}

double class_histogram_kl(const at::Tensor& generated, const at::Tensor& real, std::int64_t classes) {
  const at::Tensor p = class_shares(generated, classes), q = class_shares(real, classes);
  return (at::xlogy(p, p) - at::xlogy(p, q)).sum().item<double>();
}

}  // namespace slopegan
