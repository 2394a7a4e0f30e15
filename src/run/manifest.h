#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "support/checksums.h"
#include "support/errors.h"

/// manifest.json of a checkpoint: describes the checkpoint, with the sizes and digests of its files.
namespace slopegan {

struct CheckpointInfo {
  std::int64_t images = 0;  ///< real images shown to the discriminator
  std::string slopegan_version;
  std::string config_yaml;   ///< resolved configuration, so that a checkpoint can be used without its run
  std::string dataset_hash;  ///< Dataset::hash of the training images; empty if unknown
  /// Sizes in bytes of the run's growing files ("history.jsonl", …), to which a resumed run truncates them.
  std::map<std::string, std::uint64_t> file_offsets;
  /// The absolute data.path at the time of writing; empty if unknown. Used where the path in the configuration, which
  /// may be relative, does not exist.
  std::string data_path{};
  bool operator==(const CheckpointInfo&) const = default;
};

struct Manifest {
  CheckpointInfo info;
  std::map<std::string, FileDigest> files;  ///< by name in the checkpoint directory
};

/// The checkpoint is intact, but has a format that requires a newer slopegan.
struct NewerFormatError : CheckpointError {
  using CheckpointError::CheckpointError;
};

/// Returns the sealed text of a manifest. Equal manifests give equal texts.
std::string manifest_text(const Manifest& manifest);

/// Appends the last field, manifest_sha256: the SHA-256 of all bytes before it, so that every changed bit of a manifest
/// is detected. All versions of the format are sealed like this. `object` is the text of a non-empty JSON object.
std::string sealed(std::string object);

/// Parses a manifest without checking its seal. `path` is used in messages. Throws CheckpointError if it is damaged, or
/// NewerFormatError if it requires a newer slopegan. Safe for arbitrary bytes.
Manifest parse_manifest(std::string_view text, const std::filesystem::path& path);

/// Reads the manifest of the checkpoint in `directory` and checks its seal. Throws CheckpointError if it is missing or
/// damaged, or NewerFormatError if it requires a newer slopegan.
Manifest read_manifest(const std::filesystem::path& directory);

/// Throws CheckpointError if a file of the manifest is missing or has a different size or SHA-256.
void verify_files(const std::filesystem::path& directory, const Manifest& manifest);

}  // namespace slopegan
