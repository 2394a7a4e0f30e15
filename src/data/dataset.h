#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <torch/types.h>

#include "config/config.h"
#include "support/data_file.h"

namespace slopegan {

enum class Split { train, test };

/// "train" or "test".
const char* split_name(Split split);

/// All images of a split, in memory or memory-mapped.
struct Dataset {
  std::string name;                          ///< name for titles, usually that of the directory or file
  std::vector<std::filesystem::path> files;  ///< the files or directories that were read: images first, then labels
  torch::Tensor images;                      ///< uint8 [N, C, H, W], contiguous, on the CPU; N >= 1, C is 1 or 3
  torch::Tensor labels;                      ///< int64 [N], or undefined if there are no labels
  std::string hash;                          ///< see hash_images
  ImageFit fit = ImageFit::pad;              ///< how images are fitted to a resolution: pad, crop or stretch
  std::vector<std::string> class_names;      ///< by label, or empty if the classes have no names
  std::vector<std::string> unreadable;       ///< one message per skipped file, except files that are too large
  /// One-line messages about what is used, left out, changed or assumed, for example "12 images are transparent;
  /// transparent pixels become white". Warnings report what is probably not intended.
  std::vector<std::string> notes, warnings;
  bool as_in_0_9 = false;  ///< DataConfig::as_in_0_9
  /// Pixels with 16 bits per channel, and integers of more than one byte in an npz file, are scaled to bytes from the
  /// range 0 to 2^deep_bits - 1. deep_bits is 0 if there are no such values, if 1 is white in the npz file, or if a
  /// folder is read with as_in_0_9.
  int deep_bits = 0;

  /// A key that identifies the pixels of the images at any given resolution: the hash, followed by the fit unless the
  /// fit is pad.
  std::string pixel_key() const;

  std::int64_t size() const { return images.size(0); }
  std::int64_t channels() const { return images.size(1); }
  std::int64_t height() const { return images.size(2); }
  std::int64_t width() const { return images.size(3); }
  bool has_labels() const { return labels.defined(); }
};

/// Whether the data set at `config.path` has the split. Examines only the names of files or, in an npz file, of arrays;
/// in a folder of images, also the first bytes of files. For data of the kind npz, throws DataError unless there is
/// exactly one npz file and it can be read.
bool has_split(const DataConfig& config, Split split);

/// Loads a split and converts its images to config.channels channels unless config.channels is 0. A folder of images is
/// first packed into the cache (see data/packed_images.h). Throws DataError if the split does not exist or if a file is
/// invalid; the message then names the file and the problem.
std::shared_ptr<const Dataset> load_dataset(const DataConfig& config, Split split);

/// Loads the test split for measurements while training on `train`, and logs its notes and warnings. Returns nullptr if
/// there is no test split. If the test split is unusable, logs a warning and returns nullptr, because training does not
/// need it.
std::shared_ptr<const Dataset> load_test_split(const DataConfig& config, const Dataset& train);

/// Logs the notes and warnings of a data set, and the number of unreadable files with an example. Each line is logged
/// once per process.
void log_notes(const Dataset& dataset, Split split);
/// `images` is the description of the images in the log, for example "training images".
void log_notes(const Dataset& dataset, const std::string& images);
/// The file or directory from which the images were read, or an empty path if it is unknown.
std::filesystem::path source_of(const Dataset& dataset);

/// The name of the data set at `path`: the last component of the path, printable.
std::string dataset_name(const std::filesystem::path& path);

/// SHA-256, in hexadecimal, of "uint8 N C H W\n" followed by the bytes of `images` (uint8 [N, C, H, W], contiguous).
std::string hash_images(const torch::Tensor& images);

// --- Interface of the formats ----------------------------------------------------------------------------------------

/// The implementation of one DatasetKind. `path` is config.path. load() throws DataError if the data are unusable, and
/// may leave Dataset::hash empty.
struct DatasetFormat {
  bool (*has_split)(const std::filesystem::path& path, Split split);
  Dataset (*load)(const DataConfig& config, const std::filesystem::path& path, Split split);
};

extern const DatasetFormat idx_format, cifar_format, image_folder_format, image_folder_0_9_format, npz_format;

constexpr const char* unused_labels_note = "labels are not used (data.labels: none)";

/// Adds the note that existing labels are not used because of data.labels: none.
void note_unused_labels(Dataset& dataset);

/// A uint8 tensor that owns the memory of `buffer`, whose size must match `shape`.
torch::Tensor byte_tensor(ByteBuffer buffer, const std::vector<std::int64_t>& shape);

}  // namespace slopegan
