#include "training/resume.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "config/print.h"
#include "sampling/samples.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/log.h"
#include "support/text.h"
#include "training/run_files.h"

namespace slopegan {

namespace {

bool is_of(const RunDirectory& directory, const Checkpoint& checkpoint) {
  std::error_code error;
  return std::filesystem::equivalent(checkpoint.directory.parent_path(), directory.checkpoints_dir(), error);
}

/// Going on from an older checkpoint leaves the way that the newer ones came: --resume auto must not return to it, nor
/// a time sheet show it.
void remove_later(const RunDirectory& directory, std::int64_t images) {
  for (const auto& newer : remove_newer_checkpoints(directory.checkpoints_dir(), images)) {
    log::info("removed " + printable(newer.string()) + ", which came after the checkpoint to resume from");
  }
  for (const auto sample : sample_counts(directory)) {
    if (sample > images) remove_tree(directory.samples_file(sample));
  }
}

}  // namespace

void check_resumable(const Config& config, const Dataset& dataset, const Checkpoint& checkpoint) {
  const Config saved = checkpoint_config(checkpoint);
  // What may differ: names and places, how long and how often, and how the machine is used.
  static const std::vector<std::string> free = {"run.",
                                                "data.path",
                                                "training.total_images",
                                                "training.threads",
                                                "training.precision",
                                                "training.device",
                                                "samples.",
                                                "checkpoint.",
                                                "metrics.",
                                                "diagnostics.",
                                                "events.",
                                                "sweep."};
  std::vector<std::string> problems;
  for (const auto& difference : differences(saved, config)) {
    const bool is_free = std::any_of(free.begin(), free.end(),
                                     [&](const std::string& prefix) { return difference.key.starts_with(prefix); });
    if (!is_free) problems.push_back(difference.key + ": " + difference.before + " -> " + difference.after);
  }
  // Imported weights come without a word of their images.
  if (!checkpoint.info.dataset_hash.empty() && checkpoint.info.dataset_hash != dataset.hash) {
    problems.push_back("the images at data.path have another SHA-256: " + printable(checkpoint.info.dataset_hash, 12) +
                       " -> " + dataset.hash.substr(0, 12));
  }
  if (problems.empty()) return;
  throw CheckpointError(printable(checkpoint.directory.string()) +
                        " was trained with other values and cannot be resumed with these (" + join(problems, ", ") +
                        "); choose another run.name, or the old values");
}

void rewind_to(const Checkpoint& checkpoint, const RunDirectory& directory, RunLogs& logs) {
  const bool own = is_of(directory, checkpoint);
  const auto sizes = own ? checkpoint.info.file_offsets : std::map<std::string, std::uint64_t>();
  logs.require(sizes);
  if (own) remove_later(directory, checkpoint.info.images);
  logs.truncate_to(sizes);
}

}  // namespace slopegan
