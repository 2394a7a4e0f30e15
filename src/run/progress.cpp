#include "run/progress.h"

#include <algorithm>
#include <limits>

#include "support/log.h"
#include "support/machine.h"
#include "support/text.h"

namespace slopegan {

namespace {

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

double fraction_of(const ProgressView& view) {
  return static_cast<double>(view.images) / static_cast<double>(view.total_images);
}

/// Returns the parts of the status, most important first.
std::vector<std::string> parts_of(const ProgressView& view) {
  std::vector<std::string> parts = {format_text("{:3.0f} %", 100 * fraction_of(view)),
                                    "ETA " + clock_time(view.seconds_left)};
  if (view.phase) parts.emplace_back(name_of(*view.phase));
  parts.push_back(format_text("{:.0f}/s", view.images_per_second));
  if (view.last_fd) parts.push_back(format_text("FD {:.4g}", *view.last_fd));
  parts.push_back(format_text("loss D {:.2f} G {:.2f}", view.stats.discriminator_loss, view.stats.generator_loss));
  parts.push_back(format_text("{}/{} images", view.images, view.total_images));
  parts.push_back(format_text("D(real) {:.2f} D(fake) {:.2f}", view.stats.d_real, view.stats.d_fake));
  parts.push_back(format_text("{:.0f} MiB", view.memory_mib));
  return parts;
}

}  // namespace

std::string progress_bar(double fraction) {
  constexpr std::size_t width = 10;
  const auto full = static_cast<std::size_t>(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(width));
  return "[" + std::string(full, '#') + std::string(width - full, '.') + "] ";
}

std::string status_text(const ProgressView& view, std::size_t columns) {
  constexpr std::size_t columns_with_bar = 40;
  std::string text = columns < columns_with_bar ? "" : progress_bar(fraction_of(view));
  std::string separator;
  for (const auto& part : parts_of(view)) {
    if (text.size() + separator.size() + part.size() > columns) break;
    text += separator + part;
    separator = "  ";
  }
  return text;
}

std::string plain_text(const ProgressView& view) { return join(parts_of(view), ", "); }

double resident_memory_mib() { return resident_memory_bytes() / (1024.0 * 1024.0); }

Progress::Progress(std::int64_t images_at_start, std::int64_t total_images)
    : images_at_start_(images_at_start),
      start_(Clock::now()),
      entered_(start_),
      shown_(start_),
      measured_images_(images_at_start) {
  view_.images = images_at_start;
  view_.total_images = total_images;
}

Progress::~Progress() { log::status_line(""); }

double Progress::seconds() const { return seconds_between(start_, Clock::now()); }

double Progress::seconds_in(Phase phase) const {
  const double before = seconds_[static_cast<std::size_t>(phase)];
  return phase == phase_ ? before + seconds_between(entered_, Clock::now()) : before;
}

void Progress::enter(Phase phase) {
  const auto now = Clock::now();
  seconds_[static_cast<std::size_t>(phase_)] += seconds_between(entered_, now);
  entered_ = now;
  phase_ = phase;
  // A terminal shows a new phase immediately; a log does not.
  if (log::status_line_visible() && phase != Phase::train) show();
}

/// Measures the speed over the last window of training time, so that it reflects the current load on the machine. Until
/// the first window ends, measures the speed since the start. The estimate of the remaining time assumes that the other
/// phases continue to take as much time per image as before.
void Progress::measure() {
  constexpr double window = 10;
  const double trained = seconds_in(Phase::train), elapsed = trained - measured_seconds_;
  if (elapsed > 0 && (elapsed >= window || measured_seconds_ == 0)) {
    view_.images_per_second = static_cast<double>(view_.images - measured_images_) / elapsed;
  }
  if (elapsed >= window) {
    measured_seconds_ = trained;
    measured_images_ = view_.images;
  }
  const auto left = static_cast<double>(view_.total_images - view_.images);
  const double others = std::max(seconds() - trained, 0.0);
  const auto done = static_cast<double>(std::max<std::int64_t>(1, view_.images - images_at_start_));
  view_.seconds_left = view_.images_per_second > 0 ? left / view_.images_per_second + left * others / done
                                                   : std::numeric_limits<double>::infinity();
}

void Progress::show() {
  shown_ = Clock::now();
  view_.phase = phase_;
  view_.memory_mib = resident_memory_mib();
  if (log::status_line_visible()) {
    log::status_line(status_text(view_, log::status_columns()));
  } else {
    log::info(plain_text(view_));
  }
}

void Progress::update(std::int64_t images, const StepStats& stats) {
  view_.images = images;
  view_.stats = stats;
  measure();
  // Write the first log line after one second, so that the user soon sees the speed.
  const double interval = log::status_line_visible() ? 0.2 : shown_ == start_ ? 1 : 10;
  if (seconds_between(shown_, Clock::now()) >= interval) show();
}

std::string summary_row(const char* name, const std::string& text) { return format_text("{:<12}", name) + text + "\n"; }

static std::string time_text(const Progress& progress) {
  std::vector<std::string> parts;
  for (const Phase phase : enum_values<Phase>) {
    const double seconds = progress.seconds_in(phase);
    if (phase == Phase::train || seconds >= 0.05) parts.push_back(name_of(phase) + format_text(" {:.1f} s", seconds));
  }
  return clock_time(progress.seconds()) + " (" + join(parts, ", ") + ")";
}

std::string progress_summary(const Progress& progress) {
  const ProgressView& view = progress.view();
  std::string text = summary_row("images", format_text("{} of {}", view.images, view.total_images));
  text += summary_row("time", time_text(progress));
  text += summary_row("speed", format_text("{:.0f} images/s at the end", view.images_per_second));
  text += summary_row("memory", format_text("{:.0f} MiB", resident_memory_mib()));
  return text + summary_row("last step", format_text("loss D {:.3f}, G {:.3f}; D(real) {:.2f}, D(fake) {:.2f}",
                                                     view.stats.discriminator_loss, view.stats.generator_loss,
                                                     view.stats.d_real, view.stats.d_fake));
}

}  // namespace slopegan
