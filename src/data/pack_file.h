#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/packed_images.h"
#include "support/files.h"

/// The file in which packed_images() stores a folder: the bytes of the images from offset 0, in the layout of
/// Dataset::images; a JSON object that describes them; the SHA-256 of this object as 64 hexadecimal digits; and the
/// length of the object as 20 decimal digits.
namespace slopegan {

/// Opens a pack. Returns std::nullopt if the file is missing, was packed from different files, or is damaged; in the
/// last case, sets `damage` to the reason.
std::optional<PackedImages> open_pack(const std::filesystem::path& file, const FolderImages& folder,
                                      const PackOptions& options, std::string& damage);

/// The images and errors from consecutive files of the folder.
struct PackedChunk {
  std::size_t files = 0;
  std::vector<torch::Tensor> images;       ///< in the order of the files
  std::vector<UnreadableFile> unreadable;  ///< the files without an image
  ImageTally tally;
};

/// Writes a pack in chunks. A process that is killed at any time loses at most the last chunk: the bytes of the images
/// are in <stem>.part, and <stem>.progress has one line per chunk with its SHA-256. The caller must hold the lock of
/// the pack.
class PackWriter {
 public:
  /// Continues after the intact chunks of an interrupted writer if it had the same files and options.
  PackWriter(std::filesystem::path stem, const FolderImages& folder, const PackOptions& options);

  /// The number of files that have been packed, which is the index of the first file in the next chunk.
  std::size_t files_done() const { return files_done_; }
  const std::vector<UnreadableFile>& unreadable() const { return unreadable_; }

  /// Appends a chunk, which must contain the next files.
  void add_chunk(const PackedChunk& chunk);

  /// Moves the finished pack of `folder` to `file`. Call once, after the last chunk.
  void finish(const std::filesystem::path& file, const FolderImages& folder);

 private:
  bool accept_chunk(std::string_view line, const FolderImages& folder);
  void count(const PackedChunk& chunk);
  void resume(const std::string& header, const FolderImages& folder);

  std::filesystem::path part_path_, progress_path_;
  PackOptions options_;
  std::size_t files_;
  PosixFile part_;
  std::optional<AppendFile> progress_;
  std::size_t files_done_ = 0;
  std::int64_t images_done_ = 0;
  std::vector<UnreadableFile> unreadable_;
  ImageTally tally_;
};

}  // namespace slopegan
