#include "training/run_metrics.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "sampling/samples.h"
#include "support/errors.h"
#include "training/gan_step.h"

namespace slopegan {

std::unique_ptr<Evaluator> make_evaluator(const Config& config, const Dataset& train) {
  const auto test = has_split(config.data, Split::test) ? load_dataset(config.data, Split::test) : nullptr;
  auto extractor = make_extractor(config.metrics.extractor, train, test.get(), config.data.resolution);
  return std::make_unique<Evaluator>(config.metrics, std::move(extractor), train, test.get(), config.data.resolution);
}

Extraction extract_generated(Evaluator& evaluator, const Config& config, Generator& generator, const Compute& compute,
                             std::int64_t set) {
  constexpr std::int64_t images_at_a_time = 512;
  const auto latents = draw_latents(static_cast<std::uint64_t>(config.seed), "evaluation/latents", set,
                                    config.metrics.samples, config.generator.latent_dim);
  const InferenceGenerator inference(generator, compute.type);
  std::vector<Extraction> parts;
  for (const auto& part : latents.split(images_at_a_time)) {
    const auto images = quantise_to_bytes(generate_images(inference, part));
    if (!images.isfinite().all().item<bool>()) {
      throw DivergedError("the generator in evaluation mode makes images that are not finite");
    }
    parts.push_back(evaluator.extractor().extract(images));
  }
  return concatenate(parts);
}

MetricsRecord evaluate_generator(Evaluator& evaluator, const Config& config, Generator& generator,
                                 const Compute& compute, std::int64_t images, bool repeat) {
  const auto start = std::chrono::steady_clock::now();
  generator->set_images(images);  // a scheduled slope has moved on with the step
  auto record = evaluator.evaluate(extract_generated(evaluator, config, generator, compute, 0));
  record.images = images;
  if (repeat && record.values.contains("fd")) {
    record.fd_repeat =
        evaluator.frechet_distance_of(extract_generated(evaluator, config, generator, compute, 1).features);
  }
  record.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return record;
}

void BestSoFar::add(const MetricsRecord& record) {
  if (record.extractor != extractor_ || record.samples != samples_) {
    *this = BestSoFar();
    extractor_ = record.extractor;
    samples_ = record.samples;
  }
  const auto fd = record.values.find("fd");
  if (fd == record.values.end() || !std::isfinite(fd->second) || (least_ && fd->second >= *least_)) return;
  least_ = fd->second;
  images_ = record.images;
}

}  // namespace slopegan
