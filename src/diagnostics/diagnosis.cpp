#include "diagnostics/diagnosis.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "data/transform.h"
#include "diagnostics/layer_probe.h"
#include "diagnostics/vitals.h"
#include "models/named_tensors.h"
#include "sampling/samples.h"
#include "support/log.h"
#include "support/random.h"
#include "support/seconds_since.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// Limits the number of pairwise distances, which grows with the square of the number of images.
constexpr std::int64_t max_compared_images = 256;

/// mean_pairwise_distance needs two images.
constexpr std::int64_t fewest_probes = 2;

/// Copies a network, so that forward passes do not change the state of the original.
template <class Network, class NetworkConfig>
Network copy_network(const Network& live, const NetworkConfig& network, const Config& config, std::int64_t channels,
                     std::int64_t images) {
  Network copy(network, config.data.resolution, channels, static_cast<std::uint64_t>(config.seed));
  copy->to(live->parameters().front().device());
  restore_tensors(named_tensors(*copy), named_tensors(*live));
  copy->set_images(images);
  for (auto& parameter : copy->parameters()) parameter.requires_grad_(false);
  return copy;
}

std::int64_t round_up_to_batches(std::int64_t images, std::int64_t batch_size) {
  return (std::max(images, fewest_probes) + batch_size - 1) / batch_size * batch_size;
}

/// Appends images until max_compared_images are kept.
void keep_images(std::vector<at::Tensor>& kept, const at::Tensor& images) {
  std::int64_t count = 0;
  for (const auto& part : kept) count += part.size(0);
  const auto wanted = std::min(max_compared_images - count, images.size(0));
  if (wanted > 0) kept.push_back(images.narrow(0, 0, wanted).to(at::kCPU, at::kFloat));
}

void add_layers(std::vector<LayerDiagnosis>& layers, const BlockChainImpl& network, const LayerProbe& probe) {
  const auto slopes = network.negative_slopes();
  for (std::size_t i = 0; i < probe.layers().size(); ++i) {
    const auto& unit = probe.layers()[i];
    LayerDiagnosis layer;
    layer.name = network.name() + ".block" + std::to_string(i);
    layer.negative_slope = slopes[i];
    layer.units = unit.units();
    layer.values = unit.values();
    layer.never_positive = unit.never_positive();
    layer.always_positive = unit.always_positive();
    layer.dormant = unit.dormant();
    layer.negative_fraction = unit.negative_fraction();
    layer.slope_energy = unit.slope_energy();
    layers.push_back(std::move(layer));
  }
}

double joint_norm(const std::vector<at::Tensor>& tensors) {
  const at::NoGradGuard no_gradients;
  return at::stack(at::_foreach_norm(tensors)).to(at::kDouble).norm().item<double>();
}

Vitals vitals_of(const DiagnosticsRecord& record, const Generator& generator) {
  Vitals vitals;
  vitals.images = record.images;
  vitals.diversity = record.samples.diversity;
  vitals.saturated_fake = record.samples.saturated_fake;
  vitals.saturated_real = record.samples.saturated_real;
  vitals.accuracy_real = record.discriminator.accuracy_train;
  vitals.accuracy_fake = record.discriminator.accuracy_fake;
  double squares = 0;
  for (const auto& parameter : record.parameters) {
    if (parameter.name.starts_with("generator.")) squares += parameter.gradient_norm * parameter.gradient_norm;
  }
  vitals.generator_gradient_norm = std::sqrt(squares);
  vitals.generator_weight_norm = joint_norm(generator->parameters());
  return vitals;
}

}  // namespace

std::int64_t probe_count(const Config& config, std::int64_t channels) {
  const auto seed = static_cast<std::uint64_t>(config.seed);
  const Generator generator(config.generator, config.data.resolution, channels, seed);
  const Discriminator discriminator(config.discriminator, config.data.resolution, channels, seed);
  const auto values = config.diagnostics.probes;
  return round_up_to_batches(std::max(images_for(*generator, values), images_for(*discriminator, values)),
                             config.training.batch_size);
}

/// The logits for all probes, and up to max_compared_images of the training images and of the generated images.
struct Diagnosis::Outputs {
  std::vector<at::Tensor> train_logits, held_out_logits, fake_logits, train_images, fake_images;
};

Diagnosis::Reals::Reals(const Config& config, std::shared_ptr<const Dataset> from)
    : dataset(std::move(from)),
      order(keyed_permutation(static_cast<std::uint64_t>(config.seed), "diagnostics/reals", 0,
                              static_cast<std::uint32_t>(dataset->size()))) {}

at::Tensor Diagnosis::Reals::batch(const Config& config, std::int64_t begin) const {
  std::vector<std::int64_t> indices;
  for (std::int64_t i = begin; i < begin + config.training.batch_size; ++i) {
    indices.push_back(order[static_cast<std::size_t>(i % dataset->size())]);
  }
  return prepare_images(*dataset, indices, config.data.resolution);
}

Diagnosis::Diagnosis(const Config& config, const Compute& compute, const Dataset& train, std::int64_t probes)
    : config_(config),
      compute_(compute),
      // A non-owning pointer: the data set outlives this object.
      train_(config, std::shared_ptr<const Dataset>(std::shared_ptr<const Dataset>(), &train)),
      probes_(probes > 0 ? round_up_to_batches(probes, config.training.batch_size)
                         : probe_count(config, train.channels())) {
  if (const auto held_out = load_test_split(config.data, train)) held_out_.emplace(config, held_out);
}

