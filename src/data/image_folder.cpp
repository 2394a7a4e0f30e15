#include "data/image_folder.h"

#include <algorithm>
#include <cctype>
#include <sys/stat.h>

#include "data/packed_images.h"
#include "support/checksums.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/text.h"

namespace slopegan {

namespace fs = std::filesystem;

namespace {

bool has_image_extension(const fs::path& file) {
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg" || extension == ".webp";
}

bool is_existing_directory(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

/// The distinct top-level directories of the paths, sorted. Empty if a path has none or all paths share one.
std::vector<std::string> top_level_directories(const std::vector<fs::path>& files) {
  std::vector<std::string> names;
  for (const auto& file : files) {
    if (!file.has_parent_path()) return {};
    names.push_back(file.begin()->string());
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names.size() > 1 ? names : std::vector<std::string>{};
}

std::vector<std::int64_t> labels_of(const FolderImages& images) {
  std::vector<std::int64_t> labels;
  for (const auto& file : images.files) {
    const std::string name = file.has_parent_path() ? file.begin()->string() : "";
    const auto found = std::lower_bound(images.class_names.begin(), images.class_names.end(), name);
    if (found == images.class_names.end() || *found != name) {
      throw DataError(format_text("{} is in none of the directories of the training images: {}",
                                  printable((images.root / file).string()), printable(join(images.class_names, ", "))));
    }
    labels.push_back(found - images.class_names.begin());
  }
  return labels;
}

/// Modification times detect files that were changed in place. A missing file is reported when it is read.
std::string fingerprint_of(const FolderImages& images) {
  Sha256 hash;
  for (const auto& file : images.files) {
    struct stat status{};
    static_cast<void>(::stat((images.root / file).c_str(), &status));
    const std::string line =
        file.native() + '\0' +
        format_text("{} {}.{:09}\n", status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    hash.update(std::as_bytes(std::span(line)));
  }
  return hash.hex();
}

}  // namespace

std::vector<fs::path> image_files(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::recursive_directory_iterator entry(directory, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (entry->path().filename().native().starts_with('.')) {
      entry.disable_recursion_pending();
    } else if (has_image_extension(entry->path()) && entry->is_regular_file(ignored)) {
      files.push_back(entry->path().lexically_relative(directory));
    }
  }
  if (error) throw DataError("cannot list " + printable(directory.string()) + ": " + error.message());
  if (files.empty()) throw DataError(printable(directory.string()) + " holds no PNG, JPEG or WebP images");
  std::sort(files.begin(), files.end());
  return files;
}

std::optional<fs::path> split_folder(const fs::path& path, Split split) {
  if (!is_existing_directory(path)) return std::nullopt;
  if (!is_existing_directory(path / "train")) return split == Split::train ? std::optional(path) : std::nullopt;
  if (split == Split::train) return path / "train";
  for (const char* name : {"test", "val"}) {
    if (is_existing_directory(path / name)) return path / name;
  }
  return std::nullopt;
}

FolderImages list_folder(const fs::path& path, Split split) {
  const auto root = split_folder(path, split), train = split_folder(path, Split::train);
  if (!root || !train) {
    throw DataError("data.path: " + printable(path.string()) +
                    (train ? " has no test images; they are expected in a directory test or val next to train"
                           : " is not a directory with PNG, JPEG or WebP images"));
  }
  FolderImages images;
  images.root = *root;
  images.files = image_files(*root);
  images.class_names = top_level_directories(split == Split::train ? images.files : image_files(*train));
  if (!images.class_names.empty()) images.labels = labels_of(images);
  images.fingerprint = fingerprint_of(images);
  return images;
}

namespace {

/// Fills dataset.unreadable, notes and warnings.
void describe(const PackedImages& found, std::size_t files, const PixelOptions& options, Dataset& dataset) {
  std::size_t too_large = 0;
  const UnreadableFile* example = nullptr;
  for (const auto& file : found.unreadable) {
    if (!file.too_large) {
      dataset.unreadable.push_back(file.reason);
    } else if (too_large++ == 0) {
      example = &file;
    }
  }
  dataset.notes = found.tally.notes(dataset.size(), options.resolution, options.background, found.deep_bits);
  if (example != nullptr) {
    dataset.warnings.push_back(format_text("{} of {} files are too large and are left out, for example {}", too_large,
                                           files, example->reason));
  }
}

}  // namespace

// --- The data set, packed into the cache -----------------------------------------------------------------------------

namespace {

/// int64 [N], without the labels of unreadable files.
torch::Tensor readable_labels(const FolderImages& folder, const PackedImages& packed) {
  std::vector<std::int64_t> labels = folder.labels;
  for (auto file = packed.unreadable.rbegin(); file != packed.unreadable.rend(); ++file) {
    labels.erase(labels.begin() + static_cast<std::ptrdiff_t>(file->index));
  }
  return torch::tensor(labels, torch::kLong);
}

/// The images packed at config.resolution with config.channels (0: three).
Dataset load_packed_folder(const DataConfig& config, const std::filesystem::path& path, Split split) {
  const FolderImages folder = list_folder(path, split);
  std::optional<FolderImages> train;
  if (split == Split::test) train = list_folder(path, Split::train);
  const PackOptions options{pixel_options(config), config.max_unreadable, train ? &*train : nullptr};
  PackedImages packed = packed_images(folder, options);
  Dataset dataset;
  dataset.name = dataset_name(path);
  dataset.files = {folder.root};
  dataset.images = packed.images;
  dataset.hash = packed.hash;
  dataset.class_names = folder.class_names;
  if (!folder.labels.empty()) dataset.labels = readable_labels(folder, packed);
  describe(packed, folder.files.size(), options.pixels, dataset);
  if (!dataset.unreadable.empty()) {
    log::warning(format_text("{} of the {} files of {} cannot be read and are skipped, for example {}",
                             dataset.unreadable.size(), folder.files.size(), printable(folder.root.string()),
                             dataset.unreadable.front()));
  }
  return dataset;
}

bool has_folder_split(const fs::path& path, Split split) { return split_folder(path, split).has_value(); }

}  // namespace

const DatasetFormat image_folder_format{has_folder_split, load_packed_folder};

}  // namespace slopegan
