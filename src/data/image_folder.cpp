#include "data/image_folder.h"

#include <algorithm>
#include <cstddef>
#include <sys/stat.h>
#include <utility>

#include "data/folder_as_in_0_9.h"
#include "data/folder_labels.h"
#include "data/folder_layout.h"
#include "data/packed_images.h"
#include "support/checksums.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace fs = std::filesystem;

namespace {

/// Removes the files that label_by_directory() leaves out.
void leave_out_unlabelled(FolderImages& images) {
  std::vector<fs::path> files;
  std::vector<std::int64_t> labels;
  for (std::size_t i = 0; i < images.files.size(); ++i) {
    if (images.labels[i] < 0) continue;
    files.push_back(std::move(images.files[i]));
    labels.push_back(images.labels[i]);
  }
  images.files = std::move(files);
  images.labels = std::move(labels);
}

void add_lines(std::vector<std::string>& lines, const std::vector<std::string>& more) {
  lines.insert(lines.end(), more.begin(), more.end());
}

void take_labels(FolderLabels found, FolderImages& images) {
  images.class_names = std::move(found.class_names);
  images.labels = std::move(found.labels);
  if (!images.labels.empty()) leave_out_unlabelled(images);
  add_lines(images.notes, found.notes);
  add_lines(images.warnings, found.warnings);
}

/// Lists the files in the directories of a split, relative to images.root.
void list_split(const FolderLayout& layout, const std::vector<std::string>& directories, FolderImages& images) {
  const bool is_one = directories.size() == 1;
  images.root = is_one ? layout.base / directories.front() : layout.base;
  for (const auto& name : directories.size() > 1 ? directories : std::vector<std::string>{""}) {
    const FolderListing listing = list_some_images(name.empty() ? images.root : images.root / name);
    for (const auto& file : listing.files) images.files.push_back(name.empty() ? file : name / file);
    images.has_bmp_or_tiff = images.has_bmp_or_tiff || listing.has_bmp_or_tiff;
    const std::string where = name.empty() ? "" : printable(name) + ": ";
    for (const auto& note : listing.notes) images.notes.push_back(where + note);
    for (const auto& warning : listing.warnings) images.warnings.push_back(where + warning);
  }
}

/// Labels the images of trainA and trainB, or of testA and testB.
void label_domains(const std::vector<std::string>& directories, FolderImages& images) {
  images.class_names = {"A", "B"};
  images.notes.emplace_back("labels: the 2 domains A, B");
  for (const auto& file : images.files) images.labels.push_back(file.begin()->string() == directories[0] ? 0 : 1);
}

/// `train` is the training split if `images` are those of the test split, and null otherwise.
void label_split(const FolderLayout& layout, const FolderImages* train, FolderImages& images) {
  const auto& directories = train == nullptr ? layout.train : layout.test;
  if (layout.train.size() == 2) {
    if (directories.size() == 2) label_domains(directories, images);
  } else if (train == nullptr) {
    take_labels(label_by_directory(images.files), images);
  } else {
    take_labels(label_test_images(images.files, train->class_names), images);
  }
}

/// Hashes the names, sizes and modification times. The times are needed because a file that was changed in place may
/// have the same size. A missing file is reported later, when it is read.
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

FolderLayout require_layout(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    throw DataError("data.path: " + printable(path.string()) + " is not a directory of images");
  }
  return find_layout(path);
}

/// Lists the test split if `train` is its training split, and the training split if `train` is null.
FolderImages list_and_label(const fs::path& path, const FolderImages* train, const FolderRules& rules) {
  const FolderLayout layout = require_layout(path);
  if (train != nullptr && layout.test.empty()) {
    throw DataError("data.path: " + printable(path.string()) +
                    " has no test images; they are expected in a directory named test or val next to one named train");
  }
  FolderImages images;
  if (train == nullptr) images.notes = layout.notes;
  list_split(layout, train == nullptr ? layout.train : layout.test, images);
  if (rules.labels) {
    label_split(layout, train, images);
  } else if (std::any_of(images.files.begin(), images.files.end(),
                         [](const fs::path& file) { return file.has_parent_path(); })) {
    images.notes.emplace_back(unused_labels_note);
  }
  return images;
}

}  // namespace

FolderImages list_folder(const fs::path& path, const FolderRules& rules) {
  FolderImages images = rules.as_in_0_9 ? list_as_in_0_9(path, Split::train) : list_and_label(path, nullptr, rules);
  images.fingerprint = fingerprint_of(images);
  return images;
}

FolderImages list_test_folder(const fs::path& path, const FolderImages& train, const FolderRules& rules) {
  FolderImages images = rules.as_in_0_9 ? list_as_in_0_9(path, Split::test) : list_and_label(path, &train, rules);
  images.fingerprint = fingerprint_of(images);
  return images;
}

// --- The data set, packed into the cache -----------------------------------------------------------------------------

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
    const char* left_out =
        too_large == 1 ? "is too large and is left out: " : "are too large and are left out, for example ";
    dataset.warnings.push_back(format_text("{} of {} files {}{}", too_large, files, left_out, example->reason));
  }
}

/// Returns int64 [N], without the labels of unreadable files.
torch::Tensor readable_labels(const FolderImages& folder, const PackedImages& packed) {
  std::vector<std::int64_t> labels = folder.labels;
  for (auto file = packed.unreadable.rbegin(); file != packed.unreadable.rend(); ++file) {
    labels.erase(labels.begin() + static_cast<std::ptrdiff_t>(file->index));
  }
  return torch::tensor(labels, torch::kLong);
}

FolderRules rules_of(const DataConfig& config) {
  return {.labels = config.labels == LabelUse::automatic, .as_in_0_9 = config.as_in_0_9};
}

/// Loads the images, packed at config.resolution with config.channels channels (3 if config.channels is 0).
Dataset load_packed_folder(const DataConfig& config, const std::filesystem::path& path, Split split) {
  const FolderRules rules = rules_of(config);
  const FolderImages train = list_folder(path, rules);
  const bool is_test = split == Split::test;
  const FolderImages folder = is_test ? list_test_folder(path, train, rules) : train;
  const PackOptions options{.pixels = pixel_options(config),
                            .max_unreadable = config.max_unreadable,
                            .range_of = is_test ? &train : nullptr,
                            .fixed_bits = config.as_in_0_9 ? 0 : config.fixed_bits};
  PackedImages packed = packed_images(folder, options);
  Dataset dataset;
  dataset.name = dataset_name(path);
  dataset.files = {folder.root};
  dataset.images = packed.images;
  dataset.hash = packed.hash;
  if (packed.tally.deep.images > 0) dataset.deep_bits = packed.deep_bits;
  dataset.class_names = folder.class_names;
  if (!folder.labels.empty()) dataset.labels = readable_labels(folder, packed);
  describe(packed, folder.files.size(), options.pixels, dataset);
  add_lines(dataset.notes, folder.notes);
  add_lines(dataset.warnings, folder.warnings);
  return dataset;
}

bool has_folder_split(const fs::path& path, Split split) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return false;
  return split == Split::train || !find_layout(path).test.empty();
}

bool has_split_as_in_0_9(const fs::path& path, Split split) { return split_as_in_0_9(path, split).has_value(); }

}  // namespace

const DatasetFormat image_folder_format{has_folder_split, load_packed_folder};
const DatasetFormat image_folder_0_9_format{has_split_as_in_0_9, load_packed_folder};

}  // namespace slopegan
