#include "data/packed_images.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

#include <ATen/Parallel.h>
#include <opencv2/imgproc.hpp>

#include "data/pack_file.h"
#include "data/transform.h"
#include "images/image_file.h"
#include "support/cache_directory.h"
#include "support/checksums.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/signals.h"
#include "support/text.h"

namespace slopegan {

namespace fs = std::filesystem;

namespace {

/// Incremented whenever the same files are packed into different bytes.
constexpr int pack_version = 1;
constexpr std::size_t chunk_files = 256;

/// There is one pack per folder, resolution and number of channels. A changed folder replaces its pack.
fs::path pack_stem(const FolderImages& folder, const PackOptions& options) {
  std::error_code error;
  const fs::path canonical = fs::canonical(folder.root, error);
  const std::string text = format_text("{} {} {} ", pack_version, options.channels, options.resolution) +
                           (error ? folder.root : canonical).native();
  return cache_dir() / "packed" / sha256_hex(std::as_bytes(std::span(text))).substr(0, 32);
}

/// uint8 [channels, resolution, resolution]. Throws Error if the file is not a readable image.
torch::Tensor decode(const fs::path& file, const PackOptions& options) {
  cv::Mat image = read_image(file);
  if (image.channels() != options.channels) {
    cv::Mat converted;
    cv::cvtColor(image, converted, options.channels == 1 ? cv::COLOR_BGR2GRAY : cv::COLOR_GRAY2BGR);
    image = converted;
  }
  return fit_to_resolution(image, options.resolution);
}

void pack_chunk(const FolderImages& folder, const PackOptions& options, PackWriter& writer) {
  const std::size_t begin = writer.files_done(), files = std::min(chunk_files, folder.files.size() - begin);
  std::vector<torch::Tensor> results(files);
  std::vector<std::string> reasons(files);
  at::parallel_for(0, static_cast<std::int64_t>(files), 1, [&](std::int64_t from, std::int64_t to) {
    for (auto i = static_cast<std::size_t>(from); i < static_cast<std::size_t>(to); ++i) {
      try {
        results[i] = decode(folder.root / folder.files[begin + i], options);
      } catch (const Error& error) {
        reasons[i] = error.what();
      }
    }
  });
  std::vector<torch::Tensor> images;
  std::vector<UnreadableFile> unreadable;
  for (std::size_t i = 0; i < files; ++i) {
    if (results[i].defined()) {
      images.push_back(results[i]);
    } else {
      log::debug(reasons[i]);
      unreadable.push_back({begin + i, reasons[i]});
    }
  }
  writer.add_chunk(files, images, std::move(unreadable));
}

/// Throws DataError if too many of the first `files_read` files are unreadable.
void check_unreadable(const std::vector<UnreadableFile>& unreadable, std::size_t files_read, const FolderImages& folder,
                      const PackOptions& options) {
  const auto allowed = static_cast<std::size_t>(options.max_unreadable * static_cast<double>(folder.files.size()));
  if (unreadable.size() <= allowed && unreadable.size() < folder.files.size()) return;
  constexpr std::size_t max_named = 10;
  std::string text =
      format_text("{}: {} of {} files cannot be read, which exceeds data.max_unreadable = {}",
                  printable(folder.root.string()), unreadable.size(), files_read, shortest(options.max_unreadable));
  if (files_read < folder.files.size()) text += format_text(" ({} files in all)", folder.files.size());
  for (std::size_t i = 0; i < std::min(max_named, unreadable.size()); ++i) text += "\n  " + unreadable[i].reason;
  if (unreadable.size() > max_named) text += format_text("\n  and {} more", unreadable.size() - max_named);
  throw DataError(text);
}

void check_free_space(const fs::path& directory, std::uint64_t bytes) {
  std::error_code error;
  const auto space = fs::space(directory, error);
  if (error || space.available >= bytes) return;
  throw IoError(
      format_text("the packed images need {:.1f} GiB, but {} has {:.1f} GiB left; set SLOPEGAN_CACHE to another place",
                  std::ldexp(static_cast<double>(bytes), -30), display(directory),
                  std::ldexp(static_cast<double>(space.available), -30)));
}

void pack(const fs::path& stem, const fs::path& file, const FolderImages& folder, const PackOptions& options) {
  const std::size_t files = folder.files.size();
  PackWriter writer(stem, folder, options);
  check_free_space(stem.parent_path(),
                   (files - writer.files_done()) *
                       static_cast<std::uint64_t>(options.channels * options.resolution * options.resolution));
  log::info(
      format_text("packing {} images of {} into {}", files, printable(folder.root.string()), printable(file.string())) +
      (writer.files_done() > 0 ? format_text(", continuing after the first {}", writer.files_done()) : ""));
  const auto start = std::chrono::steady_clock::now();
  const std::size_t before = writer.files_done();
  while (writer.files_done() < files) {
    if (const int signal = stop_signal()) {
      throw StoppedError(signal, "stopped while packing images; the next run continues");
    }
    pack_chunk(folder, options, writer);
    check_unreadable(writer.unreadable(), writer.files_done(), folder, options);
    log::status_line(format_text("packing images: {} of {}", writer.files_done(), files));
  }
  log::status_line("");
  check_unreadable(writer.unreadable(), files, folder, options);
  writer.finish(file, folder.fingerprint);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  log::info(format_text("packed {} images in {:.1f} s", files - before, seconds));
}

FileLock pack_lock(const fs::path& file) {
  try {
    return wait_for_cache_lock(file);
  } catch (const IoError& error) {
    throw IoError(format_text("cannot pack images: {}; set SLOPEGAN_CACHE to another place", error.what()));
  }
}

PackedImages pack_or_wait(const fs::path& stem, const fs::path& file, const FolderImages& folder,
                          const PackOptions& options) {
  const FileLock lock = pack_lock(file);
  std::string damage;
  // Another process may have packed the images while this one waited.
  if (auto packed = open_pack(file, folder, options, damage)) return std::move(*packed);
  if (!damage.empty()) {
    log::warning(
        format_text("the packed images in {} are damaged ({}) and are packed again", printable(file.string()), damage));
  }
  pack(stem, file, folder, options);
  if (auto packed = open_pack(file, folder, options, damage)) return std::move(*packed);
  throw IoError(printable(file.string()) + " does not contain what was just written");
}

}  // namespace

PackedImages packed_images(const FolderImages& folder, const PackOptions& options) {
  const fs::path stem = pack_stem(folder, options), file = stem.string() + ".images";
  std::string damage;
  auto packed = open_pack(file, folder, options, damage);
  if (!packed) packed = pack_or_wait(stem, file, folder, options);
  check_unreadable(packed->unreadable, folder.files.size(), folder, options);
  return std::move(*packed);
}

}  // namespace slopegan
