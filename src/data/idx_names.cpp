#include "data/idx_names.h"

#include <algorithm>
#include <string_view>

#include "data/found_files.h"
#include "support/text.h"

namespace slopegan {

namespace {

namespace fs = std::filesystem;

/// The possible names of a file, starting with the original name in MNIST. Example: `stem` is train-images and `ending`
/// is idx3-ubyte.
std::vector<std::string> file_names(const std::string& stem, const std::string& ending) {
  return {stem + "-" + ending, stem + "-" + ending + ".gz", stem + "." + ending, stem + "." + ending + ".gz"};
}

fs::path first_of(const fs::path& directory, const std::vector<std::string>& candidates) {
  for (const auto& name : candidates) {
    std::error_code ignored;
    if (has_entry(directory / name) && !fs::is_directory(directory / name, ignored)) return directory / name;
  }
  return {};
}

/// `name`, and the same name with .gz added or removed.
std::vector<std::string> with_and_without_gz(const std::string& name) {
  return {name, name.ends_with(".gz") ? name.substr(0, name.size() - 3) : name + ".gz"};
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  if (const auto at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

/// The words between dashes, dots and underscores, in lower case, without a final gz.
std::vector<std::string> words_of(const fs::path& file) {
  std::vector<std::string> words = {""};
  for (const char c : lower_case(file.filename().string())) {
    if (c == '-' || c == '.' || c == '_') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  if (words.size() > 1 && words.back() == "gz") words.pop_back();
  return words;
}

/// The first of `files` whose name has the parts in `wanted`, or an empty path.
fs::path first_named(const std::vector<fs::path>& files, const IdxName& wanted) {
  for (const auto& file : files) {
    const auto name = parse_idx_name(file);
    if (name && name->collection == wanted.collection && name->split == wanted.split &&
        name->holds_labels == wanted.holds_labels) {
      return file;
    }
  }
  return {};
}

/// The files in the directory of `file`, and those in subdirectories that are named after the file that they contain.
/// Some archives create such subdirectories. If `file` itself is in such a subdirectory, the search starts in the
/// parent directory.
std::vector<fs::path> files_near(const fs::path& file) {
  const auto is_own_folder = [](const fs::path& path) { return words_of(path.parent_path()) == words_of(path); };
  const fs::path whole = fs::absolute(file).lexically_normal();
  const fs::path base = is_own_folder(whole) ? whole.parent_path().parent_path() : whole.parent_path();
  std::vector<fs::path> near;
  for (const auto& other : files_below(base)) {
    const fs::path folder = other.parent_path();
    if (folder == base || (folder.parent_path() == base && is_own_folder(other))) near.push_back(other);
  }
  return near;
}

fs::path labels_of_images(const fs::path& images) {
  const std::string name = images.filename().string();
  const std::string label_name = replaced(replaced(name, "images", "labels"), "idx3", "idx1");
  if (name.find("images") != std::string::npos) {
    if (auto beside = first_of(images.parent_path(), with_and_without_gz(label_name)); !beside.empty()) return beside;
  }
  auto wanted = parse_idx_name(images);
  if (!wanted) return {};
  wanted->holds_labels = true;
  return first_named(files_near(images), *wanted);
}

/// The file of test images that belongs to a file of training images, or an empty path if there is none.
fs::path test_images_of(const fs::path& train_images) {
  const std::string name = train_images.filename().string();
  if (name.starts_with("train")) {
    const auto names = with_and_without_gz(replaced(name, "train", "t10k"));
    if (auto beside = first_of(train_images.parent_path(), names); !beside.empty()) return beside;
  }
  auto wanted = parse_idx_name(train_images);
  if (!wanted || wanted->split != Split::train) return {};
  wanted->split = Split::test;
  return first_named(files_near(train_images), *wanted);
}

std::optional<IdxFiles> with_labels(const fs::path& images) {
  if (images.empty()) return std::nullopt;
  return IdxFiles{.images = images, .labels = labels_of_images(images)};
}

/// Finds the images of a split, and labels near them. Labels elsewhere in the directory may belong to a different data
/// set.
std::optional<IdxFiles> find_in_directory(const fs::path& directory, Split split) {
  const fs::path images = first_of(directory, file_names(std::string(idx_prefix(split)) + "-images", "idx3-ubyte"));
  if (!images.empty()) return with_labels(images);
  const auto collections = idx_collections(directory);
  if (collections.size() != 1) return std::nullopt;
  return with_labels(first_named(files_below(directory), {.collection = collections.front(), .split = split}));
}

}  // namespace

const char* idx_prefix(Split split) { return split == Split::train ? "train" : "t10k"; }

std::optional<IdxName> parse_idx_name(const fs::path& file) {
  const auto words = words_of(file);
  for (std::size_t i = 0; i + 2 < words.size(); ++i) {
    const bool train = words[i] == "train", test = words[i] == "t10k" || words[i] == "test";
    const bool labels = words[i + 1] == "labels";
    if ((!train && !test) || (!labels && words[i + 1] != "images") || !words[i + 2].starts_with("idx")) continue;
    return IdxName{.collection = join({words.begin(), words.begin() + static_cast<std::ptrdiff_t>(i)}, "-"),
                   .split = train ? Split::train : Split::test,
                   .holds_labels = labels};
  }
  return std::nullopt;
}

std::vector<std::string> idx_collections(const fs::path& directory) {
  std::vector<std::string> names;
  for (const auto& file : files_below(directory)) {
    const auto name = parse_idx_name(file);
    if (name && name->split == Split::train && !name->holds_labels) names.push_back(name->collection);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (!names.empty() && names.front().empty()) return {""};  // MNIST's own names take precedence
  return names;
}

std::optional<IdxFiles> find_idx_files(const fs::path& path, Split split) {
  std::error_code ignored;  // an inaccessible entry counts as missing
  if (!fs::exists(path, ignored)) return std::nullopt;
  if (fs::is_directory(path, ignored)) return find_in_directory(path, split);
  return with_labels(split == Split::train ? path : test_images_of(path));
}

}  // namespace slopegan
