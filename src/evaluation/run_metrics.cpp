#include "evaluation/run_metrics.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "metrics/figures.h"
#include "run/progress.h"
#include "sampling/samples.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/seconds_since.h"
#include "support/signals.h"
#include "support/text.h"

namespace slopegan {

void check_metrics(const Config& config, const Dataset& train) {
  if (config.metrics.every_images == 0 || train.size() < Evaluator::least_images) return;
  for (const auto& choice : config.metrics.extractor.choices) check_extractor(choice, train, config.data.as_in_0_9);
}

Evaluators make_evaluators(const Config& config, const Dataset& train, at::Device device) {
  if (train.size() < Evaluator::least_images) {
    log::warning(
        format_text("metrics.names: no metrics are computed, because they need at least {} images and {} has only {}",
                    Evaluator::least_images, printable(train.name), train.size()));
    return {};
  }
  const auto test = load_test_split(config.data, train);
  auto extractors = make_extractors(config.metrics.extractor.choices, train, test.get(), config.data.resolution,
                                    config.data.as_in_0_9);
  for (const auto& extractor : extractors) extractor->move_to(device);
  return make_evaluators(config.metrics, std::move(extractors), train, test.get(), config.data.resolution);
}

std::vector<Extraction> extract_generated(const Evaluators& evaluators, const Config& config, Generator& generator,
                                          const Compute& compute, std::int64_t set) {
  constexpr std::int64_t batch_images = 512;
  const auto latents = draw_latents(static_cast<std::uint64_t>(config.seed), "evaluation/latents", set,
                                    config.metrics.samples, config.generator.latent_dim);
  const InferenceGenerator inference(generator, compute.type);
  std::vector<std::vector<Extraction>> parts(evaluators.size());
  for (const auto& part : latents.split(batch_images)) {
    if (const int signal = stop_signal()) {
      throw StoppedError(signal, "stopped during an evaluation, which is repeated when the run resumes");
    }
    const auto images = quantise_to_bytes(generate_images(inference, part));
    if (!images.isfinite().all().item<bool>()) {
      throw DivergedError("the generator in evaluation mode generates images that are not finite");
    }
    for (std::size_t i = 0; i < evaluators.size(); ++i) {
      parts[i].push_back(evaluators[i]->extractor().extract(images));
    }
  }
  std::vector<Extraction> extractions;
  for (const auto& part : parts) extractions.push_back(concatenate(part));
  return extractions;
}

MetricsRecord evaluate_generator(const Evaluators& evaluators, const Config& config, Generator& generator,
                                 const Compute& compute, std::int64_t images, bool repeat) {
  const auto start = std::chrono::steady_clock::now();
  generator->set_images(images);  // for scheduled slopes
  auto record = evaluate_all(evaluators, extract_generated(evaluators, config, generator, compute, 0));
  record.images = images;
  if (repeat && record.values.contains("fd")) {
    const auto again = extract_generated(evaluators, config, generator, compute, 1);
    record.fd_repeat = evaluators[0]->frechet_distance_of(again[0].features);
    for (std::size_t i = 1; i < evaluators.size(); ++i) {
      record.others[i - 1].fd_repeat = evaluators[i]->frechet_distance_of(again[i].features);
    }
  }
  record.seconds = seconds_since(start);
  return record;
}

namespace {

/// "FD[…] = 3.2", preceded by the kernel distance if there are few images. Empty if there are no distances.
std::string distances_text(const RulerFigures& ruler, std::int64_t samples) {
  std::vector<std::string> parts;
  const auto add = [&](const char* key, const std::string& remark) {
    const auto value = find_value(ruler.values, key);
    if (!value) return;
    parts.push_back(format_text("{} = {:.4g}{}", metric_title(key, ruler.extractor, samples), *value, remark));
  };
  const bool few = has_few_images(ruler, samples);
  if (few) add("kd", "");
  const char* bias = is_mostly_bias(ruler, samples) ? ": mostly bias" : "";
  add("fd", few ? format_text(" (few images for {} features{})", ruler.features, bias) : "");
  return join(parts, ", ");
}

}  // namespace

std::vector<std::string> evaluation_lines(const MetricsRecord& record) {
  std::vector<std::string> lines = {distances_text(record, record.samples)};
  for (const auto& other : record.others) lines.push_back(distances_text(other, record.samples));
  std::erase(lines, "");
  return lines;
}

void BestSoFar::add(const MetricsRecord& record) {
  if (record.extractor != extractor_ || record.samples != samples_) {
    *this = BestSoFar();
    extractor_ = record.extractor;
    samples_ = record.samples;
  }
  const auto fd = find_value(record.values, "fd");
  if (!fd || !std::isfinite(*fd) || (lowest_fd_ && *fd >= *lowest_fd_)) return;
  lowest_fd_ = fd;
  images_ = record.images;
}

std::string metrics_row(const MetricsRecord& last, const BestSoFar& best) {
  const auto fd = find_value(last.values, "fd");
  if (!fd) return "";
  if (has_few_images(last, last.samples)) return summary_row("metrics", distances_text(last, last.samples));
  std::string text = format_text("{:.4g} at {} images", *fd, last.images);
  if (best.images()) text += format_text(", best {:.4g} at {}", *best.fd(), *best.images());
  if (const auto floor = find_value(last.floors, "fd")) text += format_text(", floor {:.4g}", *floor);
  return summary_row("FD", text + "; " + metric_title("fd", last.extractor, last.samples));
}

}  // namespace slopegan
