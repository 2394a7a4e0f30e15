#include "evaluation/evaluator.h"

#include <algorithm>
#include <chrono>

#include <ATen/ATen.h>

#include "evaluation/cache.h"
#include "metrics/figures.h"
#include "metrics/frechet_distance.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/random.h"
#include "support/seconds_since.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// Incremented whenever a cached value is computed differently.
constexpr int cache_version = 2;

std::string hashed(const std::string& text) { return sha256_hex(text).substr(0, 32); }

/// Returns a fixed random subset of `count` rows instead of the first rows, because the rows may be sorted by class.
/// The subset is the same for all matrices with the same number of rows.
at::Tensor random_rows(const at::Tensor& matrix, std::int64_t count) {
  const auto order = keyed_permutation(0, "evaluation.subset", 0, static_cast<std::uint32_t>(matrix.size(0)));
  std::vector<std::int64_t> rows(order.begin(), order.begin() + std::min(count, matrix.size(0)));
  return matrix.index_select(0, at::tensor(rows, at::kLong));
}

void require_images(std::int64_t count, const std::string& what) {
  if (count >= Evaluator::least_images) return;
  throw DataError(
      format_text("{}: {} image{}; metrics need at least {}", what, count, plural_s(count), Evaluator::least_images));
}

/// Whether the metrics use a random subset of the images. False for runs from version 0.9, which use the first images,
/// as that version did.
bool is_sampled(const Dataset& dataset) { return dataset.size() > Evaluator::most_real_images && !dataset.as_in_0_9; }

/// Returns the part of the cache keys of radii and floors that identifies the images of a split at this resolution. It
/// contains the fit (data.fit) if images have to be fitted. Earlier versions omitted the fit, so their entries for such
/// images may have been computed with any fit.
std::string pixels_text(const Dataset& dataset, std::int64_t resolution) {
  const bool is_fitted = dataset.height() != resolution || dataset.width() != resolution;
  return dataset.hash + (is_fitted ? " " + std::string(name_of(dataset.fit)) : "") +
         (is_sampled(dataset) ? " sampled" : "");
}

at::Tensor as_tensor(const std::vector<double>& values) { return at::tensor(values, at::kDouble); }

std::vector<double> as_vector(const at::Tensor& values) {
  const double* first = values.const_data_ptr<double>();
  return {first, first + values.numel()};
}

}  // namespace

std::vector<std::int64_t> Evaluator::reference_images(std::int64_t size) {
  return sorted_sample(0, "evaluation.reference", size, most_real_images);
}

Evaluator::Evaluator(MetricsConfig metrics, std::unique_ptr<FeatureExtractor> extractor, const Dataset& train,
                     const Dataset* test, std::int64_t resolution)
    : metrics_(std::move(metrics)), extractor_(std::move(extractor)), source_(source_of(train)) {
  require_images(train.size(), printable(train.name));
  metrics_.samples = std::max(metrics_.samples, least_images);
  // Features are cached separately for each type of device, because devices round differently and copies of an image
  // must have equal features.
  device_ = extractor_->device().is_cpu() ? "" : " " + c10::DeviceTypeName(extractor_->device().type(), true);
  key_ = format_text("{} {} {} {} {}{}", cache_version, extractor_->name(), pixels_text(train, resolution), resolution,
                     metrics_.samples, device_);
  real_.train = cached_features(train, resolution).features;
  real_.moments = moments_of(real_.train);
  real_.subset = random_rows(real_.train, metrics_.samples).to(at::kDouble);
  if (std::ranges::any_of(metrics_.names, [](MetricName name) { return traits_of(name).uses_manifold; })) {
    real_.manifold = cached_manifold(real_.subset);
  }
  if (test != nullptr && test->size() < least_images) {
    log::info(format_text("the metrics do not use the {} test image{}, because at least {} are needed", test->size(),
                          plural_s(test->size()), least_images));
  } else if (test != nullptr) {
    const auto extraction = cached_features(*test, resolution);
    real_.test = extraction.features;
    real_.test_logits = extraction.logits;
    floors_ = cached_floors(pixels_text(*test, resolution), source_of(*test), extraction);
  }
  log_missing_inputs();
}

void Evaluator::log_missing_inputs() const {
  for (const auto metric : metrics_.names) {
    const auto reason = missing_input(metric, extractor_->has_classes(), real_.test.defined(), extractor_->name());
    if (!reason.empty()) log::info(reason);
  }
}

