#include "sweep/sweep.h"

#include <algorithm>

#include "config/earlier_defaults.h"
#include "config/print.h"
#include "run/checkpoint.h"
#include "run/run_directory.h"
#include "support/errors.h"
#include "support/file_lock.h"
#include "support/files.h"
#include "support/log.h"
#include "support/ranges.h"
#include "support/text.h"

namespace slopegan {

/// Parses a whole number; returns −1 if `text` is not one.
static std::int64_t parse_integer(std::string_view text) { return parse_as<std::int64_t>(text).value_or(-1); }

Shard parse_shard(const std::string& text) {
  const auto slash = text.find('/');
  Shard shard{parse_integer(std::string_view(text).substr(0, slash)),
              slash == std::string::npos ? -1 : parse_integer(std::string_view(text).substr(slash + 1))};
  if (shard.count < 1 || shard.index < 1 || shard.index > shard.count) {
    throw UsageError("--shard " + printable(text) + " is not I/N with 1 <= I <= N, such as 2/8");
  }
  return shard;
}

std::vector<Arm> arms_of_shard(const std::vector<Arm>& all, const Shard& shard) {
  std::vector<Arm> mine;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (static_cast<std::int64_t>(i) % shard.count == shard.index - 1) mine.push_back(all[i]);
  }
  return mine;
}

/// The manifests of the arms' newest checkpoints. Unreadable ones are omitted, because the arms report the errors.
static std::vector<CheckpointInfo> arm_checkpoints(const std::filesystem::path& directory) {
  std::vector<CheckpointInfo> found;
  for (const auto& arm : entries_of(directory / "runs")) {
    const auto checkpoints = list_checkpoints(RunPaths(arm).checkpoints_dir());
    try {
      if (!checkpoints.empty()) found.push_back(read_manifest(checkpoints.front()).info);
    } catch (const CheckpointError&) {
      continue;
    }
  }
  return found;
}

Config load_sweep(const std::filesystem::path& directory) {
  Config config = load_stored_config(directory / "sweep.yaml").config;
  config.run.name = directory_name(directory);
  std::error_code ignored;
  if (std::filesystem::exists(config.data.path, ignored)) return config;
  for (const auto& checkpoint : arm_checkpoints(directory)) {
    if (!std::filesystem::exists(checkpoint.data_path, ignored)) continue;
    config.data.path = checkpoint.data_path;
    break;
  }
  return config;
}

Config as_existing_sweep(const LoadedConfig& given) {
  const auto file = configured_directory(given.config.run) / "sweep.yaml";
  if (!std::filesystem::exists(file)) return given.config;
  const Config stored = load_stored_config(file).config;
  const auto kept = kept_defaults(given, stored);
  if (kept != 0) log::info(kept_defaults_text(kept));
  Config config = with_earlier_defaults(given.config, kept);
  config.data.as_in_0_9 = stored.data.as_in_0_9 && !given.sets_reading_of_data();
  return config;
}

bool has_results(const std::filesystem::path& directory) {
  const auto arms = entries_of(directory / "runs");
  return std::ranges::any_of(
      arms, [](const std::filesystem::path& arm) { return file_size_or_zero(RunPaths(arm).history_file()) > 0; });
}

bool is_in_training(const std::filesystem::path& sweep_dir) {
  return std::ranges::any_of(entries_of(sweep_dir / "runs"), [](const std::filesystem::path& arm) {
    return lock_holder(RunPaths(arm).lock_file()).has_value();
  });
}

/// Whether `after` only adds conditions at the end, so that the names of the arms keep their meaning.
static bool extends(const CrossConditions& before, const CrossConditions& after) {
  return !before.list.empty() && after.list.size() >= before.list.size() &&
         std::equal(before.list.begin(), before.list.end(), after.list.begin());
}

/// The values that differ from those of the sweep in `directory` and affect its results.
static std::vector<std::string> differences_from(const std::filesystem::path& directory, const Config& config,
                                                 const std::string& dataset_hash) {
  static const std::vector<std::string> changeable = {
      "sweep.negative_slope", "sweep.control",      "sweep.seeds", "sweep.jobs",     "sweep.alpha", "sweep.equivalence",
      "sweep.give_up",        "sweep.stop_running", "run.name",    "run.output_dir", "data.path",   "training.threads",
      "training.total_images"};
  std::vector<std::string> problems;
  const Config before = load_sweep(directory);
  for (const auto& difference : differences(before, config)) {
    if (difference.key == "sweep.cross" && extends(before.sweep.cross, config.sweep.cross)) continue;
    if (contains(changeable, difference.key)) continue;
    problems.push_back(difference.key + ": " + difference.before + " -> " + difference.after);
  }
  const auto arms = arm_checkpoints(directory);
  const bool other_images = std::ranges::any_of(
      arms, [&](const CheckpointInfo& arm) { return arm.was_trained_on_other_images(dataset_hash); });
  if (other_images) problems.emplace_back("the images at data.path have a different SHA-256");
  return problems;
}

/// Whether the directory has visible entries but no sweep.yaml, or is a file. Hidden entries may be temporary files of
/// another shard that is starting at the same moment.
static bool holds_something_else(const std::filesystem::path& directory) {
  std::error_code error;
  if (std::filesystem::is_regular_file(directory, error)) return true;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (!entry.path().filename().native().starts_with('.')) return !std::filesystem::exists(directory / "sweep.yaml");
  }
  return false;
}

void check_sweep_directory(const Config& config) {
  const std::filesystem::path directory = configured_directory(config.run);
  if (std::filesystem::exists(directory / "sweep.yaml")) return;
  refuse_link(directory);
  if (!holds_something_else(directory)) return;
  throw UsageError(display(directory) + " exists and is not a sweep; choose another name with run.name=...");
}

std::filesystem::path open_sweep(const Config& config, const std::string& dataset_hash) {
  check_sweep_directory(config);
  const std::filesystem::path directory = configured_directory(config.run);
  const auto file = directory / "sweep.yaml";
  if (std::filesystem::exists(file)) {
    const bool may_change = !has_results(directory) && !is_in_training(directory);
    const auto problems = may_change ? std::vector<std::string>() : differences_from(directory, config, dataset_hash);
    if (!problems.empty()) {
      throw UsageError(printable(directory.string()) + " contains a sweep with different values (" +
                       join(problems, ", ") + "); choose another run.name or use the old values");
    }
  }
  make_directories(directory);
  write_file_atomic(file, to_yaml(config));
  make_directories(directory / "runs");
  return directory;
}

}  // namespace slopegan
