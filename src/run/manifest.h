#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/checksums.h"
#include "support/errors.h"

/// The manifest.json of a checkpoint, which describes the checkpoint and contains the sizes and digests of its files.
namespace slopegan {

struct CheckpointInfo {
  std::int64_t images = 0;  ///< real images shown to the discriminator
  std::string slopegan_version;
  std::string config_yaml;   ///< the resolved configuration, so that a checkpoint can be used without its run
  std::string dataset_hash;  ///< Dataset::hash of the training images; empty if unknown
  /// Sizes in bytes of the files that the run appends to ("history.jsonl", …). A resumed run truncates them to these
  /// sizes.
  std::map<std::string, std::uint64_t> file_offsets;
  /// The absolute data.path at the time of writing; empty if unknown. It is used if the path in the configuration,
  /// which may be relative, does not exist.
  std::string data_path{};
  /// HistoryRecord::gradient_penalty for the next line of the history. Empty if no penalty has been computed, and in
  /// manifests of earlier versions.
  std::optional<double> gradient_penalty{};
  /// The kernels that the run has measured and chosen (models/measured_kernels.h); empty if it uses the table.
  std::vector<std::string> kernels{};
  bool operator==(const CheckpointInfo&) const = default;

  /// Whether the weights were imported and have not been trained since.
  bool is_import() const { return images == 0 && dataset_hash.empty(); }

  /// Whether the hash of the training images differs from `hash`. False if one of the two is unknown, for example
  /// because the weights were imported.
  bool was_trained_on_other_images(const std::string& hash) const {
    return !dataset_hash.empty() && !hash.empty() && dataset_hash != hash;
  }
};

struct Manifest {
  CheckpointInfo info;
  std::map<std::string, FileDigest> files;  ///< by their names in the checkpoint directory
};

/// Thrown if the checkpoint is intact but has a format that requires a newer version of slopegan.
struct NewerFormatError : CheckpointError {
  using CheckpointError::CheckpointError;
};

/// Returns the sealed text of a manifest. Equal manifests have equal texts.
std::string manifest_text(const Manifest& manifest);

/// Appends the field manifest_sha256 to `object`, the text of a non-empty JSON object. The value is the SHA-256 of all
/// bytes before the field, so that every changed bit in a manifest is detected. All versions of the format are sealed
/// in this way.
std::string sealed(std::string object);

/// Parses a manifest without checking its seal. `path` is used in messages. Throws CheckpointError if the manifest is
/// damaged, and NewerFormatError if it requires a newer version of slopegan. Safe for arbitrary bytes.
Manifest parse_manifest(std::string_view text, const std::filesystem::path& path);

/// Reads the manifest of the checkpoint in `directory` and checks its seal. Throws CheckpointError if it is missing or
/// damaged, and NewerFormatError if it requires a newer version of slopegan.
Manifest read_manifest(const std::filesystem::path& directory);

/// Throws CheckpointError if a file in the manifest is missing or has a different size or SHA-256.
void verify_files(const std::filesystem::path& directory, const Manifest& manifest);

}  // namespace slopegan