Extraction Evaluator::cached_features(const Dataset& dataset, std::int64_t resolution) {
  const std::string key =
      hashed(format_text("features {} {} {}{} {}{}", cache_version, extractor_->name(), dataset.pixel_key(),
                         is_sampled(dataset) ? " sampled" : "", resolution, device_));
  const auto content = cached_tensors("features/" + key + ".safetensors", source_of(dataset), [&] {
    log::info(format_text("computing the features of the real images in {} (once per data set and extractor)",
                          printable(dataset.name)));
    const auto extraction = dataset.as_in_0_9
                                ? extract_dataset(*extractor_, dataset, most_real_images, resolution)
                                : extract_images(*extractor_, dataset, reference_images(dataset.size()), resolution);
    NamedTensors tensors = {{"features", extraction.features}};
    if (extraction.logits.defined()) tensors.emplace("logits", extraction.logits);
    return Safetensors{tensors, {}};
  });
  const auto logits = content.tensors.find("logits");
  return {content.tensors.at("features"), logits == content.tensors.end() ? at::Tensor() : logits->second};
}

Manifold Evaluator::cached_manifold(const at::Tensor& features) {
  const auto content = cached_tensors("manifolds/" + hashed(key_) + ".safetensors", source_, [&] {
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

std::map<std::string, double> Evaluator::floors_of(const Extraction& test) {
  const auto rows = [&](const at::Tensor& matrix) {
    return matrix.defined() ? random_rows(matrix, metrics_.samples) : at::Tensor();
  };
  auto floors = compute_figures(metrics_.names, real_, rows(test.features), rows(test.logits));
  // Some values compare images with the test images, so their floors compare one half of the test images with the
  // other.
  const std::int64_t half = test.features.size(0) / 2;
  const auto shuffled = [&](const at::Tensor& matrix) { return random_rows(matrix, matrix.size(0)); };
  RealReference other = real_;
  const auto features = shuffled(test.features);
  other.test = features.narrow(0, half, features.size(0) - half);
  other.test_distances.clear();
  at::Tensor logits;
  if (test.logits.defined()) {
    logits = shuffled(test.logits);
    other.test_logits = logits.narrow(0, half, logits.size(0) - half);
    logits = logits.narrow(0, 0, std::min(half, metrics_.samples));
  }
  std::vector<MetricName> compared;
  for (const auto name : metrics_.names) {
    if (std::ranges::any_of(traits_of(name).figures, &Figure::uses_test_images)) compared.push_back(name);
  }
  const auto halves = compute_figures(compared, other, features.narrow(0, 0, std::min(half, metrics_.samples)), logits);
  for (const Figure& figure : figures) {
    if (!figure.uses_test_images) continue;
    floors.erase(figure.key);
    if (const auto found = halves.find(figure.key); found != halves.end()) floors.insert(*found);
  }
  return floors;
}

std::map<std::string, double> Evaluator::cached_floors(const std::string& test, const std::filesystem::path& source,
                                                       const Extraction& extraction) {
  std::string key = key_ + " " + test + " halves";
  for (const auto name : metrics_.names) key += " " + std::string(name_of(name));
  const auto content = cached_tensors("floors/" + hashed(key) + ".safetensors", source, [&] {
    NamedTensors tensors;
    for (const auto& [figure, value] : floors_of(extraction)) {
      tensors.emplace(figure, at::tensor(value, at::kDouble));
    }
    return Safetensors{tensors, {}};
  });
  std::map<std::string, double> floors;
  for (const auto& [name, tensor] : content.tensors) floors[name] = tensor.item<double>();
  return floors;
}

MetricsRecord Evaluator::evaluate(const Extraction& generated) {
  const auto count = generated.features.size(0);
  require_images(count, "generated");
  const auto start = std::chrono::steady_clock::now();
  MetricsRecord record;
  record.extractor = extractor_->name();
  record.classifier = extractor_->accuracy();
  record.features = generated.features.size(1);
  record.real_samples = real_.moments.count;
  record.real_subset = real_.subset.size(0);
  record.samples = count;
  record.values = compute_figures(metrics_.names, real_, generated.features, generated.logits);
  record.floors = floors_;
  record.floor_samples = real_.test.defined() ? std::min(metrics_.samples, real_.test.size(0)) : 0;
  record.fd_bias = frechet_bias(real_.moments.covariance, real_.moments.count, count);
  record.seconds = seconds_since(start);
  return record;
}

double Evaluator::frechet_distance_of(const at::Tensor& features) const {
  return frechet_distance(real_.moments, moments_of(features));
}

Evaluators make_evaluators(const MetricsConfig& metrics, std::vector<std::unique_ptr<FeatureExtractor>> extractors,
                           const Dataset& train, const Dataset* test, std::int64_t resolution) {
  Evaluators evaluators;
  for (auto& extractor : extractors) {
    evaluators.push_back(std::make_unique<Evaluator>(metrics, std::move(extractor), train, test, resolution));
  }
  return evaluators;
}

MetricsRecord evaluate_all(const Evaluators& evaluators, const std::vector<Extraction>& generated) {
  MetricsRecord record = evaluators.at(0)->evaluate(generated.at(0));
  for (std::size_t i = 1; i < evaluators.size(); ++i) {
    auto other = evaluators[i]->evaluate(generated.at(i));
    record.seconds += other.seconds;
    record.others.push_back(std::move(other));
  }
  return record;
}

}  // namespace slopegan
