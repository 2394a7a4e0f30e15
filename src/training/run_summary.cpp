#include "training/run_summary.h"

#include <vector>

#include "metrics/figures.h"
#include "support/text.h"

namespace slopegan {

namespace {

std::string line(const char* name, const std::string& text) { return format_text("{:<12}", name) + text + "\n"; }

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
  return line("FD", text + "; " + metric_title("fd", record.extractor, record.samples));
}

}  // namespace

std::string run_summary(const Progress& progress, const std::optional<MetricsRecord>& last_metrics,
                        const BestSoFar& best, const std::string& checkpoint) {
  const ProgressView& view = progress.view();
  std::string text = line("images", format_text("{} of {}", view.images, view.total_images));
  text += line("time", time_text(progress));
  text += line("speed", format_text("{:.0f} images/s at the end", view.images_per_second));
  text += line("memory", format_text("{:.0f} MiB", resident_memory_mib()));
  text += line("last step",
               format_text("loss D {:.3f}, G {:.3f}; D(real) {:.2f}, D(fake) {:.2f}", view.stats.discriminator_loss,
                           view.stats.generator_loss, view.stats.d_real, view.stats.d_fake));
  if (last_metrics) text += metrics_text(*last_metrics, best);
  return text + line("checkpoint", checkpoint);
}

}  // namespace slopegan
