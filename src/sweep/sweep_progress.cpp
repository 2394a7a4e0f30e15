#include "sweep/sweep_progress.h"

#include <algorithm>
#include <limits>

#include "support/errors.h"
#include "support/log.h"
#include "support/ranges.h"
#include "support/seconds_since.h"
#include "support/text.h"

namespace slopegan {

namespace {

std::optional<double> last_fd_of(const RunPaths& run) {
  if (!std::filesystem::exists(run.metrics_file())) return std::nullopt;
  const auto record = read_last_metrics(run.metrics_file());
  return record ? find_value(record->values, "fd") : std::nullopt;
}

std::size_t longest_name(const std::vector<const Arm*>& arms) {
  std::size_t longest = 0;
  for (const auto* arm : arms) longest = std::max(longest, arm->name.size());
  return longest;
}

}  // namespace

std::optional<ProgressView> arm_progress(const Arm& arm, std::int64_t total_images) {
  const RunPaths run(arm.directory);
  try {
    if (!std::filesystem::exists(run.history_file())) return std::nullopt;
    const auto record = read_last_history(run.history_file());
    if (!record) return std::nullopt;
    ProgressView view;
    view.images = record->images;
    view.total_images = total_images;
    view.images_per_second = record->images_per_second;
    view.seconds_left = record->images_per_second > 0
                            ? static_cast<double>(total_images - record->images) / record->images_per_second
                            : std::numeric_limits<double>::infinity();
    view.stats = *record;
    view.memory_mib = record->memory_mib;
    view.last_fd = last_fd_of(run);
    return view;
  } catch (const IoError&) {
    return std::nullopt;
  } catch (const std::filesystem::filesystem_error&) {
    return std::nullopt;
  }
}

std::string progress_text(const SweepView& view) {
  const double seconds_left = view.images_per_second > 0
                                  ? static_cast<double>(view.images_left) / view.images_per_second
                                  : std::numeric_limits<double>::infinity();
  std::string text = progress_bar(view.share) + format_text("{:3.0f} %  ETA {}  {} of {} arms done", 100 * view.share,
                                                            clock_time(seconds_left), view.over, view.total);
  if (view.failed > 0) text += format_text("  {} failed", view.failed);
  return text + format_text("  {:.0f}/s  {:.0f} MiB", view.images_per_second, view.memory_mib);
}

SweepProgress::SweepProgress(std::int64_t total_images)
    : total_images_(total_images), start_(Clock::now()), shown_(start_) {}

void SweepProgress::expect(const std::vector<const Arm*>& arms) {
  std::erase_if(images_, [&](const auto& known) { return !contains(arms, known.first); });
  for (const Arm* arm : arms) {
    if (images_.contains(arm)) continue;
    const auto view = arm_progress(*arm, total_images_);
    images_[arm] = view ? view->images : 0;
  }
}

SweepProgress::~SweepProgress() { log::status_line(""); }

// An arm that resumes from its checkpoint may at first be behind the last line of its history.
std::optional<ProgressView> SweepProgress::poll(const Arm& arm) {
  auto view = arm_progress(arm, total_images_);
  const auto known = images_.find(&arm);
  if (!view || known == images_.end()) return view;
  trained_ += std::max<std::int64_t>(0, view->images - known->second);
  known->second = view->images;
  return view;
}

void SweepProgress::end(const Arm& arm) {
  poll(arm);
  images_.erase(&arm);
}

SweepView SweepProgress::overall(std::size_t over, std::size_t failed, std::size_t total) const {
  SweepView view{over, failed, total};
  for (const auto& [arm, images] : images_) view.images_left += std::max<std::int64_t>(0, total_images_ - images);
  const double all = static_cast<double>(total) * static_cast<double>(total_images_);
  view.share = all > 0 ? 1 - static_cast<double>(view.images_left) / all : 1;
  const double seconds = seconds_since(start_);
  view.images_per_second = seconds > 0 ? static_cast<double>(trained_) / seconds : 0;
  return view;
}

void SweepProgress::update(const std::vector<const Arm*>& running, std::size_t over, std::size_t failed,
                           std::size_t total) {
  const bool in_place = log::status_line_visible();
  const auto now = Clock::now();
  if (now - shown_ < (in_place ? std::chrono::seconds(1) : std::chrono::seconds(30))) return;
  shown_ = now;
  const std::size_t width = longest_name(running) + 2, columns = log::status_columns();
  std::vector<std::string> lines;
  double memory_mib = 0;
  for (const auto* arm : running) {
    const auto view = poll(*arm);
    if (view) memory_mib += view->memory_mib;
    const std::string name = arm->name + std::string(width - arm->name.size(), ' ');
    if (!view) {
      lines.push_back(name + "starting");
    } else if (in_place) {
      lines.push_back(name + status_text(*view, columns > width ? columns - width : 0));
    } else {
      lines.push_back(name + plain_text(*view));
    }
  }
  SweepView all = overall(over, failed, total);
  all.memory_mib = memory_mib;
  lines.push_back(progress_text(all));
  if (in_place) return log::status_lines(lines);
  for (const auto& line : lines) log::info(line);
}

}  // namespace slopegan
