#pragma once

#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "config/config.h"
#include "metrics/features.h"
#include "metrics/manifold.h"

/// Computes the values of all metrics (metrics/figures.h) from features of real and generated images.
namespace slopegan {

/// The real images that generated ones are compared with. All tensors are on the CPU.
struct RealReference {
  at::Tensor train;                    ///< [N, d] features of the training images, float32
  Moments moments;                     ///< the moments of `train`
  at::Tensor subset;                   ///< [n, d] rows of `train`, for metrics that compare all pairs
  Manifold manifold;                   ///< the manifold of `subset`; set only if a metric uses it
  at::Tensor test;                     ///< [M, d] features of the test images, float32, or undefined
  at::Tensor test_logits;              ///< [M, K], or undefined
  std::vector<double> test_distances;  ///< distances from the test images to `train`; computed on first use
};

/// Returns the reason why a metric has no values, or an empty string if it has values.
std::string missing_input(MetricName metric, bool has_logits, bool has_test_images, const std::string& extractor);

/// Returns the values of the metrics, by key, for generated features [N, d] and logits [N, K] (or undefined). Values
/// whose inputs are missing or that are not finite are omitted.
std::map<std::string, double> compute_figures(const std::vector<MetricName>& metrics, RealReference& real,
                                              const at::Tensor& features, const at::Tensor& logits);

}  // namespace slopegan
