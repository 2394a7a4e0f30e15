#include "run/checkpoint.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <functional>
#include <optional>
#include <stdexcept>
#include <stdio.h>
#include <unistd.h>
#include <utility>

#include "config/load.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/log.h"
#include "support/ranges.h"
#include "support/text.h"

namespace slopegan {

namespace fs = std::filesystem;

namespace {

constexpr auto state_name = "state.safetensors";
constexpr auto manifest_name = "manifest.json";
/// The minimum number of checkpoints to keep: the newest, and one more in case the newest is damaged.
constexpr std::ptrdiff_t fewest_kept = 2;
constexpr std::array link_names = {"latest", "best"};

fs::path temporary_path(const fs::path& checkpoints_dir, const std::string& name) {
  return checkpoints_dir / (std::string(temporary_prefix) + name + '-' + std::to_string(::getpid()));
}

/// Returns the number of images in the name of a checkpoint directory, or -1 for other names.
std::int64_t images_of(const fs::path& directory) {
  const std::string name = directory.filename();
  const auto images = parse_as<std::int64_t>(name);
  return images && *images >= 0 && std::to_string(*images) == name ? *images : -1;
}

void write_checkpoint(const fs::path& directory, const CheckpointInfo& info, const NamedTensors& tensors) {
  const FileDigest state = write_safetensors(directory / state_name, tensors, {{"format", "slopegan-checkpoint"}});
  write_file_atomic(directory / manifest_name, manifest_text({info, {{state_name, state}}}));
  try {
    verify_files(directory, read_manifest(directory));
  } catch (const CheckpointError& error) {
    throw IoError(std::string("a checkpoint was written but cannot be read back: ") + error.what());
  }
}

bool is_equal_and_intact(const fs::path& existing, const fs::path& written) {
  try {
    if (manifest_text(read_manifest(existing)) != manifest_text(read_manifest(written))) return false;
    verify_files(existing, read_manifest(existing));
    return true;
  } catch (const CheckpointError&) {
    return false;
  }
}

/// Exchanges the two directories, atomically if the file system supports it.
void exchange(const fs::path& written, const fs::path& existing) {
  if (::renameat2(AT_FDCWD, written.c_str(), AT_FDCWD, existing.c_str(), RENAME_EXCHANGE) == 0) return;
  const fs::path aside = written.native() + "-old";
  rename_path(existing, aside);
  try {
    rename_path(written, existing);
  } catch (...) {
    std::error_code ignored;
    fs::rename(aside, existing, ignored);
    throw;
  }
  rename_path(aside, written);
}

/// Renames the complete checkpoint `written` to `target`. If `target` is already equal and intact, removes `written`.
void publish(const fs::path& written, const fs::path& target) {
  std::error_code ignored;  // rename_path reports errors
  if (!fs::exists(fs::symlink_status(target, ignored))) {
    rename_path(written, target);
    sync_directory(target.parent_path());
    return;
  }
  if (!is_equal_and_intact(target, written)) {
    exchange(written, target);
    // Remove the old checkpoint only after the exchange is on the disk; otherwise, after a crash, the name could refer
    // to the old checkpoint with its files already removed.
    sync_directory(target.parent_path());
  }
  remove_tree(written);
}

/// Creates a symlink to a checkpoint. On file systems without symlinks (exFAT, some network shares), creates a file
/// that contains the name of the checkpoint instead. If the directory is not writable, the attempt to write that file
/// reports the error.
void point_at(const fs::path& checkpoints_dir, const std::string& link_name, const std::string& name) {
  const fs::path link = temporary_path(checkpoints_dir, link_name);
  std::error_code error;
  fs::remove(link, error);  // left by a killed process with the same process ID, which is common in containers
  fs::create_symlink(name, link, error);
  const bool is_refused = error == std::errc::operation_not_permitted || error == std::errc::permission_denied;
  if (is_refused || (error && is_unsupported(error.value()))) {
    return write_file_atomic(checkpoints_dir / link_name, name + "\n");
  }
  if (error) throw_io_error("create the symlink", link, error.value());
  rename_path(link, checkpoints_dir / link_name);
  sync_directory(checkpoints_dir);
}

/// The name of the checkpoint to which a symlink, or a file in its place, refers; empty if there is none.
fs::path target_of(const fs::path& link) {
  std::error_code error;
  const fs::path target = fs::read_symlink(link, error);
  if (!error) return target;
  if (!fs::is_regular_file(link, error)) return {};
  try {
    const std::string text = read_file(link, 64);
    return text.substr(0, text.find('\n'));
  } catch (const IoError&) {
    return {};
  }
}

/// Removes checkpoints. First renames the directories to temporary names and syncs the renames to disk, so that a
/// directory named by a number is never a partial checkpoint.
void remove_checkpoints(const fs::path& checkpoints_dir, const std::vector<fs::path>& directories) {
  if (directories.empty()) return;
  for (const fs::path& directory : directories) {
    rename_path(directory, temporary_path(checkpoints_dir, directory.filename().string()));
  }
  sync_directory(checkpoints_dir);
  remove_temporaries(checkpoints_dir);
}

void prune(const fs::path& checkpoints_dir, const std::string& written, std::int64_t keep) {
  const fs::path best = target_of(checkpoints_dir / "best").filename();
  std::vector<fs::path> old = list_checkpoints(checkpoints_dir);
  old.erase(old.begin(), old.begin() + std::min(std::ssize(old), std::max<std::ptrdiff_t>(keep, fewest_kept)));
  std::erase_if(
      old, [&](const fs::path& directory) { return directory.filename() == written || directory.filename() == best; });
  remove_checkpoints(checkpoints_dir, old);
}

}  // namespace

void save_checkpoint(const fs::path& checkpoints_dir, const CheckpointInfo& info, const NamedTensors& tensors,
                     std::int64_t keep) {
  if (info.images < 0) throw std::invalid_argument("the number of images of a checkpoint must not be negative");
  make_directories(checkpoints_dir);
  remove_temporaries(checkpoints_dir);
  restore_links(checkpoints_dir);
  const std::string name = std::to_string(info.images);
  const fs::path temporary = temporary_path(checkpoints_dir, name);
  make_directories(temporary);
  try {
    write_checkpoint(temporary, info, tensors);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
    throw;
  }
  // If publish() fails, the temporary directory may contain the old checkpoint with the same number of images; the next
  // save removes the directory.
  publish(temporary, checkpoints_dir / name);
  point_at(checkpoints_dir, "latest", name);
  prune(checkpoints_dir, name, keep);
}

void mark_best(const fs::path& checkpoints_dir, std::int64_t images) {
  restore_links(checkpoints_dir);
  const std::string name = std::to_string(images);
  const fs::path link = checkpoints_dir / "best";
  std::error_code ignored;
  if (fs::exists(checkpoints_dir / name, ignored)) {
    if (target_of(link) != name) point_at(checkpoints_dir, "best", name);
  } else if (!fs::exists(checkpoints_dir / target_of(link), ignored)) {
    fs::remove(link, ignored);  // its target was removed when the run resumed from an older checkpoint
  }
}

Checkpoint load_checkpoint(const fs::path& directory) {
  Manifest manifest = read_manifest(directory);
  if (!manifest.files.contains(state_name)) {
    throw CheckpointError(display(directory / manifest_name) + ": " + state_name + " is not listed");
  }
  verify_files(directory, manifest);
  return {directory, std::move(manifest.info), read_safetensors(directory / state_name).tensors};
}

Config checkpoint_config(const Checkpoint& checkpoint) {
  try {
    Config config =
        parse_config(checkpoint.info.config_yaml, (checkpoint.directory / manifest_name).string() + ", config");
    std::error_code ignored;
    const std::string& absolute = checkpoint.info.data_path;
    if (!fs::exists(config.data.path, ignored) && fs::exists(absolute, ignored)) config.data.path = absolute;
    return config;
  } catch (const UsageError& error) {
    throw CheckpointError(error.what());
  }
}

/// Whether a symlink to a checkpoint was replaced by a directory, which happens when a run is copied.
static bool is_copy(const fs::path& link) {
  std::error_code ignored;
  return fs::is_directory(fs::symlink_status(link, ignored));
}

/// Loads a checkpoint and checks that its number of images matches the name of its directory. Copies named latest or
/// best have no number in their name and are not checked.
static Checkpoint load_numbered(const fs::path& directory) {
  Checkpoint checkpoint = load_checkpoint(directory);
  const auto images = images_of(directory);
  if (images < 0 || checkpoint.info.images == images) return checkpoint;
  throw CheckpointError(
      display(directory / manifest_name) +
      format_text(": the number of images, {}, does not match the name of the directory", checkpoint.info.images));
}

std::vector<fs::path> list_checkpoints(const fs::path& checkpoints_dir) {
  std::vector<fs::path> found = entries_of(checkpoints_dir);
  std::erase_if(found, [](const fs::path& entry) {
    std::error_code ignored;
    return images_of(entry) < 0 || !fs::is_directory(entry, ignored);
  });
  std::sort(found.begin(), found.end(),
            [](const fs::path& a, const fs::path& b) { return images_of(a) > images_of(b); });
  return found;
}

static bool is_readable(const fs::path& directory) {
  try {
    load_numbered(directory);
    return true;
  } catch (const CheckpointError&) {
    return false;
  }
}

/// Renames a directory so that it is no longer a checkpoint.
static void rename_unreadable(const fs::path& directory) {
  const fs::path aside = directory.native() + "-unreadable";
  remove_tree(aside);
  rename_path(directory, aside);
  sync_directory(directory.parent_path());
}

std::vector<fs::path> remove_newer_checkpoints(const fs::path& checkpoints_dir, std::int64_t images) {
  restore_links(checkpoints_dir);
  std::vector<fs::path> removed = list_checkpoints(checkpoints_dir);
  std::erase_if(removed, [&](const fs::path& directory) { return images_of(directory) <= images; });
  if (removed.empty()) return removed;
  remove_temporaries(checkpoints_dir);  // left by a killed process with the same process ID
  point_at(checkpoints_dir, "latest", std::to_string(images));
  // Keep unreadable checkpoints: they may be intact if reading failed because of a disk, memory or permission problem.
  const auto unreadable = std::partition(removed.begin(), removed.end(), is_readable);
  for (auto it = unreadable; it != removed.end(); ++it) rename_unreadable(*it);
  removed.erase(unreadable, removed.end());
  remove_checkpoints(checkpoints_dir, removed);
  return removed;
}

namespace {

/// Returns the number of images in the manifest of a copy, or std::nullopt if the manifest is unreadable.
std::optional<std::int64_t> images_of_copy(const fs::path& copy) {
  try {
    return read_manifest(copy).info.images;
  } catch (const CheckpointError&) {
    return std::nullopt;
  }
}

/// The directories of all checkpoints, newest first: those named by a number, and the copies named latest and best
/// whose manifests are readable.
std::vector<fs::path> all_checkpoints(const fs::path& checkpoints_dir) {
  std::vector<fs::path> found = list_checkpoints(checkpoints_dir);
  std::vector<std::pair<std::int64_t, fs::path>> numbered;
  for (const fs::path& directory : found) numbered.emplace_back(images_of(directory), directory);
  for (const char* name : link_names) {
    const fs::path copy = checkpoints_dir / name;
    if (!is_copy(copy)) continue;
    if (const auto images = images_of_copy(copy)) numbered.emplace_back(*images, copy);
  }
  std::ranges::stable_sort(numbered, std::greater(), &std::pair<std::int64_t, fs::path>::first);
  found.clear();
  for (auto& [images, directory] : numbered) found.push_back(std::move(directory));
  return found;
}

/// Renames the copy to the name of the original checkpoint, or removes the copy if the original is intact. Then creates
/// the symlink. If the copy is unreadable, only renames it (rename_unreadable).
void replace_by_link(const fs::path& copy) {
  const auto images = is_readable(copy) ? images_of_copy(copy) : std::nullopt;
  if (!images) return rename_unreadable(copy);
  const fs::path checkpoints_dir = copy.parent_path();
  const std::string link_name = copy.filename(), name = std::to_string(*images);
  const fs::path numbered = checkpoints_dir / name;
  std::error_code ignored;
  if (fs::exists(numbered, ignored) && !is_readable(numbered)) rename_unreadable(numbered);
  if (fs::exists(numbered, ignored)) {
    remove_checkpoints(checkpoints_dir, {copy});
  } else {
    rename_path(copy, numbered);
    sync_directory(checkpoints_dir);
  }
  point_at(checkpoints_dir, link_name, name);
}

}  // namespace

void restore_links(const fs::path& checkpoints_dir) {
  for (const char* name : link_names) {
    if (is_copy(checkpoints_dir / name)) replace_by_link(checkpoints_dir / name);
  }
}

std::optional<Checkpoint> load_newest(const fs::path& checkpoints_dir, std::vector<std::string>& warnings) {
  std::vector<std::string> reasons;
  for (const fs::path& directory : all_checkpoints(checkpoints_dir)) {
    try {
      Checkpoint checkpoint = load_numbered(directory);
      for (const auto& reason : reasons) warnings.push_back("skipped a damaged checkpoint: " + reason);
      return checkpoint;
    } catch (const NewerFormatError&) {
      throw;
    } catch (const CheckpointError& error) {
      reasons.push_back(error.what());
    }
  }
  if (reasons.empty()) return std::nullopt;
  throw CheckpointError(display(checkpoints_dir) + " has only damaged checkpoints: " + join(reasons, "; "));
}

std::optional<Checkpoint> load_newest(const fs::path& checkpoints_dir) {
  std::vector<std::string> warnings;
  auto checkpoint = load_newest(checkpoints_dir, warnings);
  for (const auto& warning : warnings) log::warning(warning);
  return checkpoint;
}

/// Whether `path` is a file that takes the place of the symlink checkpoints/latest or checkpoints/best; see point_at.
static bool is_link_file(const fs::path& path) {
  std::error_code ignored;
  const bool has_name = contains(link_names, path.filename());
  return has_name && fs::is_regular_file(path, ignored) && images_of(target_of(path)) >= 0;
}

/// Returns `given` with symlinks resolved and without a trailing slash, or unchanged if it cannot be resolved.
static fs::path without_links(const fs::path& given) {
  std::error_code error;
  const fs::path path = fs::canonical(given, error);
  return error ? given : path;
}

bool is_run_or_checkpoint(const fs::path& given) {
  std::error_code ignored;
  return fs::exists(given / "checkpoints", ignored) || fs::exists(given / manifest_name, ignored) ||
         is_link_file(without_links(given));
}

fs::path resolve_checkpoint(const fs::path& given) {
  std::error_code ignored;
  if (!fs::exists(given, ignored)) throw CheckpointError(display(given) + " does not exist");
  // Callers read the number of images from the name of the directory, so resolve the symlink checkpoints/latest and
  // remove a trailing slash.
  fs::path path = without_links(given);
  if (is_link_file(path)) path = path.parent_path() / target_of(path);
  if (fs::exists(path / manifest_name, ignored)) return path;
  const fs::path checkpoints_dir = path / "checkpoints";
  // Do not follow the symlink checkpoints/latest. If a process was killed after publishing a checkpoint but before
  // updating the symlink, the symlink refers to an older checkpoint. A run that resumed from the older checkpoint would
  // remove the newer one.
  const auto all = all_checkpoints(checkpoints_dir);
  const auto newest =
      std::ranges::find_if(all, [&](const fs::path& found) { return fs::exists(found / manifest_name, ignored); });
  if (newest != all.end()) return *newest;
  if (!all.empty()) return all.front();
  if (fs::is_directory(path / "runs", ignored)) {
    throw CheckpointError(display(path) + " is a sweep; use one of its runs, " + display(path / "runs" / "..."));
  }
  if (fs::is_directory(checkpoints_dir, ignored) || fs::exists(path / "config.yaml", ignored)) {
    throw CheckpointError(display(path) + " is a run that has no checkpoints yet");
  }
  throw CheckpointError(display(path) + " is neither a checkpoint (checkpoints/<images>) nor a run with one");
}

}  // namespace slopegan
