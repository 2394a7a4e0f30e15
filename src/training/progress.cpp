#include "training/progress.h"

#include <algorithm>
#include <fstream>
#include <unistd.h>

#include "support/log.h"
#include "support/text.h"

namespace slopegan {

namespace {

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

std::string bar(double share) {
  const int width = 10, full = static_cast<int>(share * width);
  return std::string(static_cast<std::size_t>(full), '#') + std::string(static_cast<std::size_t>(width - full), '.');
}

}  // namespace

double resident_memory_mib() {
  std::ifstream file("/proc/self/statm");
  double size = 0, resident = 0;
  file >> size >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1024.0 * 1024.0);
}

Progress::Progress(std::int64_t images_at_start, std::int64_t total_images)
    : total_images_(total_images),
      start_(Clock::now()),
      shown_(start_),
      measured_(start_),
      measured_images_(images_at_start) {}

Progress::~Progress() { log::status_line(""); }

double Progress::seconds() const { return seconds_between(start_, Clock::now()); }

/// The speed of the last window, so that it follows a machine whose load changes; the first seconds count as they come.
void Progress::measure(std::int64_t images, Clock::time_point now) {
  const double elapsed = seconds_between(measured_, now);
  if (elapsed < 10 && measured_ != start_) return;
  if (elapsed > 0) speed_ = static_cast<double>(images - measured_images_) / elapsed;
  if (elapsed < 10) return;
  measured_ = now;
  measured_images_ = images;
}

void Progress::update(std::int64_t images, const StepStats& stats) {
  const auto now = Clock::now();
  measure(images, now);
  const double interval = log::status_line_visible() ? 0.2 : 10;
  if (seconds_between(shown_, now) < interval) return;
  shown_ = now;
  const double share = static_cast<double>(images) / static_cast<double>(total_images_);
  const double left = static_cast<double>(total_images_ - images) / std::max(speed_, 1e-9);
  const std::string numbers =
      format("%lld/%lld images, ETA %s, %.0f/s, loss D %.2f G %.2f, D(real) %.2f D(fake) %.2f",
             static_cast<long long>(images), static_cast<long long>(total_images_), clock_time(left).c_str(), speed_,
             stats.discriminator_loss, stats.generator_loss, stats.d_real, stats.d_fake);
  if (log::status_line_visible()) {
    log::status_line(format("[%s] %3.0f %% ", bar(share).c_str(), 100 * share) + numbers);
  } else {
    log::info(format("%3.0f %% ", 100 * share) + numbers);
  }
}

}  // namespace slopegan
