#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "run/file_digest.h"
#include "support/errors.h"

/// manifest.json of a checkpoint: what the checkpoint is, and the sizes and digests of its files.
namespace slopegan {

struct CheckpointInfo {
  /// Real images shown to the discriminator.
  std::int64_t images = 0;
  std::string slopegan_version;
  /// The resolved configuration, so that a checkpoint can be used without its run.
  std::string config_yaml;
  /// Dataset::hash of the images that it was trained on; empty where that is not known.
  std::string dataset_hash;
  /// Sizes in bytes of the run's growing files ("history.jsonl", ...) at this moment: a resumed run cuts them there.
  std::map<std::string, std::uint64_t> file_offsets;
  bool operator==(const CheckpointInfo&) const = default;
};

struct Manifest {
  CheckpointInfo info;
  /// By the file's name in the checkpoint's directory.
  std::map<std::string, FileDigest> files;
};

/// The checkpoint is whole, but of a format that only a newer slopegan knows.
struct NewerFormatError : CheckpointError {
  using CheckpointError::CheckpointError;
};

/// The same manifest gives the same text, sealed.
std::string manifest_text(const Manifest& manifest);

/// Adds the last field, manifest_sha256: the SHA-256 of all bytes before it, so that no changed bit of a manifest goes
/// unnoticed. Every version of the format is sealed like this. `object`: the text of a JSON object with a field or
/// more.
std::string sealed(std::string object);

/// The manifest in `text`, which messages call `path`; its seal is not looked at. Throws CheckpointError where it is
/// damaged, and NewerFormatError. Safe for any bytes.
Manifest parse_manifest(std::string_view text, const std::filesystem::path& path);

/// The manifest of the checkpoint in `directory`. Throws CheckpointError where it is missing or damaged, and
/// NewerFormatError.
Manifest read_manifest(const std::filesystem::path& directory);

/// Throws CheckpointError where a file of the manifest is missing or has another size or SHA-256.
void verify_files(const std::filesystem::path& directory, const Manifest& manifest);

}  // namespace slopegan
