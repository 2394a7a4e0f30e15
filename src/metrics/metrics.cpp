#include "metrics/metrics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include <ATen/ATen.h>

#include "metrics/classifier_score.h"
#include "metrics/figures.h"
#include "metrics/frechet_distance.h"
#include "metrics/kernel_distance.h"
#include "metrics/memorisation.h"
#include "metrics/neighbours.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// One evaluation of generated images.
class FigureComputation {
 public:
  FigureComputation(RealReference& real, const at::Tensor& features, const at::Tensor& logits)
      : real_(real), features_(features.to(at::kDouble)), logits_(logits) {}

  void add_figures(MetricName metric) {
    switch (metric) {
      case MetricName::fd:
        values_["fd"] = frechet_distance(real_.moments, moments_of(features_));
        return;
      case MetricName::kd:
        values_["kd"] = kernel_distance(real_.subset, features_);
        return;
      case MetricName::precision_recall:
        values_["precision"] = manifold().precision;
        values_["recall"] = manifold().recall;
        return;
      case MetricName::density_coverage:
        values_["density"] = manifold().density;
        values_["coverage"] = manifold().coverage;
        return;
      case MetricName::classifier_score:
        add_class_figures();
        return;
      case MetricName::memorisation:
        add_memorisation();
        return;
    }
  }

  /// Returns the finite values. For example, class_kl is infinite if a generated class does not occur in the test
  /// images.
  std::map<std::string, double> values() && {
    std::erase_if(values_, [](const auto& figure) { return !std::isfinite(figure.second); });
    return std::move(values_);
  }

 private:
  const ManifoldMetrics& manifold() {
    if (!manifold_) manifold_ = manifold_metrics(real_.manifold, manifold_of(features_));
    return *manifold_;
  }

  void add_class_figures() {
    if (!logits_.defined()) return;
    values_["classifier_score"] = classifier_score(logits_);
    if (!real_.test_logits.defined()) return;
    values_["class_kl"] = class_histogram_kl(logits_.argmax(1), real_.test_logits.argmax(1), logits_.size(1));
  }

  void add_memorisation() {
    if (!real_.test.defined()) return;
    if (real_.test_distances.empty()) real_.test_distances = nearest_distances(real_.test, real_.train);
    const auto found = memorisation(nearest_distances(features_, real_.train), real_.test_distances);
    values_["copied_share"] = found.copied_share;
    values_["copying_z"] = found.copying_z;
  }

  RealReference& real_;
  at::Tensor features_, logits_;
  std::optional<ManifoldMetrics> manifold_;
  std::map<std::string, double> values_;
};

}  // namespace

std::string missing_input(MetricName metric, bool has_logits, bool has_test_images, const std::string& extractor) {
  const auto traits = traits_of(metric);
  const auto start = format_text("no values for the metric {}: ", name_of(metric));
  if (traits.needs_classes && !has_logits) {
    return start + "the feature extractor " + extractor + " returns no class probabilities";
  }
  if (!has_test_images && std::ranges::all_of(traits.figures, &Figure::uses_test_images)) {
    return start + "there are no test images that the metrics can use";
  }
  return {};
}

std::map<std::string, double> compute_figures(const std::vector<MetricName>& metrics, RealReference& real,
                                              const at::Tensor& features, const at::Tensor& logits) {
  FigureComputation computation(real, features, logits);
  for (const auto metric : metrics) computation.add_figures(metric);
  return std::move(computation).values();
}

}  // namespace slopegan