Diagnosis::Outputs Diagnosis::run_probes(Generator& generator, Discriminator& discriminator) const {
  Outputs outputs;
  const auto batch = config_.training.batch_size;
  for (std::int64_t begin = 0; begin < probes_; begin += batch) {
    const auto latents = draw_latents(static_cast<std::uint64_t>(config_.seed), "diagnostics/latents", begin, batch,
                                      config_.generator.latent_dim);
    const auto fake = generator->forward(to_compute(latents, compute_));
    const auto real = train_.batch(config_, begin);
    outputs.fake_logits.push_back(discriminator->forward(to_compute(fake, compute_)));
    outputs.train_logits.push_back(discriminator->forward(to_compute(real, compute_)));
    keep_images(outputs.fake_images, fake);
    keep_images(outputs.train_images, real);
  }
  return outputs;
}

void Diagnosis::measure_networks(const Generator& live_generator, const Discriminator& live_discriminator,
                                 DiagnosticsRecord& record, std::vector<Histogram>* pre_activations) const {
  const auto channels = train_.dataset->channels();
  auto generator = copy_network(live_generator, config_.generator, config_, channels, record.images);
  auto discriminator = copy_network(live_discriminator, config_.discriminator, config_, channels, record.images);
  Outputs outputs;
  {
    const bool histograms = pre_activations != nullptr;
    const LayerProbe of_generator(*generator, histograms), of_discriminator(*discriminator, histograms);
    outputs = run_probes(generator, discriminator);
    add_layers(record.layers, *generator, of_generator);
    add_layers(record.layers, *discriminator, of_discriminator);
    for (const auto* probe : {&of_generator, &of_discriminator}) {
      if (!histograms) continue;
      pre_activations->insert(pre_activations->end(), probe->pre_activations().begin(), probe->pre_activations().end());
    }
  }
  // The held-out images pass through the discriminator after the layer probes have ended, so that the layer statistics
  // do not depend on whether there is a test split.
  for (std::int64_t begin = 0; held_out_ && begin < probes_; begin += config_.training.batch_size) {
    const auto images = to_compute(held_out_->batch(config_, begin), compute_);
    outputs.held_out_logits.push_back(discriminator->forward(images));
  }
  record.discriminator.image_gradient_norm =
      image_gradient_norm(discriminator, to_compute(train_.batch(config_, 0), compute_));
  measure_outputs(outputs, record);
}

void Diagnosis::measure_outputs(const Outputs& outputs, DiagnosticsRecord& record) {
  const auto train_logits = at::cat(outputs.train_logits), fake_logits = at::cat(outputs.fake_logits);
  record.discriminator.accuracy_train = accuracy(train_logits, true);
  record.discriminator.accuracy_fake = accuracy(fake_logits, false);
  if (!outputs.held_out_logits.empty())
    record.discriminator.accuracy_held_out = accuracy(at::cat(outputs.held_out_logits), true);
  record.discriminator.margin = (train_logits.mean() - fake_logits.mean()).item<double>();

  const auto train_images = at::cat(outputs.train_images), fake_images = at::cat(outputs.fake_images);
  if (const double real_distance = mean_pairwise_distance(train_images); real_distance > 0) {
    record.samples.diversity = mean_pairwise_distance(fake_images) / real_distance;
  }
  record.samples.saturated_real = saturated_share(train_images);
  record.samples.saturated_fake = saturated_share(fake_images);
}

DiagnosticsRecord Diagnosis::operator()(const Generator& generator, const Discriminator& discriminator,
                                        std::int64_t images, std::vector<ParameterDiagnosis> last_step,
                                        std::vector<Histogram>* pre_activations) const {
  const at::NoGradGuard no_gradients;
  const auto start = std::chrono::steady_clock::now();
  DiagnosticsRecord record;
  record.images = images;
  record.probes = probes_;
  record.parameters = std::move(last_step);
  measure_networks(generator, discriminator, record, pre_activations);
  record.sentinels = sentinels(vitals_of(record, generator));
  record.seconds = seconds_since(start);
  return record;
}

void SentinelWarnings::warn(const DiagnosticsRecord& record) {
  for (const auto& name : record.sentinels) {
    if (!warned_.insert(name).second) continue;
    log::warning(format_text("at {} images: ", record.images) + sentinel_text(name));
  }
}

std::vector<std::string> unsettled_shares(const DiagnosticsRecord& fewer, const DiagnosticsRecord& more) {
  constexpr double tolerance = 0.02;
  std::vector<std::string> sentences;
  const auto compare = [&](const LayerDiagnosis& layer, const char* name, double before, double after) {
    if (before - after <= tolerance) return;
    sentences.push_back(
        format_text("{}: {:.0f} % of the units were {} positive in {} probes, and {:.0f} % in {}; more probes would "
                    "lower this fraction further",
                    layer.name, 100 * before, name, fewer.probes, 100 * after, more.probes));
  };
  for (std::size_t i = 0; i < std::min(fewer.layers.size(), more.layers.size()); ++i) {
    const auto &before = fewer.layers[i], &after = more.layers[i];
    compare(after, "never", before.never_positive, after.never_positive);
    compare(after, "always", before.always_positive, after.always_positive);
  }
  return sentences;
}

}  // namespace slopegan
