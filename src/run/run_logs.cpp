#include "run/run_logs.h"

#include <array>
#include <utility>

#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

template <class Logs>
auto named_files(Logs& logs) {
  return std::array{std::pair{"history.jsonl", &logs.history}, std::pair{"metrics.jsonl", &logs.metrics},
                    std::pair{"diagnostics.jsonl", &logs.diagnostics}};
}

}  // namespace

RunLogs::RunLogs(const RunPaths& run)
    : history(run.history_file()),
      metrics(run.metrics_file()),
      diagnostics(run.diagnostics_file()),
      events(run.root()) {
  sync_directory(run.root());  // the files must be on the disk before a checkpoint refers to their sizes
}

std::map<std::string, std::uint64_t> RunLogs::sizes() const {
  std::map<std::string, std::uint64_t> sizes = events.sizes();
  for (const auto& [name, file] : named_files(*this)) sizes[name] = file->size();
  return sizes;
}

void RunLogs::require(const RunPaths& run, const std::map<std::string, std::uint64_t>& sizes) {
  for (const auto& file : {run.history_file(), run.metrics_file(), run.diagnostics_file()}) {
    const std::string name = file.filename();
    const auto size = sizes.find(name);
    const auto present = file_size_or_zero(file);
    if (size == sizes.end() || present >= size->second) continue;
    throw IoError(
        format_text("{} is incomplete ({} of {} bytes), so the run cannot be resumed in place; start a new "
                    "run from its checkpoint with --resume PATH run.name=...",
                    name, present, size->second));
  }
}

void RunLogs::truncate_to(const std::map<std::string, std::uint64_t>& sizes) {
  for (const auto& [name, file] : named_files(*this)) {
    const auto size = sizes.find(name);
    file->truncate_to(size == sizes.end() ? 0 : size->second);
  }
  events.truncate_to(sizes);
}

void RunLogs::sync() {
  for (const auto& [name, file] : named_files(*this)) file->sync();
  events.sync();
}

}  // namespace slopegan
