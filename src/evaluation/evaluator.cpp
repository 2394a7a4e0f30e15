#include "evaluation/evaluator.h"

#include <algorithm>
#include <chrono>
#include <span>

#include <ATen/ATen.h>

#include "evaluation/cache.h"
#include "metrics/classifier_score.h"
#include "metrics/frechet_distance.h"
#include "metrics/kernel_distance.h"
#include "metrics/memorisation.h"
#include "metrics/neighbours.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/random.h"
#include "support/sha256.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// Of the real training images; more change no figure and cost memory.
constexpr std::int64_t most_real_images = 100'000;

/// Changed whenever what is cached is computed in another way.
constexpr int cache_version = 2;

std::string hashed(const std::string& text) { return sha256_hex(std::as_bytes(std::span(text))).substr(0, 32); }

/// A fixed choice of `count` rows: the first ones could be sorted by class. The same for all matrices of as many rows.
at::Tensor random_rows(const at::Tensor& matrix, std::int64_t count) {
  const auto order = keyed_permutation(0, "evaluation.subset", 0, static_cast<std::uint32_t>(matrix.size(0)));
  std::vector<std::int64_t> rows(order.begin(), order.begin() + std::min(count, matrix.size(0)));
  return matrix.index_select(0, at::tensor(rows, at::kLong));
}

void require_images(std::int64_t count, const std::string& what) {
  if (count >= Evaluator::least_images) return;
  throw DataError(format_text("{}: {} image{}; metrics need at least {}", what, count, count == 1 ? "" : "s",
                              Evaluator::least_images));
}

at::Tensor as_tensor(const std::vector<double>& values) { return at::tensor(values, at::kDouble); }

std::vector<double> as_vector(const at::Tensor& values) {
  const double* first = values.const_data_ptr<double>();
  return {first, first + values.numel()};
}

}  // namespace

Evaluator::Evaluator(MetricsConfig metrics, std::unique_ptr<FeatureExtractor> extractor, const Dataset& train,
                     const Dataset* test, std::int64_t resolution)
    : metrics_(std::move(metrics)), extractor_(std::move(extractor)) {
  require_images(train.size(), printable(train.name));
  metrics_.samples = std::max(metrics_.samples, least_images);
  key_ = format_text("{} {} {} {} {}", cache_version, extractor_->name(), train.hash, resolution, metrics_.samples);
  train_ = cached_features(train, resolution).features.to(at::kDouble);
  train_moments_ = moments_of(train_);
  subset_ = random_rows(train_, metrics_.samples);
  if (wants_manifold()) train_manifold_ = cached_manifold(subset_);
  if (test != nullptr && test->size() >= least_images) {
    test_ = cached_features(*test, resolution);
    floors_ = cached_floors(*test);
  }
  if (wants(MetricName::classifier_score) && !extractor_->has_classes()) {
    log::info("no classifier score: the feature extractor " + extractor_->name() + " knows no classes");
  }
  if (wants(MetricName::memorisation) && !test_.features.defined()) {
    log::info("no figures of memorisation: they compare with real test images, and there are none");
  }
}

bool Evaluator::wants(MetricName name) const {
  return std::find(metrics_.names.begin(), metrics_.names.end(), name) != metrics_.names.end();
}

bool Evaluator::wants_manifold() const {
  return wants(MetricName::precision_recall) || wants(MetricName::density_coverage);
}

Extraction Evaluator::cached_features(const Dataset& dataset, std::int64_t resolution) {
  const std::string key =
      hashed(format_text("features {} {} {} {}", cache_version, extractor_->name(), dataset.hash, resolution));
  const auto content = cached_tensors("features/" + key + ".safetensors", [&] {
    log::info(format_text("computing the features of the real images of {}, once for this data and extractor",
                          printable(dataset.name)));
    const auto extraction = extract_dataset(*extractor_, dataset, most_real_images, resolution);
    NamedTensors tensors = {{"features", extraction.features}};
    if (extraction.logits.defined()) tensors.emplace("logits", extraction.logits);
    return Safetensors{tensors, {}};
  });
  const auto logits = content.tensors.find("logits");
  return {content.tensors.at("features"), logits == content.tensors.end() ? at::Tensor() : logits->second};
}

