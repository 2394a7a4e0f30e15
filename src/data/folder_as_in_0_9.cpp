#include "data/folder_as_in_0_9.h"

#include <algorithm>

#include "data/folder_listing.h"
#include "support/errors.h"
#include "support/ranges.h"
#include "support/text.h"

namespace slopegan {

namespace fs = std::filesystem;

namespace {

bool has_ending_of_0_9(const fs::path& file) {
  const std::string extension = lower_case(file.extension().string());
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg" || extension == ".webp";
}

bool is_existing_directory(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

std::vector<fs::path> files_as_in_0_9(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::recursive_directory_iterator entry(directory, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (entry->path().filename().native().starts_with('.')) {
      entry.disable_recursion_pending();
    } else if (has_ending_of_0_9(entry->path()) && entry->is_regular_file(ignored)) {
      files.push_back(entry->path().lexically_relative(directory));
    }
  }
  if (error) throw DataError("cannot list " + printable(directory.string()) + ": " + error.message());
  if (files.empty()) throw DataError(printable(directory.string()) + " contains no PNG, JPEG or WebP images");
  std::sort(files.begin(), files.end());
  return files;
}

/// The distinct top-level directories of the paths, sorted. Empty if a path has no directory or if all paths share the
/// same one.
std::vector<std::string> classes_as_in_0_9(const std::vector<fs::path>& files) {
  std::vector<std::string> names;
  for (const auto& file : files) {
    if (!file.has_parent_path()) return {};
    names.push_back(file.begin()->string());
  }
  names = sorted_unique(std::move(names));
  return names.size() > 1 ? names : std::vector<std::string>{};
}

std::vector<std::int64_t> labels_as_in_0_9(const FolderImages& images) {
  std::vector<std::int64_t> labels;
  for (const auto& file : images.files) {
    const std::string name = file.has_parent_path() ? file.begin()->string() : "";
    const auto found = std::lower_bound(images.class_names.begin(), images.class_names.end(), name);
    if (found == images.class_names.end() || *found != name) {
      throw DataError(format_text("{} is not in any of the class directories of the training images: {}",
                                  printable((images.root / file).string()), printable(join(images.class_names, ", "))));
    }
    labels.push_back(found - images.class_names.begin());
  }
  return labels;
}

}  // namespace

std::optional<fs::path> split_as_in_0_9(const fs::path& path, Split split) {
  if (!is_existing_directory(path)) return std::nullopt;
  if (!is_existing_directory(path / "train")) return split == Split::train ? std::optional(path) : std::nullopt;
  if (split == Split::train) return path / "train";
  for (const char* name : {"test", "val"}) {
    if (is_existing_directory(path / name)) return path / name;
  }
  return std::nullopt;
}

FolderImages list_as_in_0_9(const fs::path& path, Split split) {
  const auto root = split_as_in_0_9(path, split), train = split_as_in_0_9(path, Split::train);
  if (!root || !train) {
    throw DataError("data.path: " + printable(path.string()) +
                    (train ? " has no test images; they are expected in a directory named test or val next to train"
                           : " is not a directory with PNG, JPEG or WebP images"));
  }
  FolderImages images;
  images.root = *root;
  images.files = files_as_in_0_9(*root);
  images.class_names = classes_as_in_0_9(split == Split::train ? images.files : files_as_in_0_9(*train));
  if (!images.class_names.empty()) images.labels = labels_as_in_0_9(images);
  images.notes.push_back("the files and labels are selected as in version 0.9, with which the run was started");
  return images;
}

}  // namespace slopegan
