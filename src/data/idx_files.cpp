#include "data/idx_files.h"

#include <array>
#include <string_view>
#include <vector>

#include "data/file_checks.h"
#include "support/text.h"

namespace slopegan {

namespace {

namespace fs = std::filesystem;

bool present(const fs::path& path) {
  std::error_code ignored;  // an entry that cannot be looked at is as good as none
  return fs::exists(path, ignored);
}

/// The names that a file goes by, those of the original MNIST first: `stem` is train-images, `ending` idx3-ubyte.
std::vector<std::string> names(const std::string& stem, const std::string& ending) {
  return {stem + "-" + ending, stem + "-" + ending + ".gz", stem + "." + ending, stem + "." + ending + ".gz"};
}

const char* prefix(Split split) { return split == Split::train ? "train" : "t10k"; }

fs::path first_of(const fs::path& directory, const std::vector<std::string>& candidates) {
  for (const auto& name : candidates) {
    if (has_entry(directory / name)) return directory / name;
  }
  return {};
}

/// `name` and the same name with .gz added or taken away.
std::vector<std::string> with_and_without_gz(const std::string& name) {
  return {name, name.ends_with(".gz") ? name.substr(0, name.size() - 3) : name + ".gz"};
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  if (const auto at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

fs::path labels_beside(const fs::path& images) {
  const std::string name = images.filename().string();
  const std::string wanted = replaced(replaced(name, "images", "labels"), "idx3", "idx1");
  if (name.find("images") == std::string::npos) return {};
  return first_of(images.parent_path(), with_and_without_gz(wanted));
}

/// The test images that belong to a file of training images, or an empty path. EMNIST's names are such as
/// emnist-letters-train-images-idx3-ubyte and emnist-letters-test-images-idx3-ubyte.
fs::path test_images_beside(const fs::path& train_images) {
  const std::string name = train_images.filename().string();
  if (name.starts_with("train")) {
    return first_of(train_images.parent_path(), with_and_without_gz(replaced(name, "train", "t10k")));
  }
  if (name.find("-train-") == std::string::npos) return {};
  return first_of(train_images.parent_path(), with_and_without_gz(replaced(name, "-train-", "-test-")));
}

}  // namespace

std::optional<IdxFiles> find_idx_files(const fs::path& path, Split split) {
  if (!present(path)) return std::nullopt;
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    const std::string start = prefix(split);
    const IdxFiles files{.images = first_of(path, names(start + "-images", "idx3-ubyte")),
                         .labels = first_of(path, names(start + "-labels", "idx1-ubyte"))};
    return files.images.empty() ? std::nullopt : std::optional(files);
  }
  const fs::path images = split == Split::train ? path : test_images_beside(path);
  return images.empty() ? std::nullopt : std::optional(IdxFiles{.images = images, .labels = labels_beside(images)});
}

std::string missing_idx_message(const fs::path& path, Split split) {
  const std::string shown = printable(path.string());
  const std::string start = prefix(split);
  std::error_code error;
  const auto status = fs::status(path, error);
  if (status.type() == fs::file_type::none) return "data.path: " + shown + " cannot be read: " + error.message();
  const std::string wanted =
      start + "-images-idx3-ubyte and " + start + "-labels-idx1-ubyte (each also with .gz, or with a dot before idx)";
  if (!present(path)) {
    return "data.path: there is no " + shown + ": a directory with " + wanted +
           ", or one such file of images, is expected; Debian's package dataset-fashion-mnist provides the default, " +
           DataConfig{}.path;
  }
  if (fs::is_directory(path, error)) {
    return "data.path: the directory " + shown + " has no " + split_name(split) + " images: " + wanted +
           " are looked for; Debian's package dataset-fashion-mnist provides the default, " + DataConfig{}.path;
  }
  return "data.path: there is no test split beside " + shown +
         ": for a file train-images-idx3-ubyte it would be t10k-images-idx3-ubyte, each also with .gz";
}

}  // namespace slopegan
