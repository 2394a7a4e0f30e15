#include "training/run_metrics.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "metrics/figures.h"
#include "sampling/samples.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/text.h"
#include "training/gan_step.h"

namespace slopegan {

std::unique_ptr<Evaluator> make_evaluator(const Config& config, const Dataset& train) {
  if (train.size() < Evaluator::least_images) {
    log::warning(format_text("metrics.names: there are no metrics, because they need at least {} images and {} has {}",
                             Evaluator::least_images, printable(train.name), train.size()));
    return nullptr;
  }
  const auto test = load_test_split(config.data, train);
  auto extractor = make_extractor(config.metrics.extractor, train, test.get(), config.data.resolution);
  return std::make_unique<Evaluator>(config.metrics, std::move(extractor), train, test.get(), config.data.resolution);
}

Extraction extract_generated(Evaluator& evaluator, const Config& config, Generator& generator, const Compute& compute,
                             std::int64_t set) {
  constexpr std::int64_t batch_images = 512;
  const auto latents = draw_latents(static_cast<std::uint64_t>(config.seed), "evaluation/latents", set,
                                    config.metrics.samples, config.generator.latent_dim);
  const InferenceGenerator inference(generator, compute.type);
  std::vector<Extraction> parts;
  for (const auto& part : latents.split(batch_images)) {
    const auto images = quantise_to_bytes(generate_images(inference, part));
    if (!images.isfinite().all().item<bool>()) {
      throw DivergedError("the generator in evaluation mode generates images that are not finite");
    }
    parts.push_back(evaluator.extractor().extract(images));
  }
  return concatenate(parts);
}

MetricsRecord evaluate_generator(Evaluator& evaluator, const Config& config, Generator& generator,
                                 const Compute& compute, std::int64_t images, bool repeat) {
  const auto start = std::chrono::steady_clock::now();
  generator->set_images(images);  // for scheduled slopes
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
  if (fd == record.values.end() || !std::isfinite(fd->second) || (lowest_fd_ && fd->second >= *lowest_fd_)) return;
  lowest_fd_ = fd->second;
  images_ = record.images;
}

namespace {

std::string summary_row(const char* name, const std::string& text) { return format_text("{:<12}", name) + text + "\n"; }

std::string time_text(const Progress& progress) {
  std::vector<std::string> parts;
  for (const Phase phase : phases) {
    const double seconds = progress.seconds_in(phase);
    if (phase == Phase::train || seconds >= 0.05) parts.push_back(name_of(phase) + format_text(" {:.1f} s", seconds));
  }
  return clock_time(progress.seconds()) + " (" + join(parts, ", ") + ")";
}

std::string metrics_text(const MetricsRecord& record, const BestSoFar& best) {
  const auto fd = record.values.find("fd");
  if (fd == record.values.end()) return "";
  std::string text = format_text("{:.4g} at {} images", fd->second, record.images);
  if (best.images()) text += format_text(", best {:.4g} at {}", *best.fd(), *best.images());
  if (const auto floor = record.floors.find("fd"); floor != record.floors.end()) {
    text += format_text(", floor {:.4g}", floor->second);
  }
  return summary_row("FD", text + "; " + metric_title("fd", record.extractor, record.samples));
}

}  // namespace

std::string run_summary(const Progress& progress, const std::optional<MetricsRecord>& last_metrics,
                        const BestSoFar& best, const std::string& checkpoint) {
  const ProgressView& view = progress.view();
  std::string text = summary_row("images", format_text("{} of {}", view.images, view.total_images));
  text += summary_row("time", time_text(progress));
  text += summary_row("speed", format_text("{:.0f} images/s at the end", view.images_per_second));
  text += summary_row("memory", format_text("{:.0f} MiB", resident_memory_mib()));
  text += summary_row(
      "last step", format_text("loss D {:.3f}, G {:.3f}; D(real) {:.2f}, D(fake) {:.2f}", view.stats.discriminator_loss,
                               view.stats.generator_loss, view.stats.d_real, view.stats.d_fake));
  if (last_metrics) text += metrics_text(*last_metrics, best);
  return text + summary_row("checkpoint", checkpoint);
}

}  // namespace slopegan
