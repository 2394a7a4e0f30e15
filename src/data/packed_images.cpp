#include "data/packed_images.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

#include <ATen/Parallel.h>

#include "config/enums.h"
#include "data/pack_file.h"
#include "images/image_file.h"
#include "support/cache_directory.h"
#include "support/checksums.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/log.h"
#include "support/seconds_since.h"
#include "support/signals.h"
#include "support/text.h"

namespace slopegan {

namespace fs = std::filesystem;

namespace {

/// Incremented whenever a new version of the program packs the same files into different bytes. Packs from version 0.9
/// have version 1. Folders that contain BMP or TIFF files have a separate number, because the latest changes affect
/// only these files.
constexpr int pack_version = 2, pack_version_with_bmp_or_tiff = 4, version_0_9 = 1;
constexpr std::size_t chunk_files = 256;
constexpr std::uintmax_t chunk_bytes = std::uintmax_t{128} << 20;

/// There is one pack for each folder and set of options. If the files in a folder change, its pack is replaced. The
/// test images of testA and testB are in the same folder as the training images, so their pack has its own name.
fs::path pack_stem(const FolderImages& folder, const PackOptions& options) {
  std::error_code error;
  const fs::path canonical = fs::canonical(folder.root, error);
  const int version = options.pixels.as_in_0_9 ? version_0_9
                      : folder.has_bmp_or_tiff ? pack_version_with_bmp_or_tiff
                                               : pack_version;
  std::string text = format_text("{} {} {} ", version, options.pixels.channels, options.pixels.resolution);
  if (options.range_of != nullptr && options.range_of->root == folder.root) text += "test ";
  if (options.fixed_bits > 0) text += format_text("{} bits ", options.fixed_bits);
  if (!options.pixels.as_in_0_9) text += format_text("{} {} ", name_of(options.pixels.fit), options.pixels.background);
  text += (error ? folder.root : canonical).native();
  return cache_dir() / "packed" / sha256_hex(text).substr(0, 32);
}

/// The end of the chunk that starts with the file `begin`. Chunks of large photographs contain fewer files, so that the
/// status line is updated often and little work is lost if the process is stopped.
std::size_t chunk_end(const FolderImages& folder, std::size_t begin) {
  const auto least = static_cast<std::size_t>(4 * at::get_num_threads());
  const std::size_t most = std::min(begin + chunk_files, folder.files.size());
  std::uintmax_t bytes = 0;
  std::size_t end = begin;
  while (end < most && (end - begin < least || bytes < chunk_bytes)) {
    bytes += file_size_or_zero(folder.root / folder.files[end++]);
  }
  return end;
}

void pack_chunk(const FolderImages& folder, const PackOptions& options, PackWriter& writer) {
  const std::size_t begin = writer.files_done(), end = chunk_end(folder, begin);
  auto results = read_folder_images(folder.root, folder.files, begin, end, options.pixels);
  PackedChunk chunk;
  chunk.files = results.size();
  for (std::size_t i = 0; i < results.size(); ++i) {
    auto& result = results[i];
    if (result.image.defined()) {
      chunk.images.push_back(result.image);
      if (!options.pixels.as_in_0_9) {
        chunk.tally.add(folder.files[begin + i].string(), result.facts, result.fit, options.pixels.resolution);
      }
    } else {
      log::debug(result.reason);
      chunk.unreadable.push_back({begin + i, std::move(result.reason), result.too_large, result.io_error});
    }
  }
  writer.add_chunk(chunk);
}

/// In a small folder, even one damaged file would exceed a small fraction, so a few are always allowed unless the
/// fraction is 0.
std::size_t allowed_unreadable(double share, std::size_t files) {
  constexpr std::size_t always_allowed = 5;
  if (share == 0) return 0;
  return std::max(always_allowed, static_cast<std::size_t>(share * static_cast<double>(files)));
}

/// Throws DataError if more files of a folder are damaged than max_unreadable allows, or if all files are damaged or
/// too large. `files` is the number of files in the folder, and `files_read` is the number of files read so far.
void check_unreadable(const std::vector<UnreadableFile>& unreadable, std::size_t files_read, std::size_t files,
                      const fs::path& root, double max_unreadable) {
  const auto allowed = allowed_unreadable(max_unreadable, files);
  std::vector<std::string> reasons;
  for (const auto& file : unreadable) {
    if (!file.too_large) reasons.push_back(file.reason);
  }
  const std::size_t damaged = reasons.size();
  if (damaged <= allowed && unreadable.size() < files) return;
  std::string text = format_text("{}: ", printable(root.string()));
  if (damaged > allowed) {
    text += format_text("{} of {} files cannot be read, which exceeds data.max_unreadable = {}", damaged, files_read,
                        shortest(max_unreadable));
  } else {
    text += files == 1 ? "the only file cannot be used" : format_text("none of the {} files can be used", files);
    for (const auto& file : unreadable) {
      if (file.too_large) reasons.push_back(file.reason);
    }
  }
  if (files_read < files) text += format_text(" ({} files in all)", files);
  constexpr std::size_t max_named = 10;
  for (std::size_t i = 0; i < std::min(max_named, reasons.size()); ++i) text += "\n  " + reasons[i];
  if (reasons.size() > max_named) text += format_text("\n  and {} more", reasons.size() - max_named);
  throw DataError(text);
}

void check_unreadable(const PackWriter& writer, const FolderImages& folder, const PackOptions& options) {
  check_unreadable(writer.unreadable(), writer.files_done(), folder.files.size(), folder.root, options.max_unreadable);
}

void check_free_space(const fs::path& directory, std::uint64_t bytes) {
  std::error_code error;
  const auto space = fs::space(directory, error);
  if (error || space.available >= bytes) return;
  throw IoError(format_text("the packed images need {:.1f} GiB, but {} has {:.1f} GiB left",
                            std::ldexp(static_cast<double>(bytes), -30), display(directory),
                            std::ldexp(static_cast<double>(space.available), -30)));
}

int deep_bits_for(const FolderImages& folder, const PackOptions& options) {
  constexpr int all_bits = 16;
  if (options.pixels.as_in_0_9) return all_bits;
  if (options.fixed_bits > 0) return options.fixed_bits;
  const bool has_deep = std::any_of(folder.files.begin(), folder.files.end(),
                                    [&](const fs::path& file) { return is_deep_file(folder.root / file); });
  if (!has_deep) return all_bits;
  const FolderImages& range = options.range_of != nullptr ? *options.range_of : folder;
  log::info("determining the range of the 16-bit images in " + printable(range.root.string()));
  return deep_bits_of(range.root, range.files);
}

void pack(const fs::path& stem, const fs::path& file, const FolderImages& folder, PackOptions options) {
  const std::size_t files = folder.files.size();
  options.pixels.deep_bits = deep_bits_for(folder, options);
  PackWriter writer(stem, folder, options);
  check_free_space(
      stem.parent_path(),
      (files - writer.files_done()) *
          static_cast<std::uint64_t>(options.pixels.channels * options.pixels.resolution * options.pixels.resolution));
  log::info(format_text("packing {} image{} of {} into {}", files, plural_s(files), printable(folder.root.string()),
                        printable(file.string())) +
            (writer.files_done() > 0 ? format_text(", continuing after the first {}", writer.files_done()) : ""));
  const auto start = std::chrono::steady_clock::now();
  const auto images = [&writer] { return writer.files_done() - writer.unreadable().size(); };
  const std::size_t before = images();
  while (writer.files_done() < files) {
    if (const int signal = stop_signal()) {
      throw StoppedError(signal, format_text("stopped after packing {} of {} images; the next run packs the rest",
                                             writer.files_done(), files));
    }
    pack_chunk(folder, options, writer);
    check_unreadable(writer, folder, options);
    log::status_line(format_text("packing images: {} of {}", writer.files_done(), files));
  }
  log::status_line("");
  check_unreadable(writer, folder, options);
  writer.finish(file, folder);
  const double seconds = seconds_since(start);
  log::info(format_text("packed {} image{} in {:.1f} s", images() - before, plural_s(images() - before), seconds));
}

/// Opens a pack like open_pack, but returns std::nullopt if it lacks an image that can be read now.
std::optional<PackedImages> open_complete_pack(const fs::path& file, const FolderImages& folder,
                                               const PackOptions& options, std::string& damage) {
  auto packed = open_pack(file, folder, options, damage);
  if (packed && any_became_readable(packed->unreadable, folder)) return std::nullopt;
  return packed;
}

PackedImages pack_or_wait(const fs::path& stem, const fs::path& file, const FolderImages& folder,
                          const PackOptions& options) {
  const FileLock lock = wait_for_cache_lock(file);
  note_cache_use(file, folder.root);  // recorded first, in case packing is interrupted
  std::string damage;
  // Another process may have packed the images while this one waited.
  if (auto packed = open_complete_pack(file, folder, options, damage)) return std::move(*packed);
  if (!damage.empty()) {
    log::warning(format_text("{} is damaged ({}), so the images are packed again", printable(file.string()), damage));
  }
  pack(stem, file, folder, options);
  if (auto packed = open_pack(file, folder, options, damage)) return std::move(*packed);
  throw IoError(printable(file.string()) + " does not contain what was just written");
}

PackOptions with_own_range(PackOptions options) {
  options.fixed_bits = 0;
  return options;
}

/// Whether the cache contains a pack of the images that was made without fixed_bits, and options.fixed_bits would give
/// the same pack. If so, there is no need to pack them again.
bool has_equal_pack(const FolderImages& folder, const PackOptions& options) {
  if (options.fixed_bits == 0) return false;
  const PackOptions own = with_own_range(options);
  std::string ignored;  // a damaged pack is packed again when it is needed
  const auto packed = open_complete_pack(pack_stem(folder, own).string() + ".images", folder, own, ignored);
  return packed && (packed->tally.deep.images == 0 || packed->deep_bits == options.fixed_bits);
}

}  // namespace

bool any_became_readable(const std::vector<UnreadableFile>& unreadable, const FolderImages& folder) {
  return std::any_of(unreadable.begin(), unreadable.end(), [&](const UnreadableFile& file) {
    return file.io_error && file.index < folder.files.size() && can_be_read(folder.root / folder.files[file.index]);
  });
}

PackedImages packed_images(const FolderImages& folder, const PackOptions& options) {
  if (has_equal_pack(folder, options)) return packed_images(folder, with_own_range(options));
  const fs::path stem = pack_stem(folder, options), file = stem.string() + ".images";
  std::string damage;
  auto packed = open_complete_pack(file, folder, options, damage);
  try {
    if (!packed) packed = pack_or_wait(stem, file, folder, options);
  } catch (const IoError& error) {
    throw cache_error("cannot pack images", error);
  }
  note_cache_use(file, folder.root);
  check_unreadable(packed->unreadable, folder.files.size(), folder.files.size(), folder.root, options.max_unreadable);
  return std::move(*packed);
}

}  // namespace slopegan
