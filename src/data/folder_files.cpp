#include "data/folder_files.h"

#include <algorithm>
#include <cctype>
#include <sys/stat.h>

#include "support/errors.h"
#include "support/sha256.h"
#include "support/text.h"

namespace slopegan {

namespace fs = std::filesystem;

namespace {

bool has_image_ending(const fs::path& file) {
  std::string ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg" || ending == ".webp";
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

/// The first directory of each path; empty where one path has none, or all have the same.
std::vector<std::string> directories_of(const std::vector<fs::path>& files) {
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
      throw DataError(printable((images.root / file).string()) + " lies in none of the training images' directories: " +
                      printable(join(images.class_names, ", ")));
    }
    labels.push_back(found - images.class_names.begin());
  }
  return labels;
}

/// A file that was changed in place has another time; one that is gone by now is noticed when it is read.
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
    } else if (has_image_ending(entry->path()) && entry->is_regular_file(ignored)) {
      files.push_back(entry->path().lexically_relative(directory));
    }
  }
  if (error) throw DataError("cannot list " + printable(directory.string()) + ": " + error.message());
  if (files.empty()) throw DataError(printable(directory.string()) + " holds no PNG, JPEG or WebP images");
  std::sort(files.begin(), files.end());
  return files;
}

std::optional<fs::path> split_folder(const fs::path& path, Split split) {
  if (!is_folder(path)) return std::nullopt;
  if (!is_folder(path / "train")) return split == Split::train ? std::optional(path) : std::nullopt;
  if (split == Split::train) return path / "train";
  for (const char* name : {"test", "val"}) {
    if (is_folder(path / name)) return path / name;
  }
  return std::nullopt;
}

FolderImages list_folder(const fs::path& path, Split split) {
  const auto root = split_folder(path, split), train = split_folder(path, Split::train);
  if (!root || !train) {
    throw DataError("data.path: " + printable(path.string()) +
                    (train ? " has no test images: it would take directories train and test in it"
                           : " is no directory; one with PNG, JPEG or WebP images is expected"));
  }
  FolderImages images;
  images.root = *root;
  images.files = image_files(*root);
  images.class_names = directories_of(split == Split::train ? images.files : image_files(*train));
  if (!images.class_names.empty()) images.labels = labels_of(images);
  images.fingerprint = fingerprint_of(images);
  return images;
}

}  // namespace slopegan
