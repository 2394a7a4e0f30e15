#include "data/idx_names.h"

#include <map>
#include <string_view>

#include "data/found_files.h"
#include "support/text.h"

namespace slopegan {

namespace {

namespace fs = std::filesystem;

/// The possible names of a file, starting with the original name in MNIST. For example, `stem` is train-images and
/// `ending` is idx3-ubyte.
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

/// The parts of names such as emnist-letters-train-images-idx3-ubyte.gz.
struct IdxName {
  std::string collection;  ///< "emnist-letters"; empty for the names of MNIST
  Split split = Split::train;
  bool holds_labels = false;
};

/// Parses the name of an IDX file; returns std::nullopt for any other name. Accepts dots and underscores instead of
/// dashes, upper and lower case, any suffix after "idx", and "test" instead of "t10k".
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

/// The directory of a file or, if this directory is named after the file, its parent. Some archives create a directory
/// for each file.
fs::path place_of(const fs::path& file) {
  const fs::path folder = file.parent_path();
  return words_of(folder) == words_of(file) ? folder.parent_path() : folder;
}

/// The files in place_of(file), and in those subdirectories of it that are named after the file that they contain.
std::vector<fs::path> files_near(const fs::path& file) {
  const fs::path base = place_of(fs::absolute(file).lexically_normal());
  auto near = files_below(base);
  std::erase_if(near, [&](const fs::path& other) { return other.parent_path() != base && place_of(other) != base; });
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

/// A file of training images below a directory, and the name of its collection (see idx_collections).
struct IdxCollection {
  std::string name;
  fs::path train_images;
};

std::vector<IdxCollection> find_collections(const fs::path& directory) {
  std::map<std::string, std::map<fs::path, fs::path>> found;  // the first file by collection and place
  for (const auto& file : files_below(directory)) {
    const auto name = parse_idx_name(file);
    if (!name || name->split != Split::train || name->holds_labels) continue;
    found[name->collection].try_emplace(place_of(file).lexically_relative(directory), file);
  }
  if (found.contains("")) std::erase_if(found, [](const auto& entry) { return !entry.first.empty(); });
  std::vector<IdxCollection> collections;
  for (auto& [name, places] : found) {
    if (places.contains(".")) std::erase_if(places, [](const auto& entry) { return entry.first != "."; });
    for (const auto& [place, file] : places) {
      const std::string inside = name.empty() ? place.string() : (place / name).string();
      collections.push_back({places.size() == 1 ? name : inside, file});
    }
  }
  return collections;
}

/// Finds test images of a collection anywhere below a directory. Skips test images next to training images of the
/// collection, because they belong to those training images.
fs::path separate_test_images(const fs::path& directory, const std::string& collection) {
  for (const auto& file : files_below(directory)) {
    if (first_named({file}, {.collection = collection, .split = Split::test}).empty()) continue;
    if (first_named(files_near(file), {.collection = collection, .split = Split::train}).empty()) return file;
  }
  return {};
}

/// Finds the images of a split, and labels near them. Labels elsewhere in the directory may belong to a different data
/// set.
std::optional<IdxFiles> find_in_directory(const fs::path& directory, Split split) {
  const auto of_mnist = [&](Split which) {
    return first_of(directory, file_names(std::string(idx_prefix(which)) + "-images", "idx3-ubyte"));
  };
  fs::path train = of_mnist(Split::train);
  if (train.empty()) {
    const auto collections = find_collections(directory);
    if (collections.size() > 1) return std::nullopt;
    if (!collections.empty()) train = collections.front().train_images;
  }
  if (split == Split::train) return with_labels(train);
  if (train.empty()) return with_labels(of_mnist(Split::test));
  fs::path test = test_images_of(train);
  if (test.empty()) test = separate_test_images(directory, parse_idx_name(train)->collection);
  return with_labels(test);
}

}  // namespace

const char* idx_prefix(Split split) { return split == Split::train ? "train" : "t10k"; }

std::vector<std::string> idx_collections(const fs::path& directory) {
  std::vector<std::string> names;
  for (const auto& collection : find_collections(directory)) names.push_back(collection.name);
  return names;
}

std::optional<IdxFiles> find_idx_files(const fs::path& path, Split split) {
  std::error_code ignored;  // an inaccessible entry counts as missing
  if (!fs::exists(path, ignored)) return std::nullopt;
  if (fs::is_directory(path, ignored)) return find_in_directory(path, split);
  return with_labels(split == Split::train ? path : test_images_of(path));
}

}  // namespace slopegan
