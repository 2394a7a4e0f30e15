#include "sweep/report_refresher.h"

#include <thread>
#include <utility>

#include "support/errors.h"
#include "support/expand_path.h"
#include "support/log.h"
#include "support/signals.h"

namespace slopegan {

ReportRefresher::ReportRefresher(std::filesystem::path sweep_dir, std::chrono::seconds every)
    : sweep_dir_(std::move(sweep_dir)), every_(every) {}

void ReportRefresher::refresh_if_due() {
  collect();
  if (every_ == std::chrono::seconds(0) || process_ || Clock::now() - started_ < every_) return;
  started_ = Clock::now();
  try {
    process_.emplace(std::vector<std::string>{"--quiet", "report", unexpanded_path(sweep_dir_.native())});
  } catch (const IoError& error) {
    warn(error.what());
  }
}

void ReportRefresher::finish() {
  while (process_) {
    suspend_if_requested({&*process_});
    collect();
    if (process_) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void ReportRefresher::collect() {
  const auto code = process_ ? process_->poll() : std::nullopt;
  if (!code) return;
  if (*code != 0 && stop_signal() == 0) warn(process_->last_stderr_line());
  process_.reset();
}

/// Logs only the first failure.
void ReportRefresher::warn(const std::string& reason) {
  if (!std::exchange(warned_, true)) log::warning("the report could not be refreshed: " + reason);
}

}  // namespace slopegan
