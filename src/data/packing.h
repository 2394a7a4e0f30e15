#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/packed_images.h"
#include "support/files.h"

namespace slopegan {

/// A pack that is being written, of which a process that is stopped anywhere loses at most the last chunk: the images'
/// bytes in <stem>.part and, a line a chunk, their SHA-256 in <stem>.progress. For the holder of the pack's lock.
class Packing {
 public:
  /// Goes on behind the chunks that are there and whole, where they are of the same files and options.
  Packing(std::filesystem::path stem, const FolderImages& folder, const PackOptions& options);

  /// Files that are done: the next chunk begins with this one.
  std::size_t files_done() const { return files_done_; }
  std::int64_t images_done() const { return images_done_; }
  const std::vector<UnreadableFile>& unreadable() const { return unreadable_; }

  /// `images` are those of the next `files` files less the unreadable ones.
  void add_chunk(std::size_t files, const std::vector<torch::Tensor>& images, std::vector<UnreadableFile> unreadable);

  /// Puts the finished pack in the place of `file`. To be called once, after the last chunk.
  void finish(const std::filesystem::path& file, const std::string& fingerprint);

 private:
  bool accept(std::string_view line);
  void resume(const std::string& header);

  std::filesystem::path part_path_, progress_path_;
  PackOptions options_;
  std::size_t files_;
  PosixFile part_;
  std::optional<AppendFile> progress_;
  std::size_t files_done_ = 0;
  std::int64_t images_done_ = 0;
  std::vector<UnreadableFile> unreadable_;
};

}  // namespace slopegan
