#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "run/manifest.h"
#include "run/safetensors.h"

/// The checkpoints of a run: checkpoints/<images>/{state.safetensors, manifest.json}, and the symlinks
/// checkpoints/latest and checkpoints/best. A directory named by a number is always a complete checkpoint, because it
/// is written under a temporary name, synced to disk and verified before it is renamed.
///
/// Programs that copy runs (cp -rL, scp -r, zip) turn the symlinks into directories. Such a directory is read as a copy
/// of a checkpoint, and the manifest provides its number of images. restore_links replaces the directory with a symlink
/// again.
namespace slopegan {

struct Checkpoint {
  std::filesystem::path directory;
  CheckpointInfo info;
  NamedTensors tensors;
};

/// Writes checkpoints/<info.images> and points checkpoints/latest at it. Then removes older checkpoints, except for the
/// newest `keep` (at least two), the new one, and the target of checkpoints/best. An existing checkpoint with the same
/// number of images is replaced, unless it is intact and identical. The caller must hold the lock of the run, because
/// this function removes the temporary files of an interrupted writer. If writing fails with an IoError, all existing
/// checkpoints are kept.
void save_checkpoint(const std::filesystem::path& checkpoints_dir, const CheckpointInfo& info,
                     const NamedTensors& tensors, std::int64_t keep);

/// Points checkpoints/best at the checkpoint with `images` images, so that save_checkpoint does not remove that
/// checkpoint. If the checkpoint does not exist, removes checkpoints/best if it is dangling. Throws IoError.
void mark_best(const std::filesystem::path& checkpoints_dir, std::int64_t images);

/// Verifies and reads the checkpoint in `directory`. Throws CheckpointError if it is missing or damaged, and
/// NewerFormatError if it requires a newer version of slopegan.
Checkpoint load_checkpoint(const std::filesystem::path& directory);

/// Replaces directories named latest and best, which are copies of checkpoints, with symlinks. If the original
/// checkpoint is missing or unreadable, the copy is renamed to the name of the original. A copy that is itself
/// unreadable is renamed to latest-unreadable or best-unreadable. The caller must hold the lock of the run. Throws
/// IoError.
void restore_links(const std::filesystem::path& checkpoints_dir);

/// Parses the configuration in the manifest. If data.path does not exist, but the absolute path in the manifest does,
/// data.path is set to the absolute path. Throws CheckpointError if this version of slopegan cannot read the
/// configuration.
Config checkpoint_config(const Checkpoint& checkpoint);

/// Returns the directories checkpoints/<images>, newest (largest number) first. The list is empty if `checkpoints_dir`
/// does not exist.
std::vector<std::filesystem::path> list_checkpoints(const std::filesystem::path& checkpoints_dir);

/// If there are checkpoints with more than `images` images, removes them and points checkpoints/latest at the one with
/// `images` images, for a run that resumes from it. Unreadable checkpoints are renamed to <images>-unreadable instead.
/// Returns the removed directories. Throws IoError.
std::vector<std::filesystem::path> remove_newer_checkpoints(const std::filesystem::path& checkpoints_dir,
                                                            std::int64_t images);

/// Loads the newest intact checkpoint, including copies named latest and best, or returns std::nullopt if there are no
/// checkpoints. Appends one line to `warnings` for each damaged checkpoint that is skipped. Throws CheckpointError if
/// all checkpoints are damaged, and NewerFormatError if it encounters one that requires a newer version of slopegan.
std::optional<Checkpoint> load_newest(const std::filesystem::path& checkpoints_dir, std::vector<std::string>& warnings);

/// Like the other load_newest, but logs the warnings.
std::optional<Checkpoint> load_newest(const std::filesystem::path& checkpoints_dir);

/// Whether a path given by the user is a run or a checkpoint, and not, for example, a set of images or a file with
/// weights. On file systems without symlinks, checkpoints/latest and checkpoints/best are files, which this function
/// and resolve_checkpoint accept too. The checkpoint may be missing or damaged.
bool is_run_or_checkpoint(const std::filesystem::path& given);

/// Returns the checkpoint directory for a path given by the user, with symlinks resolved: `given` itself if it is a
/// checkpoint, or the newest checkpoint if it is a run. Otherwise, throws a CheckpointError that describes `given`.
std::filesystem::path resolve_checkpoint(const std::filesystem::path& given);

}  // namespace slopegan