Manifold Evaluator::cached_manifold(const at::Tensor& features) {
  const auto content = cached_tensors("manifolds/" + hashed(key_) + ".safetensors", [&] {
    const auto manifold = manifold_of(features);
    return Safetensors{
        {{"precision_radii", as_tensor(manifold.precision_radii)},
         {"density_radii", as_tensor(manifold.density_radii)},
         {"neighbours", at::tensor({manifold.precision_neighbours, manifold.density_neighbours}, at::kLong)}},
        {}};
  });
  Manifold manifold;
  manifold.features = features;
  manifold.precision_radii = as_vector(content.tensors.at("precision_radii"));
  manifold.density_radii = as_vector(content.tensors.at("density_radii"));
  const auto neighbours = content.tensors.at("neighbours");
  manifold.precision_neighbours = neighbours[0].item<std::int64_t>();
  manifold.density_neighbours = neighbours[1].item<std::int64_t>();
  return manifold;
}

Evaluator::Values Evaluator::cached_floors(const Dataset& test) {
  std::string key = key_ + " " + test.hash;
  for (const auto name : metrics_.names) key += format_text(" {}", static_cast<int>(name));
  const auto content = cached_tensors("floors/" + hashed(key) + ".safetensors", [&] {
    Extraction sample{random_rows(test_.features, metrics_.samples), {}};
    if (test_.logits.defined()) sample.logits = random_rows(test_.logits, metrics_.samples);
    NamedTensors tensors;
    for (const auto& [name, value] : values_of(sample)) tensors.emplace(name, at::tensor(value, at::kDouble));
    return Safetensors{tensors, {}};
  });
  Values floors;
  for (const auto& [name, tensor] : content.tensors) floors[name] = tensor.item<double>();
  return floors;
}

MetricsRecord Evaluator::evaluate(const Extraction& generated) {
  const auto count = generated.features.size(0);
  require_images(count, "generated");
  const auto start = std::chrono::steady_clock::now();
  MetricsRecord record;
  record.extractor = extractor_->name();
  record.samples = count;
  record.values = values_of(generated);
  record.floors = floors_;
  record.floor_samples = test_.features.defined() ? std::min(metrics_.samples, test_.features.size(0)) : 0;
  record.fd_bias = frechet_bias(train_moments_.covariance, train_moments_.count, count);
  record.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return record;
}

double Evaluator::frechet_distance_of(const at::Tensor& features) const {
  return frechet_distance(train_moments_, moments_of(features));
}

Evaluator::Values Evaluator::values_of(const Extraction& extraction) {
  const auto features = extraction.features.to(at::kDouble);
  Values values;
  if (wants(MetricName::fd)) values["fd"] = frechet_distance_of(features);
  if (wants(MetricName::kd)) values["kd"] = kernel_distance(subset_, features);
  if (wants_manifold()) add_manifold_values(features, values);
  if (wants(MetricName::classifier_score) && extraction.logits.defined()) add_class_values(extraction.logits, values);
  if (wants(MetricName::memorisation) && test_.features.defined()) add_memorisation(features, values);
  return values;
}

void Evaluator::add_manifold_values(const at::Tensor& features, Values& values) const {
  const auto found = manifold_metrics(train_manifold_, manifold_of(features));
  if (wants(MetricName::precision_recall)) {
    values["precision"] = found.precision;
    values["recall"] = found.recall;
  }
  if (wants(MetricName::density_coverage)) {
    values["density"] = found.density;
    values["coverage"] = found.coverage;
  }
}

void Evaluator::add_class_values(const at::Tensor& logits, Values& values) const {
  values["classifier_score"] = classifier_score(logits);
  if (!test_.logits.defined()) return;
  values["class_kl"] = class_histogram_kl(logits.argmax(1), test_.logits.argmax(1), logits.size(1));
}

void Evaluator::add_memorisation(const at::Tensor& features, Values& values) {
  if (test_distances_.empty()) test_distances_ = nearest_distances(test_.features.to(at::kDouble), train_);
  const auto found = memorisation(nearest_distances(features, train_), test_distances_);
  values["copied_share"] = found.copied_share;
  values["copying_z"] = found.copying_z;
}

}  // namespace slopegan
