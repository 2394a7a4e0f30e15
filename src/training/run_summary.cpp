#include "training/run_summary.h"

#include <vector>

#include "support/text.h"

namespace slopegan {

namespace {

std::string line(const char* name, const std::string& text) { return format("%-12s", name) + text + "\n"; }

std::string time_text(const Progress& progress) {
  std::vector<std::string> parts;
  for (const Phase phase : phases) {
    const double seconds = progress.seconds_in(phase);
    if (phase == Phase::train || seconds >= 0.05) parts.push_back(name_of(phase) + format(" %.1f s", seconds));
  }
  return clock_time(progress.seconds()) + " (" + join(parts, ", ") + ")";
}

std::string metrics_text(const MetricsRecord& record, const BestSoFar& best) {
  const auto fd = record.values.find("fd");
  if (fd == record.values.end()) return "";
  std::string text = format("%.4g at %lld images", fd->second, static_cast<long long>(record.images));
  if (best.images()) text += format(", best %.4g at %lld", *best.fd(), static_cast<long long>(*best.images()));
  if (const auto floor = record.floors.find("fd"); floor != record.floors.end()) {
    text += format(", floor %.4g", floor->second);
  }
  return line("FD", text + "; " + metric_title("fd", record));
}

}  // namespace

std::string run_summary(const Progress& progress, const std::optional<MetricsRecord>& last_metrics,
                        const BestSoFar& best, const std::string& checkpoint) {
  const ProgressView& view = progress.view();
  std::string text = line(
      "images", format("%lld of %lld", static_cast<long long>(view.images), static_cast<long long>(view.total_images)));
  text += line("time", time_text(progress));
  text += line("speed", format("%.0f images/s at the end", view.images_per_second));
  text += line("memory", format("%.0f MiB", resident_memory_mib()));
  text += line("last step", format("loss D %.3f, G %.3f; D(real) %.2f, D(fake) %.2f", view.stats.discriminator_loss,
                                   view.stats.generator_loss, view.stats.d_real, view.stats.d_fake));
  if (last_metrics) text += metrics_text(*last_metrics, best);
  return text + line("checkpoint", checkpoint);
}

}  // namespace slopegan
