#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "run/manifest.h"
#include "run/safetensors.h"

/// Checkpoints of a run: checkpoints/<images>/{state.safetensors, manifest.json}, and checkpoints/latest, a link to the
/// newest. A directory under its number is always a whole checkpoint: it is written under another name, synchronised
/// and verified first.
namespace slopegan {

struct Checkpoint {
  std::filesystem::path directory;
  CheckpointInfo info;
  NamedTensors tensors;
};

/// Writes checkpoints/<info.images>, lets checkpoints/latest point at it, and then removes all older ones but the
/// newest `keep` (at least two), the one just written, and the one that checkpoints/best points at. One of the same
/// number is replaced, unless it is whole and the same. The caller holds the run's lock: what an interrupted writer
/// left behind is removed. Throws IoError; the checkpoints that were there are then still there.
void save_checkpoint(const std::filesystem::path& checkpoints_dir, const CheckpointInfo& info,
                     const NamedTensors& tensors, std::int64_t keep);

/// Lets checkpoints/best point at the checkpoint of `images` images, which is then not pruned. Where that is
/// not there, a link that points at nothing is removed. Throws IoError.
void mark_best(const std::filesystem::path& checkpoints_dir, std::int64_t images);

/// Reads the checkpoint in `directory` after everything in it was verified. Throws CheckpointError, and
/// NewerFormatError for one that a newer slopegan wrote.
Checkpoint load_checkpoint(const std::filesystem::path& directory);

/// The configuration in the checkpoint's manifest. Throws CheckpointError where this slopegan cannot read it.
Config checkpoint_config(const Checkpoint& checkpoint);

/// The directories checkpoints/<images>, the newest (the largest number) first; none where there is no such folder.
std::vector<std::filesystem::path> list_checkpoints(const std::filesystem::path& checkpoints_dir);

/// Removes the checkpoints of more than `images` images and lets checkpoints/latest point at the one of `images`, for a
/// run that goes on from there. One that cannot be read is not removed but gets the name <images>-unreadable. Returns
/// what was removed. Throws IoError.
std::vector<std::filesystem::path> remove_newer_checkpoints(const std::filesystem::path& checkpoints_dir,
                                                            std::int64_t images);

/// The newest checkpoint that is whole, or nothing where there is none at all. One line is added to `warnings` for each
/// damaged one that was passed over. Throws CheckpointError where all are damaged, and NewerFormatError rather than
/// pass over one that only a newer slopegan can read.
std::optional<Checkpoint> load_newest(const std::filesystem::path& checkpoints_dir, std::vector<std::string>& warnings);

/// The checkpoint directory that the user means by `path`, without links: a checkpoint, or a run, which stands for its
/// latest. Throws
/// CheckpointError saying what `path` is instead.
std::filesystem::path resolve_checkpoint(const std::filesystem::path& given);

}  // namespace slopegan
